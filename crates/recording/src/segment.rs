//! A segment's bytes: a line that says what it is, a line of JSON about it, and its records, compressed.
//!
//! ```text
//! portcullis recording 1
//! {"session":"s-1","number":2,"previous":"3b0c…","began":"2026-06-01T12:00:00Z","first":1000017,"last":1990210,…}
//! (a zstd frame, whole in itself; or an age file of one)
//! ```
//!
//! `tail -n +3 00000002.seg | zstd -d` shows the records to whoever has not this crate; of one that is encrypted,
//! `tail -n +3 00000002.seg | age -d -i KEY | zstd -d`. Each segment being a frame of its own
//! makes a recording seekable without an index: the times in the headers are in order, so a place in time is found by
//! looking at the headers of a few of them.

use crate::at_rest::{self, Close, Open, Unopened};
use crate::frames::MAX_HEAD;
use crate::record::{MAX_BODY, Session};
use crate::{Digest, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::io;

const MAGIC: &[u8] = b"portcullis recording 1\n";
/// Bytes of the two first lines, at most.
pub(crate) const MAX_HEADER: usize = 8 << 10;
/// Bytes of records with which a segment is full.
pub(crate) const FULL: usize = 1 << 20;
/// Bytes of records that one can hold: it is not full before the last of them, which may bring a body.
const MAX_PLAIN: usize = FULL + MAX_BODY + 2 * MAX_HEAD + 64;
/// Bytes of a segment as it is stored, at most; what cannot be compressed grows a little.
pub(crate) const MAX_STORED: usize = MAX_PLAIN + MAX_PLAIN / 64 + MAX_HEADER;
/// Streams that a header tells one by one.
const MAX_STREAMS: usize = 64;
/// Speed before size: the writer is one thread.
const LEVEL: i32 = 1;

/// What a segment says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Whose it is.
    pub session: Session,
    /// Its place in the recording, from 1.
    pub number: u64,
    /// The digest of the segment before it, as it is stored; the first has none.
    pub previous: Option<Digest>,
    /// When the recording began.
    pub began: Timestamp,
    /// The time of its first record, in microseconds since then.
    pub first: u64,
    /// The time of its last.
    pub last: u64,
    /// How many there are.
    pub records: u64,
    /// Bytes of its records.
    pub plain: u64,
    /// How they are stored.
    pub form: Text<128>,
    /// The streams that have records in it, in order; `None` when they are too many to tell.
    pub streams: Option<Vec<u32>>,
    /// The number of the next stream that is opened.
    pub next_stream: u32,
    /// Whether it begins with [`What::Interrupted`](crate::record::What::Interrupted).
    pub interrupted: bool,
    /// Whether the recorder let go of the recording here in good order.
    pub stopped: bool,
}

/// Why bytes are no segment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum Malformed {
    /// It begins with something else.
    #[error("not a segment of this version")]
    Magic,
    /// The second line is not what it should be.
    #[error("its header {0}")]
    Header(&'static str),
    /// It is stored in a way that the reader was not given.
    #[error("its records are stored as `{form}`, which this version does not know")]
    Form { form: String },
    /// It is encrypted, and nothing at hand opens it; `tried`: not even the identities that there are.
    #[error("its records are encrypted")]
    Encrypted { tried: bool },
    /// What it holds cannot be had.
    #[error("its records cannot be unpacked: {0}")]
    Packed(&'static str),
}

/// The bytes of a segment with these records.
pub(crate) fn write(header: &Header, plain: &[u8], at_rest: &dyn Close) -> io::Result<Vec<u8>> {
    let stored = at_rest.close(zstd::bulk::compress(plain, LEVEL)?)?;
    let mut bytes = MAGIC.to_vec();
    serde_json::to_writer(&mut bytes, header)?;
    bytes.push(b'\n');
    if bytes.len() > MAX_HEADER || bytes.len() + stored.len() > MAX_STORED {
        return Err(io::Error::other("a segment is larger than can be read again"));
    }
    bytes.extend_from_slice(&stored);
    Ok(bytes)
}

// === impl Header ===

impl Header {
    /// Reads the header of a segment, whose bytes may end anywhere after it; answers with what comes after.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(bytes: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(Malformed::Magic)?;
        let within = rest.get(..rest.len().min(MAX_HEADER)).unwrap_or_default();
        let end = memchr::memchr(b'\n', within).ok_or(Malformed::Header("has no end"))?;
        let (line, body) = rest.split_at_checked(end).ok_or(Malformed::Header("has no end"))?;
        // serde's own words may quote what is in it.
        let header: Self =
            serde_json::from_slice(line).map_err(|_| Malformed::Header("is not as it should be"))?;
        header.check()?;
        Ok((header, body.get(1..).unwrap_or_default()))
    }

    fn check(&self) -> Result<(), Malformed> {
        let wrong = |what| Err(Malformed::Header(what));
        if self.number == 0 || (self.number == 1) != self.previous.is_none() {
            return wrong("does not say what comes before");
        }
        if self.first > self.last || self.records == 0 {
            return wrong("is of no record");
        }
        if self.plain > MAX_PLAIN as u64 {
            return wrong("is of more than a segment holds");
        }
        match &self.streams {
            Some(streams) if streams.len() > MAX_STREAMS || !streams.is_sorted_by(|a, b| a < b) => {
                wrong("tells streams out of order")
            }
            _ => Ok(()),
        }
    }

    /// The records' bytes.
    ///
    /// # Errors
    /// [`Malformed::Form`], [`Malformed::Encrypted`], [`Malformed::Packed`].
    pub(crate) fn unpack(&self, stored: &[u8], at_rest: &dyn Open) -> Result<Vec<u8>, Malformed> {
        let packed = at_rest.open(self.form.as_str(), stored).map_err(|why| match why {
            Unopened::Form => Malformed::Form { form: self.form.as_str().to_owned() },
            Unopened::Encrypted { tried } => Malformed::Encrypted { tried },
            Unopened::Changed(why) => Malformed::Packed(why),
        })?;
        let room = usize::try_from(self.plain).unwrap_or(MAX_PLAIN).min(MAX_PLAIN);
        let plain = zstd::bulk::decompress(&packed, room)
            .map_err(|_| Malformed::Packed("they are no zstd frame of the size in the header"))?;
        if plain.len() as u64 != self.plain {
            return Err(Malformed::Packed("they have another size than the header says"));
        }
        Ok(plain)
    }

    /// Whether whoever reads its records needs an identity.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        at_rest::is_encrypted(self.form.as_str())
    }

    /// Whether records of this stream may be in it, or its end by a crash.
    #[must_use]
    pub fn may_have(&self, stream: u32) -> bool {
        self.interrupted || self.streams.as_ref().is_none_or(|streams| streams.binary_search(&stream).is_ok())
    }
}

/// The streams for a header.
pub(crate) fn tell(streams: impl ExactSizeIterator<Item = u32>) -> Option<Vec<u32>> {
    (streams.len() <= MAX_STREAMS).then(|| streams.collect())
}

/// The name of the segment with this number.
pub(crate) fn file_name(number: u64) -> String {
    format!("{number:08}.seg")
}

/// The number in a segment's name.
pub(crate) fn number(file_name: &str) -> Option<u64> {
    // Few enough that there is always a next number.
    let digits = file_name.strip_suffix(".seg").filter(|digits| digits.len() <= 12)?;
    let number = digits.parse().ok().filter(|number| *number > 0)?;
    (self::file_name(number) == file_name).then_some(number)
}

#[cfg(test)]
mod tests;
