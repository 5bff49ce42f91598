//! How the ledger stands, and what it told last.

use askama::Template;
use axum::{extract::State, response::Response};
use ledger::{leaf::Leaf, reader::Stored};

use super::{Frame, Part, When, failed, render};
use crate::{Console, signin::Visitor};

/// The newest leaves.
const LEAVES: u64 = 50;

#[derive(Template)]
#[template(path = "ledger.html")]
struct Page {
    frame: Frame,
    origin: String,
    size: u64,
    sealed: u64,
    root: String,
    /// What keeps it from recording or sealing.
    troubles: Vec<String>,
    /// Who else signed the checkpoint, by their own account.
    witnesses: String,
    rows: Vec<Row>,
}

struct Row {
    index: u64,
    time: Option<When>,
    kind: String,
    told: String,
}

/// `GET /ledger`
pub(crate) async fn get(State(console): State<Console>, visitor: Visitor) -> Response {
    let stats = console.ledger().stats();
    let from_console = console.clone();
    let read = tokio::task::spawn_blocking(move || {
        let reader = from_console.chronicle().ledger();
        let opened = reader.checkpoint()?;
        let size = opened.checkpoint.size;
        let leaves = reader.leaves(size.saturating_sub(LEAVES)..size)?.collect::<Result<Vec<_>, _>>()?;
        Ok::<_, ledger::reader::ReadError>((opened, leaves))
    });
    let (opened, leaves) = match read.await {
        Ok(Ok(read)) => read,
        Ok(Err(error)) => return failed(&error),
        Err(error) => return failed(&error),
    };
    let refusing = stats.refusing.map(|why| format!("Nothing new can be recorded: {why}"));
    let unsealed = stats.unsealed.map(|why| format!("What is recorded cannot be sealed: {why}"));
    render(&Page {
        frame: Frame::of(&visitor, Part::Ledger),
        origin: opened.checkpoint.origin,
        size: stats.size,
        sealed: opened.checkpoint.size,
        root: opened.checkpoint.root.to_string(),
        troubles: refusing.into_iter().chain(unsealed).collect(),
        witnesses: opened.others.join(", "),
        rows: leaves.iter().rev().map(Row::of).collect(),
    })
}

impl Row {
    fn of(stored: &Stored) -> Self {
        let index = stored.index;
        match Leaf::parse(&stored.json) {
            Ok(leaf) => Self {
                index,
                time: Some(leaf.time.into()),
                kind: leaf.event.kind().to_string().replace('_', " "),
                told: chronicle::story::of(&leaf.event),
            },
            Err(error) => Self { index, time: None, kind: "unreadable".to_owned(), told: error.to_string() },
        }
    }
}
