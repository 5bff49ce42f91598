//! What was refused, with the rules that refused it.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::Deserialize;

use super::{Frame, Part, failed, render, session::CallRow};
use crate::{Console, signin::Visitor};

const ROWS: u32 = 50;

#[derive(Template)]
#[template(path = "refusals.html")]
struct Page {
    frame: Frame,
    rows: Vec<CallRow>,
    older: Option<u64>,
    newest: bool,
}

/// Which of them.
#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    before: Option<u64>,
}

/// `GET /refusals`
pub(crate) async fn get(
    State(console): State<Console>,
    visitor: Visitor,
    Query(which): Query<Which>,
) -> Response {
    let page = chronicle::Page { before: which.before, most: ROWS };
    match console.chronicle().refusals(page).await {
        Ok(refused) => {
            let rows: Vec<CallRow> = refused.into_iter().map(Into::into).collect();
            let older = rows.last().map(|row| row.leaf).filter(|_| rows.len() == ROWS as usize);
            let frame = Frame::of(&visitor, Part::Refusals);
            render(&Page { frame, rows, older, newest: which.before.is_none() })
        }
        Err(error) => failed(&error),
    }
}
