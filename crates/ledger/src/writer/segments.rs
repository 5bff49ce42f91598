//! The journal on disk: segments named by the index of their first leaf.

use crate::journal;
use crate::mac::{MacKey, Tag};
use crate::storage::{Appender, Storage};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

/// The folder of the segments.
pub(crate) const FOLDER: &str = "journal";
/// A segment longer than this is followed by a new one; short in tests, so that they have several.
const SEGMENT: usize = if cfg!(test) { 16 << 10 } else { 16 << 20 };

/// The journal's end, where leaves are appended.
#[derive(Debug)]
pub(crate) struct Segments {
    storage: Arc<dyn Storage>,
    /// The segments on disk with the index that follows their last leaf; the last is open.
    segments: VecDeque<(String, u64)>,
    open: Box<dyn Appender>,
    open_bytes: usize,
    next: u64,
    key: MacKey,
    /// The MAC of the last frame.
    last: Tag,
    /// An operation failed: what is on disk behind the last acknowledged leaf is not known any more.
    failed: bool,
}

/// What is written to see whether the disk takes writes: a page, which no file system keeps in a file's name.
const TRIAL: &str = "trial";
const TRIAL_BYTES: usize = 4096;

/// The file of the segment that begins at this leaf.
pub(crate) fn path(first: u64) -> String {
    format!("{FOLDER}/{first:020}")
}

impl Segments {
    /// Begins a journal at leaf `next`. All segments there were must be sealed and removed.
    pub(crate) fn begin(storage: Arc<dyn Storage>, next: u64, key: MacKey) -> io::Result<Self> {
        let name = path(next);
        let open = storage.create(&name)?;
        let segments = VecDeque::from([(name, next)]);
        let last = journal::NO_TAG;
        Ok(Self { storage, segments, open, open_bytes: 0, next, key, last, failed: false })
    }

    /// The index of the next leaf.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Whether nothing can be appended before [`Segments::begin_anew`].
    pub(crate) fn failed(&self) -> bool {
        self.failed
    }

    /// Begins a new journal in place of one that failed. Every leaf before [`Segments::next`] must be sealed: then
    /// nothing that the old journal holds is needed, whatever the disk made of the write that failed.
    ///
    /// That write's leaves, which nobody was promised, are gone with it; or, should the machine stop before the removal
    /// is durable, are in the log after all. In neither case does a leaf that comes later take their place unnoticed,
    /// since none is acknowledged before the removal is durable.
    ///
    /// An empty file can be made on a disk that is full: that it takes bytes again is tried first.
    pub(crate) fn begin_anew(&mut self) -> io::Result<()> {
        self.storage.put(TRIAL, &[0; TRIAL_BYTES])?;
        self.storage.remove(TRIAL)?;
        for (name, _) in &self.segments {
            self.storage.remove(name)?;
        }
        // Flushes the names, the removed ones too: they are in one folder.
        *self = Self::begin(Arc::clone(&self.storage), self.next, self.key.clone())?;
        Ok(())
    }

    /// Appends leaves in bundle form, durably: one write, one `fdatasync`. After an error every call fails.
    pub(crate) fn append(&mut self, count: u32, leaves: &[u8]) -> io::Result<()> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(io::Error::other("an earlier write failed"));
        }
        let (header, tag) = journal::header(self.next, count, leaves, &self.last, &self.key)
            .ok_or_else(|| io::Error::other("a batch longer than a frame can hold"))?;
        let mut frame = header.to_vec();
        frame.extend_from_slice(leaves);
        if self.open_bytes > SEGMENT {
            self.rotate()?;
        }
        self.open.append(&frame)?;
        self.open.sync()?;
        self.open_bytes += frame.len();
        self.next += u64::from(count);
        self.last = tag;
        if let Some((_, end)) = self.segments.back_mut() {
            *end = self.next;
        }
        self.failed = false;
        Ok(())
    }

    /// Removes the segments whose leaves a durable checkpoint covers; the open one stays. What fails is tried again
    /// by the next call.
    pub(crate) fn drop_sealed(&mut self, sealed: u64) -> io::Result<()> {
        while self.segments.len() > 1 {
            let Some((name, _)) = self.segments.front().filter(|(_, end)| *end <= sealed) else { break };
            self.storage.remove(name)?;
            self.segments.pop_front();
        }
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let name = path(self.next);
        self.open = self.storage.create(&name)?;
        self.open_bytes = 0;
        self.segments.push_back((name, self.next));
        Ok(())
    }
}
