//! What a recording has of a time, for a timeline: streams as wholes, where it breaks off, and what its calls changed. Of what is too much for
//! a page, the newest.

use std::collections::BTreeMap;

use jiff::Timestamp;
use recording::reader::{Finding, Recording, Records};
use recording::record::{Kind, Opened as Begun, Record, What};

use super::objects::{AHEAD, Objects};
use super::{Opened, Told};

/// Bytes of records that are unpacked for the time of one page.
const MOST: u64 = 64 << 20;
/// The same right before that time: a call's record can be there.
const MOST_AHEAD: u64 = MOST / 4;
/// The same with what comes after that time: the ends of what had begun.
const MOST_OF_ALL: u64 = 2 * MOST;
/// The same of one stream.
const MOST_OF_ONE: u64 = 256 << 20;

/// Streams, and places where it breaks off, that a page keeps when it leaves the oldest to another.
const ROWS: usize = 200;
/// Places where it breaks off, of one time.
const BREAKS: usize = 50;

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
    /// From when on this has the recording, if that is not the whole time: the rest is too much.
    pub(crate) begins: Option<Timestamp>,
    /// Where it was given up to look for the ends of what had begun.
    pub(crate) stopped_at: Option<Timestamp>,
}

/// How a stream stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// It ended then, and how.
    At(Timestamp, String),
    /// The recording has no end of it.
    Unrecorded,
    /// Its end was given up to be looked for, or may be where it cannot be read.
    Unsought,
}

/// A stream.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) begun: Begun,
    pub(crate) at: Timestamp,
    /// The same, in microseconds since the recording began.
    pub(crate) since: u64,
    pub(crate) end: End,
    /// Whether something of what came since it began cannot be read, so that its end may be there.
    pub(crate) has_gap: bool,
    /// Bytes that the agent was shown, and that it sent.
    pub(crate) shown: u64,
    pub(crate) sent: u64,
}

impl Opened {
    /// What there is of a time, and of these calls, whose leaves are of that time: their records may begin before it, and end after it.
    /// The newest of it, if it is too much.
    pub(crate) fn scan<'c>(&self, window: Window, calls: impl Iterator<Item = &'c str>) -> Scan {
        let Some(recording) = &self.recording else { return Scan::default() };
        let began = recording.began();
        let since = |at: Option<Timestamp>| Some(microseconds(began?, at?));
        let (from, until) = (since(window.from).unwrap_or(0), since(window.until).unwrap_or(u64::MAX));
        // Without a time to begin with, nothing would lead to what is left out.
        let begins = began.map_or(from, |_| recording.newest_within(from, until, MOST));
        let ahead = recording.newest_within(begins.saturating_sub(AHEAD), begins, MOST_AHEAD);
        let mut scanning = Scanning { is_page: true, ..Scanning::new(self, window) };
        if begins > from {
            scanning.begin(began.map(|began| later(began, begins)));
        }
        scanning.scan.calls = calls.map(|call| (call.to_owned(), Objects::default())).collect();
        scanning.run(recording.records_from(ahead).encrypted_until(until), MOST_OF_ALL)
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
    /// Whether there can be another page.
    is_page: bool,
}

impl<'a> Scanning<'a> {
    fn new(opened: &'a Opened, window: Window) -> Self {
        Self { opened, window, scan: Scan::default(), is_page: false }
    }

    /// Leaves what was before this to another page.
    fn begin(&mut self, at: Option<Timestamp>) {
        self.window.from = at.or(self.window.from);
        self.scan.begins = at.or(self.scan.begins);
    }

    fn run(mut self, mut records: Records<'_>, most: u64) -> Scan {
        let began = self.opened.recording.as_ref().and_then(Recording::began);
        let (mut at, mut stopped) = (self.window.from.or(began).unwrap_or_default(), false);
        while let Some(next) = records.next() {
            if records.unpacked() > most {
                stopped = true;
                break;
            }
            let record = match next {
                Ok(record) => record,
                Err(finding) => {
                    self.find(at, &finding);
                    if is_gap(&finding) {
                        self.scan.streams.iter_mut().for_each(|stream| stream.has_gap = true);
                    }
                    continue;
                }
            };
            at = later(records.began().or(began).unwrap_or_default(), record.at);
            let is_over = self.window.until.is_some_and(|until| at >= until);
            if is_over && !self.goes_on() {
                break;
            }
            if let Some(call) = Objects::call(&record.what).and_then(|call| self.scan.calls.get_mut(call)) {
                call.take(&record.what);
            }
            if self.window.from.is_none_or(|from| at >= from) {
                if matches!(record.what, What::Began {}) && !is_over {
                    self.begun(at, records.segment() == Some(1));
                }
                self.take(at, record, is_over);
                self.make_room();
            }
        }
        let gave_up = stopped || (records.is_left() && self.goes_on());
        self.scan.stopped_at = gave_up.then_some(at);
        // What is open here may have ended where it was not seen.
        let open = self.scan.streams.iter_mut().filter(|stream| stream.end == End::Unrecorded);
        open.filter(|stream| gave_up || stream.has_gap).for_each(|stream| stream.end = End::Unsought);
        self.scan
    }

    /// Takes what is wrong, if it is of the time that is looked at.
    fn find(&mut self, at: Timestamp, finding: &Finding) {
        let Window { from, until } = self.window;
        if from.is_some_and(|from| at < from) || until.is_some_and(|until| at >= until) {
            return;
        }
        let of_this_time = self.scan.breaks.iter().rev().take_while(|(of, _)| *of == at).count();
        if of_this_time < BREAKS {
            self.scan.breaks.push((at, self.opened.told(finding)));
        } else if of_this_time == BREAKS {
            let text = "More is wrong here: `portcullis sessions show` has all of it.".to_owned();
            self.scan.breaks.push((at, Told { grave: true, text }));
        }
        self.make_room();
    }

    /// Leaves the oldest to another page, if there are too many.
    fn make_room(&mut self) {
        if !self.is_page {
            return;
        }
        let Scan { streams, breaks, .. } = &mut self.scan;
        let excess = |rows: usize| rows.checked_sub(ROWS).filter(|excess| *excess >= ROWS);
        let stream = excess(streams.len()).and_then(|excess| Some(streams.get(excess)?.at));
        let found = excess(breaks.len()).and_then(|excess| Some(breaks.get(excess)?.0));
        let Some(begins) = stream.max(found) else { return };
        streams.retain(|stream| stream.at >= begins);
        breaks.retain(|(at, _)| *at >= begins);
        self.begin(Some(begins));
    }

    /// Whether a stream or a call that has begun has not ended.
    fn goes_on(&self) -> bool {
        let open = |stream: &Stream| stream.end == End::Unrecorded;
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
                    stream.end = End::At(at, how.as_str().to_owned());
                }
            }
            What::Interrupted { torn } => {
                self.scan.calls.values_mut().for_each(Objects::interrupted);
                self.end_all(at, "its end is lost: the recording was interrupted");
                if !is_over {
                    let part = if torn { ", and part of a segment was found" } else { "" };
                    let text = format!(
                        "The recording was interrupted before this: the gate did not end in good order{part}. What it had not sealed is lost."
                    );
                    self.scan.breaks.push((at, Told { grave: true, text }));
                }
            }
            What::Stopped {} => {
                self.end_all(at, "the recording ended before it");
                if !is_over {
                    self.scan.breaks.push((at, quiet("The recording ends here in good order.")));
                }
            }
            _ if is_over => {}
            What::Opened(begun) => {
                self.scan.streams.push(Stream {
                    begun,
                    at,
                    since,
                    end: End::Unrecorded,
                    has_gap: false,
                    shown: 0,
                    sent: 0,
                });
            }
            // The ledger tells of calls; bodies are looked at by theirs.
            What::Began {}
            | What::Called(_)
            | What::Before(_)
            | What::Answered(_)
            | What::Body { .. }
            | What::Resized { .. } => {}
        }
    }

    /// It begins here, or goes on.
    fn begun(&mut self, at: Timestamp, is_first: bool) {
        let text = if is_first { "The recording begins." } else { "The recording goes on." };
        self.scan.breaks.push((at, Told { grave: false, text: text.to_owned() }));
    }

    /// Ends the streams that go on.
    fn end_all(&mut self, at: Timestamp, how: &str) {
        for stream in self.scan.streams.iter_mut().filter(|stream| stream.end == End::Unrecorded) {
            let how = if stream.has_gap { "its end is where the recording cannot be read" } else { how };
            stream.end = End::At(at, how.to_owned());
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

/// Whether records are missing there.
fn is_gap(finding: &Finding) -> bool {
    match finding {
        Finding::Missing { .. }
        | Finding::Altered { .. }
        | Finding::Unknown { .. }
        | Finding::Foreign { .. }
        | Finding::Damaged { .. }
        | Finding::Encrypted { .. } => true,
        Finding::Unfinished { .. }
        | Finding::Unchained { .. }
        | Finding::ForeignFile { .. }
        | Finding::NoBody { .. } => false,
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
