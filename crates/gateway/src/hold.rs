//! What policy asks humans about is held until they decide, or until its client is told to come back.
//!
//! ```text
//! ask ─ look, bind, dry run ─ asked before? ─┬─ no ── request ─┐
//!                                            └─ yes ───────────┴─ wait ─┬─ approved ─ used ─ permit
//!                                                                       └─ refused, over, come back later
//! ```
//!
//! The bytes that were asked about are the bytes that are sent. While its client waits, the request itself is held, in
//! memory. When the client comes back, it sends the same bytes again: they are found by a keyed digest, and nothing that an
//! agent wrote, which may be secret, has to be kept meanwhile.

mod request;
mod wait;

use approval::{Shown, Target, Why};
use http::StatusCode;
use kube_api::{Request, Verb};
use ledger::leaf::Cause;
use mask::Live;
use policy::{Ask, Permit, RuleRef};
use serde_json::Value;

use crate::{
    call::Call,
    judged::Judged,
    look::{Seen, Stop},
    refuse::{Refused, Unseen},
};

/// A request as far as it came, and why it came no further.
pub(crate) type Stopped = Box<(Request, Stop)>;

/// What is asked, ready to be shown and sent.
struct Prepared {
    ask: Ask,
    /// What a request is found by that is sent again.
    key: String,
    target: Option<Target>,
    /// Keyed digest of what the API server answered the dry run.
    result: Option<String>,
    /// What approvers are shown.
    shown: Shown,
}

impl Call {
    /// The permit for what is asked, once humans said yes. `key` is that of the request as its client sent it.
    pub(crate) async fn hold(&self, key: String, ask: Ask) -> Result<Permit, Stopped> {
        let request = ask.request().clone();
        let held = async {
            let prepared = self.prepare(key, ask).await?;
            let approval = self.asked(&prepared).await?;
            self.wait(prepared, approval).await
        };
        held.await.map_err(|stop| Box::new((request, stop)))
    }

    /// What a request is found by when it is sent again: a digest under the gate's own key.
    pub(crate) fn key_of(&self, request: &Request) -> String {
        let outgoing = request.to_http();
        let content = request.body().map(|body| body.content().header_value());
        let content = content.as_ref().map_or(&b""[..], |value| value.as_bytes());
        let head = format!("{} {}\n", outgoing.method(), outgoing.uri());
        let parts = [head.as_bytes(), content, b"\n", outgoing.body()].concat();
        self.gate().ledger().keyed_digest(&parts)
    }

    /// Looks at the object, binds the request to it, and asks the API server what would come of it.
    async fn prepare(&self, key: String, ask: Ask) -> Result<Prepared, Stop> {
        let verb = ask.request().verb();
        if verb == Verb::DeleteCollection {
            let status = ask.ended(
                "which objects that is cannot be told humans beforehand",
                Some("delete them by their names"),
                false,
            );
            return Err(Stop::asked(&ask, status));
        }
        let by_name =
            matches!(verb, Verb::Delete | Verb::Update | Verb::Patch) || ask.request().is_eviction();
        let live = if by_name { Some(self.look(ask.request()).await?) } else { None };
        let target = match &live {
            Some(live) => Some(target(live, ask.request())?),
            None => None,
        };
        let ask = match &target {
            Some(target) => ask.bind(target).map_err(|refusal| Stop::Refused {
                refused: Refused::Unparsed(Box::new(refusal.status())),
                cause: Cause::Malformed,
                decision: None,
            })?,
            None => ask,
        };
        let after = match ask.dry_run() {
            Some(permit) => match self.ask(permit).await? {
                Seen::Object(live) => Some(live),
                Seen::Error(error, _) => return Err(Stop::unseen(Refused::Answered(error))),
            },
            None => None,
        };
        let result = after
            .as_ref()
            .map(|live| live.ask(|object| self.gate().ledger().keyed_digest(object.to_string().as_bytes())));
        let masked = |live: Option<&Live>| live.map_or(Value::Null, |live| live.shown().clone());
        let why = |rule: &RuleRef| Why { rule: rule.id().to_owned(), reason: rule.reason().to_owned() };
        let shown = Shown {
            verb: verb.as_str().to_owned(),
            dry_run: ask.request().dry_run(),
            act: ask.act().to_owned(),
            reason: self.caller().reason().as_str().to_owned(),
            rules: ask.decision().rules().iter().map(why).collect(),
            before: masked(live.as_ref()),
            after: masked(after.as_deref()),
        };
        Ok(Prepared { ask, key, target, result, shown })
    }
}

/// The object that a write by its name is about. What is deleted must be there; of what may yet be made, there is no version.
fn target(live: &Live, request: &Request) -> Result<Target, Stop> {
    match live.version_of_object() {
        Some((uid, version)) => Ok(Target { uid: uid.to_owned(), resource_version: version.to_owned() }),
        None if request.verb() == Verb::Delete || request.is_eviction() => {
            Err(Stop::unseen(Refused::Unseen(Unseen::Answered(StatusCode::NOT_FOUND))))
        }
        None => Ok(Target { uid: String::new(), resource_version: String::new() }),
    }
}

impl Stop {
    /// Humans were asked, and this is what the client is told.
    fn asked(ask: &Ask, status: kube_api::Status) -> Self {
        Judged { status: Box::new(status), ..Judged::from(ask) }.into()
    }
}
