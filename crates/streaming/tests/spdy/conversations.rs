//! Seeded conversations of two ends, delivered in any pieces: what one says is what the other hears.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use streaming::spdy::{Connection, Event, ResetStatus, Role, StreamId};

use crate::support::{Rng, cases};

/// What was said, or heard, on a stream.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Told {
    headers: HeaderMap,
    data: Vec<u8>,
    finished: bool,
    reset: bool,
}

/// One end, and what is on its way to it.
struct End {
    connection: Connection,
    said: BTreeMap<StreamId, Told>,
    heard: BTreeMap<StreamId, Told>,
    unread: Vec<u8>,
    pings: usize,
}

impl End {
    fn new(role: Role) -> Self {
        let (said, heard) = (BTreeMap::new(), BTreeMap::new());
        Self { connection: Connection::new(role), said, heard, unread: Vec::new(), pings: 0 }
    }

    /// Says something, if it can be said now.
    fn speak(&mut self, rng: &mut Rng) {
        let open: Vec<StreamId> = self.connection.streams().collect();
        let any = |rng: &mut Rng| open.get(rng.below(open.len().max(1))).copied();
        match rng.below(12) {
            0 | 1 if open.len() < 20 => {
                let (headers, finished) = (some_headers(rng), rng.below(8) == 0);
                let stream = self.connection.open(&headers, finished).unwrap();
                self.said.insert(stream, Told { headers, finished, ..Told::default() });
            }
            2 => {
                self.connection.ping();
                self.pings += 1;
            }
            3 => {
                if let Some(stream) = any(rng).filter(|_| rng.below(4) == 0) {
                    self.connection.reset(stream, ResetStatus::CANCEL);
                    self.said.entry(stream).or_default().reset = true;
                }
            }
            4 | 5 => {
                if let Some(stream) = any(rng) {
                    let _ = self.connection.reply(stream);
                }
            }
            _ => {
                let (Some(stream), finished) = (any(rng), rng.below(6) == 0) else { return };
                let data: Vec<u8> = (0..rng.below(200)).map(|_| rng.byte()).collect();
                if self.connection.send(stream, &data, finished).is_ok() {
                    let said = self.said.entry(stream).or_default();
                    said.data.extend(data);
                    said.finished |= finished;
                }
            }
        }
    }

    /// Hears a piece of what is on its way.
    fn listen(&mut self, length: usize) {
        let mut input: Bytes = self.unread.drain(..length.min(self.unread.len())).collect();
        while let Some(event) = self.connection.receive(&mut input).unwrap() {
            match event {
                Event::Opened { stream, headers, finished } => {
                    let before = self.heard.insert(stream, Told { headers, finished, ..Told::default() });
                    assert_eq!(before, None);
                }
                Event::Data { stream, bytes, finished } => {
                    let heard = self.heard.entry(stream).or_default();
                    assert!(!heard.finished && !heard.reset, "something after the end");
                    heard.data.extend(&bytes);
                    heard.finished = finished;
                }
                Event::Reset { stream, .. } => self.heard.entry(stream).or_default().reset = true,
                Event::Ponged { .. } => self.pings -= 1,
                Event::Replied { headers, .. } => assert!(headers.is_empty()),
                Event::GoAway { .. } => panic!("{event:?} was not said"),
            }
        }
    }
}

fn some_headers(rng: &mut Rng) -> HeaderMap {
    const NAMES: [&str; 5] = ["streamtype", "port", "requestid", "content-length", "x-new"];
    let mut headers = HeaderMap::new();
    for _ in 0..rng.below(6) {
        let value: Vec<u8> =
            (0..rng.below(30)).map(|_| b' ' + u8::try_from(rng.below(94)).unwrap()).collect();
        let name = HeaderName::from_static(NAMES[rng.below(NAMES.len())]);
        headers.append(name, HeaderValue::from_bytes(&value).unwrap());
    }
    headers
}

/// What is said, each round, in the order in which it goes out.
pub(crate) fn conversation(seed: u64, mut on_the_wire: impl FnMut(Role, &[u8])) {
    let mut rng = Rng(seed);
    let (mut client, mut server) = (End::new(Role::Client), End::new(Role::Server));
    let rounds = 20 + rng.below(200);
    for round in 0..rounds {
        // At the end all is heard, and answers are given.
        let last = rounds - round < 4;
        let mut turn = |speaker: &mut End, listener: &mut End, role| {
            if !last {
                speaker.speak(&mut rng);
            }
            let output = speaker.connection.take_output();
            on_the_wire(role, &output);
            listener.unread.extend(&output);
            listener.listen(if last { usize::MAX } else { rng.below(100) });
        };
        turn(&mut client, &mut server, Role::Client);
        turn(&mut server, &mut client, Role::Server);
    }
    compare(&client, &server);
    compare(&server, &client);
    assert_eq!((client.pings, server.pings), (0, 0), "a ping was not answered");
}

/// What was said was heard: whole, unless who should hear it reset the stream.
fn compare(speaker: &End, listener: &End) {
    for (stream, said) in &speaker.said {
        let heard = listener.heard.get(stream).cloned().unwrap_or_default();
        if listener.said.get(stream).is_some_and(|said| said.reset) {
            assert!(said.data.starts_with(&heard.data), "{stream}");
        } else {
            // What resets a stream ends it, finished or not; a reset of what is over is not heard.
            let ended = listener.connection.streams().any(|open| open == *stream);
            assert_eq!((&heard.headers, &heard.data), (&said.headers, &said.data), "{stream}");
            assert_eq!(heard.finished, said.finished, "{stream}");
            assert!(!(said.reset && ended), "{stream} is still open");
        }
        if said.finished && heard.finished && listener.said.get(stream).is_some_and(|said| said.finished) {
            assert!(!speaker.connection.streams().any(|open| open == *stream), "{stream} is still open");
        }
    }
}

#[test]
fn what_one_end_says_the_other_hears() {
    let (mut bytes, mut streams) = (0, 0);
    for seed in cases(300) {
        conversation(seed, |_, said| {
            bytes += said.len();
            streams += said.windows(4).filter(|head| *head == [0x80, 3, 0, 1]).count();
        });
    }
    assert!(bytes > 10_000 && streams > 100, "too little was said: {bytes} bytes, {streams} streams");
}
