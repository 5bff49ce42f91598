//! What a recording has of a time, for a timeline: streams as wholes, where it breaks off, and what its calls changed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use recording::reader::{Finding, Recording, Records};
use recording::record::{Kind, Opened as Begun, Record, What};

use super::objects::{AHEAD, Objects};
use super::{Opened, Told};

/// Bytes of a recording that are looked at for one page.
const MOST: u64 = 64 << 20;
/// The same of one stream.
const MOST_OF_ONE: u64 = 256 << 20;
/// Records of it: about as much work.
const MOST_RECORDS: u32 = 1_000_000;

/// Streams, and places where it breaks off, of one page.
const MOST_ROWS: usize = 200;

/// Which time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Window {
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
}

/// What there is of it.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) streams: Vec<Stream>,
    /// Where it begins, goes on, ends or breaks off, in order.
    pub(crate) breaks: Vec<(Timestamp, Told)>,
    /// What it has of the calls that were asked about.
    pub(crate) calls: BTreeMap<String, Objects>,
    /// Where the scan stopped: there was too much.
    pub(crate) stopped_at: Option<Timestamp>,
}

/// A stream.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) begun: Begun,
    pub(crate) at: Timestamp,
    /// The same, in microseconds since the recording began.
    pub(crate) since: u64,
    /// When it ended, and how.
    pub(crate) end: Option<(Timestamp, String)>,
    /// Bytes that the agent was shown, and that it sent.
    pub(crate) shown: u64,
    pub(crate) sent: u64,
}

impl Opened {
    /// What there is of a time, and of these calls, whose leaves are of that time: their records may begin before it, and end after it.
    pub(crate) fn scan<'c>(&self, window: Window, calls: impl Iterator<Item = &'c str>) -> Scan {
        let Some(recording) = &self.recording else { return Scan::default() };
        let began = recording.times().map(|(began, _)| began);
        let from = began.zip(window.from).map_or(0, |(began, from)| microseconds(began, from));
        let mut scanning = Scanning::new(self, window);
        scanning.scan.calls = calls.map(|call| (call.to_owned(), Objects::default())).collect();
        scanning.run(recording.records_from(from.saturating_sub(AHEAD)), MOST)
    }

    /// One stream; `None`: there is no beginning of it. Of a very long one the end is not known.
    pub(crate) fn stream(&self, number: u32) -> Option<Stream> {
        let recording = self.recording.as_ref()?;
        let scan = Scanning::new(self, Window::default()).run(recording.stream(number), MOST_OF_ONE);
        scan.streams.into_iter().next()
    }

    /// Whether what there is of a stream may be where the console cannot read.
    pub(crate) fn is_encrypted(&self, number: u32) -> bool {
        let records = self.recording.as_ref().map(|recording| recording.stream(number));
        records.into_iter().flatten().any(|next| matches!(next, Err(Finding::Encrypted { .. })))
    }
}

struct Scanning<'a> {
    opened: &'a Opened,
    window: Window,
    scan: Scan,
    looked_at: u64,
    records: u32,
}

impl<'a> Scanning<'a> {
    fn new(opened: &'a Opened, window: Window) -> Self {
        Self { opened, window, scan: Scan::default(), looked_at: 0, records: 0 }
    }

    fn run(mut self, mut records: Records<'_>, most: u64) -> Scan {
        let began = self.opened.recording.as_ref().and_then(Recording::times).map(|(began, _)| began);
        let mut at = self.window.from.or(began).unwrap_or_default();
        while let Some(next) = records.next() {
            let record = match next {
                Ok(record) => record,
                Err(finding) => {
                    // Of more than a page has, the next record says so.
                    if self.scan.breaks.len() < MOST_ROWS {
                        self.scan.breaks.push((at, self.opened.told(&finding)));
                    }
                    continue;
                }
            };
            at = later(records.began().or(began).unwrap_or_default(), record.at);
            let is_over = self.window.until.is_some_and(|until| at >= until);
            if is_over && !self.goes_on() {
                break;
            }
            self.looked_at = self.looked_at.saturating_add(record.what.payload().len() as u64);
            self.records += 1;
            let rows = self.scan.streams.len().max(self.scan.breaks.len());
            if self.looked_at > most || self.records > MOST_RECORDS || rows >= MOST_ROWS {
                self.scan.stopped_at = Some(at);
                break;
            }
            if let Some(call) = Objects::call(&record.what).and_then(|call| self.scan.calls.get_mut(call)) {
                call.take(&record.what);
            }
            if self.window.from.is_none_or(|from| at >= from) {
                self.take(at, record, is_over);
            }
        }
        self.scan
    }

    /// Whether a stream or a call that has begun has not ended.
    fn goes_on(&self) -> bool {
        let open = |stream: &Stream| stream.end.is_none();
        self.scan.streams.iter().any(open) || self.scan.calls.values().any(Objects::is_open)
    }

    fn take(&mut self, at: Timestamp, Record { at: since, what }: Record, is_over: bool) {
        let quiet = |text: &str| Told { grave: false, text: text.to_owned() };
        match what {
            What::Bytes { stream, channel, bytes } => {
                let length = bytes.0.len() as u64;
                if let Some(stream) = self.stream(stream) {
                    let way = if channel.is_output() { &mut stream.shown } else { &mut stream.sent };
                    *way += length;
                }
            }
            What::Closed { stream, how } => {
                if let Some(stream) = self.stream(stream) {
                    stream.end = Some((at, how.as_str().to_owned()));
                }
            }
            What::Interrupted { torn } => {
                self.scan.calls.values_mut().for_each(Objects::interrupted);
                for stream in self.scan.streams.iter_mut().filter(|stream| stream.end.is_none()) {
                    stream.end = Some((at, "its end is lost: the recording was interrupted".to_owned()));
                }
                if !is_over {
                    let part = if torn { ", and part of a segment was found" } else { "" };
                    let text = format!(
                        "The recording was interrupted before this: the gate did not end in good order{part}. What it had not sealed is lost."
                    );
                    self.scan.breaks.push((at, Told { grave: true, text }));
                }
            }
            _ if is_over => {}
            What::Opened(begun) => {
                self.scan.streams.push(Stream { begun, at, since, end: None, shown: 0, sent: 0 });
            }
            What::Began {} => self.scan.breaks.push((at, quiet("The recording begins, or goes on."))),
            What::Stopped {} => self.scan.breaks.push((at, quiet("The recording ends here in good order."))),
            // The ledger tells of calls; bodies are looked at by theirs.
            What::Called(_)
            | What::Before(_)
            | What::Answered(_)
            | What::Body { .. }
            | What::Resized { .. } => {}
        }
    }

    fn stream(&mut self, number: u32) -> Option<&mut Stream> {
        self.scan.streams.iter_mut().rev().find(|stream| stream.begun.stream == number)
    }
}

impl Stream {
    /// `exec in shop/web-1 (app): sh -c ls`
    pub(crate) fn title(&self) -> String {
        title(&self.begun)
    }
}

/// What a stream is, in a line.
pub(crate) fn title(begun: &Begun) -> String {
    let kind = match begun.kind {
        Kind::Exec => "exec in",
        Kind::Attach => "attach to",
        Kind::PortForward => "port forwarded to",
        Kind::Log => "log of",
        Kind::Watch => "watch of",
    };
    let container = begun.container.as_ref().map_or_else(String::new, |name| format!(" ({})", name.as_str()));
    let words: Vec<&str> = begun.argv.iter().collect();
    let command = if words.is_empty() { String::new() } else { format!(": {}", words.join(" ")) };
    format!("{kind} {}/{}{container}{command}", begun.namespace.as_str(), begun.pod.as_str())
}

/// From the one to the other; nothing if that is before.
pub(crate) fn microseconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_micros()).unwrap_or(0)
}

/// So many microseconds after that.
pub(crate) fn later(began: Timestamp, microseconds: u64) -> Timestamp {
    began.saturating_add(std::time::Duration::from_micros(microseconds)).unwrap_or(began)
}
