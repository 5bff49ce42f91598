//! What happened in a session, in order: its calls with their answers, its streams from beginning to end, what the ledger was told,
//! and what is wrong with the recording where that is.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use recording::{
    reader::{Finding, Recording},
    record::{Answered, Called, Opened, Record, What},
};
use serde::Serialize;

use super::beside::Told;

/// Entries that are shown; a session of more is searched, or asked of the ledger.
pub(super) const MOST: usize = 1 << 20;

/// What opens a recording.
pub(in crate::commands) const ENCRYPTED: &str =
    "name the file with the age identity of one of its recipients by --identity FILE";

/// One thing, and when it began.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    /// `None` before the first record that can be read.
    pub(super) at: Option<Timestamp>,
    #[serde(flatten)]
    pub(super) event: Event,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Event {
    /// The recording begins.
    Began,
    /// It goes on after it was let go in good order.
    WentOn,
    /// It was let go in good order.
    Stopped,
    /// It goes on after a gate that was killed.
    Interrupted {
        torn: bool,
    },
    Call(Call),
    Stream(Box<Stream>),
    /// The ledger has it beside the recording: a refusal, what humans decided, what was done to the session.
    Told {
        /// Its number in the ledger.
        index: u64,
        leaf: String,
        what: String,
    },
    /// What happened there is encrypted, and nothing at hand reads it.
    Encrypted {
        finding: String,
    },
    /// Something is wrong with the recording.
    Amiss {
        finding: String,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct Call {
    pub(super) call: String,
    /// What was asked for; `None` if that is lost.
    pub(super) act: Option<String>,
    /// Bytes of the request's body.
    pub(super) sent: Option<u64>,
    pub(super) answer: Option<Answer>,
}

#[derive(Debug, Serialize)]
pub(super) struct Answer {
    pub(super) at: Timestamp,
    pub(super) status: u16,
    pub(super) media: Option<String>,
    /// Bytes of the answer's body.
    pub(super) shown: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Stream {
    pub(super) stream: u32,
    /// What it is; `None` if its beginning is lost.
    pub(super) opened: Option<Opened>,
    /// The terminal's first size.
    pub(super) size: Option<(u16, u16)>,
    /// Bytes from the agent.
    pub(super) input: u64,
    /// Bytes that the agent was shown.
    pub(super) output: u64,
    pub(super) ended: Option<Ended>,
}

#[derive(Debug, Serialize)]
pub(super) struct Ended {
    pub(super) at: Timestamp,
    pub(super) how: String,
}

/// Reads a whole recording, with what the ledger has beside it.
pub(super) fn of(recording: &Recording, beside: &[Told]) -> Vec<Entry> {
    let mut beside = beside.iter().peekable();
    let mut entries = Vec::new();
    for entry in recorded(recording) {
        while let Some(told) = beside.next_if(|told| entry.at.is_some_and(|at| told.at < at)) {
            entries.push(Entry::of(told));
        }
        entries.push(entry);
    }
    entries.extend(beside.map(Entry::of));
    entries
}

/// Reads a whole recording.
pub(super) fn recorded(recording: &Recording) -> Vec<Entry> {
    let mut timeline = Timeline::default();
    let mut records = recording.records();
    while let Some(record) = records.next() {
        if timeline.entries.len() >= MOST {
            timeline.amiss(
                "the timeline is too long to be shown further: search it, or export its streams".to_owned(),
            );
            break;
        }
        match record {
            Ok(record) => {
                let is_first = records.segment() == Some(1);
                timeline.add(records.began().unwrap_or_default(), is_first, record);
            }
            Err(finding @ Finding::Encrypted { .. }) => {
                timeline.push(Event::Encrypted { finding: told(&finding, None) });
            }
            Err(finding) => timeline.amiss(told(&finding, recording.untold())),
        }
    }
    timeline.entries
}

/// A finding, and what it means. `untold` is the segment that the ledger may not have yet ([`Recording::untold`]).
pub(super) fn told(finding: &Finding, untold: Option<u64>) -> String {
    let means = match finding {
        Finding::Missing { .. } => "what happened there is lost, or was taken away",
        Finding::Unfinished { .. } => "the gate is at it just now, or was killed over it",
        Finding::Altered { .. } => "it was changed after the gate wrote it, and is not shown",
        Finding::Unknown { number } if Some(*number) == untold => {
            "the gate is about to tell it, or was killed before it could; it is not shown"
        }
        Finding::Unknown { .. } => "the gate did not write it, and it is not shown",
        Finding::Unchained { .. } => "what is shown there may not be what happened",
        Finding::Foreign { .. } => "it is not shown",
        Finding::Damaged { .. } => "what it cannot tell is lost",
        Finding::Encrypted { tried: false, .. } => ENCRYPTED,
        Finding::Encrypted { tried: true, .. } => "name the file of another identity by --identity FILE",
        Finding::ForeignFile { .. } => "somebody put it there",
        Finding::NoBody { .. } => "it cannot be shown",
    };
    format!("{finding}: {means}")
}

impl Entry {
    fn of(told: &Told) -> Self {
        let Told { at, index, leaf, what } = told.clone();
        Self { at: Some(at), event: Event::Told { index, leaf, what } }
    }
}

#[derive(Default)]
struct Timeline {
    entries: Vec<Entry>,
    /// Where calls without an answer and streams without an end stand.
    calls: HashMap<String, usize>,
    streams: HashMap<u32, usize>,
    at: Option<Timestamp>,
}

// === impl Timeline ===

impl Timeline {
    /// `is_first`: whether it is of the first segment.
    fn add(&mut self, began: Timestamp, is_first: bool, record: Record) {
        let at = began.checked_add(Duration::from_micros(record.at)).unwrap_or(began);
        self.at = Some(at);
        match record.what {
            // It is part of the call that comes before it, or after.
            What::Body { .. } | What::Before(_) => {}
            What::Began {} if is_first => self.push(Event::Began),
            What::Began {} => self.push(Event::WentOn),
            What::Stopped {} => self.push(Event::Stopped),
            What::Interrupted { torn } => {
                // Nothing of before goes on.
                self.calls.clear();
                self.streams.clear();
                self.push(Event::Interrupted { torn });
            }
            What::Called(Called { call, act, body }) => {
                let call = call.as_str().to_owned();
                self.calls.insert(call.clone(), self.entries.len());
                let (act, sent) = (Some(act.as_str().to_owned()), body.map(|body| body.whole));
                self.push(Event::Call(Call { call, act, sent, answer: None }));
            }
            What::Answered(answered) => self.answered(at, &answered),
            What::Opened(opened) => self.with(opened.stream, |stream| stream.opened = Some(opened)),
            What::Resized { stream, width, height } => {
                self.with(stream, |stream| {
                    stream.size.get_or_insert((width, height));
                });
            }
            What::Bytes { stream, channel, bytes } => {
                let count = bytes.0.len() as u64;
                self.with(stream, |stream| {
                    let way = if channel.is_output() { &mut stream.output } else { &mut stream.input };
                    *way += count;
                });
            }
            What::Closed { stream, how } => {
                let how = how.as_str().to_owned();
                self.with(stream, |stream| stream.ended = Some(Ended { at, how }));
                self.streams.remove(&stream);
            }
        }
    }

    fn answered(&mut self, at: Timestamp, answered: &Answered) {
        let Answered { call, status, media, body } = answered;
        let answer = Answer {
            at,
            status: *status,
            media: media.as_ref().map(|media| media.as_str().to_owned()),
            shown: body.as_ref().map(|body| body.whole),
        };
        let place = self.calls.remove(call.as_str());
        match place.and_then(|place| self.entries.get_mut(place)).map(|entry| &mut entry.event) {
            Some(Event::Call(call)) => call.answer = Some(answer),
            _ => {
                let call = call.as_str().to_owned();
                self.push(Event::Call(Call { call, act: None, sent: None, answer: Some(answer) }));
            }
        }
    }

    /// Changes the stream, which has an entry from now on.
    fn with(&mut self, number: u32, change: impl FnOnce(&mut Stream)) {
        let place = *self.streams.entry(number).or_insert(self.entries.len());
        if place == self.entries.len() {
            let (opened, size, ended) = (None, None, None);
            let stream = Stream { stream: number, opened, size, input: 0, output: 0, ended };
            self.push(Event::Stream(Box::new(stream)));
        }
        if let Some(Event::Stream(stream)) = self.entries.get_mut(place).map(|entry| &mut entry.event) {
            change(stream);
        }
    }

    fn amiss(&mut self, finding: String) {
        self.push(Event::Amiss { finding });
    }

    fn push(&mut self, event: Event) {
        self.entries.push(Entry { at: self.at, event });
    }
}
