//! What streams showed, in lines of plain text: without colours, and where the cursor goes elsewhere or back, another line begins. So
//! what was written over is there, too.

use super::{Finding, Records};
use crate::record::{Channel, What};
use std::collections::{BTreeMap, VecDeque};
use vte::{Params, Parser, Perform};

/// Channels that are followed at a time; with more, what those of the lowest numbers show begins anew.
const MAX_CHANNELS: usize = 256;
/// Bytes of a line; what is longer makes several.
const MAX_LINE: usize = 4 << 10;

/// A line.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// On which stream.
    pub stream: u32,
    /// On which of its channels.
    pub channel: Channel,
    /// When the last of it was shown, in microseconds since the recording began.
    pub at: u64,
    /// What it is. It may hold anything but control characters.
    pub text: String,
}

/// Lines in the order in which they ended, and what is wrong where they might be.
#[derive(Debug)]
pub struct Lines<'a> {
    records: Records<'a>,
    channels: BTreeMap<(u32, Channel), Shown>,
    ready: VecDeque<Line>,
    most: u64,
    broke_off: bool,
}

/// What a channel shows.
#[derive(Default)]
struct Shown {
    parser: Parser,
    text: Written,
    at: u64,
}

/// The line that is being written, and those that ended.
#[derive(Default)]
struct Written {
    line: String,
    /// The cursor is at the left: what comes next writes over the line, or ends it.
    back: bool,
    ended: Vec<String>,
}

// === impl Lines ===

impl<'a> Lines<'a> {
    pub(super) fn new(records: Records<'a>) -> Self {
        Self { records, channels: BTreeMap::new(), ready: VecDeque::new(), most: u64::MAX, broke_off: false }
    }

    /// Ends once more than so many bytes of records were unpacked.
    #[must_use]
    pub fn within(self, bytes: u64) -> Self {
        Self { most: bytes, ..self }
    }

    /// Whether that is why there are no more.
    #[must_use]
    pub fn broke_off(&self) -> bool {
        self.broke_off
    }

    /// See [`Records::unpacked`].
    #[must_use]
    pub fn unpacked(&self) -> u64 {
        self.records.unpacked()
    }

    fn look(&mut self, stream: u32, channel: Channel, at: u64, bytes: &[u8]) {
        if self.channels.len() >= MAX_CHANNELS && !self.channels.contains_key(&(stream, channel)) {
            let first = self.channels.pop_first();
            self.ready.extend(first.and_then(|(of, shown)| shown.rest(of)));
        }
        let shown = self.channels.entry((stream, channel)).or_default();
        shown.parser.advance(&mut shown.text, bytes);
        shown.at = at;
        let ended = shown.text.ended.drain(..).map(|text| Line { stream, channel, at, text });
        self.ready.extend(ended);
    }

    /// What is written of lines that nothing ended.
    fn end(&mut self, stream: Option<u32>) {
        let over = |of: u32| stream.is_none_or(|stream| stream == of);
        let (over, on) = std::mem::take(&mut self.channels).into_iter().partition(|((of, _), _)| over(*of));
        self.channels = on;
        let over: BTreeMap<(u32, Channel), Shown> = over;
        self.ready.extend(over.into_iter().filter_map(|(of, shown)| shown.rest(of)));
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<Line, Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(Ok(line));
            }
            self.broke_off = self.records.unpacked() > self.most;
            let next = if self.broke_off { None } else { self.records.next() };
            let Some(next) = next else {
                self.end(None);
                return self.ready.pop_front().map(Ok);
            };
            let record = match next {
                Ok(record) => record,
                Err(finding) => {
                    // No line goes on across a gap.
                    self.end(None);
                    if self.ready.is_empty() {
                        return Some(Err(finding));
                    }
                    self.records.put_back(finding);
                    continue;
                }
            };
            match record.what {
                What::Bytes { stream, channel, bytes } if channel.is_output() => {
                    self.look(stream, channel, record.at, &bytes.0);
                }
                What::Closed { stream, .. } => self.end(Some(stream)),
                What::Interrupted { .. } => self.end(None),
                _ => {}
            }
        }
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes of {} at {}", self.text.len(), self.stream, self.at)
    }
}

// === impl Shown ===

impl Shown {
    fn rest(self, (stream, channel): (u32, Channel)) -> Option<Line> {
        let Self { text: Written { line: text, .. }, at, .. } = self;
        (!text.is_empty()).then_some(Line { stream, channel, at, text })
    }
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.text.line.len())
    }
}

// === impl Written ===

impl Written {
    fn end(&mut self) {
        self.back = false;
        self.ended.push(std::mem::take(&mut self.line));
    }

    fn elsewhere(&mut self) {
        if !self.line.is_empty() {
            self.end();
        }
    }
}

impl Perform for Written {
    fn print(&mut self, c: char) {
        if self.back || self.line.len() >= MAX_LINE {
            self.elsewhere();
        }
        self.back = false;
        self.line.push(c);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' => self.end(),
            b'\r' => self.back = true,
            b'\t' => self.print(' '),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, _params: &Params, intermediates: &[u8], _ignore: bool, action: char) {
        // The cursor goes up, down or to a place; the screen is cleared.
        if intermediates.is_empty() && matches!(action, 'A' | 'B' | 'E' | 'F' | 'H' | 'J' | 'd' | 'f') {
            self.elsewhere();
        }
    }
}
