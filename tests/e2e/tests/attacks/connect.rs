//! B4: a tunnel by CONNECT, in HTTP/1.1 and as HTTP/2 has it for web sockets (RFC 8441), leads nowhere.

use std::io::{Read, Write};

use anyhow::{Context, ensure};
use e2e::{Client, behind, permissive};
use http::{Method, StatusCode};
use testkit::{
    Options,
    stand_in::{Reply, Seen, StandIn},
};

use crate::case::row_of;

pub(crate) fn rows() -> Vec<&'static str> {
    let tests = [row_of("B4", no_tunnel_leads_upstream), row_of("C4", no_stream_is_opened_over_http_2)];
    TUNNELS.iter().map(|_tunnel| "B4").chain(tests).collect()
}

const SECRETS: &str = "/api/v1/namespaces/n/secrets?watch=true";
const LOG: &str = "/api/v1/namespaces/n/pods/p/log";

/// Requests of HTTP/2, as fields.
const TUNNELS: &[&[(&str, &str)]] = &[
    &[
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", SECRETS),
        (":authority", "localhost"),
    ],
    &[
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", LOG),
        (":authority", "localhost"),
    ],
    &[(":method", "CONNECT"), (":authority", "localhost:6443")],
    &[(":method", "CONNECT"), (":scheme", "https"), (":path", LOG), (":authority", "localhost")],
];
const MAP: &str = "/api/v1/namespaces/n/configmaps/m";
const READ: &[(&str, &str)] =
    &[(":method", "GET"), (":scheme", "https"), (":path", MAP), (":authority", "localhost")];

/// A frame of HTTP/2 (RFC 9113, section 4.1).
#[derive(Debug)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u8,
    payload: Vec<u8>,
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
/// `SETTINGS_ENABLE_CONNECT_PROTOCOL` (RFC 8441, section 3).
const ENABLE_CONNECT: [u8; 2] = [0, 8];
/// `:status: 200` (RFC 7541, appendix A).
const OK: u8 = 0x88;

/// Sends a request on a connection of its own; gives what comes until its stream or the connection has ended.
fn exchange(client: &Client, fields: &[(&str, &str)]) -> anyhow::Result<Vec<Frame>> {
    let short = |text: &str| u8::try_from(text.len()).ok().filter(|length| *length < 127).context("too long");
    let token = format!("Bearer {}", client.token());
    let mut block = Vec::new();
    for (name, value) in fields.iter().copied().chain([("authorization", &*token)]) {
        // A literal with a literal name, in no table (RFC 7541, section 6.2.2).
        block.extend([&[0, short(name)?], name.as_bytes(), &[short(value)?], value.as_bytes()].concat());
    }
    let mut stream = client.clone().offering(b"h2").connect()?;
    let [.., high, low] = u32::try_from(block.len())?.to_be_bytes();
    let settings: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    // END_STREAM for what is no tunnel; END_HEADERS.
    let flags = if fields[0].1 == "CONNECT" { 4 } else { 5 };
    stream.write_all(&[settings, &[0, high, low, HEADERS, flags, 0, 0, 0, 1], &block].concat())?;
    let mut frames = Vec::new();
    loop {
        let mut head = [0; 9];
        match stream.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                anyhow::bail!("the stream stays open: {frames:?}")
            }
            Err(_closed) => return Ok(frames),
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length)?];
        stream.read_exact(&mut payload)?;
        let frame = Frame { kind: head[3], flags: head[4], stream: head[8], payload };
        let ends = frame.stream == 1 && matches!(frame.kind, HEADERS | DATA) && frame.flags & END_STREAM != 0;
        let over = ends || matches!(frame.kind, RST_STREAM | GOAWAY);
        frames.push(frame);
        if over {
            return Ok(frames);
        }
    }
}

#[test]
fn no_tunnel_leads_upstream() -> anyhow::Result<()> {
    let server = StandIn::start(|_request| Reply::json(StatusCode::OK, "{}"))?;
    let gate = behind(&server, &Options::default())?;
    let client = Client::new(&gate, &gate.session("tunnels")?)?;
    for tunnel in TUNNELS {
        let frames = exchange(&client, tunnel)?;
        let refused = |frame: &Frame| match frame.kind {
            HEADERS => frame.payload.first() != Some(&OK),
            kind => kind == RST_STREAM || kind == GOAWAY,
        };
        ensure!(frames.iter().any(refused), "{tunnel:?}: {frames:?}");
        let accepted = |frame: &Frame| frame.kind == HEADERS && frame.payload.first() == Some(&OK);
        ensure!(!frames.iter().any(accepted), "{tunnel:?}: {frames:?}");
        let settings = frames.iter().filter(|frame| frame.kind == SETTINGS);
        let offered = |frame: &Frame| frame.payload.chunks(6).any(|one| one.starts_with(&ENABLE_CONNECT));
        ensure!(!settings.into_iter().any(offered), "it offers tunnels: {frames:?}");
    }
    for target in ["localhost:6443", LOG, SECRETS] {
        let answer = client.ask(&format!("CONNECT {target}"), &[], "")?;
        ensure!((400..500).contains(&answer.status) && answer.whole, "CONNECT {target}: {answer:?}");
    }
    ensure!(server.requests().is_empty(), "sent upstream: {:?}", server.requests());
    // The control: a GET comes through.
    let frames = exchange(&client, READ)?;
    let come = |frame: &Frame| frame.kind == HEADERS && frame.payload.first() == Some(&OK);
    ensure!(frames.iter().any(come), "the control: {frames:?}");
    ensure!(server.requests().iter().any(|seen| seen.uri.path() == MAP), "the control");
    Ok(())
}

const POD: &str = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","namespace":"n","uid":"1","resourceVersion":"1"},"spec":{"containers":[]},"status":{"phase":"Running"}}"#;

/// By what kubectl and browsers would open a stream with, had HTTP/2 upgrades.
#[test]
fn no_stream_is_opened_over_http_2() -> anyhow::Result<()> {
    let server = StandIn::start(|_request| Reply::json(StatusCode::OK, POD))?;
    // Whatever is asked for would be permitted.
    let gate = behind(&server, &permissive())?;
    let client = Client::new(&gate, &gate.session("streams")?)?;
    let mut table = Vec::new();
    for what in ["exec?command=id&stdout=true", "attach?stdout=true", "portforward?ports=80"] {
        let path = format!("/api/v1/namespaces/n/pods/p/{what}");
        for method in ["GET", "POST", "CONNECT"] {
            let mut fields = vec![(":method", method)];
            fields.extend((method == "CONNECT").then_some((":protocol", "websocket")));
            fields.extend([(":scheme", "https"), (":path", &*path), (":authority", "localhost")]);
            fields.push(("sec-websocket-version", "13"));
            fields.push(("sec-websocket-protocol", "v5.channel.k8s.io"));
            let told = exchange(&client, &fields)?.iter().filter_map(told).collect::<Vec<_>>();
            table.push(format!("{method} {what}: {}", told.join(" ")));
        }
    }
    insta::assert_snapshot!(table.join("\n"));
    // A port-forward is judged by its pod, at which the gate looks.
    let looks = |seen: &Seen| seen.method == Method::GET && seen.uri.path() == "/api/v1/namespaces/n/pods/p";
    ensure!(server.requests().iter().all(looks), "sent upstream: {:?}", server.requests());
    Ok(())
}

/// What a frame of an answer says: a status that is in HPACK's own table, the message of a body, or how its stream ended.
fn told(frame: &Frame) -> Option<String> {
    const STATUS: [(u8, &str); 7] = [
        (OK, "200"),
        (0x89, "204"),
        (0x8a, "206"),
        (0x8b, "304"),
        (0x8c, "400"),
        (0x8d, "404"),
        (0x8e, "500"),
    ];
    let code = || {
        u32::from_be_bytes(frame.payload.get(..4).and_then(|code| code.try_into().ok()).unwrap_or_default())
    };
    match frame.kind {
        HEADERS => {
            let status = STATUS.iter().find(|(index, _)| frame.payload.first() == Some(index));
            Some(
                status.map_or_else(
                    || format!("{:?}", frame.payload.get(..6)),
                    |(_, status)| (*status).to_owned(),
                ),
            )
        }
        DATA => {
            let body: serde_json::Value = serde_json::from_slice(&frame.payload).unwrap_or_default();
            body.get("message").and_then(|message| message.as_str()).map(str::to_owned)
        }
        RST_STREAM => Some(format!("its stream is reset ({})", code())),
        GOAWAY => Some("its connection is ended".to_owned()),
        _ => None,
    }
}
