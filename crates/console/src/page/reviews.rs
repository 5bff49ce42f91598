//! Where the glass was broken, and nobody has signed off what was done: oldest first.

use approval::{Access, BreakGlass, Subject};
use askama::Template;
use axum::{extract::State, response::Response};
use store::StoredApproval;

use super::{Frame, Part, When, failed, render};
use crate::{Console, signin::Visitor};

const MOST: u32 = 500;

#[derive(Template)]
#[template(path = "reviews.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    act: String,
    incident: String,
    /// Who broke it.
    by: String,
    /// Who may sign it off.
    reviewers: String,
    state: &'static str,
    /// Whether the reader can.
    yours: bool,
    since: When,
}

/// `GET /reviews`
pub(crate) async fn get(State(console): State<Console>, visitor: Visitor) -> Response {
    match console.inbox().unreviewed(MOST).await {
        Ok(open) => {
            let rows = open.iter().filter_map(|stored| Row::of(stored, &visitor)).collect();
            render(&Page { frame: Frame::of(&visitor, Part::Reviews), rows })
        }
        Err(error) => failed(&error),
    }
}

impl Row {
    fn of(stored: &StoredApproval, visitor: &Visitor) -> Option<Self> {
        let approval = &stored.approval;
        let Subject::Access(Access { break_glass: Some(glass), .. }) = &approval.asked().bound.subject else {
            return None;
        };
        let BreakGlass { incident, reviewers } = glass;
        let by: Vec<&str> = approval.votes().iter().map(|vote| vote.by.subject.as_str()).collect();
        Some(Self {
            id: approval.asked().id.clone(),
            act: stored.act.clone(),
            incident: incident.clone(),
            by: by.join(", "),
            reviewers: reviewers.join(", "),
            state: approval.state().as_str(),
            yours: approval.can_be_reviewed_by(&visitor.human).is_ok(),
            since: approval.votes().first().map_or_else(|| approval.asked().at, |vote| vote.at).into(),
        })
    }
}
