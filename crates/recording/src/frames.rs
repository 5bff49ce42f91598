//! The bytes of records in a row: for each, the length of its JSON and of its payload (32 bits each, big-endian), the
//! JSON, the payload.

use crate::Digest;
use crate::record::{Payload, Record, What};
use bytes::{Buf, Bytes};
use std::io;

/// Bytes of a record's JSON, at most.
pub const MAX_HEAD: usize = 256 << 10;

/// Why bytes are no records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("byte {at} of its records: {what}")]
pub struct Malformed {
    at: usize,
    what: &'static str,
}

/// Records in a row, one after the other. Ends after the first that is malformed.
#[derive(Debug)]
pub struct Frames {
    rest: Bytes,
    len: usize,
    last: u64,
    ended: bool,
}

/// Adds a record.
///
/// # Errors
/// It is longer than a reader takes, which the bounds of its parts exclude.
pub fn push(record: &Record, to: &mut Vec<u8>) -> io::Result<()> {
    let too_long = || io::Error::other("a record is longer than can be read again");
    let head = serde_json::to_vec(record)?;
    let payload = record.what.payload();
    if head.len() > MAX_HEAD {
        return Err(too_long());
    }
    // With room for the record of which it is the body: the bytes of a large one are not moved for that.
    to.reserve(8 + head.len() + payload.len() + (4 << 10));
    for len in [head.len(), payload.len()] {
        to.extend_from_slice(&u32::try_from(len).map_err(|_| too_long())?.to_be_bytes());
    }
    to.extend_from_slice(&head);
    to.extend_from_slice(payload);
    Ok(())
}

// === impl Frames ===

impl Frames {
    /// The records in these bytes, the first of them no earlier than `from`.
    #[must_use]
    pub fn new(bytes: Bytes, from: u64) -> Self {
        Self { len: bytes.len(), rest: bytes, last: from, ended: false }
    }

    fn read(&mut self) -> Result<Record, &'static str> {
        let (head, payload) = (self.length()?, self.length()?);
        if head > MAX_HEAD {
            return Err("a head that is too long");
        }
        // serde's own words may quote what is in it.
        let head = self.take(head)?;
        let mut record: Record = serde_json::from_slice(&head).map_err(|_| "a head that is no record")?;
        match record.what.payload_mut() {
            Some((_, max)) if payload > max => return Err("a payload that is too long"),
            Some((place, _)) => *place = Payload(self.take(payload)?),
            None if payload > 0 => return Err("a payload where none belongs"),
            None => {}
        }
        if record.at < self.last {
            return Err("a time before the one of the record before");
        }
        self.last = record.at;
        match &record.what {
            What::Body { sha256, kept } if Digest::of(&kept.0) != *sha256 => {
                Err("a body that is not what its digest says")
            }
            _ => Ok(record),
        }
    }

    fn length(&mut self) -> Result<usize, &'static str> {
        let length = self.rest.try_get_u32().map_err(|_| "cut")?;
        usize::try_from(length).map_err(|_| "cut")
    }

    fn take(&mut self, len: usize) -> Result<Bytes, &'static str> {
        if len > self.rest.len() { Err("cut") } else { Ok(self.rest.split_to(len)) }
    }
}

impl Iterator for Frames {
    type Item = Result<Record, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended || self.rest.is_empty() {
            return None;
        }
        let at = self.len - self.rest.len();
        let read = self.read().map_err(|what| Malformed { at, what });
        self.ended = read.is_err();
        Some(read)
    }
}

#[cfg(test)]
mod tests;
