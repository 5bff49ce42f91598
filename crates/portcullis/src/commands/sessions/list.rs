//! `portcullis sessions list`.

use std::{cmp::Reverse, process::ExitCode};

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    Form, FormArgument,
    place::{Place, Shelf},
    print_json,
    state::State,
    words::{bytes, span},
};
use crate::{
    table::Table,
    terminal::{self, visible},
};

/// List the sessions that have a recording, the newest first, each held against the ledger
///
/// STATE is whole, open (being written), interrupted (a gate was killed, and the recording went on), crashed (a gate was killed,
/// and it did not), gap, damaged, erased, returned (there, though erased) or missing; `show` says more. CALLS are those in the ledger.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    form: FormArgument,
}

/// One of the list.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    session: String,
    agent: Option<String>,
    delegator: Option<String>,
    cluster: Option<String>,
    reason: Option<String>,
    began: Option<Timestamp>,
    last: Option<Timestamp>,
    calls: u64,
    streams: Option<u32>,
    segments: Option<u64>,
    /// Of these.
    encrypted: Option<u64>,
    bytes: Option<u64>,
    pub(super) state: &'static str,
    pub(super) means: String,
}

impl List {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let rows = rows(&self.place.shelf()?);
        match self.form.form {
            Form::Json => print_json(&rows)?,
            Form::Text if rows.is_empty() => eprintln!("no session has a recording"),
            Form::Text => terminal::print(table(&rows))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

pub(super) fn rows(shelf: &Shelf) -> Vec<Row> {
    let mut rows: Vec<Row> = shelf.states().map(|(session, state)| Row::of(shelf, session, &state)).collect();
    rows.sort_by_key(|row| Reverse(row.began));
    rows
}

impl Row {
    pub(super) fn of(shelf: &Shelf, session: String, state: &State) -> Self {
        let of = shelf.told.of(&session);
        let opened = of.and_then(|of| of.opened.as_deref());
        let survey = state.survey();
        let times = survey.and_then(|survey| survey.times);
        Self {
            agent: opened.map(|opened| opened.agent.to_string()),
            delegator: opened.map(|opened| opened.delegator.to_string()),
            cluster: opened.map(|opened| opened.cluster.to_string()),
            reason: opened.map(|opened| opened.reason.self_asserted.to_string()),
            began: times.map(|(began, _)| began),
            last: times.map(|(_, last)| last),
            calls: of.map_or(0, |of| of.calls),
            streams: survey.map(|survey| survey.streams),
            segments: survey.map(|survey| survey.segments),
            encrypted: survey.map(|survey| survey.encrypted),
            bytes: survey.map(|survey| survey.bytes),
            state: state.word(),
            means: state.to_string(),
            session,
        }
    }

    /// The lines above a timeline.
    pub(super) fn heading(&self) -> String {
        let Self { session, means, .. } = self;
        let mut lines = vec![("session", session.clone())];
        if let (Some(agent), Some(delegator), Some(cluster)) = (&self.agent, &self.delegator, &self.cluster) {
            lines.push(("agent", format!("{agent} for {delegator} on {cluster}")));
        }
        lines.extend(self.reason.clone().map(|reason| ("reason", reason)));
        if let (Some(began), Some(last), Some(size)) = (self.began, self.last, self.bytes) {
            let (length, size) = (span(began, last), bytes(size));
            lines.push(("recorded", format!("{began:.0} to {last:.0} ({length}), {size}")));
        }
        match (self.encrypted, self.segments) {
            (None | Some(0), _) => {}
            (encrypted, segments) if encrypted == segments => lines.push(("stored", "encrypted".to_owned())),
            (encrypted, segments) => {
                let (encrypted, segments) = (encrypted.unwrap_or_default(), segments.unwrap_or_default());
                lines.push(("stored", format!("{encrypted} of {segments} segments encrypted")));
            }
        }
        lines.push(("state", means.clone()));
        lines.iter().map(|(name, value)| format!("{name:<10}{}\n", visible(value))).collect()
    }
}

pub(super) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&[
        "SESSION", "STATE", "AGENT", "FOR", "CLUSTER", "BEGAN", "LENGTH", "CALLS", "STREAMS", "SIZE",
    ]);
    for row in rows {
        let times = row.began.zip(row.last);
        let cells = [
            row.session.clone(),
            row.state.to_owned(),
            or_none(row.agent.as_ref()),
            or_none(row.delegator.as_ref()),
            or_none(row.cluster.as_ref()),
            or_none(row.began.map(|began| format!("{began:.0}"))),
            or_none(times.map(|(began, last)| span(began, last))),
            row.calls.to_string(),
            or_none(row.streams),
            or_none(row.bytes.map(bytes)),
        ];
        table.row(&cells.map(|cell| visible(&cell)));
    }
    table
}

fn or_none(cell: Option<impl ToString>) -> String {
    cell.map_or_else(|| "-".to_owned(), |cell| cell.to_string())
}
