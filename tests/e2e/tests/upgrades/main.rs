//! B4: what a client sends behind a request for an upgrade goes nowhere, whatever the API server answers to it; and a request that
//! could be an upgrade to one reader and something else to another goes nowhere either.

mod versions;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Write},
    num::NonZeroU16,
};

use anyhow::{Context, ensure};
use e2e::{AuditedGate, Client, behind, permissive};
use http::{StatusCode, header};
use streaming::{
    kind::{PortForwardKind, PortForwardStream, RemoteCommandStream, RequestId},
    spdy::{Connection, Role},
};
use testkit::stand_in::{Habits, Hold, Reply, Seen, StandIn};

const SPDY: &[&str] =
    &["Connection: Upgrade", "Upgrade: SPDY/3.1", "X-Stream-Protocol-Version: v4.channel.k8s.io"];
const WEBSOCKET: &[&str] = &[
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: v5.channel.k8s.io",
];
const FORWARD: &[&str] =
    &["Connection: Upgrade", "Upgrade: SPDY/3.1", "X-Stream-Protocol-Version: portforward.k8s.io"];
const TUNNEL: &[&str] = &[
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io",
];

/// What is opened, as a client of each kind asks for it.
const OPENED: [(&str, &str, &str, &[&str]); 6] = [
    ("exec", "exec?command=id&stdin=true&stdout=true", "POST", SPDY),
    ("exec", "exec?command=id&stdin=true&stdout=true", "GET", WEBSOCKET),
    ("attach", "attach?stdin=true&stdout=true", "POST", SPDY),
    ("attach", "attach?stdin=true&stdout=true", "GET", WEBSOCKET),
    ("port-forward", "portforward?ports=80", "POST", FORWARD),
    ("port-forward", "portforward?ports=80", "GET", TUNNEL),
];

/// The pod that a port-forward is judged by.
const POD: &str = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x","namespace":"n","uid":"1","resourceVersion":"1"},"spec":{"containers":[]},"status":{"phase":"Running"}}"#;

/// A request of its own, to whoever reads it as one.
const SMUGGLED: &[u8] = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\nX-Smuggled: smuggled\r\n\r\n";
const MARK: &[u8] = b"smuggled";

/// What the API server answers, by the pod that is asked for.
fn scripted(request: &Seen) -> Reply {
    if !is_upgrade(request) {
        return Reply::json(StatusCode::OK, POD);
    }
    let pod = request.uri.path().split('/').nth(6).unwrap_or_default();
    let protocols = request.values("x-stream-protocol-version");
    let switching = || Reply::switching().header(header::CONNECTION, "Upgrade");
    let spdy = || switching().header(header::UPGRADE, "SPDY/3.1");
    let protocol = http::HeaderName::from_static("x-stream-protocol-version");
    match pod {
        "ok" => Reply::json(StatusCode::OK, "{}"),
        "found" => Reply::json(StatusCode::FOUND, "{}").header(header::LOCATION, "/api/v1/secrets"),
        "moved" => {
            let moved = Reply::json(StatusCode::TEMPORARY_REDIRECT, "{}");
            moved.header(header::LOCATION, "https://localhost:1/exec")
        }
        "asks-for-more" => Reply::json(StatusCode::UPGRADE_REQUIRED, "{}").header(header::UPGRADE, "h2c"),
        "will-not" => Reply::json(StatusCode::FORBIDDEN, "{}"),
        "cannot" => Reply::json(StatusCode::INTERNAL_SERVER_ERROR, "{}"),
        "without-upgrade" => switching(),
        "without-connection" => {
            Reply::switching().header(header::UPGRADE, "SPDY/3.1").header(protocol, "v4.channel.k8s.io")
        }
        "without-protocol" => spdy(),
        "older" => spdy().header(protocol, "channel.k8s.io"),
        "h2c" => switching().header(header::UPGRADE, "h2c"),
        "websocket" => {
            let websocket = switching().header(header::UPGRADE, "websocket");
            let websocket = websocket.header(header::SEC_WEBSOCKET_PROTOCOL, "v5.channel.k8s.io");
            websocket.header(header::SEC_WEBSOCKET_ACCEPT, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        }
        "speaks-v4" => match wire::handshake::answer(&request.headers) {
            Ok(accept) => {
                let websocket = switching().header(header::UPGRADE, "websocket");
                let websocket = websocket.header(header::SEC_WEBSOCKET_PROTOCOL, "v4.channel.k8s.io");
                websocket.header_value(header::SEC_WEBSOCKET_ACCEPT, accept)
            }
            Err(_no_handshake) => Reply::hang_up(),
        },
        "agrees" if protocols == ["portforward.k8s.io"] => spdy().header(protocol, "portforward.k8s.io"),
        "agrees" => spdy().header(protocol, "v4.channel.k8s.io"),
        _ => Reply::hang_up(),
    }
}

/// Whether it asks for a stream; the gate's looks at a pod do not.
fn is_upgrade(request: &Seen) -> bool {
    request.headers.contains_key(header::UPGRADE)
}

fn upgrades(server: &StandIn) -> usize {
    server.requests().iter().filter(|request| is_upgrade(request)).count()
}

fn listening() -> anyhow::Result<(StandIn, AuditedGate)> {
    let protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let server = StandIn::with(Habits { listening: true, protocols, ..Habits::default() }, scripted)?;
    let gate = behind(&server, &permissive())?;
    Ok((server, gate))
}

/// Sends a request with these headers and what follows at once; gives what comes until the gate closes.
fn exchange(client: &Client, line: &str, headers: &[&str], behind: &[u8]) -> anyhow::Result<Vec<u8>> {
    let token = format!("Authorization: Bearer {}", client.token());
    let head = [&[line, "Host: localhost", &token], headers].concat().join("\r\n");
    let mut stream = client.connect()?;
    stream.write_all(&[head.as_bytes(), b"\r\n\r\n", behind].concat())?;
    let mut came = Vec::new();
    match stream.read_to_end(&mut came) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
            anyhow::bail!("{line}: the connection stays open: {}", String::from_utf8_lossy(&came))
        }
        Ok(_) | Err(_) => Ok(came),
    }
}

/// The status and the message of the one answer that came.
fn told(came: &[u8]) -> anyhow::Result<String> {
    let text = String::from_utf8_lossy(came);
    // Of who waits for it, the body would be read.
    let text = text.trim_start_matches("HTTP/1.1 100 Continue\r\n\r\n");
    ensure!(text.matches("HTTP/1.1 ").count() == 1, "not one answer: {text}");
    let code = text.split(' ').nth(1).context("no status")?;
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    let status = serde_json::from_str::<serde_json::Value>(body).unwrap_or_default();
    Ok(format!("{code} {}", status.get("message").and_then(serde_json::Value::as_str).unwrap_or_default()))
}

fn contains(heard: &[u8], mark: &[u8]) -> bool {
    heard.windows(mark.len()).any(|window| window.eq_ignore_ascii_case(mark))
}

#[test]
fn what_is_sent_behind_a_request_for_an_upgrade_goes_nowhere() -> anyhow::Result<()> {
    let (server, gate) = listening()?;
    let client = Client::new(&gate, &gate.session("behind")?)?;
    let answers = [
        "ok",
        "found",
        "moved",
        "asks-for-more",
        "will-not",
        "cannot",
        "without-upgrade",
        "without-connection",
        "without-protocol",
        "older",
        "h2c",
        "websocket",
        "hangs-up",
    ];
    let mut table = BTreeMap::<_, Vec<&str>>::new();
    for (what, target, method, headers) in OPENED {
        let transport = if method == "POST" { "SPDY" } else { "WebSocket" };
        for answer in answers {
            let before = upgrades(&server);
            let line = format!("{method} /api/v1/namespaces/n/pods/{answer}/{target} HTTP/1.1");
            let came = exchange(&client, &line, headers, SMUGGLED)?;
            table.entry((transport, answer, told(&came)?)).or_default().push(what);
            ensure!(upgrades(&server) == before + 1, "{transport}, {answer}: {:?}", server.requests());
        }
    }
    let row = |((transport, answer, told), what): (&(&str, &str, String), &Vec<&str>)| {
        format!("{transport}, {answer}, {}: {told}", what.join(" and "))
    };
    insta::assert_snapshot!(table.iter().map(row).collect::<Vec<_>>().join("\n"));
    ensure!(!contains(&server.observed().heard, MARK), "it went upstream");
    alone(&server)
}

/// A connection that was to be upgraded carries nothing else, before or after.
fn alone(server: &StandIn) -> anyhow::Result<()> {
    let requests = server.requests();
    let (asked, others): (Vec<_>, Vec<_>) = requests.iter().partition(|request| is_upgrade(request));
    let connections: BTreeSet<usize> = asked.iter().map(|request| request.connection).collect();
    ensure!(connections.len() == asked.len() && !asked.is_empty(), "upgrades share a connection: {asked:?}");
    let shared = others.iter().find(|request| connections.contains(&request.connection));
    ensure!(shared.is_none(), "something else is sent on the connection of an upgrade: {shared:?}");
    Ok(())
}

/// What kubectl would say once it is answered `101`, and some say before: streams are opened, and something is said on them.
fn early(what: &str, method: &str) -> anyhow::Result<Vec<u8>> {
    let mut client = Connection::new(Role::Client);
    let forward = what == "port-forward";
    let (request, port) = (RequestId::from(0), NonZeroU16::new(80).context("a port")?);
    let of = |kind| PortForwardStream { request: request.clone(), port, kind }.to_headers();
    if forward {
        client.open(&of(PortForwardKind::Error), true)?;
        client.open(&of(PortForwardKind::Data), false)?;
    } else {
        client.open(&RemoteCommandStream::Error.to_headers(), false)?;
        client.open(&RemoteCommandStream::Stdin.to_headers(), false)?;
        client.open(&RemoteCommandStream::Stdout.to_headers(), false)?;
    }
    // On the second stream, whose number is 3; before it is replied to.
    let [.., high, low] = u32::try_from(SMUGGLED.len())?.to_be_bytes();
    let frames = [&client.take_output(), &[0, 0, 0, 3, 0, 0, high, low][..], SMUGGLED].concat();
    Ok(match (method, forward) {
        ("POST", _) => frames,
        (_, true) => message(&frames)?,
        // The channel of standard input.
        (_, false) => message(&[b"\0", SMUGGLED].concat())?,
    })
}

/// A binary message of a WebSocket's client, by a mask that changes nothing.
fn message(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let [high, low] = u16::try_from(bytes.len())?.to_be_bytes();
    Ok([&[0x82, 0x80 | 126, high, low, 0, 0, 0, 0], bytes].concat())
}

/// Valid from the first byte, and all the same too early.
#[test]
fn what_is_said_before_the_api_server_agrees_waits_for_it() -> anyhow::Result<()> {
    let hold = Hold::default();
    let script = {
        let hold = hold.clone();
        move |request: &Seen| {
            let reply = scripted(request);
            if is_upgrade(request) { reply.held(&hold) } else { reply }
        }
    };
    let protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let server = StandIn::with(Habits { listening: true, protocols, ..Habits::default() }, script)?;
    let gate = behind(&server, &permissive())?;
    let client = Client::new(&gate, &gate.session("early")?)?;
    let mut open = Vec::new();
    for (what, target, method, headers) in OPENED {
        let answer = if method == "POST" { "agrees" } else { "websocket" };
        let mut stream = client.connect()?;
        let token = format!("Authorization: Bearer {}", client.token());
        let line = format!("{method} /api/v1/namespaces/n/pods/{answer}/{target} HTTP/1.1");
        let head = [&[&*line, "Host: localhost", &token], headers].concat().join("\r\n");
        stream.write_all(&[head.as_bytes(), b"\r\n\r\n", &early(what, method)?].concat())?;
        open.push((what, method, stream));
        server.wait("it is asked for", |seen| {
            seen.requests.iter().filter(|request| is_upgrade(request)).count() == open.len()
        })?;
    }
    // Time in which the gate serves others, and could send what it has.
    for _call in 0..3 {
        ensure!(client.ask("GET /api/v1/namespaces/n/pods/other", &[], "")?.status == 200);
    }
    // Nothing but the heads of requests: no frame of SPDY, and no message.
    let seen = server.observed();
    for request in seen.requests.iter().filter(|request| is_upgrade(request)) {
        let heard = seen.heard_on.get(&request.connection).context("not heard")?;
        let heads = heard.windows(4).filter(|end| end == b"\r\n\r\n").count();
        ensure!(heads == 1 && heard.ends_with(b"\r\n\r\n"), "{}", String::from_utf8_lossy(heard));
    }
    ensure!(!contains(&seen.heard, MARK), "it went upstream");
    hold.release();
    // The control: once it has agreed, the gate speaks to it.
    server.wait("it is spoken to", |seen| contains(&seen.heard, b"\x80\x03\0\x01"))?;
    for (what, method, stream) in &mut open {
        let mut first = [0; 12];
        stream.read_exact(&mut first)?;
        ensure!(
            method != &"POST" || first == *b"HTTP/1.1 101",
            "{what}: {}",
            String::from_utf8_lossy(&first)
        );
    }
    alone(&server)
}

/// Bytes that are early are the stream's own, and read by its rules.
#[test]
fn what_is_no_frame_of_the_stream_goes_nowhere_even_if_the_api_server_agrees() -> anyhow::Result<()> {
    let (server, gate) = listening()?;
    let client = Client::new(&gate, &gate.session("agrees")?)?;
    for (number, (what, target, method, headers)) in OPENED.into_iter().enumerate() {
        if method != "POST" {
            continue;
        }
        // A control frame of another version of SPDY.
        let early = [b"\x80\x02\0\x01", SMUGGLED].concat();
        let line = format!("POST /api/v1/namespaces/n/pods/agrees/{target} HTTP/1.1");
        let came = exchange(&client, &line, headers, &early)?;
        ensure!(came.starts_with(b"HTTP/1.1 101 "), "{what}: {}", String::from_utf8_lossy(&came));
        ensure!(upgrades(&server) == number / 2 + 1, "{what}: {:?}", server.requests());
        let heard = server.observed().heard;
        let path = target.split('?').next().unwrap_or_default();
        ensure!(contains(&heard, format!("/pods/agrees/{path}").as_bytes()), "{what}: the control");
        ensure!(!contains(&heard, MARK), "{what}: it went upstream: {}", String::from_utf8_lossy(&heard));
    }
    alone(&server)
}

/// Headers, and what follows them, by which two readers could disagree about where the request ends and what comes after it.
const AMBIGUOUS: &[(&str, &[&str], &str)] = &[
    ("h2c", &["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"], ""),
    ("a length", &["Content-Length: 65"], ""),
    ("no length", &["Content-Length: 0"], ""),
    ("chunks", &["Transfer-Encoding: chunked"], "0\r\n\r\n"),
    ("chunks that are never read", &["Transfer-Encoding: chunked"], "41\r\n"),
    ("a length and chunks", &["Content-Length: 65", "Transfer-Encoding: chunked"], "0\r\n\r\n"),
    ("two lengths", &["Content-Length: 0", "Content-Length: 65"], ""),
    ("to wait for a 100", &["Expect: 100-continue", "Content-Length: 65"], ""),
    ("another upgrade", &["Upgrade: websocket"], ""),
    ("another upgrade, before", &["Upgrade: h2c"], ""),
    ("the same upgrade again", &["Upgrade: SPDY/3.1"], ""),
    ("another protocol", &["X-Stream-Protocol-Version: v1.channel.k8s.io"], ""),
    ("a connection that closes", &["Connection: close"], ""),
    ("no more headers by name", &["Connection: X-Stream-Protocol-Version"], ""),
];

#[test]
fn a_request_that_could_be_read_in_two_ways_goes_nowhere() -> anyhow::Result<()> {
    let (server, gate) = listening()?;
    let client = Client::new(&gate, &gate.session("ambiguous")?)?;
    let mut table = Vec::new();
    for (transport, method, headers) in [("SPDY", "POST", SPDY), ("WebSocket", "GET", WEBSOCKET)] {
        for (number, (what, more, body)) in AMBIGUOUS.iter().enumerate() {
            // Each another command: what is asked again over SPDY is answered as it was over a WebSocket.
            let line =
                format!("{method} /api/v1/namespaces/n/pods/ok/exec?command={number}&stdin=true HTTP/1.1");
            let headers = match *what {
                "h2c" => more.to_vec(),
                "another upgrade, before" => [more, headers].concat(),
                _ => [headers, more].concat(),
            };
            let before = server.requests().len();
            let behind = [body.as_bytes(), SMUGGLED].concat();
            let came = exchange(&client, &line, &headers, &behind)?;
            let sent = server.requests().len() - before;
            table.push(format!("{transport}, {what}: sent {sent} {}", told(&came)?));
        }
    }
    // Where there is no stream, and by another protocol than the stream's.
    for (line, headers) in [
        ("GET /api/v1/namespaces/n/pods/ok HTTP/1.1", SPDY),
        ("GET /api/v1/namespaces/n/pods/ok/log HTTP/1.1", WEBSOCKET),
        ("GET /api/v1/namespaces/n/pods?watch=true HTTP/1.1", WEBSOCKET),
        ("POST /api/v1/namespaces/n/pods/ok/eviction HTTP/1.1", SPDY),
        (
            "GET /version HTTP/1.1",
            &["Connection: Upgrade", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"],
        ),
        ("PUT /api/v1/namespaces/n/pods/ok/exec?command=id HTTP/1.1", SPDY),
        ("POST /api/v1/namespaces/n/pods/ok/exec?command=id HTTP/1.1", FORWARD),
        ("POST /api/v1/namespaces/n/pods/ok/exec?command=id HTTP/1.0", SPDY),
    ] {
        let before = server.requests().len();
        let came = exchange(&client, line, headers, SMUGGLED)?;
        ensure!(server.requests().len() == before, "{line}: {:?}", server.requests());
        table.push(format!("{line}: {}", told(&came)?));
    }
    insta::assert_snapshot!(table.join("\n"));
    let heard = server.observed().heard;
    ensure!(!contains(&heard, MARK), "it went upstream: {}", String::from_utf8_lossy(&heard));
    Ok(())
}
