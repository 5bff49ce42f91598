//! One stream as an asciicast (version 2, <https://docs.asciinema.org/manual/asciicast/v2/>), for terminal players.
//!
//! Where something is wrong with the recording, a marker (`"m"`) says what.

mod following;
mod screen;

use crate::reader::{Finding, Records};
use crate::record::{Channel, Opened, What};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use screen::Screen;

pub use following::{Following, News};

/// The size of a terminal that never told its own.
const SIZE: (u16, u16) = (80, 24);
/// The largest terminal that is played: a client may tell any.
const LARGEST: (u16, u16) = (500, 200);

/// How an export went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// Events of the stream.
    pub events: u64,
    /// What was wrong with the recording; each is a marker, too.
    pub findings: u64,
}

/// Why there is no export, or only part of one.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The recording has no beginning of this stream.
    #[error("the recording has no beginning of this stream")]
    NoStream,
    /// What it was written to failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes the one stream whose records these are ([`Recording::stream`](crate::reader::Recording::stream)). With `input`,
/// what the agent typed is in it.
///
/// # Errors
/// [`ExportError`].
pub fn write(records: Records<'_>, input: bool, to: impl Write) -> Result<Exported, ExportError> {
    Cast::new(to, input, false).all(records)
}

/// The same for whoever only looks: what the stream showed, without what it asked the terminal to do besides (titles, links, the
/// clipboard, another size), in a terminal of a bearable size. Without a terminal, what went to standard error is red.
///
/// # Errors
/// [`ExportError`].
pub fn play(records: Records<'_>, to: impl Write) -> Result<Exported, ExportError> {
    Cast::new(to, false, true).all(records)
}

#[derive(Debug)]
struct Cast<W> {
    to: W,
    input: bool,
    /// Whether only what is shown goes into it.
    inert: bool,
    /// The stream's beginning and when that was, and when the recording began.
    opened: Option<(Opened, u64, Timestamp)>,
    /// Whether the header is written: once the terminal's size may be known.
    header: bool,
    /// The terminal's size by then, and since.
    size: (u16, u16),
    texts: BTreeMap<Channel, Text>,
    /// The time of the last record.
    at: u64,
    /// What came before the header could be written.
    findings: Vec<Finding>,
    done: Exported,
}

/// The text of a channel, which may be cut within a character.
#[derive(Debug, Default)]
struct Text {
    cut: Vec<u8>,
    screen: Screen,
}

#[derive(Serialize)]
struct Header {
    version: u8,
    width: u16,
    height: u16,
    timestamp: i64,
    command: String,
}

// === impl Cast ===

impl<W: Write> Cast<W> {
    fn new(to: W, input: bool, inert: bool) -> Self {
        Self {
            to,
            input,
            inert,
            opened: None,
            header: false,
            size: SIZE,
            texts: BTreeMap::new(),
            at: 0,
            findings: Vec::new(),
            done: Exported { events: 0, findings: 0 },
        }
    }

    fn all(mut self, records: Records<'_>) -> Result<Exported, ExportError> {
        self.run(records)?;
        self.to.flush()?;
        Ok(self.done)
    }

    fn run(&mut self, mut records: Records<'_>) -> Result<(), ExportError> {
        self.take(&mut records)?;
        if self.opened.is_none() {
            return Err(ExportError::NoStream);
        }
        self.begin(SIZE)?;
        for (channel, text) in std::mem::take(&mut self.texts) {
            if !text.cut.is_empty() {
                self.event(kind(channel), "\u{fffd}")?;
            }
        }
        Ok(())
    }

    /// Writes what these records have of the stream; whether it has ended.
    fn take(&mut self, records: &mut Records<'_>) -> io::Result<bool> {
        while let Some(record) = records.next() {
            let record = match record {
                Ok(record) => record,
                Err(finding) => {
                    // No character goes on across a gap.
                    self.texts.clear();
                    self.finding(finding)?;
                    continue;
                }
            };
            if matches!(record.what, What::Interrupted { .. }) {
                if self.opened.is_some() {
                    self.begin(SIZE)?;
                    self.line("m", "the recording was interrupted here: the stream's end is lost")?;
                    self.done.events += 1;
                    return Ok(true);
                }
                continue;
            }
            self.at = record.at;
            match record.what {
                What::Closed { .. } => return Ok(true),
                What::Opened(opened) if self.opened.is_none() => {
                    self.opened = Some((opened, record.at, records.began().unwrap_or_default()));
                }
                // Of a stream whose beginning is lost, nothing can be told.
                _ if self.opened.is_none() => {}
                What::Resized { width, height, .. } if !self.header => self.begin((width, height))?,
                What::Resized { width, height, .. } => {
                    self.size = self.bearable((width, height));
                    let (width, height) = self.size;
                    self.event("r", &format!("{width}x{height}"))?;
                }
                What::Bytes { channel, bytes, .. } => self.bytes(channel, &bytes.0)?,
                _ => {}
            }
        }
        Ok(false)
    }

    fn bytes(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let shown = channel.is_output() || (channel == Channel::Stdin && self.input);
        if !shown {
            return Ok(());
        }
        self.begin(SIZE)?;
        let channels = self.texts.entry(channel).or_default();
        let mut text = channels.read(bytes);
        if self.inert {
            text = channels.screen.of(&text);
        }
        // Without a terminal nobody turned the ends of lines into what a terminal wants.
        let raw = self.opened.as_ref().is_some_and(|(opened, ..)| !opened.tty);
        if raw && channel.is_output() {
            text = text.replace('\n', "\r\n");
            if self.inert && channel == Channel::Stderr && !text.is_empty() {
                text = format!("\u{1b}[31m{text}\u{1b}[39m");
            }
        }
        if text.is_empty() { Ok(()) } else { self.event(kind(channel), &text) }
    }

    /// Writes the header, if it is not written yet.
    fn begin(&mut self, size: (u16, u16)) -> io::Result<()> {
        let (width, height) = self.bearable(size);
        let Some((opened, at, began)) = self.opened.as_ref().filter(|_| !self.header) else { return Ok(()) };
        let time = began.checked_add(Duration::from_micros(*at)).unwrap_or(*began);
        let words: Vec<&str> = opened.argv.iter().collect();
        let header =
            Header { version: 2, width, height, timestamp: time.as_second(), command: words.join(" ") };
        serde_json::to_writer(&mut self.to, &header)?;
        self.to.write_all(b"\n")?;
        (self.header, self.size) = (true, (width, height));
        for finding in std::mem::take(&mut self.findings) {
            self.finding(finding)?;
        }
        Ok(())
    }

    fn bearable(&self, (width, height): (u16, u16)) -> (u16, u16) {
        if self.inert { (width.clamp(2, LARGEST.0), height.clamp(1, LARGEST.1)) } else { (width, height) }
    }

    fn finding(&mut self, finding: Finding) -> io::Result<()> {
        if self.header {
            self.done.findings += 1;
            self.line("m", &finding.to_string())
        } else {
            self.findings.push(finding);
            Ok(())
        }
    }

    fn event(&mut self, kind: &str, data: &str) -> io::Result<()> {
        self.done.events += 1;
        self.line(kind, data)
    }

    /// A line, at the time of the last record, in seconds since the stream began.
    fn line(&mut self, kind: &str, data: &str) -> io::Result<()> {
        let since = self.opened.as_ref().map_or(0, |(_, at, _)| self.at.saturating_sub(*at));
        let data = serde_json::to_string(data)?;
        writeln!(self.to, "[{}.{:06}, \"{kind}\", {data}]", since / 1_000_000, since % 1_000_000)
    }
}

fn kind(channel: Channel) -> &'static str {
    if channel.is_output() { "o" } else { "i" }
}

// === impl Text ===

impl Text {
    /// The text up to here. What is no UTF-8 is replaced; a character that is cut waits for its rest.
    fn read(&mut self, bytes: &[u8]) -> String {
        let mut all = std::mem::take(&mut self.cut);
        all.extend_from_slice(bytes);
        let mut text = String::with_capacity(all.len());
        let mut chunks = all.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            let incomplete = str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if chunks.peek().is_none() && incomplete {
                self.cut = invalid.to_vec();
            } else if !invalid.is_empty() {
                text.push('\u{fffd}');
            }
        }
        text
    }
}

#[cfg(test)]
mod tests;
