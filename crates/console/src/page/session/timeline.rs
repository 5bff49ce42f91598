//! A session as one timeline: its calls and what else the ledger tells of it, and in their places what the recording has.

use std::collections::BTreeMap;

use askama::Template;
use chronicle::{Call, Happening};
use identity::SessionId;
use jiff::Timestamp;

use super::super::{When, size, stream::Stands};
use super::{
    CallRow, Which,
    changes::{self, Change},
};
use crate::Console;
use crate::replay::Told;
use crate::replay::objects::Objects;
use crate::replay::scan::{Scan, Stream, Window};

/// Calls and other leaves on a page.
const ROWS: u32 = 50;
/// What is wrong with a recording, said at its top.
const WRONG: usize = 10;

#[derive(Template)]
#[template(path = "session_timeline.html")]
pub(super) struct Timeline {
    pub(super) session: String,
    pub(super) entries: Vec<Entry>,
    /// What is wrong with the recording, in the time that is shown.
    pub(super) wrong: Vec<String>,
    /// What is no matter.
    pub(super) notes: Vec<String>,
    /// The query of the page before this one.
    pub(super) older: Option<String>,
    /// The query of the page with the calls before these, where that is another one.
    pub(super) earlier: Option<String>,
    /// Whether these are the newest.
    pub(super) newest: bool,
    /// By which it is recognised that nothing has happened since; empty: it never is.
    pub(super) seen: String,
}

/// What happened at a time.
pub(super) enum Entry {
    Call(Box<(CallRow, Option<Change>)>),
    Event(Event),
    Stream(Box<StreamRow>),
    Break(When, Told),
}

pub(super) struct Event {
    pub(super) time: When,
    pub(super) kind: String,
    pub(super) told: String,
}

/// A stream of the recording.
pub(super) struct StreamRow {
    pub(super) time: When,
    pub(super) number: u32,
    pub(super) call: String,
    pub(super) title: String,
    pub(super) is_terminal: bool,
    pub(super) stands: Stands,
    pub(super) shown: String,
    pub(super) sent: u64,
}

/// What the ledger tells.
#[derive(Clone, Default)]
struct Leaves {
    /// The last segment of the recording that it has.
    segment: u64,
    calls: Vec<Call>,
    happenings: Vec<Happening>,
    /// The query of the page before this one.
    older: Option<String>,
    /// Only what is before this leaf.
    before: Option<u64>,
    window: Window,
}

impl Console {
    /// What cannot be read is said on it: the page has buttons that stop the session.
    pub(super) async fn timeline(&self, session: &SessionId, which: Which) -> Timeline {
        let leaves = self.leaves(session, which).await;
        self.timeline_of(session, leaves, which.is_newest()).await
    }

    /// The newest, unless that is what was seen: a recording is not read each time somebody's page asks.
    pub(super) async fn timeline_since(&self, session: &SessionId, seen: &str) -> Option<Timeline> {
        let leaves = self.leaves(session, Which::default()).await;
        let is_seen = leaves.as_ref().is_ok_and(|leaves| leaves.seen(self.now()) == seen);
        if is_seen { None } else { Some(self.timeline_of(session, leaves, true).await) }
    }

    async fn timeline_of(
        &self,
        session: &SessionId,
        leaves: Result<Leaves, chronicle::Error>,
        newest: bool,
    ) -> Timeline {
        let id = session.to_string();
        let leaves = match leaves {
            Ok(leaves) => leaves,
            Err(error) => {
                tracing::error!(session = id, %error, "a session's timeline could not be looked up");
                let told = "What the session did cannot be looked up. The gate's log says why.";
                return Timeline::without_recording(id, Leaves::default(), newest, told);
            }
        };
        let approvals = self.approvals_of(&leaves.calls).await;
        let (seen, told_of, of) = (leaves.seen(self.now()), leaves.clone(), id.clone());
        let read = self.read(session, move |opened| {
            let scan = opened.scan(leaves.window, leaves.calls.iter().map(|call| call.call.as_str()));
            let changes = changes::of(&leaves.calls, &approvals, &scan, opened.recording.as_ref());
            Timeline { seen, ..Timeline::of(of, leaves, newest, changes, scan, opened.missing) }
        });
        read.await.unwrap_or_else(|unread| Timeline::without_recording(id, told_of, newest, unread.told()))
    }

    /// Calls and other leaves in their order, newest first, and the time of which they tell.
    async fn leaves(&self, session: &SessionId, which: Which) -> Result<Leaves, chronicle::Error> {
        let before = which.before;
        // First, so that what is read has at least that.
        let segment = self.chronicle().last_segment_of(session.as_str()).await?;
        let page = chronicle::Page { before, most: ROWS };
        let mut calls = self.chronicle().calls_of(session.as_str(), page).await?;
        let mut happenings = self.chronicle().happenings_of(session.as_str(), page).await?;
        let mut numbers: Vec<u64> = calls.iter().map(|call| call.leaf).collect();
        numbers.extend(happenings.iter().map(|happening| happening.leaf));
        numbers.sort_unstable_by(|one, other| other.cmp(one));
        let rows = usize::try_from(ROWS).unwrap_or(usize::MAX);
        let older = (numbers.len() >= rows).then(|| numbers.get(rows - 1).copied()).flatten();
        let (first, over) = (older.unwrap_or(0), which.until());
        let is_here = |leaf, at| leaf >= first && over.is_none_or(|over| at < over);
        calls.retain(|call| is_here(call.leaf, call.time));
        happenings.retain(|happening| is_here(happening.leaf, happening.time));
        let from = match older {
            Some(leaf) => self.chronicle().time_of(leaf).await?,
            None => None,
        };
        let until = match before {
            Some(leaf) => self.chronicle().time_of(leaf).await?,
            None => None,
        };
        let window = Window { from, until: until.into_iter().chain(over).min() };
        let older = older.map(|leaf| format!("before={leaf}"));
        Ok(Leaves { segment, calls, happenings, older, before, window })
    }
}

impl Timeline {
    fn of(
        session: String,
        leaves: Leaves,
        newest: bool,
        mut changes: BTreeMap<String, Change>,
        scan: Scan,
        missing: Option<Told>,
    ) -> Self {
        let Scan { streams, breaks, calls, begins, stopped_at } = scan;
        let (mut wrong, mut notes) = (Vec::new(), Vec::new());
        if let Some(Told { grave, text }) = missing {
            if grave { wrong.push(text) } else { notes.push(text) }
        }
        wrong.extend(breaks.iter().filter(|(_, told)| told.grave).map(|(_, told)| told.text.clone()));
        if let Some(at) = begins.map(super::super::utc) {
            notes.push(format!(
                "Of the recording, this page has what is from {at} on: it is too much for one. *Older ones* has the rest."
            ));
        }
        if let Some(at) = stopped_at.map(super::super::utc) {
            notes.push(format!(
                "Of what has begun here, ends after {at} were not looked for: that would be too much."
            ));
        }
        // To the microsecond: the page before this one has what is before.
        let begins = begins.map(Timestamp::as_microsecond);
        let is_here = |at: Timestamp| begins.is_none_or(|begins| at.as_microsecond() >= begins);
        let (older, earlier) = match begins {
            Some(begins) => {
                (Some(Which { before: leaves.before, until: Some(begins) }.query()), leaves.older)
            }
            None => (leaves.older, None),
        };
        wrong.dedup();
        let more = wrong.len().saturating_sub(WRONG);
        wrong.truncate(WRONG);
        if more > 0 {
            wrong.push(format!("{more} more of this kind are in their places below."));
        }
        let mut entries: Vec<(Timestamp, Entry)> = Vec::new();
        // Of what has the same time, what the recording has is the later.
        entries.extend(breaks.into_iter().rev().map(|(at, told)| (at, Entry::Break(at.into(), told))));
        entries.extend(
            streams
                .into_iter()
                .rev()
                .map(|stream| (stream.at, Entry::Stream(Box::new(StreamRow::of(&stream))))),
        );
        let mut told: Vec<(u64, Timestamp, Entry)> = Vec::new();
        for call in leaves.calls.into_iter().filter(|call| is_here(call.time)) {
            let (leaf, at) = (call.leaf, call.time);
            let change = changes.remove(&call.call);
            let mut row = CallRow::from(call);
            row.has_bodies = calls.get(&row.call).is_some_and(Objects::has_bodies);
            told.push((leaf, at, Entry::Call(Box::new((row, change)))));
        }
        for happening in leaves.happenings.into_iter().filter(|happening| is_here(happening.time)) {
            told.push((happening.leaf, happening.time, Entry::Event(happening.into())));
        }
        told.sort_by_key(|(leaf, ..)| std::cmp::Reverse(*leaf));
        entries.extend(told.into_iter().map(|(_, at, entry)| (at, entry)));
        entries.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let entries = entries.into_iter().map(|(_, entry)| entry).collect();
        Self { session, entries, wrong, notes, older, earlier, newest, seen: String::new() }
    }

    /// What the ledger tells alone, and why it is no more.
    fn without_recording(session: String, leaves: Leaves, newest: bool, why: &str) -> Self {
        let missing = Some(Told { grave: true, text: why.to_owned() });
        Self::of(session, leaves, newest, BTreeMap::new(), Scan::default(), missing)
    }
}

impl Leaves {
    /// What a page with these shows, in short: it changes with each leaf and segment of the session, and each minute, since what is said
    /// of a recording's end depends on how long ago that was.
    fn seen(&self, now: Timestamp) -> String {
        let called = self.calls.iter().map(|call| call.leaf).max();
        let happened = self.happenings.iter().map(|happening| happening.leaf).max();
        let open = self.calls.iter().filter(|call| call.state == "open").count();
        let (leaf, minute) = (called.max(happened).unwrap_or(0), now.as_second() / 60);
        format!("{leaf}.{open}.{}.{minute}", self.segment)
    }
}

impl StreamRow {
    fn of(stream: &Stream) -> Self {
        Self {
            time: stream.at.into(),
            number: stream.begun.stream,
            call: stream.begun.call.as_str().to_owned(),
            title: stream.title(),
            is_terminal: stream.begun.tty,
            stands: Stands::of(stream),
            shown: size(stream.shown),
            sent: stream.sent,
        }
    }
}

impl From<Happening> for Event {
    fn from(Happening { time, kind, told, .. }: Happening) -> Self {
        Self { time: time.into(), kind: kind.replace('_', " "), told }
    }
}
