//! Recordings for other crates' tests, made without a recorder: what is in them has the time that it is given.

#![expect(clippy::unwrap_used, reason = "a recording that cannot be made is a failed test")]

use super::body::Body;
use super::chain::Chain;
use super::recording::Recording;
use super::run::{Run, Segment};
use crate::at_rest::{Close, Plain};
use crate::record::{Session, What};
use crate::storage::FsStorage;
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;

/// A recording that is being made, or goes on.
#[derive(Debug)]
pub struct Script {
    recording: Recording,
    segments: Vec<Segment>,
}

// === impl Script ===

impl Script {
    /// The session's recording in the folder of all. One that is there goes on; a new one began at this time.
    ///
    /// # Panics
    /// It cannot be begun.
    #[must_use]
    pub fn new(folder: &Path, session: &str, began: Timestamp) -> Self {
        Self::stored(folder, session, began, Arc::new(Plain))
    }

    /// The same, stored like this.
    ///
    /// # Panics
    /// It cannot be begun.
    #[must_use]
    pub fn stored(folder: &Path, session: &str, began: Timestamp, at_rest: Arc<dyn Close>) -> Self {
        let session: Session = session.parse().unwrap();
        std::fs::create_dir_all(folder).unwrap();
        let storage = Arc::new(FsStorage::new(folder));
        let (chain, found) = Chain::open(storage, at_rest, &session, began).unwrap();
        let run = Run::new(session, chain.last, chain.next_stream);
        let segments = found.into_iter().map(|found| found.last).collect();
        Self { recording: Recording::new(Arc::new(run), chain), segments }
    }

    /// This happened, so many milliseconds after the recording began.
    ///
    /// # Panics
    /// It cannot be recorded.
    #[must_use]
    pub fn at(self, milliseconds: u64, what: What) -> Self {
        self.with(milliseconds, what, None)
    }

    /// The same, with the body of a request or an answer.
    ///
    /// # Panics
    /// It cannot be recorded.
    #[must_use]
    pub fn with_body(self, milliseconds: u64, what: What, body: &[u8]) -> Self {
        self.with(milliseconds, what, Some(body))
    }

    /// What there is becomes a segment.
    ///
    /// # Panics
    /// It cannot be written.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.seal(false);
        self
    }

    /// The recording is let go in good order. Answers with its segments, for the ledger.
    ///
    /// # Panics
    /// It cannot be written.
    #[must_use]
    pub fn stopped(mut self) -> Vec<Segment> {
        let last = self.recording.chain.last / 1000;
        self = self.at(last, What::Stopped {});
        self.seal(true);
        self.segments
    }

    /// The recorder is killed: what is not sealed is lost. Answers with the segments.
    #[must_use]
    pub fn killed(self) -> Vec<Segment> {
        self.segments
    }

    fn with(mut self, milliseconds: u64, what: What, body: Option<&[u8]>) -> Self {
        let body = body.map(|body| Body::from(body).digest());
        self.recording.add(milliseconds * 1000, what, body).unwrap();
        self
    }

    fn seal(&mut self, stopped: bool) {
        let batch = std::mem::take(&mut self.recording.batch);
        self.segments.push(self.recording.chain.seal(&batch, stopped).unwrap());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::Library;
    use crate::writer::testing::piece;

    #[test]
    fn what_is_scripted_is_a_recording() {
        let folder = tempfile::tempdir().unwrap();
        let began: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
        let script = || Script::new(folder.path(), "s-1", began);
        let lost = script().at(0, What::Began {}).at(5, piece("a")).sealed().at(9, piece("lost")).killed();
        let segments =
            script().at(20, What::Interrupted { torn: false }).with_body(30, piece("b"), b"body").stopped();
        assert_eq!(segments.first(), lost.last());
        let recording =
            Library::new(folder.path(), Arc::new(Plain)).recording(&"s-1".parse().unwrap()).unwrap();
        let known = segments.iter().map(|segment| (segment.number, segment.sha256)).collect();
        let recording = recording.against(known);
        let survey = recording.survey();
        assert_eq!(
            (survey.findings, survey.segments, survey.interrupted, survey.stopped),
            (vec![], 2, 1, true)
        );
        let times: Vec<_> = recording.records().map(|record| record.unwrap().at).collect();
        assert_eq!(times, [0, 5_000, 20_000, 30_000, 30_000, 30_000]);
    }
}
