//! Places in a recording, found by the headers of its segments, each held against the ledger.

use super::Recording;
use crate::segment::Header;
use jiff::Timestamp;
use std::sync::Arc;

/// Segments that are looked at for one that is as it was written.
const TRIED: usize = 16;

/// What a segment counts for at least, in bytes, where it is counted what was looked at: it is a file of its own.
pub(super) const LEAST: u64 = 8 << 10;

impl Recording {
    /// From when on there are no more than so many bytes of records before `until`, or one segment; `from`, if that has all of them. Times
    /// in microseconds since it began.
    #[must_use]
    pub fn newest_within(&self, from: u64, until: u64, bytes: u64) -> u64 {
        let places = self.seek(from)..self.first_where(|header| header.first >= until);
        let (mut left, mut begins) = (bytes, until);
        for place in places.rev() {
            let header = self.written(place);
            if header.as_ref().is_some_and(|header| header.first >= until) {
                continue;
            }
            let weighs = header.as_ref().map_or(LEAST, |header| header.plain.max(LEAST));
            if weighs > left && begins < until {
                return begins.max(from);
            }
            left = left.saturating_sub(weighs);
            begins = header.map_or(begins, |header| header.first.min(begins));
        }
        from
    }

    /// When it began, as a segment tells that is as it was written: of the first, if that is.
    #[must_use]
    pub fn began(&self) -> Option<Timestamp> {
        let places = 0..TRIED.min(self.numbers.len());
        places.filter_map(|place| self.written(place)).map(|header| header.began).next()
    }

    /// The place among its segments of the first that may have records of this time or later.
    pub(super) fn seek(&self, at: u64) -> usize {
        self.first_where(|header| header.last >= at)
    }

    /// The place of the first for which this holds, of which what is said is true of all that follow. What is not as it was written stands for
    /// the next that is: nobody who edits a header leads past what is beside it.
    fn first_where(&self, holds: impl Fn(&Header) -> bool) -> usize {
        let (mut low, mut high) = (0, self.numbers.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let next = (middle..high).find_map(|place| Some((place, self.written(place)?)));
            match next {
                Some((place, header)) if !holds(&header) => low = place + 1,
                _ => high = middle,
            }
        }
        low
    }

    /// What the segment at this place says about itself, if it is as it was written. Each is read once for that.
    fn written(&self, place: usize) -> Option<Arc<Header>> {
        let number = *self.numbers.get(place)?;
        if let Some(written) = self.written.lock().get(&number) {
            return written.clone();
        }
        let written = self.segment(number).ok().map(|(header, ..)| Arc::new(header));
        self.written.lock().insert(number, written.clone());
        written
    }
}

#[cfg(test)]
mod tests {
    use crate::reader::{Library, Recording};
    use crate::record::What;
    use crate::writer::scripted::Script;
    use crate::writer::testing::piece;
    use std::sync::Arc;

    /// A segment of one record each ten milliseconds, the last of them larger than what the others count for.
    fn recording(folder: &std::path::Path) -> Recording {
        let mut script = Script::new(folder, "s-1", "2026-06-01T12:00:00Z".parse().unwrap());
        for number in 0..9 {
            script = script.at(number * 10, What::Began {}).sealed();
        }
        let _segments = script.at(90, piece(&"a".repeat(200_000))).stopped();
        Library::new(folder, Arc::new(crate::at_rest::Plain)).recording(&"s-1".parse().unwrap()).unwrap()
    }

    #[test]
    fn the_newest_are_as_many_as_fit_and_one_at_least() {
        let folder = tempfile::tempdir().unwrap();
        let recording = recording(folder.path());
        let newest = |from, until, kilobytes: u64| recording.newest_within(from, until, kilobytes << 10);
        assert_eq!(newest(0, u64::MAX, 2_000), 0, "all of it");
        assert_eq!(newest(0, u64::MAX, 0), 90_000, "one at least");
        assert_eq!(newest(0, u64::MAX, 200), 90_000, "which takes the room of others");
        assert_eq!(newest(0, u64::MAX, 204), 80_000);
        assert_eq!(newest(0, 90_000, 8), 80_000, "what is before this");
        assert_eq!(newest(0, 90_000, 16), 70_000);
        assert_eq!(newest(0, 85_000, 16), 70_000);
        assert_eq!(newest(75_000, u64::MAX, 2_000), 75_000, "and no earlier than this");
        assert_eq!(newest(200_000, u64::MAX, 8), 200_000, "nothing is as late");
    }
}
