//! Search over all sessions: calls by who and what, screens by their text.

use std::{collections::BTreeMap, time::Duration};

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use identity::{Session, SessionId, Which};
use serde::Deserialize;
use tokio::time::Instant;

use super::{Frame, Part, failed, render, seconds, session::CallRow};
use crate::replay::scan::title;
use crate::replay::{Opened, Unread};
use crate::{Console, signin::Visitor};
use recording::{
    reader::Finding,
    record::{Record, What},
};

/// Calls on a page.
const CALLS: u32 = 50;
/// Sessions whose screens are searched, newest first.
const SESSIONS: u32 = 500;
/// Hits on screens, of all sessions and of one.
const HITS: usize = 100;
const HITS_OF_ONE: usize = 10;
/// Bytes that are looked at: of all recordings and of one.
const MOST: u64 = 512 << 20;
const MOST_OF_ONE: u64 = 64 << 20;
/// After that no further recording is begun with.
const WITHIN: Duration = Duration::from_secs(15);

#[derive(Template)]
#[template(path = "search.html")]
struct Page {
    frame: Frame,
    wanted: Wanted,
    calls: Option<Calls>,
    screens: Option<Screens>,
}

struct Calls {
    rows: Vec<CallRow>,
    /// Where those before these begin.
    older: Option<u64>,
    /// Whether the search stopped before the first leaf, and found no more till there.
    stopped: bool,
    next: String,
}

#[derive(Default)]
struct Screens {
    hits: Vec<Hit>,
    looked_at: usize,
    /// Of so many.
    sessions: usize,
    /// Why it may have more.
    stopped: Vec<&'static str>,
    refused: bool,
}

struct Hit {
    session: String,
    who: String,
    stream: u32,
    title: String,
    at: String,
    text: String,
}

/// What is searched for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    agent: String,
    human: String,
    verb: String,
    object: String,
    text: String,
    before: Option<u64>,
}

/// What was found in one recording.
#[derive(Default)]
struct Read {
    hits: Vec<Hit>,
    unpacked: u64,
    stopped: bool,
    /// Whether some of it is encrypted, and not to the console.
    encrypted: bool,
}

/// `GET /search`
pub(crate) async fn get(
    State(console): State<Console>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Response {
    let calls = match console.search_calls(&wanted).await {
        Ok(calls) => calls,
        Err(error) => return failed(&error),
    };
    let screens = match console.search_screens(&wanted).await {
        Ok(screens) => screens,
        Err(response) => return *response,
    };
    render(&Page { frame: Frame::of(&visitor, Part::Search), wanted, calls, screens })
}

impl Console {
    async fn search_calls(&self, wanted: &Wanted) -> Result<Option<Calls>, chronicle::Error> {
        let Wanted { agent, human, verb, object, before, .. } = wanted;
        let search = chronicle::Search {
            agent: agent.trim().to_owned(),
            human: human.trim().to_owned(),
            verb: verb.trim().to_owned(),
            object: object.trim().to_owned(),
        };
        if search == chronicle::Search::default() {
            return Ok(None);
        }
        let found =
            self.chronicle().search(&search, chronicle::Page { before: *before, most: CALLS }).await?;
        let rows: Vec<CallRow> = found.calls.into_iter().map(Into::into).collect();
        let full = rows.len() >= usize::try_from(CALLS).unwrap_or(usize::MAX);
        let last = rows.last().filter(|_| full).map(|row| row.leaf);
        let older = last.or(found.stopped_at);
        Ok(Some(Calls { rows, older, stopped: found.stopped_at.is_some(), next: wanted.next() }))
    }

    async fn search_screens(&self, wanted: &Wanted) -> Result<Option<Screens>, Box<Response>> {
        let text = wanted.text.trim().to_lowercase();
        if text.is_empty() {
            return Ok(None);
        }
        if text.len() > 1024 || text.chars().any(char::is_control) {
            return Ok(Some(Screens { refused: true, ..Screens::default() }));
        }
        let sessions = self.control().sessions().list(Which::All, SESSIONS).await;
        let all = sessions.map_err(|error| Box::new(failed(&error)))?;
        let more = all.len() >= usize::try_from(SESSIONS).unwrap_or(usize::MAX);
        let chosen: Vec<Session> = all.into_iter().filter(|session| wanted.is_of(session)).collect();
        let mut screens = Screens { sessions: chosen.len(), ..Screens::default() };
        if more {
            screens.stopped.push("older sessions were not looked at");
        }
        let (until, mut bytes) = (Instant::now() + WITHIN, 0_u64);
        for session in chosen {
            if bytes > MOST || Instant::now() > until || screens.hits.len() >= HITS {
                screens.stopped.push("it was enough, or took too long");
                break;
            }
            let Ok(id) = SessionId::parse(&session.id) else { continue };
            let text = text.clone();
            let read = match self.read(&id, move |opened| Read::of(&opened, &session, &text)).await {
                Ok(read) => read,
                // What is wrong with one hides nothing in the others.
                Err(unread) => {
                    screens.stops(match unread {
                        Unread::Busy => BUSY,
                        Unread::Failed => FAILED,
                    });
                    continue;
                }
            };
            bytes = bytes.saturating_add(read.unpacked);
            screens.looked_at += 1;
            screens.hits.extend(read.hits);
            if read.stopped {
                screens.stops(OF_ONE);
            }
            if read.encrypted {
                screens.stops(ENCRYPTED);
            }
        }
        Ok(Some(screens))
    }
}

const ENCRYPTED: &str =
    "what is encrypted was not searched: `portcullis sessions search TEXT --identity FILE` does";
const OF_ONE: &str = "of a session that has much of it, not all is here";
const BUSY: &str = "too many recordings are being read, so that some were not looked at";
const FAILED: &str = "of a session, the recording could not be read: the gate's log says why";

impl Screens {
    /// Why it may have more; each is said once.
    fn stops(&mut self, why: &'static str) {
        if !self.stopped.contains(&why) {
            self.stopped.push(why);
        }
    }
}

impl Wanted {
    fn is_of(&self, session: &Session) -> bool {
        let has = |whole: &str, part: &str| whole.to_lowercase().contains(&part.trim().to_lowercase());
        has(&session.agent, &self.agent) && has(&session.delegator, &self.human)
    }

    /// The fields of what comes next, but for where it begins.
    fn next(&self) -> String {
        let Self { agent, human, verb, object, .. } = self;
        let fields = [("agent", agent), ("human", human), ("verb", verb), ("object", object)];
        let written = |(name, value): (&str, &String)| {
            format!(
                "{name}={}",
                percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC)
            )
        };
        fields.map(written).join("&")
    }
}

impl Read {
    fn of(opened: &Opened, session: &Session, text: &str) -> Self {
        let Some(recording) = &opened.recording else { return Self::default() };
        let mut read = Self::default();
        let mut lines = recording.lines(None).within(MOST_OF_ONE);
        for line in lines.by_ref() {
            if read.hits.len() >= HITS_OF_ONE {
                read.stopped = true;
                break;
            }
            // What is wrong with a recording is told on its own page.
            let line = match line {
                Ok(line) => line,
                Err(finding) => {
                    read.encrypted |= matches!(finding, Finding::Encrypted { .. });
                    continue;
                }
            };
            if line.text.to_lowercase().contains(text) {
                read.hits.push(Hit {
                    session: session.id.clone(),
                    who: format!("{} for {}", session.agent, session.delegator),
                    stream: line.stream,
                    title: String::new(),
                    at: line.at.to_string(),
                    text: line.text,
                });
            }
        }
        (read.unpacked, read.stopped) = (lines.unpacked(), read.stopped || lines.broke_off());
        // To find a stream's beginning takes the whole recording through a digest: once for all its hits.
        let mut began: BTreeMap<u32, Option<(u64, String)>> = BTreeMap::new();
        for hit in &mut read.hits {
            let began = began.entry(hit.stream).or_insert_with(|| {
                recording.stream(hit.stream).find_map(|record| match record.ok()? {
                    Record { at, what: What::Opened(begun) } => Some((at, title(&begun))),
                    _ => None,
                })
            });
            let Some((began, title)) = began else { continue };
            let since = hit.at.parse().unwrap_or(*began);
            (hit.at, hit.title) = (seconds(since.saturating_sub(*began)), title.clone());
        }
        read
    }
}
