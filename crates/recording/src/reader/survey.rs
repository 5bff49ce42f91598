//! What a recording comes to, without its records.

use super::{Finding, Recording, Records};
use jiff::Timestamp;
use std::time::Duration;

/// A recording as a whole. Every segment was read, and none unpacked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// What is wrong with it, in order.
    pub findings: Vec<Finding>,
    /// How many segments are what they should be. What follows is told by these alone.
    pub segments: u64,
    /// How many of these are encrypted.
    pub encrypted: u64,
    /// Bytes of their records, compressed.
    pub bytes: u64,
    /// When it began and its last record was made.
    pub times: Option<(Timestamp, Timestamp)>,
    /// How many streams were opened.
    pub streams: u32,
    /// How often it went on after a run that did not end in good order.
    pub interrupted: u32,
    /// Whether the recorder let go of it in good order, at its last segment.
    pub stopped: bool,
}

// === impl Survey ===

impl Survey {
    pub(super) fn of(recording: &Recording) -> Self {
        let mut survey = Self::default();
        let mut records = Records::new(recording, 0, None);
        loop {
            let next = records.next_segment();
            survey.findings.extend(records.findings.drain(..));
            match next {
                Some(Ok((header, stored))) => {
                    let ended = header.began.checked_add(Duration::from_micros(header.last));
                    survey.times = ended.ok().map(|ended| (header.began, ended));
                    survey.segments += 1;
                    survey.encrypted += u64::from(header.is_encrypted());
                    survey.bytes += stored.len() as u64;
                    survey.streams = header.next_stream.saturating_sub(1);
                    survey.interrupted += u32::from(header.interrupted);
                    survey.stopped = header.stopped;
                }
                Some(Err(finding)) => {
                    survey.findings.push(finding);
                    survey.stopped = false;
                }
                None => break,
            }
        }
        // Segments at the end are missing.
        if let Some(Finding::Missing { last, .. }) = survey.findings.last() {
            survey.stopped &= recording.numbers.last() > Some(last);
        }
        survey
    }
}
