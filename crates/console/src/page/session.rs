//! One session: what it is for, what it did, and the buttons that stop it.

pub(crate) mod changes;
mod timeline;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse as _, Redirect, Response},
};
use chronicle::Call;
use control::{Changed, Error};
use http::StatusCode;
use identity::{Reason, Session, SessionId};
use jiff::Timestamp;
use serde::Deserialize;

use self::changes::Change;
use self::timeline::{Entry, Timeline};
use super::stream::Stands;
use super::{Frame, Part, When, failed, problem, render, render_as, sessions::Row, to_the_end};
use crate::{Console, posted::Posted, signin::Visitor};

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
    timeline: Timeline,
}

/// A call.
pub(super) struct CallRow {
    pub(super) call: String,
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
    /// Whether the recording has what was sent or shown.
    pub(super) has_bodies: bool,
}

/// Which part of a timeline.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Which {
    /// What is before this leaf.
    before: Option<u64>,
    /// And before this time, in microseconds since 1970.
    until: Option<i64>,
}

/// What an open page shows.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Shown {
    #[serde(default)]
    seen: String,
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
    console.session_page(&visitor, &id, which, StatusCode::OK, None).await
}

/// `GET /sessions/{id}/timeline`: the newest of it, for a page that is open; nothing (204) if the page shows that already.
pub(crate) async fn timeline(
    State(console): State<Console>,
    _visitor: Visitor,
    Path(id): Path<String>,
    Query(Shown { seen }): Query<Shown>,
) -> Response {
    let Ok(session) = SessionId::parse(&id) else { return unknown() };
    match console.timeline_since(&session, &seen).await {
        Some(timeline) => render(&timeline),
        None => StatusCode::NO_CONTENT.into_response(),
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

impl Which {
    fn is_newest(self) -> bool {
        self.before.is_none() && self.until.is_none()
    }

    fn until(self) -> Option<Timestamp> {
        self.until.and_then(|until| Timestamp::from_microsecond(until).ok())
    }

    /// The same as the query of a page.
    fn query(self) -> String {
        let before = self.before.map(|leaf| format!("before={leaf}"));
        let until = self.until.map(|until| format!("until={until}"));
        before.into_iter().chain(until).collect::<Vec<_>>().join("&")
    }
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
                    .session_page(visitor, id, Which::default(), StatusCode::UNPROCESSABLE_ENTITY, Some(told))
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
                self.session_page(visitor, id, Which::default(), StatusCode::FORBIDDEN, Some(told)).await
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
                self.session_page(visitor, id, Which::default(), StatusCode::OK, Some(told.to_owned())).await
            }
            Err(Error::Unknown(_)) => unknown(),
            Err(error) => {
                tracing::error!(session = id, %error, "a session could not be changed");
                let told = Some(format!("{error}."));
                self.session_page(visitor, id, Which::default(), StatusCode::SERVICE_UNAVAILABLE, told).await
            }
        }
    }

    pub(super) async fn session_page(
        &self,
        visitor: &Visitor,
        id: &str,
        which: Which,
        status: StatusCode,
        alert: Option<String>,
    ) -> Response {
        let (id, session) = match self.session(id).await {
            Ok(found) => found,
            Err(response) => return *response,
        };
        let timeline = self.timeline(&id, which).await;
        let page = Page {
            frame: Frame::of(visitor, Part::Sessions),
            alert,
            stopped: stopped(&session),
            may_thaw: !visitor.human.may_be_called(&session.delegator),
            session: Row::of(session, self.now()),
            timeline,
        };
        render_as(status, &page)
    }

    /// The session of this id.
    ///
    /// # Errors
    /// The page that says that there is none.
    pub(super) async fn session(&self, id: &str) -> Result<(SessionId, Session), Box<Response>> {
        let id = SessionId::parse(id).map_err(|_| Box::new(unknown()))?;
        match self.control().sessions().find(&id).await {
            Ok(Some(session)) => Ok((id, session)),
            Ok(None) => Err(Box::new(unknown())),
            Err(error) => Err(Box::new(failed(&error))),
        }
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
            let values = if call.masked == 1 { "value" } else { "values" };
            notes.push(format!("{} {values} masked", call.masked));
        }
        notes.extend(call.message);
        Self {
            call: call.call,
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
            has_bodies: false,
        }
    }
}

pub(super) fn took(microseconds: u64) -> String {
    match microseconds / 1_000 {
        milliseconds if milliseconds < 10_000 => format!("{milliseconds} ms"),
        milliseconds => format!("{} s", milliseconds / 1_000),
    }
}
