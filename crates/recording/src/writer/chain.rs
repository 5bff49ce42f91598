//! One recording on the disk: where it goes on, and its next segment.

use super::erase::TOMBSTONE;
use super::run::{Refused, Segment, Stopped};
use crate::Digest;
use crate::at_rest::Close;
use crate::frames;
use crate::record::{Record, Session, What};
use crate::segment::{self, Header, MAX_STORED};
use crate::storage::{Storage, TEMPORARY, put};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

/// What the next segment follows.
#[derive(Debug)]
pub(super) struct Chain {
    storage: Arc<dyn Storage>,
    at_rest: Arc<dyn Close>,
    session: Session,
    began: Timestamp,
    /// The number of the next segment.
    pub(super) next: u64,
    previous: Option<Digest>,
    /// The time of the last record.
    pub(super) last: u64,
    /// The number of the next stream.
    pub(super) next_stream: u32,
    /// Bytes that its segments take of the disk.
    pub(super) stored: u64,
}

/// What was there of a recording that goes on.
#[derive(Debug)]
pub(super) struct Found {
    /// The last whole segment.
    pub(super) last: Segment,
    /// Whether the recorder had let go of it in good order.
    pub(super) stopped: bool,
    /// Whether there was a part of another.
    pub(super) torn: bool,
}

/// The records of a segment that is not sealed yet.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) plain: Vec<u8>,
    records: u64,
    first: u64,
    streams: BTreeSet<u32>,
    interrupted: bool,
    /// When it is sealed at the latest.
    pub(super) due: Option<Instant>,
    /// Its part of the queue.
    room: Option<OwnedSemaphorePermit>,
}

// === impl Chain ===

impl Chain {
    /// Begins a recording, or finds the end of the one that is there.
    pub(super) fn open(
        storage: Arc<dyn Storage>,
        at_rest: Arc<dyn Close>,
        session: &Session,
        now: Timestamp,
    ) -> Result<(Self, Option<Found>), Refused> {
        let names = storage.list(session.as_str()).map_err(unwritable)?;
        if names.is_none() {
            storage.make_folder(session.as_str()).map_err(unwritable)?;
        }
        let names = names.unwrap_or_default();
        if names.iter().any(|name| name == TOMBSTONE) {
            return Err(Refused::Erased { session: session.clone() });
        }
        let mut torn = false;
        for name in names.iter().filter(|name| name.ends_with(TEMPORARY)) {
            torn |= name.strip_suffix(TEMPORARY).and_then(segment::number).is_some();
            storage.remove(&path(session, name)).map_err(unwritable)?;
        }
        // What is there is built upon: whoever gave it its name may not have come to make that durable.
        storage.flush_names(session.as_str()).map_err(unwritable)?;
        let (began, session) = (now, session.clone());
        let mut chain = Self {
            storage,
            at_rest,
            session,
            began,
            next: 1,
            previous: None,
            last: 0,
            next_stream: 1,
            stored: 0,
        };
        let is_segment = |name: &str| segment::number(name).is_some();
        let sizes = sizes(&*chain.storage, chain.session.as_str(), &names, is_segment);
        chain.stored = sizes.map_err(unwritable)?.into_iter().map(on_disk).sum();
        let found = match names.iter().filter_map(|name| segment::number(name)).max() {
            Some(number) => Some(chain.follow(number, torn)?),
            None => None,
        };
        Ok((chain, found))
    }

    /// Goes on after this segment.
    fn follow(&mut self, number: u64, torn: bool) -> Result<Found, Refused> {
        let damaged = |why: String| Refused::Damaged { session: self.session.clone(), number, why };
        let path = path(&self.session, &segment::file_name(number));
        let bytes = self.storage.read(&path, MAX_STORED).map_err(unwritable)?.unwrap_or_default();
        let (header, _) = Header::read(&bytes).map_err(|why| damaged(why.to_string()))?;
        if header.session != self.session || header.number != number {
            return Err(damaged("it is another recording's, or has another place in this one".to_owned()));
        }
        let last = tell(&header, &bytes);
        self.began = header.began;
        self.next = number + 1;
        self.previous = Some(last.sha256);
        self.last = header.last;
        self.next_stream = header.next_stream;
        Ok(Found { last, stopped: header.stopped, torn })
    }

    /// The recording's time, at this time of day.
    pub(super) fn time(&self, now: Timestamp) -> u64 {
        let since = now.as_microsecond().saturating_sub(self.began.as_microsecond());
        u64::try_from(since).unwrap_or(0).max(self.last)
    }

    /// Adds a record; its time is no earlier than that of the one before.
    pub(super) fn add(&mut self, batch: &mut Batch, at: u64, what: What) -> io::Result<()> {
        let at = at.max(self.last);
        if let What::Opened(opened) = &what {
            self.next_stream = self.next_stream.max(opened.stream.saturating_add(1));
        }
        batch.interrupted |= matches!(what, What::Interrupted { .. });
        let stream = what.stream();
        frames::push(&Record { at, what }, &mut batch.plain)?;
        if batch.records == 0 {
            batch.first = at;
        }
        batch.records += 1;
        batch.streams.extend(stream);
        self.last = at;
        Ok(())
    }

    /// Makes these records the next segment, durable. After an error nothing follows but [`Chain::open`]: nobody knows what of
    /// it is on the disk.
    pub(super) fn seal(&mut self, batch: &Batch, stopped: bool) -> io::Result<Segment> {
        let header = Header {
            session: self.session.clone(),
            number: self.next,
            previous: self.previous,
            began: self.began,
            first: batch.first,
            last: self.last,
            records: batch.records,
            plain: batch.plain.len() as u64,
            form: self.at_rest.form().into(),
            streams: segment::tell(batch.streams.iter().copied()),
            next_stream: self.next_stream,
            interrupted: batch.interrupted,
            stopped,
        };
        let bytes = segment::write(&header, &batch.plain, &*self.at_rest)?;
        let path = path(&self.session, &segment::file_name(self.next));
        put(&*self.storage, self.session.as_str(), &path, &bytes)?;
        let segment = tell(&header, &bytes);
        self.next += 1;
        self.stored = self.stored.saturating_add(on_disk(segment.bytes));
        self.previous = Some(segment.sha256);
        Ok(segment)
    }
}

// === impl Batch ===

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Holds this part of the queue until it is dropped.
    pub(super) fn keep(&mut self, room: Option<OwnedSemaphorePermit>) {
        match (&mut self.room, room) {
            (Some(held), Some(more)) => held.merge(more),
            (held @ None, room) => *held = room,
            (Some(_), None) => {}
        }
    }

    /// Bytes of the queue that it has.
    pub(super) fn held(&self) -> usize {
        self.room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }
}

fn path(session: &Session, name: &str) -> String {
    format!("{session}/{name}")
}

/// What a file of so many bytes takes of a disk: whole blocks, and its place among others, of which a disk has so many.
fn on_disk(bytes: u64) -> u64 {
    const BLOCK: u64 = 4 << 10;
    bytes.div_ceil(BLOCK).saturating_add(1).max(4).saturating_mul(BLOCK)
}

/// How long those files of a recording are that have such a name.
pub(super) fn sizes(
    storage: &dyn Storage,
    folder: &str,
    names: &[String],
    which: impl Fn(&str) -> bool,
) -> io::Result<Vec<u64>> {
    let counted = names.iter().filter(|name| which(name));
    counted.map(|name| storage.size(&format!("{folder}/{name}"))).collect()
}

/// What the ledger is to know of a segment.
fn tell(header: &Header, bytes: &[u8]) -> Segment {
    Segment {
        session: header.session.clone(),
        number: header.number,
        sha256: Digest::of(bytes),
        previous: header.previous,
        bytes: bytes.len() as u64,
        records: header.records,
        first: header.first,
        last: header.last,
    }
}

fn unwritable(error: io::Error) -> Refused {
    Refused::Stopped(Stopped::Unwritable { why: error.to_string() })
}
