//! What Kubernetes 1.37.2's own clients and servers said to each other, read as the gate reads it.
//!
//! `kubernetes.jsonl` was recorded on a loopback connection, each line what one side said until the other did: client-go's
//! `remotecommand` and `portforward` (as kubectl uses them) with the servers of k8s.io/cri-streaming behind SPDY, and with
//! k8s.io/apiserver's `StreamTranslatorHandler` before that server behind a WebSocket, there a line for each binary message.
//! The command reads stdin to its end, writes a line to stdout and one to stderr; the forwarded port answers `echo` and what
//! it got, and port 81 refuses.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests: a failure in them is a failed test"
)]

use std::{collections::BTreeMap, fmt::Write as _};

use bytes::Bytes;
use http::HeaderMap;
use serde::Deserialize;
use streaming::{
    channel::{FromClient, FromServer},
    exit::{Exit, Report},
    kind::{PortForwardStream, RemoteCommandStream},
    protocol::Version,
    resize::{Sizes, TerminalSize},
    spdy::{Connection, Event, Role, StreamId},
};

#[derive(Deserialize)]
struct Line {
    name: String,
    from: String,
    hex: String,
}

/// Conversations by name: who said what.
fn recorded(transport: &str) -> BTreeMap<String, Vec<(String, Bytes)>> {
    let mut conversations: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in include_str!("kubernetes.jsonl").lines() {
        let Line { name, from, hex } = serde_json::from_str(line).unwrap();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        let bytes = hex.as_bytes().chunks(2).map(byte).collect();
        if name.starts_with(transport) {
            conversations.entry(name).or_default().push((from, bytes));
        }
    }
    assert!(!conversations.is_empty());
    conversations
}

/// The gate at both ends: what each hears of the other.
struct Ears {
    server: Connection,
    client: Connection,
}

impl Ears {
    fn new() -> Self {
        Self { server: Connection::new(Role::Server), client: Connection::new(Role::Client) }
    }

    /// Hears a line in pieces of `piece` bytes. Data that follows data is one.
    fn hear(&mut self, from: &str, bytes: &Bytes, piece: usize) -> Vec<Event> {
        let mut events: Vec<Event> = Vec::new();
        for piece in bytes.chunks(piece) {
            let mut input = bytes.slice_ref(piece);
            let ear = if from == "client" { &mut self.server } else { &mut self.client };
            while let Some(event) = ear.receive(&mut input).unwrap() {
                join(&mut events, event);
            }
        }
        for event in &events {
            if let Event::Opened { stream, headers, finished } = event {
                // So that the client's end knows of it.
                assert_eq!(self.client.open(headers, *finished), Ok(*stream));
            }
        }
        events
    }
}

fn join(events: &mut Vec<Event>, event: Event) {
    if let (
        Some(Event::Data { stream, bytes, finished }),
        Event::Data { stream: next, bytes: more, finished: end },
    ) = (events.last_mut(), &event)
        && stream == next
        && !*finished
    {
        *bytes = [bytes.as_ref(), more].concat().into();
        *finished = *end;
    } else {
        events.push(event);
    }
}

fn told(event: &Event) -> String {
    let headers = |headers: &HeaderMap| {
        let mut pairs: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect();
        pairs.sort();
        pairs.join(" ")
    };
    match event {
        Event::Opened { stream, headers: with, finished: false } => {
            format!("opens {stream}: {}", headers(with))
        }
        Event::Replied { stream, headers: with, finished: false } if with.is_empty() => {
            format!("accepts {stream}")
        }
        Event::Data { stream, bytes, finished } => {
            let end = if *finished { ", the end" } else { "" };
            format!("{stream}: {:?}{end}", String::from_utf8_lossy(bytes))
        }
        Event::Reset { stream, status } => format!("resets {stream}: {}", status.0),
        Event::GoAway { last, status } => format!("goes away: {last:?} {}", status.0),
        other => panic!("{other:?}"),
    }
}

#[test]
fn kubernetes_is_understood_over_spdy() {
    let mut all = String::new();
    for (name, lines) in recorded("spdy") {
        writeln!(all, "== {name}").unwrap();
        let mut ears = Ears::new();
        for (from, bytes) in lines {
            for event in ears.hear(&from, &bytes, bytes.len()) {
                writeln!(all, "{from} {}", told(&event)).unwrap();
            }
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn it_does_not_matter_how_the_bytes_are_cut() {
    for (name, lines) in recorded("spdy") {
        let all = |piece: &dyn Fn(usize) -> usize| {
            let mut ears = Ears::new();
            lines
                .iter()
                .flat_map(|(from, bytes)| ears.hear(from, bytes, piece(bytes.len())))
                .collect::<Vec<_>>()
        };
        let whole = all(&|length| length);
        for size in 1..60 {
            assert_eq!(all(&|_| size), whole, "{name} in pieces of {size} bytes");
        }
    }
}

#[test]
fn what_the_streams_carry_is_what_they_are_for() {
    let mut ends = Vec::new();
    let mut sizes = Vec::new();
    for (name, lines) in recorded("spdy exec") {
        let (mut ears, mut kinds) = (Ears::new(), BTreeMap::<StreamId, _>::new());
        let (mut report, mut terminal) = (Report::default(), Sizes::default());
        for (from, bytes) in lines {
            for event in ears.hear(&from, &bytes, bytes.len()) {
                match event {
                    Event::Opened { stream, headers, .. } => {
                        let kind = RemoteCommandStream::from_headers(&headers).unwrap();
                        assert_eq!(kind.to_headers(), headers);
                        kinds.insert(stream, kind);
                    }
                    Event::Data { stream, bytes, .. } => match kinds[&stream] {
                        RemoteCommandStream::Error => report.push(&bytes).unwrap(),
                        RemoteCommandStream::Resize => sizes.extend(terminal.push(&bytes).unwrap()),
                        RemoteCommandStream::Stdin
                        | RemoteCommandStream::Stdout
                        | RemoteCommandStream::Stderr => {}
                    },
                    _ => {}
                }
            }
        }
        ends.push(format!("{name}: {:?}", report.finish().unwrap()));
    }
    assert_eq!(sizes, [TerminalSize { width: 80, height: 24 }]);
    insta::assert_snapshot!(ends.join("\n"), @"
    spdy exec: Success
    spdy exec exit 3: Code(3)
    spdy exec failure: Failure(Failure(500 InternalError, 89 bytes))
    spdy exec tty: Success
    ");
    for (_, lines) in recorded("spdy port-forward") {
        let mut ears = Ears::new();
        let events = lines.iter().flat_map(|(from, bytes)| ears.hear(from, bytes, bytes.len()));
        for event in events.collect::<Vec<_>>() {
            if let Event::Opened { headers, .. } = event {
                assert_eq!(PortForwardStream::from_headers(&headers).unwrap().to_headers(), headers);
            }
        }
    }
}

#[test]
fn kubernetes_is_understood_over_a_websocket_and_written_as_it_writes() {
    let mut all = String::new();
    for (name, lines) in recorded("websocket") {
        writeln!(all, "== {name}").unwrap();
        for (from, message) in lines {
            let (again, said) = if from == "client" {
                let said = FromClient::decode(message.clone(), Version::V5).unwrap();
                (said.encode(Version::V5).unwrap(), format!("{said:?}"))
            } else {
                let said = FromServer::decode(message.clone()).unwrap();
                (said.encode(), format!("{said:?}"))
            };
            assert_eq!(again, message, "{name}");
            writeln!(all, "{from} {said}").unwrap();
            if let Ok(FromServer::Error(status)) = FromServer::decode(message) {
                let exit = Exit::parse(&status).unwrap();
                writeln!(all, "{exit:?}").unwrap();
                // Failures have causes beside, which repeat the message and which nobody shows.
                if !matches!(exit, Exit::Failure(_)) {
                    assert_eq!(exit.to_json(), status, "{name}");
                }
            }
        }
    }
    insta::assert_snapshot!(all);
}
