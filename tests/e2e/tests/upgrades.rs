//! B4: what a client sends behind a request for an upgrade goes nowhere, whatever the API server answers to it; and a request that
//! could be an upgrade to one reader and something else to another goes nowhere either.

use std::io::{Read, Write};

use anyhow::{Context, ensure};
use e2e::{AuditedGate, Client, behind, permissive};
use http::{StatusCode, header};
use testkit::stand_in::{Habits, Reply, Seen, StandIn};

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

/// A request of its own, to whoever reads it as one.
const SMUGGLED: &[u8] = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\nX-Smuggled: smuggled\r\n\r\n";
const MARK: &[u8] = b"smuggled";

/// What the API server answers, by the pod that is asked for.
fn scripted(request: &Seen) -> Reply {
    let pod = request.uri.path().split('/').nth(6).unwrap_or_default();
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
        "agrees" => spdy().header(protocol, "v4.channel.k8s.io"),
        _ => Reply::hang_up(),
    }
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
    let mut table = Vec::new();
    for (transport, method, headers) in [("SPDY", "POST", SPDY), ("WebSocket", "GET", WEBSOCKET)] {
        for answer in answers {
            let before = server.requests().len();
            let target = format!("/api/v1/namespaces/n/pods/{answer}/exec?command=id&stdin=true&stdout=true");
            let came = exchange(&client, &format!("{method} {target} HTTP/1.1"), headers, SMUGGLED)?;
            table.push(format!("{transport}, {answer}: {}", told(&came)?));
            ensure!(server.requests().len() == before + 1, "{transport}, {answer}: {:?}", server.requests());
        }
    }
    insta::assert_snapshot!(table.join("\n"));
    ensure!(!contains(&server.observed().heard, MARK), "it went upstream");
    Ok(())
}

/// Bytes that are early are the stream's own, and read by its rules.
#[test]
fn what_is_no_frame_of_the_stream_goes_nowhere_even_if_the_api_server_agrees() -> anyhow::Result<()> {
    let (server, gate) = listening()?;
    let client = Client::new(&gate, &gate.session("agrees")?)?;
    let line = "POST /api/v1/namespaces/n/pods/agrees/exec?command=id&stdin=true&stdout=true HTTP/1.1";
    // A control frame of another version of SPDY.
    let early = [b"\x80\x02\0\x01", SMUGGLED].concat();
    let came = exchange(&client, line, SPDY, &early)?;
    ensure!(came.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&came));
    ensure!(server.requests().len() == 1, "{:?}", server.requests());
    let heard = server.observed().heard;
    ensure!(contains(&heard, b"/pods/agrees/exec"), "the control");
    ensure!(!contains(&heard, MARK), "it went upstream: {}", String::from_utf8_lossy(&heard));
    Ok(())
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
