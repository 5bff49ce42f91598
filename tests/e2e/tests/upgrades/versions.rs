//! Which version of messages is spoken where a client takes both.

use anyhow::{Context, ensure};
use e2e::Client;

use super::{WEBSOCKET, alone, exchange, is_upgrade, listening, message, told};

/// As client libraries offer both (client-node), to an API server before Kubernetes 1.30.
#[test]
fn an_api_server_that_speaks_the_older_version_alone_is_spoken_to_in_it() -> anyhow::Result<()> {
    let (server, gate) = listening()?;
    let client = Client::new(&gate, &gate.session("versions")?)?;
    let offering = |protocols| {
        let (_, handshake) = WEBSOCKET.split_last().context("the protocols")?;
        anyhow::Ok([handshake, &[protocols]].concat())
    };
    let both = offering("Sec-WebSocket-Protocol: v5.channel.k8s.io,v4.channel.k8s.io,v3.channel.k8s.io")?;
    let line = "GET /api/v1/namespaces/n/pods/speaks-v4/exec?command=id&stdin=true&stdout=true HTTP/1.1";
    // To stdin, and then what closes it in v5; in v4 there is no such channel, and the gate ends it.
    let came = exchange(&client, line, &both, &[&message(b"\0typed")?[..], &message(b"\xff\0")?].concat())?;
    let came = String::from_utf8_lossy(&came).to_lowercase();
    let (head, frames) = came.split_once("\r\n\r\n").context("no end of the head")?;
    ensure!(head.starts_with("http/1.1 101 "), "{came}");
    ensure!(format!("{head}\r\n").contains("\r\nsec-websocket-protocol: v4.channel.k8s.io\r\n"), "{came}");
    ensure!(
        frames.contains("\u{3}{") && frames.contains("the client broke the rules of its stream"),
        "{came}"
    );
    let requests = server.requests();
    let asked = requests.iter().find(|request| is_upgrade(request)).context("not asked")?;
    // In one header: API servers look at the first.
    ensure!(asked.values("sec-websocket-protocol") == ["v5.channel.k8s.io, v4.channel.k8s.io"], "{asked:?}");
    let seen = server.observed();
    let heard = seen.heard_on.get(&asked.connection).context("not heard")?;
    ensure!(!heard.ends_with(b"\r\n\r\n"), "nothing was said: {}", String::from_utf8_lossy(heard));
    // Whoever takes the newer one alone is not answered by what nobody offered.
    let newer = offering("Sec-WebSocket-Protocol: v5.channel.k8s.io")?;
    let came = exchange(&client, &line.replace("command=id", "command=true"), &newer, b"")?;
    insta::assert_snapshot!(told(&came)?, @"502 portcullis: the API server's answer cannot be passed on; it may have acted, so look before you try again");
    alone(&server)
}
