//! `portcullis sessions search`.

use std::{process::ExitCode, time::Duration};

use anyhow::bail;
use clap::Args;
use jiff::Timestamp;
use recording::{
    Session,
    reader::{Finding, Hit, Needle, Recording},
    record::Channel,
};
use serde::Serialize;

use super::{Form, FormArgument, place::Place, place::Shelf, timeline, words::counted};
use crate::{
    config::suggestion,
    terminal::{self, Colour, painted, visible},
};

/// Search what streams showed, in all recordings or some; exit code 1 if nothing is found
///
/// Text is found as it was shown, colours and pieces aside, within one line. Upper and lower case differ.
#[derive(Debug, Args)]
pub(crate) struct Search {
    /// What is searched for
    #[arg(value_name = "TEXT")]
    text: String,
    /// In this session; may be repeated
    #[arg(long = "session", value_name = "SESSION")]
    sessions: Vec<Session>,
    /// In sessions of this agent; may be repeated
    #[arg(long = "agent", value_name = "NAME")]
    agents: Vec<String>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    form: FormArgument,
}

/// Where something was found.
#[derive(Debug, Serialize)]
pub(super) struct Found<'a> {
    session: &'a Session,
    at: Timestamp,
    stream: u32,
    channel: Channel,
    before: String,
    found: &'a str,
    after: String,
}

impl Search {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let needle: Needle = self.text.parse()?;
        let shelf = self.place.shelf()?;
        let recordings = chosen(&shelf, &self.sessions, &self.agents)?;
        let colours = terminal::colours();
        let (mut hits, mut unread) = (0_u64, 0_u64);
        for recording in &recordings {
            unread += u64::from(in_one(
                recording,
                &self.text,
                &needle,
                |found| {
                    hits += 1;
                    match self.form.form {
                        Form::Text => terminal::print_line(line(&found, colours))?,
                        // A line each.
                        Form::Json => terminal::print_line(json(&found)?)?,
                    }
                    Ok(())
                },
                |finding| eprintln!("{finding}"),
            )?);
        }
        if hits == 0 {
            let but = match unread {
                0 => String::new(),
                unread => format!("; what is encrypted in {unread} of them was not searched"),
            };
            eprintln!("nothing was found in {}{but}", counted(recordings.len() as u64, "recording"));
        }
        Ok(if hits == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// The recordings of these sessions and of these agents' sessions; all of them where none is named.
///
/// # Errors
/// One that is named is not there.
pub(super) fn chosen(
    shelf: &Shelf,
    sessions: &[Session],
    agents: &[String],
) -> anyhow::Result<Vec<Recording>> {
    let mut recordings: Vec<Recording> = if sessions.is_empty() {
        shelf.readable().collect()
    } else {
        sessions.iter().map(|session| shelf.recording(session)).collect::<Result<_, _>>()?
    };
    let known: Vec<&str> =
        recordings.iter().filter_map(|recording| shelf.agent(recording.session())).collect();
    if let Some(unknown) = agents.iter().find(|agent| !known.contains(&agent.as_str())) {
        let mut known = known.clone();
        known.sort_unstable();
        known.dedup();
        bail!("no recording is of agent `{unknown}`; {}", suggestion(unknown, known.into_iter()));
    }
    recordings.retain(|recording| {
        let agent = shelf.agent(recording.session());
        agents.is_empty() || agent.is_some_and(|agent| agents.iter().any(|wanted| wanted == agent))
    });
    Ok(recordings)
}

/// Tells each hit in a recording, and what is wrong with it; answers whether some of it is encrypted to others.
pub(super) fn in_one(
    recording: &Recording,
    text: &str,
    needle: &Needle,
    mut hit: impl FnMut(Found<'_>) -> anyhow::Result<()>,
    mut wrong: impl FnMut(String),
) -> anyhow::Result<bool> {
    let mut encrypted = false;
    let session = recording.session();
    let mut search = recording.search(needle.clone());
    while let Some(next) = search.next() {
        match next {
            Ok(Hit { stream, channel, at, before, after }) => {
                let began = search.began().unwrap_or_default();
                let at = began.checked_add(Duration::from_micros(at)).unwrap_or(began);
                hit(Found { session, at, stream, channel, before, found: text, after })?;
            }
            Err(finding) => {
                encrypted |= matches!(finding, Finding::Encrypted { .. });
                let told = timeline::told(&finding, recording.untold());
                wrong(visible(&format!("{session}: {told}")));
            }
        }
    }
    Ok(encrypted)
}

/// One hit on one line, what was found marked.
pub(super) fn line(found: &Found<'_>, colours: bool) -> String {
    let Found { session, at, stream, before, found, after, .. } = found;
    let marked =
        if colours { painted(&visible(found), Colour::Bad, true) } else { format!("»{}«", visible(found)) };
    format!("{session}  {at:.3}  stream {stream}  {}{marked}{}", visible(before), visible(after))
}

fn json(found: &Found<'_>) -> anyhow::Result<String> {
    let json = serde_json::to_string(found)?;
    Ok(if terminal::is_terminal() { visible(&json) } else { json })
}
