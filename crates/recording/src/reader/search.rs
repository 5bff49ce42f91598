//! Searching what streams showed: plain text, without the sequences that move a terminal's cursor or colour its text.

use super::{Finding, Records};
use crate::record::{Channel, What};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use vte::{Parser, Perform};

/// Channels that are followed at a time; with more, those of the lowest numbers are forgotten.
const MAX_CHANNELS: usize = 1024;

/// What is searched for: 1 to 1024 bytes of text.
#[derive(Clone, PartialEq, Eq)]
pub struct Needle(String);

/// Text that cannot be searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is searched for is 1 to 1024 bytes of text without control characters")]
pub struct NeedleError;

/// Where the text ends that was searched for. Of several in one record, one is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// On which stream.
    pub stream: u32,
    /// On which of its channels.
    pub channel: Channel,
    /// When, in microseconds since the recording began.
    pub at: u64,
}

/// Hits in order, and what is wrong where they might be.
#[derive(Debug)]
pub struct Search<'a> {
    records: Records<'a>,
    needle: Needle,
    pub(super) channels: BTreeMap<(u32, Channel), Shown>,
}

/// What a channel showed last.
#[derive(Default)]
pub(super) struct Shown {
    parser: Parser,
    text: Visible,
}

#[derive(Default)]
struct Visible(String);

// === impl Search ===

impl<'a> Search<'a> {
    pub(super) fn new(records: Records<'a>, needle: Needle) -> Self {
        Self { records, needle, channels: BTreeMap::new() }
    }

    fn look(&mut self, stream: u32, channel: Channel, bytes: &[u8]) -> bool {
        if self.channels.len() >= MAX_CHANNELS && !self.channels.contains_key(&(stream, channel)) {
            self.channels.pop_first();
        }
        self.channels.entry((stream, channel)).or_default().look(&self.needle, bytes)
    }
}

impl Iterator for Search<'_> {
    type Item = Result<Hit, Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let record = match self.records.next()? {
                Ok(record) => record,
                Err(finding) => {
                    // Nothing is found across a gap.
                    self.channels.clear();
                    return Some(Err(finding));
                }
            };
            match record.what {
                What::Bytes { stream, channel, bytes }
                    if channel.is_output() && self.look(stream, channel, &bytes.0) =>
                {
                    return Some(Ok(Hit { stream, channel, at: record.at }));
                }
                What::Closed { stream, .. } => self.channels.retain(|(of, _), _| *of != stream),
                _ => {}
            }
        }
    }
}

// === impl Shown ===

impl Shown {
    /// Whether the text was completed by these bytes.
    fn look(&mut self, needle: &Needle, bytes: &[u8]) -> bool {
        self.parser.advance(&mut self.text, bytes);
        let text = &mut self.text.0;
        let found = memchr::memmem::rfind(text.as_bytes(), needle.0.as_bytes());
        // What is left begins after what was found, and is shorter than what is searched for.
        let after = found.map_or(0, |at| at + needle.0.len());
        let short = text.ceil_char_boundary(text.len().saturating_sub(needle.0.len() - 1));
        text.drain(..after.max(short));
        found.is_some()
    }
}

impl Perform for Visible {
    fn print(&mut self, c: char) {
        self.0.push(c);
    }

    fn execute(&mut self, byte: u8) {
        // Text does not go on across these, whatever they do to the cursor.
        if matches!(byte, b'\n' | b'\t') {
            self.0.push(char::from(byte));
        }
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.text.0.len())
    }
}

// === impl Needle ===

impl FromStr for Needle {
    type Err = NeedleError;

    fn from_str(text: &str) -> Result<Self, NeedleError> {
        let fits = (1..=1024).contains(&text.len()) && !text.chars().any(char::is_control);
        if fits { Ok(Self(text.to_owned())) } else { Err(NeedleError) }
    }
}

impl fmt::Debug for Needle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
