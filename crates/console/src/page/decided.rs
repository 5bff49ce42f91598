//! What was asked and what became of it, newest first.

use askama::Template;
use axum::{extract::State, response::Response};

use super::{Frame, Part, When, failed, render};
use crate::{Console, signin::Visitor};

const MOST: u32 = 200;

#[derive(Template)]
#[template(path = "decided.html")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    act: String,
    agent: String,
    delegator: String,
    state: &'static str,
    how: String,
    asked: When,
}

/// `GET /approvals`
pub(crate) async fn get(State(console): State<Console>, visitor: Visitor) -> Response {
    let all = match console.inbox().list(true, MOST).await {
        Ok(all) => all,
        Err(error) => return failed(&error),
    };
    let rows = all
        .iter()
        .map(|stored| {
            let asked = stored.approval.asked();
            Row {
                id: asked.id.clone(),
                act: stored.act.clone(),
                agent: asked.bound.agent.clone(),
                delegator: asked.bound.delegator.clone(),
                state: stored.approval.state().as_str(),
                how: stored.approval.state().told(),
                asked: asked.at.into(),
            }
        })
        .collect();
    render(&Page { frame: Frame::of(&visitor, Part::Decided), rows })
}
