//! What waits for humans, oldest first.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::Deserialize;
use store::StoredApproval;

use super::{Frame, Part, When, failed, render};
use crate::{Console, signin::Visitor};

/// As many as a page has.
const ROWS: usize = 100;
/// As many as are looked at.
const MOST: u32 = 10_000;

#[derive(Template)]
#[template(path = "inbox.html")]
struct Page {
    frame: Frame,
    list: List,
    /// How many changes of the inbox it knows of.
    seen: u64,
}

#[derive(Template)]
#[template(path = "inbox_list.html")]
struct List {
    rows: Vec<Row>,
    /// Those before and after these.
    before: usize,
    after: usize,
    page: usize,
}

/// One that waits.
struct Row {
    id: String,
    act: String,
    agent: String,
    delegator: String,
    reason: String,
    state: &'static str,
    /// Who must still agree.
    needs: String,
    /// Whether the reader can decide about it.
    yours: bool,
    asked: When,
    until: Option<When>,
}

/// Which page of the list, from 0.
#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    #[serde(default)]
    page: usize,
}

/// `GET /`
pub(crate) async fn get(
    State(console): State<Console>,
    visitor: Visitor,
    Query(which): Query<Which>,
) -> Response {
    // Counted before it is looked at: of what comes in between, the page is told.
    let seen = *console.inbox().changes().borrow();
    match look(&console, &visitor, which.page).await {
        Ok(list) => render(&Page { frame: Frame::of(&visitor, Part::Inbox), list, seen }),
        Err(response) => *response,
    }
}

/// `GET /inbox`: the list alone, for a page that is open.
pub(crate) async fn list(
    State(console): State<Console>,
    visitor: Visitor,
    Query(which): Query<Which>,
) -> Response {
    match look(&console, &visitor, which.page).await {
        Ok(list) => render(&list),
        Err(response) => *response,
    }
}

async fn look(console: &Console, visitor: &Visitor, page: usize) -> Result<List, Box<Response>> {
    let waiting = console.inbox().list(false, MOST).await.map_err(|error| Box::new(failed(&error)))?;
    // A page that is gone since is the last one.
    let page = page.min(waiting.len().saturating_sub(1) / ROWS);
    let before = page * ROWS;
    let rows: Vec<Row> =
        waiting.iter().skip(before).take(ROWS).map(|stored| Row::of(stored, visitor)).collect();
    let after = waiting.len() - before - rows.len();
    Ok(List { rows, before, after, page })
}

impl Row {
    fn of(stored: &StoredApproval, visitor: &Visitor) -> Self {
        let StoredApproval { approval, act, reason } = stored;
        let asked = approval.asked();
        Self {
            id: asked.id.clone(),
            act: act.clone(),
            agent: asked.bound.agent.clone(),
            delegator: asked.bound.delegator.clone(),
            reason: match asked.bound.purpose() {
                "" => reason.clone(),
                purpose => purpose.to_owned(),
            },
            state: approval.state().as_str(),
            needs: approval.needs(),
            yours: approval.can_be_decided_by(&visitor.human).is_ok(),
            asked: asked.at.into(),
            until: approval.deadline().map(Into::into),
        }
    }
}
