//! One call: what the ledger tells of it, what it changed, and what was sent and shown, masked.

use approval::Limit;
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use recording::reader::Recording;
use recording::record::{Answered, Blob, Called, What};
use serde_json::Value;

use super::diff::Diff;
use super::session::{CallRow, changes};
use super::{Frame, Part, failed, problem, render, size};
use crate::replay::objects::{AHEAD, Objects};
use crate::replay::scan::microseconds;
use crate::replay::{Opened, Unread};
use crate::{Console, signin::Visitor};

/// Bytes of a recording in which a call's bodies are looked for, from shortly before it.
const LOOKED_AT: u64 = 64 << 20;
/// What it changed, as YAML.
const SHOWN: Limit = Limit { bytes: 1 << 20, lines: 10_000 };
/// Bytes and lines of a body that a page shows.
const MOST: usize = 512 << 10;
const LINES: usize = 5_000;

/// Of a call that may have changed something.
const UNTOLD: &str = "What it changed is not shown: it is too much, somebody else changed the object as well, or the recording does not tell all of it before and after.";

#[derive(Template)]
#[template(path = "call.html")]
struct Page {
    frame: Frame,
    session: String,
    rows: Vec<CallRow>,
    title: String,
    /// What it changed; as humans were shown it, if they were asked.
    diff: Option<Diff>,
    was_shown: bool,
    bodies: Vec<Body>,
    alerts: Vec<String>,
}

/// What a recording has of a call.
#[derive(Default)]
struct Taped {
    bodies: Vec<Body>,
    /// What it changed.
    diff: Option<Diff>,
    /// Whether that is not told, though it may have changed something.
    untold: bool,
    alerts: Vec<String>,
}

/// A body of the recording.
struct Body {
    name: &'static str,
    /// How long it was, and what of it is here.
    told: String,
    lines: Vec<String>,
}

/// `GET /sessions/{id}/calls/{call}`
pub(crate) async fn get(
    State(console): State<Console>,
    visitor: Visitor,
    Path((id, call)): Path<(String, String)>,
) -> Response {
    let (id, _) = match console.session(&id).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let found = match console.chronicle().call(id.as_str(), &call).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            let why = "The session made no such call, or it is not sealed in the ledger yet.";
            return problem(StatusCode::NOT_FOUND, why);
        }
        Err(error) => return failed(&error),
    };
    let approval = match &found.approval {
        Some(approval) => console.approval_of(approval).await,
        None => None,
    };
    let frame = Frame::of(&visitor, Part::Sessions);
    let page = move |opened: Opened| {
        let taped = opened.recording.as_ref().map(|recording| Taped::of(&opened, recording, &found));
        let taped = taped.unwrap_or_default();
        let Taped { bodies, diff: changed, untold, mut alerts } = taped;
        alerts.extend(opened.missing.as_ref().map(|told| told.text.clone()));
        let title = if found.asked.is_empty() { "A call".to_owned() } else { found.asked.clone() };
        let shown = approval.and_then(|approval| changes::shown(&found.call, &approval));
        let shown = shown.map(|shown| Diff::from(shown.diff()));
        let was_shown = shown.is_some();
        if untold && !was_shown {
            alerts.push(UNTOLD.to_owned());
        }
        let diff = shown.or(changed);
        let session = found.session.clone().unwrap_or_default();
        render(&Page { frame, session, rows: vec![found.into()], title, diff, was_shown, bodies, alerts })
    };
    console.read(&id, page).await.unwrap_or_else(Unread::page)
}

impl Taped {
    fn of(opened: &Opened, recording: &Recording, call: &chronicle::Call) -> Self {
        let began = recording.began();
        let at = began.map_or(0, |began| microseconds(began, call.time));
        // What was recorded right before it may be much.
        let from = recording.newest_within(at.saturating_sub(AHEAD), at, LOOKED_AT / 2);
        let (mut taped, mut objects) = (Self::default(), Objects::default());
        let mut is_answered = false;
        // Where nothing can be read, nothing of the call is after it.
        let mut records = recording.records_from(from).encrypted_until(at);
        while !is_answered && let Some(record) = records.next() {
            if records.unpacked() > LOOKED_AT {
                let id = &call.call;
                taped.alerts.push(format!(
                    "Too much was recorded right before this call, {id}: not all of it was looked at here. `portcullis sessions show` has it."
                ));
                break;
            }
            let record = match record {
                Ok(record) => record,
                Err(finding) => {
                    opened.tell(&finding, &mut taped.alerts);
                    continue;
                }
            };
            if Objects::call(&record.what) == Some(&call.call) {
                objects.take(&record.what);
            }
            match record.what {
                What::Called(Called { call: of, body, .. }) if of.as_str() == call.call => {
                    taped.bodies.extend(body.map(|blob| Body::of("What was sent", None, &blob, recording)));
                }
                What::Answered(Answered { call: of, media, body, .. }) if of.as_str() == call.call => {
                    let media = media.as_ref().map(recording::Text::as_str);
                    let shown =
                        body.map(|blob| Body::of("What the agent was shown", media, &blob, recording));
                    taped.bodies.extend(shown);
                    is_answered = true;
                }
                _ => {}
            }
        }
        taped.diff = objects.diff(recording, SHOWN).map(|diff| Diff::from(diff).brief());
        let may_differ = objects.may_differ() || (!objects.has_begun() && changes::is_change(call));
        taped.untold = taped.diff.is_none() && may_differ;
        taped
    }
}

impl Body {
    fn of(name: &'static str, media: Option<&str>, blob: &Blob, recording: &Recording) -> Self {
        let media = media.map_or_else(String::new, |media| format!(", {media}"));
        let mut told = format!("{}{media}", size(blob.whole));
        let bytes = match recording.body(blob) {
            Ok(bytes) => bytes,
            Err(finding) => {
                let told = format!("{told}: it cannot be read: {finding}");
                return Self { name, told, lines: Vec::new() };
            }
        };
        if blob.kept < blob.whole {
            told.push_str(&format!("; the recording has the first {}", size(blob.kept)));
        }
        let (text, cut) = text(&bytes);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if lines.len() > LINES || cut {
            lines.truncate(LINES);
            told.push_str(&format!("; the first {} lines are shown", lines.len()));
        }
        Self { name, told, lines }
    }
}

/// A body as text, JSON with a line for each part; and whether it was cut.
fn text(bytes: &[u8]) -> (String, bool) {
    let head = bytes.get(..MOST).unwrap_or(bytes);
    // Of JSON that is cut no other form is known.
    let json = (head.len() == bytes.len()).then(|| serde_json::from_slice::<Value>(bytes).ok());
    let pretty = json.flatten().and_then(|json| serde_json::to_string_pretty(&json).ok());
    let text = pretty.unwrap_or_else(|| String::from_utf8_lossy(head).into_owned());
    (text, head.len() < bytes.len())
}
