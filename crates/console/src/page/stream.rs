//! One stream of a recording: played, searched, and as text.

use std::time::Duration;

use askama::Template;
use axum::{
    Extension,
    extract::{Path, Query, State},
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};
use recording::reader::Lines;
use recording::record::Channel;
use serde::Deserialize;

use super::session::took;
use super::{Frame, Part, When, problem, render, seconds, sessions::Row, size};
use crate::guard::Player;
use crate::replay::scan::{End, Stream, microseconds};
use crate::replay::{Opened, Unread, cast as played, live};
use crate::{Console, signin::Visitor};

/// Lines of a page of text.
const LINES: usize = 500;
const MILLISECOND: Duration = Duration::from_millis(1);
/// Hits of a search.
const HITS: usize = 100;
/// Bytes of a stream that are looked at for a page.
const MOST: u64 = 256 << 20;
/// Bytes that a player is given at once: it has all of them in memory.
const PLAYED: u64 = 32 << 20;

const NO_BEGINNING: &str = "The recording has no beginning of this stream.";

#[derive(Template)]
#[template(path = "stream.html")]
struct Page {
    frame: Frame,
    session: Row,
    stream: Head,
    query: String,
    /// `None`: nothing was searched for.
    found: Option<Found>,
    alerts: Vec<String>,
}

#[derive(Template)]
#[template(path = "stream_text.html")]
struct Text {
    frame: Frame,
    session: String,
    stream: Head,
    lines: Vec<Line>,
    alerts: Vec<String>,
    /// Where the lines after these are.
    further: Option<usize>,
    from: String,
    is_first: bool,
    stopped: bool,
}

/// What a stream is.
struct Head {
    number: u32,
    title: String,
    call: String,
    is_terminal: bool,
    begun: When,
    stands: Stands,
    shown: String,
    sent: u64,
    is_too_long: bool,
}

/// How a stream stands, in words.
pub(super) enum Stands {
    Ended { took: String, how: String },
    Open,
    Unsought,
}

struct Line {
    /// When it was there in whole, in seconds since the stream began.
    at: String,
    is_error: bool,
    text: String,
}

struct Found {
    hits: Vec<Line>,
    /// Whether there may be more.
    stopped: bool,
    /// What cannot be searched for.
    refused: bool,
}

/// What to search for.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    q: String,
}

/// Which lines.
#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    /// Seconds since the stream began.
    #[serde(default)]
    from: f64,
    /// Of those that are from then on, so many are passed over.
    #[serde(default)]
    skip: usize,
}

/// `GET /sessions/{id}/streams/{stream}`
pub(crate) async fn get(
    State(console): State<Console>,
    visitor: Visitor,
    Path((id, number)): Path<(String, u32)>,
    Query(Wanted { q }): Query<Wanted>,
) -> Response {
    let (id, session) = match console.session(&id).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let (now, frame) = (console.now(), Frame::of(&visitor, Part::Sessions));
    let page = move |opened: Opened| {
        let mut alerts = Vec::new();
        let Some(stream) = opened.stream(number) else { return lost(&opened, number) };
        let found = (!q.is_empty()).then(|| Found::of(&opened, &stream, &q, &mut alerts));
        let (session, stream) = (Row::of(session, now), Head::of(&stream));
        render(&Page { frame, session, stream, query: q, found, alerts })
    };
    let page = match console.read(&id, page).await {
        Ok(page) => page,
        // What stops the session is there, whatever can be read.
        Err(unread) => {
            let (status, told) = (StatusCode::SERVICE_UNAVAILABLE, Some(unread.told().to_owned()));
            return console
                .session_page(&visitor, id.as_str(), super::session::Which::default(), status, told)
                .await;
        }
    };
    if page.status() == StatusCode::OK { (Extension(Player), page).into_response() } else { page }
}

/// `GET /sessions/{id}/streams/{stream}/text`
pub(crate) async fn text(
    State(console): State<Console>,
    visitor: Visitor,
    Path((id, number)): Path<(String, u32)>,
    Query(which): Query<Which>,
) -> Response {
    let (id, _) = match console.session(&id).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let frame = Frame::of(&visitor, Part::Sessions);
    let session = id.to_string();
    let page = move |opened: Opened| {
        let Some(stream) = opened.stream(number) else { return lost(&opened, number) };
        render(&Text::of(frame, session, &opened, &stream, &which))
    };
    console.read(&id, page).await.unwrap_or_else(Unread::page)
}

/// `GET /sessions/{id}/streams/{stream}/cast`: for the player.
pub(crate) async fn cast(
    State(console): State<Console>,
    _visitor: Visitor,
    Path((id, number)): Path<(String, u32)>,
) -> Response {
    let (id, _) = match console.session(&id).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let body = move |opened: Opened, place| match played::body(&opened, number, place) {
        Some(body) => ([(header::CONTENT_TYPE, "application/x-asciicast")], body).into_response(),
        None => problem(StatusCode::NOT_FOUND, NO_BEGINNING),
    };
    console.read_in_place(&id, body).await.unwrap_or_else(Unread::page)
}

/// `GET /sessions/{id}/streams/{stream}/live`: for the player, while the stream goes on.
pub(crate) async fn live(
    State(console): State<Console>,
    visitor: Visitor,
    Path((id, number)): Path<(String, u32)>,
) -> Response {
    match console.session(&id).await {
        Ok((id, _)) => live::follow(console, visitor, id, number),
        Err(response) => *response,
    }
}

fn lost(opened: &Opened, number: u32) -> Response {
    let why = match &opened.missing {
        Some(told) => told.text.clone(),
        None if opened.is_encrypted(number) => {
            let with = opened.with_identity("replay", &format!(" --stream {number}"));
            format!(
                "The recording is encrypted, and the console has no identity that reads it: {with} plays this stream."
            )
        }
        None => NO_BEGINNING.to_owned(),
    };
    problem(StatusCode::NOT_FOUND, &why)
}

impl Head {
    fn of(stream: &Stream) -> Self {
        Self {
            number: stream.begun.stream,
            title: stream.title(),
            call: stream.begun.call.as_str().to_owned(),
            is_terminal: stream.begun.tty,
            begun: stream.at.into(),
            stands: Stands::of(stream),
            shown: size(stream.shown),
            sent: stream.sent,
            is_too_long: stream.shown > PLAYED,
        }
    }
}

impl Stands {
    pub(super) fn of(stream: &Stream) -> Self {
        match &stream.end {
            End::At(at, how) => Self::Ended { took: took(microseconds(stream.at, *at)), how: how.clone() },
            End::Unrecorded => Self::Open,
            End::Unsought => Self::Unsought,
        }
    }

    /// Whether it may go on, if its session does.
    fn is_over(&self) -> bool {
        matches!(self, Self::Ended { .. })
    }
}

impl Line {
    fn of(line: recording::reader::Line, stream: &Stream) -> Self {
        let at = seconds(line.at.saturating_sub(stream.since));
        Self { at, is_error: line.channel == Channel::Stderr, text: line.text }
    }
}

/// The lines of a stream that were found before it was too much; what is wrong goes to the alerts.
fn lines<'a>(
    opened: &'a Opened,
    lines: Lines<'a>,
    alerts: &'a mut Vec<String>,
    stopped: &'a mut bool,
) -> impl Iterator<Item = recording::reader::Line> + 'a {
    let mut lines = lines.within(MOST);
    std::iter::from_fn(move || {
        loop {
            match lines.next() {
                Some(Ok(line)) => return Some(line),
                Some(Err(finding)) => opened.tell(&finding, alerts),
                None => {
                    *stopped = lines.broke_off();
                    return None;
                }
            }
        }
    })
}

impl Found {
    fn of(opened: &Opened, stream: &Stream, wanted: &str, alerts: &mut Vec<String>) -> Self {
        let wanted = wanted.to_lowercase();
        let refused = wanted.len() > 1024 || wanted.chars().any(char::is_control);
        let Some(recording) = opened.recording.as_ref().filter(|_| !refused) else {
            return Self { hits: Vec::new(), stopped: false, refused };
        };
        let mut stopped = false;
        let all = lines(opened, recording.lines(Some(stream.begun.stream)), alerts, &mut stopped);
        let hits = all.filter(|line| line.text.to_lowercase().contains(&wanted));
        let hits: Vec<Line> = hits.take(HITS).map(|line| Line::of(line, stream)).collect();
        Self { stopped: stopped || hits.len() >= HITS, hits, refused }
    }
}

impl Text {
    fn of(frame: Frame, session: String, opened: &Opened, stream: &Stream, which: &Which) -> Self {
        let (mut alerts, mut stopped, mut shown) = (Vec::new(), false, Vec::new());
        let from = which.from.clamp(0.0, 1e9);
        if let Some(recording) = &opened.recording {
            // Times of links are up to a millisecond later than what they lead to.
            let from =
                Duration::try_from_secs_f64(from).unwrap_or_default().saturating_sub(MILLISECOND).as_micros();
            let from = stream.since.saturating_add(u64::try_from(from).unwrap_or(u64::MAX));
            let all = lines(opened, recording.lines(Some(stream.begun.stream)), &mut alerts, &mut stopped);
            let all = all.skip_while(|line| line.at < from).skip(which.skip);
            shown.extend(all.take(LINES + 1).map(|line| Line::of(line, stream)));
        }
        let further = (shown.len() > LINES).then(|| which.skip.saturating_add(LINES));
        shown.truncate(LINES);
        let is_first = from == 0.0 && which.skip == 0;
        let stream = Head::of(stream);
        let from = from.to_string();
        Self { frame, session, stream, lines: shown, alerts, further, from, is_first, stopped }
    }
}
