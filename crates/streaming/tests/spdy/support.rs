//! What the tests share.

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress};
use http::{HeaderMap, HeaderName, HeaderValue};
use streaming::spdy::{Connection, Error, Event, Role};

pub(crate) use crate::rng::{Rng, cases};

pub(crate) fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
}

/// All that `connection` hears in `bytes`.
pub(crate) fn heard(connection: &mut Connection, bytes: impl Into<Bytes>) -> Result<Vec<Event>, Error> {
    let mut input = bytes.into();
    let mut events = Vec::new();
    while let Some(event) = connection.receive(&mut input)? {
        events.push(event);
    }
    assert!(input.is_empty(), "something was left");
    Ok(events)
}

/// A server that hears `said`, and nothing before.
pub(crate) fn server_hears(said: &[u8]) -> Result<Vec<Event>, Error> {
    heard(&mut Connection::new(Role::Server), said.to_vec())
}

// === frames, right or wrong ===

pub(crate) const SYN_STREAM: u16 = 1;
pub(crate) const SYN_REPLY: u16 = 2;
pub(crate) const RST_STREAM: u16 = 3;
pub(crate) const SETTINGS: u16 = 4;
pub(crate) const PING: u16 = 6;
pub(crate) const GOAWAY: u16 = 7;
pub(crate) const HEADERS: u16 = 8;
pub(crate) const WINDOW_UPDATE: u16 = 9;

pub(crate) fn control(kind: u16, flags: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap();
    let head = u32::from(flags) << 24 | length;
    [&[0x80, 3], &kind.to_be_bytes()[..], &head.to_be_bytes(), body].concat()
}

pub(crate) fn numbers(kind: u16, flags: u8, numbers: &[u32]) -> Vec<u8> {
    control(kind, flags, &numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<_>>())
}

pub(crate) fn data(stream: u32, flags: u8, bytes: &[u8]) -> Vec<u8> {
    let head = u32::from(flags) << 24 | u32::try_from(bytes.len()).unwrap();
    [&stream.to_be_bytes()[..], &head.to_be_bytes(), bytes].concat()
}

pub(crate) fn syn_stream(stream: u32, flags: u8, block: &[u8]) -> Vec<u8> {
    control(SYN_STREAM, flags, &[&stream.to_be_bytes()[..], &[0; 6], block].concat())
}

/// Makes header blocks, right or wrong, without the dictionary: zlib says itself whether there is one.
pub(crate) struct Blocks(Compress);

impl Blocks {
    pub(crate) fn new() -> Self {
        Self(Compress::new(Compression::best(), true))
    }

    pub(crate) fn of(&mut self, pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut block = u32::try_from(pairs.len()).unwrap().to_be_bytes().to_vec();
        for part in pairs.iter().flat_map(|(name, value)| [name, value]) {
            block.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
            block.extend(*part);
        }
        self.raw(&block, FlushCompress::Sync)
    }

    pub(crate) fn raw(&mut self, block: &[u8], flush: FlushCompress) -> Vec<u8> {
        let mut out = Vec::with_capacity(block.len() + 1024);
        self.0.compress_vec(block, &mut out, flush).unwrap();
        out
    }
}

/// A stream that is open on a server, opened as kubectl does.
pub(crate) fn opened() -> (Connection, Vec<u8>) {
    let mut client = Connection::new(Role::Client);
    client.open(&headers(&[("streamtype", "stdin")]), false).unwrap();
    let said = client.take_output().to_vec();
    (client, said)
}
