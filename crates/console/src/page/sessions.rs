//! The sessions: those that can be used first.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use identity::{Session, State as Stands, Which};
use jiff::Timestamp;
use serde::Deserialize;

use super::{Frame, Part, When, failed, render};
use crate::{Console, signin::Visitor};

const MOST: u32 = 500;

#[derive(Template)]
#[template(path = "sessions.html")]
struct Page {
    frame: Frame,
    all: bool,
    rows: Vec<Row>,
}

/// A session.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) state: &'static str,
    pub(super) agent: String,
    pub(super) delegator: String,
    pub(super) cluster: String,
    pub(super) reason: String,
    pub(super) begun: When,
    pub(super) ends: When,
}

/// Which sessions.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    all: bool,
}

/// `GET /sessions`
pub(crate) async fn get(
    State(console): State<Console>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Response {
    let which = if wanted.all { Which::All } else { Which::Active };
    match console.control().sessions().list(which, MOST).await {
        Ok(sessions) => {
            let now = console.now();
            let rows = sessions.into_iter().map(|session| Row::of(session, now)).collect();
            render(&Page { frame: Frame::of(&visitor, Part::Sessions), all: wanted.all, rows })
        }
        Err(error) => failed(&error),
    }
}

impl Row {
    pub(super) fn of(session: Session, now: Timestamp) -> Self {
        Self {
            state: match session.state(now) {
                Stands::Active => "active",
                Stands::Frozen => "frozen",
                Stands::Expired => "expired",
                Stands::Revoked => "revoked",
            },
            id: session.id,
            agent: session.agent,
            delegator: session.delegator,
            cluster: session.cluster,
            reason: session.reason,
            begun: session.created_at.into(),
            ends: session.expires_at.into(),
        }
    }
}
