//! One session: what it is for, what it did, and the buttons that stop it.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse as _, Redirect, Response},
};
use chronicle::{Call, Happening};
use control::{Changed, Error};
use http::StatusCode;
use identity::{Reason, Session, SessionId};
use serde::Deserialize;

use super::{Frame, Part, When, failed, problem, render, sessions::Row, to_the_end};
use crate::{Console, posted::Posted, signin::Visitor};

/// Calls on a page.
const CALLS: u32 = 50;

#[derive(Template)]
#[template(path = "session.html")]
struct Page {
    frame: Frame,
    alert: Option<String>,
    session: Row,
    /// Why it does not go on, in words.
    stopped: Vec<String>,
    /// Whether the reader may let it go on.
    may_thaw: bool,
    happened: Vec<Event>,
    calls: Calls,
}

#[derive(Template)]
#[template(path = "session_calls.html")]
struct Calls {
    session: String,
    rows: Vec<CallRow>,
    /// Where the page before these begins.
    older: Option<u64>,
    /// Whether these are the newest.
    newest: bool,
}

/// A call.
pub(super) struct CallRow {
    pub(super) time: When,
    pub(super) asked: String,
    pub(super) state: String,
    pub(super) status: String,
    pub(super) rules: String,
    pub(super) took: String,
    pub(super) notes: Vec<String>,
    pub(super) approval: String,
    pub(super) session: String,
    pub(super) agent: String,
    pub(super) leaf: u64,
}

struct Event {
    time: When,
    kind: String,
    told: String,
}

/// Which calls.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Which {
    before: Option<u64>,
}

/// Why something is to be done.
#[derive(Debug, Deserialize)]
pub(crate) struct Because {
    why: String,
}

/// Nothing beside the button.
#[derive(Debug, Deserialize)]
pub(crate) struct Pressed {}

/// What people do to a session for a reason.
#[derive(Debug, Clone, Copy)]
enum Stop {
    Freeze,
    Revoke,
}

/// `GET /sessions/{id}`
pub(crate) async fn get(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Response {
    console.session_page(&visitor, &id, which.before, StatusCode::OK, None).await
}

/// `GET /sessions/{id}/calls`: the newest calls, for a page that is open.
pub(crate) async fn calls(
    State(console): State<Console>,
    _visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    match console.calls(&id, None).await {
        Ok(calls) => render(&calls),
        Err(error) => failed(&error),
    }
}

/// `POST /sessions/{id}/revoke`
pub(crate) async fn revoke(
    State(console): State<Console>,
    Path(id): Path<String>,
    Posted { visitor, form }: Posted<Because>,
) -> Response {
    to_the_end(async move { console.stop(&visitor, &id, Stop::Revoke, form).await }).await
}

/// `POST /sessions/{id}/freeze`
pub(crate) async fn freeze(
    State(console): State<Console>,
    Path(id): Path<String>,
    Posted { visitor, form }: Posted<Because>,
) -> Response {
    to_the_end(async move { console.stop(&visitor, &id, Stop::Freeze, form).await }).await
}

/// `POST /sessions/{id}/thaw`
pub(crate) async fn thaw(
    State(console): State<Console>,
    Path(id): Path<String>,
    Posted { visitor, form: Pressed {} }: Posted<Pressed>,
) -> Response {
    to_the_end(async move { console.thaw(&visitor, &id).await }).await
}

impl Console {
    async fn stop(&self, visitor: &Visitor, id: &str, stop: Stop, because: Because) -> Response {
        let (session, by) = match (SessionId::parse(id), Self::operator(visitor)) {
            (Ok(session), Ok(by)) => (session, by),
            (Err(_), _) => return unknown(),
            (_, Err(response)) => return *response,
        };
        let why = match Reason::parse(because.why.trim()) {
            Ok(why) => why,
            Err(error) => {
                let told = format!("The {error}.");
                return self
                    .session_page(visitor, id, None, StatusCode::UNPROCESSABLE_ENTITY, Some(told))
                    .await;
            }
        };
        let changed = match stop {
            Stop::Freeze => self.control().freeze(&session, &by, &why).await,
            Stop::Revoke => self.control().revoke(&session, &by, &why).await,
        };
        self.changed(visitor, id, changed).await
    }

    /// Whoever an agent works for does not let it go on.
    async fn thaw(&self, visitor: &Visitor, id: &str) -> Response {
        let (session, by) = match (SessionId::parse(id), Self::operator(visitor)) {
            (Ok(session), Ok(by)) => (session, by),
            (Err(_), _) => return unknown(),
            (_, Err(response)) => return *response,
        };
        match self.control().sessions().find(&session).await {
            Ok(Some(found)) if visitor.human.may_be_called(&found.delegator) => {
                let told = "The agent runs on your behalf: somebody else has to let it go on.".to_owned();
                self.session_page(visitor, id, None, StatusCode::FORBIDDEN, Some(told)).await
            }
            Ok(Some(_)) => {
                let changed = self.control().thaw(&session, &by).await;
                self.changed(visitor, id, changed).await
            }
            Ok(None) => unknown(),
            Err(error) => failed(&error),
        }
    }

    async fn changed(&self, visitor: &Visitor, id: &str, changed: Result<Changed, Error>) -> Response {
        match changed {
            Ok(Changed { unrecorded: None, .. }) => Redirect::to(&format!("/sessions/{id}")).into_response(),
            Ok(Changed { unrecorded: Some(error), .. }) => {
                tracing::error!(session = id, error, "what was done to a session could not be recorded");
                let told =
                    "It is done, but the ledger does not tell of it yet: the gate's next start records it.";
                self.session_page(visitor, id, None, StatusCode::OK, Some(told.to_owned())).await
            }
            Err(Error::Unknown(_)) => unknown(),
            Err(error) => {
                tracing::error!(session = id, %error, "a session could not be changed");
                let told = Some(format!("{error}."));
                self.session_page(visitor, id, None, StatusCode::SERVICE_UNAVAILABLE, told).await
            }
        }
    }

    async fn session_page(
        &self,
        visitor: &Visitor,
        id: &str,
        before: Option<u64>,
        status: StatusCode,
        alert: Option<String>,
    ) -> Response {
        let Ok(session) = SessionId::parse(id) else { return unknown() };
        let session = match self.control().sessions().find(&session).await {
            Ok(Some(session)) => session,
            Ok(None) => return unknown(),
            Err(error) => return failed(&error),
        };
        let happened = self.chronicle().happenings_of(id, chronicle::Page::newest(CALLS)).await;
        let (calls, happened) = match (self.calls(id, before).await, happened) {
            (Ok(calls), Ok(happened)) => (calls, happened.into_iter().map(Event::from).collect()),
            (Err(error), _) | (_, Err(error)) => return failed(&error),
        };
        let page = Page {
            frame: Frame::of(visitor, Part::Sessions),
            alert,
            stopped: stopped(&session),
            may_thaw: !visitor.human.may_be_called(&session.delegator),
            session: Row::of(session, self.now()),
            happened,
            calls,
        };
        let mut response = render(&page);
        *response.status_mut() = status;
        response
    }

    async fn calls(&self, id: &str, before: Option<u64>) -> Result<Calls, chronicle::Error> {
        let page = chronicle::Page { before, most: CALLS };
        let rows: Vec<CallRow> =
            self.chronicle().calls_of(id, page).await?.into_iter().map(Into::into).collect();
        let older = rows.last().map(|row| row.leaf).filter(|_| rows.len() == CALLS as usize);
        Ok(Calls { session: id.to_owned(), rows, older, newest: before.is_none() })
    }
}

fn stopped(session: &Session) -> Vec<String> {
    let frozen = session.frozen.as_ref().map(|frozen| format!("Frozen by {}: {}", frozen.by, frozen.why));
    let revoked =
        session.revoked.as_ref().map(|revoked| format!("Revoked by {}: {}", revoked.by, revoked.why));
    frozen.into_iter().chain(revoked).collect()
}

fn unknown() -> Response {
    problem(StatusCode::NOT_FOUND, "There is no such session.")
}

impl From<Call> for CallRow {
    fn from(call: Call) -> Self {
        let mut notes = Vec::new();
        if call.look {
            notes.push("the gate's own look, for another call".to_owned());
        }
        if call.masked > 0 {
            notes.push(format!("{} values masked", call.masked));
        }
        notes.extend(call.message);
        Self {
            time: call.time.into(),
            asked: call.asked,
            state: call.state,
            status: call.status.map_or_else(String::new, |status| status.to_string()),
            rules: call.rules,
            took: call.duration_us.map_or_else(String::new, took),
            notes,
            approval: call.approval.unwrap_or_default(),
            session: call.session.unwrap_or_default(),
            agent: call.agent.unwrap_or_default(),
            leaf: call.leaf,
        }
    }
}

fn took(microseconds: u64) -> String {
    match microseconds / 1_000 {
        milliseconds if milliseconds < 10_000 => format!("{milliseconds} ms"),
        milliseconds => format!("{} s", milliseconds / 1_000),
    }
}

impl From<Happening> for Event {
    fn from(Happening { time, kind, told, .. }: Happening) -> Self {
        Self { time: time.into(), kind: kind.replace('_', " "), told }
    }
}
