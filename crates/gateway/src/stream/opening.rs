//! A stream's beginning: what it is, and that both sides are ready.

use bytes::Bytes;
use kube_api::{Options, Request, Upgrade};
use mask::{Content, Redactor};
use recording::{Opening, record::Kind};
use streaming::{
    kind::Asked,
    remote_command::{Error, Server},
};
use upstream::RemoteCommand;
use wire::leg::{Fault, Hearing, Saying};

use super::closing::Finish;
use crate::{call::Call, outcome::Ending};

/// What the recording says of it: who knows a Secret's value may write it into a command, but nobody may read it there.
pub(crate) fn of(call: &Call, request: &Request) -> Opening {
    let known = call.known();
    let masked = |word: &str| {
        let word = Bytes::copy_from_slice(word.as_bytes());
        String::from_utf8_lossy(&Redactor::whole(&known, Content::Text, word, &[]).0).into_owned()
    };
    let text = |text: Option<&str>| masked(text.unwrap_or_default());
    let (options, resource) = (request.options(), request.resource());
    Opening {
        call: call.id().as_str().into(),
        kind: match request.upgrade() {
            Some(Upgrade::Attach) => Kind::Attach,
            Some(Upgrade::PortForward) => Kind::PortForward,
            Some(Upgrade::Exec) | None => Kind::Exec,
        },
        namespace: text(resource.and_then(|resource| resource.namespace())).as_str().into(),
        pod: text(resource.and_then(|resource| resource.name())).as_str().into(),
        container: options.get("container").map(|name| masked(name).as_str().into()),
        argv: options.all("command").map(masked).collect(),
        tty: options.is_set("tty"),
    }
}

/// Which channels it has.
pub(super) fn asked(options: &Options) -> Asked {
    Asked {
        stdin: options.is_set("stdin"),
        stdout: options.is_set("stdout"),
        stderr: options.is_set("stderr"),
        tty: options.is_set("tty"),
    }
}

/// Waits until both sides have opened what was asked for: the client first, since the command runs once the API server's side
/// is there.
pub(super) async fn begin(
    client: &mut Hearing<Server>,
    to_client: &Saying<Server>,
    pod: &mut RemoteCommand,
) -> Result<(), Finish> {
    to_client.flush().await.map_err(|_| Finish::Cut(Ending::ClientLeft))?;
    while !client.with(Server::is_ready) {
        match client.next_until(|server| server.is_ready() || server.has_left()).await {
            Ok(Some(_said)) => return Err(Finish::Refused(Error::Early)),
            Ok(None) if client.with(Server::is_ready) => {}
            Ok(None) | Err(Fault::Wire(_)) => return Err(Finish::Cut(Ending::ClientLeft)),
            Err(Fault::Said(error)) => return Err(Finish::Refused(error)),
        }
    }
    pod.ready().await.map_err(|_| Finish::Cut(Ending::UpstreamBroke))
}
