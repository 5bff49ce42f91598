//! Places in a recording, found by the headers of its segments.

use super::Recording;
use crate::segment::{FULL, Header};
use jiff::Timestamp;

/// Segments that are looked at for one that is as it was written.
const TRIED: usize = 16;

/// What a segment counts for at least, in bytes, where it is counted what was looked at: it is a file of its own.
pub(super) const LEAST: u64 = 8 << 10;

impl Recording {
    /// From when on there are no more than so many bytes of records before `until`, or one segment; `from`, if that has all of them. Times
    /// in microseconds since it began. Nothing that was edited leads anywhere: it weighs what a segment does.
    #[must_use]
    pub fn newest_within(&self, from: u64, until: u64, bytes: u64) -> u64 {
        let places = self.begin_at(from)..self.end_at(until);
        let numbers = self.numbers.get(places).unwrap_or_default();
        let (mut left, mut begins) = (bytes, until);
        let headers =
            numbers.iter().rev().map(|number| self.segment(*number).ok().map(|(header, ..)| header));
        for header in headers.skip_while(|header| header.as_ref().is_some_and(|header| header.first >= until))
        {
            let weighs = header.as_ref().map_or(FULL as u64, |header| header.plain.max(LEAST));
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
        let segments = self.numbers.iter().take(TRIED).filter_map(|number| self.segment(*number).ok());
        segments.map(|(header, ..)| header.began).next()
    }

    /// The place among its segments of the first that has to be read to have all of this time or later. Whoever edits a header may lead
    /// past what is to be hidden: so the one before is read, and has to be as it was written.
    pub(super) fn begin_at(&self, at: u64) -> usize {
        let mut place = self.seek(at);
        while let Some(before) = place.checked_sub(1)
            && self.written(before).is_none_or(|header| header.last >= at)
        {
            place = before;
        }
        place
    }

    /// The place after its last segment that may have something of before this time: likewise.
    fn end_at(&self, at: u64) -> usize {
        let mut place = self.seek(at);
        while place < self.numbers.len() && self.written(place).is_none_or(|header| header.first < at) {
            place += 1;
        }
        place
    }

    /// What the segment at this place says about itself, if it is as it was written.
    fn written(&self, place: usize) -> Option<Header> {
        let number = self.numbers.get(place)?;
        self.segment(*number).ok().map(|(header, ..)| header)
    }

    /// The place among its segments of the first that may have records of this time or later: found by the headers of a
    /// few. One whose header cannot be read stands for the next.
    pub(super) fn seek(&self, at: u64) -> usize {
        let (mut low, mut high) = (0, self.numbers.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let readable = self.numbers.iter().enumerate().take(high).skip(middle);
            let ends =
                readable.map(|(place, number)| (place, self.header(*number).map(|header| header.last)));
            match ends.filter_map(|(place, last)| last.map(|last| (place, last))).next() {
                Some((place, last)) if last < at => low = place + 1,
                _ => high = middle,
            }
        }
        low
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
