//! Recordings read back: which there are, their records in order, and what is wrong with them.
//!
//! What is damaged, missing or not by the gate is told ([`Finding`]) in its place among the records, and reading goes on after
//! it. One segment is in memory at a time. All of it blocks.

mod finding;
mod lines;
mod places;
mod records;
mod search;
mod survey;

pub use finding::Finding;
pub use lines::{Line, Lines};
pub use records::Records;
pub use search::{Hit, Needle, NeedleError, Search};
pub use survey::Survey;

use crate::Digest;
use crate::at_rest::Open;
use crate::frames::Frames;
use crate::kept;
use crate::record::{Blob, Session, What};
use crate::segment::{self, Header, MAX_HEADER, MAX_STORED, Malformed};
use crate::storage::{FsStorage, Storage, TEMPORARY};
use crate::writer::{TOMBSTONE, Tombstone};
use bytes::Bytes;
use jiff::Timestamp;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The folder of all recordings.
#[derive(Debug, Clone)]
pub struct Library {
    storage: Arc<dyn Storage>,
    at_rest: Arc<dyn Open>,
}

/// A recording, as a list tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// It is there.
    Kept {
        /// Whose.
        session: Session,
        /// How many segments.
        segments: usize,
        /// When it began and its last record was made; `None` when its last segment cannot be read.
        times: Option<(Timestamp, Timestamp)>,
    },
    /// It was erased.
    Erased(Tombstone),
}

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum Unreadable {
    /// There is none.
    #[error("there is no recording of `{session}`")]
    None { session: Session },
    /// It was erased.
    #[error("the recording of `{}` was erased at {}: {}", .0.session, .0.at, .0.why.as_str())]
    Erased(Box<Tombstone>),
    /// The disk did not let us.
    #[error("the recording of `{session}`: {error}")]
    Io { session: Session, error: io::Error },
}

/// A recording that is there, as it was when it was opened: what is added later is not seen.
#[derive(Debug, Clone)]
pub struct Recording {
    storage: Arc<dyn Storage>,
    at_rest: Arc<dyn Open>,
    session: Session,
    /// The numbers of its segments, in order.
    numbers: Vec<u64>,
    /// What the list of its files tells.
    findings: Vec<Finding>,
    /// What the ledger has of it.
    known: Option<BTreeMap<u64, Digest>>,
    /// What segments say about themselves that were looked at for it, by their numbers; nothing of those that are not as they were written.
    written: Arc<Mutex<HashMap<u64, Option<Arc<Header>>>>>,
}

// === impl Library ===

impl Library {
    /// The recordings in this folder, as whoever has this can read them.
    #[must_use]
    pub fn new(folder: &Path, at_rest: Arc<dyn Open>) -> Self {
        Self::on(Arc::new(FsStorage::new(folder)), at_rest)
    }

    pub(crate) fn on(storage: Arc<dyn Storage>, at_rest: Arc<dyn Open>) -> Self {
        Self { storage, at_rest }
    }

    /// The sessions that have a folder here, by their ids. It may hold nothing yet.
    ///
    /// # Errors
    /// The disk's.
    pub fn sessions(&self) -> io::Result<Vec<Session>> {
        Ok(self.storage.folders()?.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// All recordings, by their sessions' ids. Folders that are none, or that hold nothing yet, are left out.
    ///
    /// # Errors
    /// The disk's.
    pub fn list(&self) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        for session in self.sessions()? {
            match self.recording(&session) {
                Ok(recording) if recording.numbers.is_empty() => {}
                Ok(recording) => listed.push(Listed::Kept {
                    segments: recording.numbers.len(),
                    times: recording.times(),
                    session,
                }),
                Err(Unreadable::Erased(tombstone)) => listed.push(Listed::Erased(*tombstone)),
                Err(Unreadable::None { .. }) => {}
                Err(Unreadable::Io { error, .. }) => return Err(error),
            }
        }
        Ok(listed)
    }

    /// The session's recording.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn recording(&self, session: &Session) -> Result<Recording, Unreadable> {
        let io = |error| Unreadable::Io { session: session.clone(), error };
        let names = self.storage.list(session.as_str()).map_err(io)?;
        let names = names.ok_or_else(|| Unreadable::None { session: session.clone() })?;
        if let Some(tombstone) = crate::writer::read_tombstone(&*self.storage, session).map_err(io)? {
            return Err(Unreadable::Erased(Box::new(tombstone)));
        }
        let (mut numbers, mut findings) = (Vec::new(), Vec::new());
        for name in names {
            if let Some(number) = segment::number(&name) {
                numbers.push(number);
            } else if let Some(number) = name.strip_suffix(TEMPORARY).and_then(segment::number) {
                findings.push(Finding::Unfinished { number });
            } else if !is_beside(&name) {
                findings.push(Finding::ForeignFile { name: name.as_str().into() });
            }
        }
        numbers.sort_unstable();
        Ok(Recording {
            storage: Arc::clone(&self.storage),
            at_rest: Arc::clone(&self.at_rest),
            session: session.clone(),
            numbers,
            findings,
            known: None,
            written: Arc::default(),
        })
    }
}

// === impl Recording ===

impl Recording {
    /// Whose it is.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The number of its last segment, if it has any.
    #[must_use]
    pub fn last_segment(&self) -> Option<u64> {
        self.numbers.last().copied()
    }

    /// The same without the segments after this one.
    #[must_use]
    pub fn up_to(mut self, segment: u64) -> Self {
        self.numbers.retain(|number| *number <= segment);
        self
    }

    /// Holds it against what the ledger has: the digests of its segments by their numbers, all of them.
    #[must_use]
    pub fn against(self, known: BTreeMap<u64, Digest>) -> Self {
        Self { known: Some(known), written: Arc::default(), ..self }
    }

    /// The number of its last segment, if that is the one after the last that the ledger has: it is told once its file is
    /// there, so the gate may be at it, or was killed over it.
    #[must_use]
    pub fn untold(&self) -> Option<u64> {
        let told = self.known.as_ref()?.last_key_value().map_or(0, |(number, _)| *number);
        self.last_segment().filter(|last| *last == told + 1)
    }

    /// When it began, and when its last record was made.
    #[must_use]
    pub fn times(&self) -> Option<(Timestamp, Timestamp)> {
        let header = self.header(*self.numbers.last()?)?;
        let ended = header.began.checked_add(Duration::from_micros(header.last)).ok()?;
        Some((header.began, ended))
    }

    /// All records.
    #[must_use]
    pub fn records(&self) -> Records<'_> {
        Records::new(self, 0, None)
    }

    /// The records from this time on, in microseconds since it began. What comes before is not looked at.
    #[must_use]
    pub fn records_from(&self, at: u64) -> Records<'_> {
        Records::new(self, at, None)
    }

    /// The records of one stream, and [`What::Interrupted`], which ends it. Other segments are verified, and not unpacked.
    #[must_use]
    pub fn stream(&self, stream: u32) -> Records<'_> {
        Records::new(self, 0, Some(stream))
    }

    /// The same in the segments after this one: what has come since that was the last.
    #[must_use]
    pub fn stream_after(&self, stream: u32, segment: u64) -> Records<'_> {
        Records::after(self, segment, stream)
    }

    /// What one stream showed, or all of them, in lines.
    #[must_use]
    pub fn lines(&self, stream: Option<u32>) -> Lines<'_> {
        Lines::new(Records::new(self, 0, stream))
    }

    /// What its segments tell without being unpacked: whether they are whole, and what they add up to.
    #[must_use]
    pub fn survey(&self) -> Survey {
        Survey::of(self)
    }

    /// The records whose shown text has this in it.
    #[must_use]
    pub fn search(&self, needle: Needle) -> Search<'_> {
        Search::new(self.records(), needle)
    }

    /// What is kept of a body.
    ///
    /// # Errors
    /// The segment that should have it has not, or not any more.
    pub fn body(&self, blob: &Blob) -> Result<Bytes, Finding> {
        let number = blob.segment;
        let (header, stored, _) = self.segment(number)?;
        for record in self.frames(&header, &stored)? {
            let record = record.map_err(|why| Finding::Damaged { number, why: why.to_string() })?;
            match record.what {
                What::Body { sha256, kept } if sha256 == blob.sha256 => return Ok(kept.0),
                _ => {}
            }
        }
        Err(Finding::NoBody { number, sha256: blob.sha256 })
    }

    /// A segment as it is stored, with its digest. It is what the ledger says, if that was given.
    fn segment(&self, number: u64) -> Result<(Header, Bytes, Digest), Finding> {
        let damaged = |why: String| Finding::Damaged { number, why };
        if self.known.as_ref().is_some_and(|known| !known.contains_key(&number)) {
            return Err(Finding::Unknown { number });
        }
        let bytes = self.storage.read(&self.path(number), MAX_STORED + 1);
        let bytes = bytes.map_err(|error| damaged(error.to_string()))?;
        let bytes = Bytes::from(bytes.ok_or(Finding::Missing { first: number, last: number })?);
        if bytes.len() > MAX_STORED {
            return Err(damaged("it is larger than a segment".to_owned()));
        }
        let sha256 = Digest::of(&bytes);
        if self.known.as_ref().and_then(|known| known.get(&number)).is_some_and(|known| *known != sha256) {
            return Err(Finding::Altered { number });
        }
        let (header, stored) = Header::read(&bytes).map_err(|why| damaged(why.to_string()))?;
        if header.session != self.session || header.number != number {
            return Err(Finding::Foreign { number });
        }
        Ok((header, bytes.slice_ref(stored), sha256))
    }

    fn frames(&self, header: &Header, stored: &[u8]) -> Result<Frames, Finding> {
        let plain = header.unpack(stored, &*self.at_rest);
        let number = header.number;
        let plain = plain.map_err(|why| match why {
            Malformed::Encrypted { tried } => Finding::Encrypted { first: number, last: number, tried },
            why => Finding::Damaged { number, why: why.to_string() },
        })?;
        Ok(Frames::new(plain.into(), header.first))
    }

    fn header(&self, number: u64) -> Option<Header> {
        let bytes = self.storage.read(&self.path(number), MAX_HEADER).ok()??;
        Header::read(&bytes).ok().map(|(header, _)| header)
    }

    fn path(&self, number: u64) -> String {
        format!("{}/{}", self.session, segment::file_name(number))
    }
}

/// What stands beside segments and is no part of what was recorded: what is kept of values, or what a crash left.
fn is_beside(name: &str) -> bool {
    let whole = name.strip_suffix(TEMPORARY);
    whole == Some(TOMBSTONE) || kept::is_kept(whole.unwrap_or(name))
}

#[cfg(test)]
mod tests;
