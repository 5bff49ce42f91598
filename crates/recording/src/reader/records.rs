//! The records of a recording in order, verified as they are read.

use super::places::LEAST;
use super::{Finding, Recording};
use crate::Digest;
use crate::frames::Frames;
use crate::record::{Record, What};
use crate::segment::Header;
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::VecDeque;

/// Records in order, and what is wrong where they should be.
#[derive(Debug)]
pub struct Records<'a> {
    recording: &'a Recording,
    /// The place of the next segment among the recording's.
    place: usize,
    /// The number it should have.
    wanted: u64,
    /// The digest of the segment before, where it could be read.
    previous: Option<Digest>,
    began: Option<Timestamp>,
    at: Option<At>,
    /// The encrypted segments before the next one: those in a row are told as one.
    encrypted: Option<Finding>,
    pub(super) findings: VecDeque<Finding>,
    from: u64,
    stream: Option<u32>,
    /// Bytes that were looked at, and after how many no further segment is begun.
    looked_at: u64,
    most: u64,
    unpacked: u64,
    /// Among encrypted segments, the time that is asked for.
    until: u64,
    /// The last time of which the segment at hand has something, as the gate wrote it.
    reached: u64,
    ended: bool,
}

/// A segment that is being read.
#[derive(Debug)]
struct At {
    frames: Frames,
    header: Header,
    seen: u64,
    last: u64,
}

// === impl Records ===

impl<'a> Records<'a> {
    pub(super) fn new(recording: &'a Recording, from: u64, stream: Option<u32>) -> Self {
        let place = if from == 0 { 0 } else { recording.seek(from) };
        let before = place.checked_sub(1).and_then(|before| recording.numbers.get(before));
        Self {
            recording,
            place,
            wanted: before.map_or(1, |number| number + 1),
            previous: None,
            began: None,
            at: None,
            encrypted: None,
            findings: recording.findings.iter().cloned().collect(),
            from,
            stream,
            looked_at: 0,
            most: u64::MAX,
            unpacked: 0,
            until: u64::MAX,
            reached: 0,
            ended: false,
        }
    }

    pub(super) fn after(recording: &'a Recording, segment: u64, stream: u32) -> Self {
        let place = recording.numbers.partition_point(|number| *number <= segment);
        let (wanted, findings) = (segment.saturating_add(1), VecDeque::new());
        Self { place, wanted, findings, ..Self::new(recording, 0, Some(stream)) }
    }

    /// Is told once more, before what comes next.
    pub(super) fn put_back(&mut self, finding: Finding) {
        self.findings.push_front(finding);
    }

    /// Begins with no further segment once so many bytes were looked at.
    #[must_use]
    pub fn within(self, bytes: u64) -> Self {
        Self { most: bytes, ..self }
    }

    /// Among encrypted segments, ends with the one that has this time, in microseconds since the recording began: those after it have nothing
    /// to tell of what was before.
    #[must_use]
    pub fn encrypted_until(self, at: u64) -> Self {
        Self { until: at, ..self }
    }

    /// Bytes of records that were unpacked, whether or not they were asked for: what reading came to, but for segments that were passed over.
    /// Each counts for some, whatever it has.
    #[must_use]
    pub fn unpacked(&self) -> u64 {
        self.unpacked
    }

    /// Whether that is why there are no more.
    #[must_use]
    pub fn broke_off(&self) -> bool {
        self.looked_at >= self.most && self.is_left()
    }

    /// Whether there are segments that were not begun with.
    #[must_use]
    pub fn is_left(&self) -> bool {
        self.place < self.recording.numbers.len()
    }

    /// The number of the last segment that was looked at, or that none was to be looked at before.
    #[must_use]
    pub fn looked_up_to(&self) -> u64 {
        self.wanted.saturating_sub(1)
    }

    /// When the recording began, once a segment was read.
    #[must_use]
    pub fn began(&self) -> Option<Timestamp> {
        self.began
    }

    /// The number of the segment that is being read.
    #[must_use]
    pub fn segment(&self) -> Option<u64> {
        self.at.as_ref().map(|at| at.header.number)
    }

    /// The next record of the segment at hand that was asked for.
    fn next_here(&mut self) -> Option<Result<Record, Finding>> {
        let at = self.at.as_mut()?;
        let number = at.header.number;
        for record in at.frames.by_ref() {
            let record = match record {
                Ok(record) => record,
                Err(why) => {
                    self.at = None;
                    return Some(Err(Finding::Damaged { number, why: why.to_string() }));
                }
            };
            at.seen += 1;
            at.last = record.at;
            let is_wanted = self.stream.is_none()
                || record.what.stream() == self.stream
                || matches!(record.what, What::Interrupted { .. });
            if record.at >= self.from && is_wanted {
                return Some(Ok(record));
            }
        }
        let whole = at.seen == at.header.records && at.last == at.header.last;
        self.at = None;
        let why = "it has other records than its header says".to_owned();
        (!whole).then_some(Err(Finding::Damaged { number, why }))
    }

    /// Whether what is next comes after encrypted segments, and after what is asked for. Only a segment that was held against the ledger
    /// ends anything.
    fn is_past_encrypted(&self) -> bool {
        self.encrypted.is_some() && self.reached >= self.until
    }

    /// Goes on to the next segment; whether there is one.
    fn advance(&mut self) -> bool {
        self.ended |= self.is_past_encrypted();
        let next = if self.ended || self.broke_off() { None } else { self.next_segment() };
        let Some(next) = next else {
            self.encrypted.take().into_iter().for_each(|before| self.findings.push_front(before));
            return false;
        };
        let finding = next.and_then(|(header, stored)| self.begin(header, &stored)).err();
        let goes_on = self.at.is_none() && self.findings.is_empty();
        self.encrypted = match (self.encrypted.take(), finding) {
            (Some(Finding::Encrypted { first, .. }), Some(Finding::Encrypted { last, tried, .. }))
                if goes_on =>
            {
                Some(Finding::Encrypted { first, last, tried })
            }
            (before, None) if goes_on => before,
            (before, finding) => {
                before.into_iter().for_each(|before| self.findings.push_front(before));
                match finding {
                    Some(encrypted @ Finding::Encrypted { .. }) => Some(encrypted),
                    finding => {
                        self.findings.extend(finding);
                        None
                    }
                }
            }
        };
        true
    }

    /// The next segment, held against the one before it and against the ledger; `None` after the last. What else is wrong is
    /// among the findings.
    pub(super) fn next_segment(&mut self) -> Option<Result<(Header, Bytes), Finding>> {
        let Some(&number) = self.recording.numbers.get(self.place) else {
            self.end();
            return None;
        };
        self.place += 1;
        if self.wanted < number {
            self.findings.push_back(Finding::Missing { first: self.wanted, last: number - 1 });
            self.previous = None;
        }
        self.wanted = number + 1;
        let previous = self.previous.take();
        let (header, stored, sha256) = match self.recording.segment(number) {
            Ok(segment) => segment,
            Err(finding) => {
                // What somebody did to it does not hide what is after it.
                self.looked_at = self.looked_at.saturating_add(LEAST);
                self.unpacked = self.unpacked.saturating_add(LEAST);
                return Some(Err(finding));
            }
        };
        self.previous = Some(sha256);
        self.reached = header.last;
        self.looked_at = self.looked_at.saturating_add(stored.len() as u64);
        let follows = previous.is_none() || header.previous == previous;
        if !follows || *self.began.get_or_insert(header.began) != header.began {
            self.findings.push_back(Finding::Unchained { number });
        }
        Some(Ok((header, stored)))
    }

    fn begin(&mut self, header: Header, stored: &[u8]) -> Result<(), Finding> {
        if self.stream.is_none_or(|stream| header.may_have(stream)) {
            // Whatever comes of it.
            self.looked_at = self.looked_at.saturating_add(header.plain);
            self.unpacked = self.unpacked.saturating_add(header.plain.max(LEAST));
            let frames = self.recording.frames(&header, stored)?;
            self.at = Some(At { frames, last: header.first, header, seen: 0 });
        }
        Ok(())
    }

    /// What the ledger has beyond what is there.
    fn end(&mut self) {
        self.ended = true;
        let known = self.recording.known.as_ref().and_then(|known| known.keys().next_back().copied());
        if let Some(last) = known.filter(|last| *last >= self.wanted) {
            self.findings.push_back(Finding::Missing { first: self.wanted, last });
        }
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(finding) = self.findings.pop_front() {
                return Some(Err(finding));
            }
            if let Some(next) = self.next_here() {
                return Some(next);
            }
            if self.at.is_none() && (self.ended || !self.advance()) && self.findings.is_empty() {
                return None;
            }
        }
    }
}
