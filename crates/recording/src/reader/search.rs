//! Searching what streams showed: plain text, without the sequences that move a terminal's cursor or colour its text.

use super::{Finding, Records};
use crate::record::{Channel, What};
use jiff::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use vte::{Parser, Perform};

/// Channels that are followed at a time; with more, those of the lowest numbers are forgotten.
const MAX_CHANNELS: usize = 1024;
/// Bytes of a line that are told on each side of what was found, at most.
const AROUND: usize = 160;

/// What is searched for: 1 to 1024 bytes of text.
#[derive(Clone, PartialEq, Eq)]
pub struct Needle(String);

/// Text that cannot be searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is searched for is 1 to 1024 bytes of text without control characters")]
pub struct NeedleError;

/// A place where the text ends that was searched for, with the line it is in, as far as that was shown by then. Of several in
/// one line of one record, the first is told.
#[derive(Clone, PartialEq, Eq)]
pub struct Hit {
    /// On which stream.
    pub stream: u32,
    /// On which of its channels.
    pub channel: Channel,
    /// When, in microseconds since the recording began.
    pub at: u64,
    /// What stands before it in its line; of a long line, the end.
    pub before: String,
    /// What stands after it; of a long line, the beginning.
    pub after: String,
}

/// Hits in order, and what is wrong where they might be.
#[derive(Debug)]
pub struct Search<'a> {
    records: Records<'a>,
    needle: Needle,
    pub(super) channels: BTreeMap<(u32, Channel), Shown>,
    found: VecDeque<Hit>,
}

/// What a channel showed last.
#[derive(Default)]
pub(super) struct Shown {
    parser: Parser,
    text: Visible,
    /// Where what is not searched yet begins in the text. Before it stands what was before in its line.
    from: usize,
}

#[derive(Default)]
struct Visible(String);

// === impl Search ===

impl<'a> Search<'a> {
    pub(super) fn new(records: Records<'a>, needle: Needle) -> Self {
        Self { records, needle, channels: BTreeMap::new(), found: VecDeque::new() }
    }

    /// When the recording began, once something was read.
    #[must_use]
    pub fn began(&self) -> Option<Timestamp> {
        self.records.began()
    }

    fn look(&mut self, stream: u32, channel: Channel, at: u64, bytes: &[u8]) {
        if self.channels.len() >= MAX_CHANNELS && !self.channels.contains_key(&(stream, channel)) {
            self.channels.pop_first();
        }
        let shown = self.channels.entry((stream, channel)).or_default();
        let lines = shown.look(&self.needle, bytes).into_iter();
        self.found.extend(lines.map(|(before, after)| Hit { stream, channel, at, before, after }));
    }
}

impl Iterator for Search<'_> {
    type Item = Result<Hit, Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(hit) = self.found.pop_front() {
                return Some(Ok(hit));
            }
            let record = match self.records.next()? {
                Ok(record) => record,
                Err(finding) => {
                    // Nothing is found across a gap.
                    self.channels.clear();
                    return Some(Err(finding));
                }
            };
            match record.what {
                What::Bytes { stream, channel, bytes } if channel.is_output() => {
                    self.look(stream, channel, record.at, &bytes.0);
                }
                What::Closed { stream, .. } => self.channels.retain(|(of, _), _| *of != stream),
                _ => {}
            }
        }
    }
}

// === impl Shown ===

impl Shown {
    /// What stands before and after the text in each line in which it was completed by these bytes.
    fn look(&mut self, needle: &Needle, bytes: &[u8]) -> Vec<(String, String)> {
        self.parser.advance(&mut self.text, bytes);
        let (text, mut lines) = (self.text.0.as_str(), Vec::new());
        let mut from = self.from;
        while let Some(found) = find(text, from, needle) {
            let (head, after) = (head(text, found), tail(text, found + needle.0.len()));
            let before = tail(head, head.rfind('\n').map_or(0, |end| end + 1));
            let (line, more) = after.split_once('\n').unwrap_or((after, ""));
            lines.push((last(before).to_owned(), first(line).to_owned()));
            from = text.len() - more.len();
            if line.len() == after.len() {
                // What may be completed next time begins after the last of them.
                from = found + needle.0.len();
                while let Some(found) = find(text, from, needle) {
                    from = found + needle.0.len();
                }
                break;
            }
        }
        self.forget(from, needle.0.len() - 1);
        lines
    }

    /// Keeps what the next bytes can complete, which is shorter than what is searched for and not found yet, and of its line
    /// what will be told.
    fn forget(&mut self, found: usize, short: usize) {
        let text = &mut self.text.0;
        let from = text.ceil_char_boundary(text.len().saturating_sub(short)).max(found);
        let kept = last(tail(head(text, from), head(text, from).rfind('\n').map_or(0, |end| end + 1))).len();
        text.drain(..from - kept);
        self.from = kept;
    }
}

fn find(text: &str, from: usize, needle: &Needle) -> Option<usize> {
    memchr::memmem::find(tail(text, from).as_bytes(), needle.0.as_bytes()).map(|found| from + found)
}

fn head(text: &str, to: usize) -> &str {
    text.get(..to).unwrap_or(text)
}

fn tail(text: &str, from: usize) -> &str {
    text.get(from..).unwrap_or_default()
}

/// The end of it.
fn last(text: &str) -> &str {
    tail(text, text.ceil_char_boundary(text.len().saturating_sub(AROUND)))
}

/// The beginning of it.
fn first(text: &str) -> &str {
    head(text, text.floor_char_boundary(AROUND))
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

impl fmt::Debug for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stream, channel, at, .. } = self;
        let mut shown = f.debug_struct("Hit");
        shown.field("stream", stream).field("channel", channel).field("at", at).finish_non_exhaustive()
    }
}

impl fmt::Debug for Needle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
