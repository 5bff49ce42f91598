//! `portcullis sessions show`.

use std::process::ExitCode;

use clap::Args;
use recording::{Session, record::Kind, record::Opened};
use serde::Serialize;

use super::{
    Form, FormArgument,
    list::Row,
    place::Place,
    print_json,
    state::State,
    timeline::{self, Answer, Call, Entry, Event, Stream},
    words::{bytes, command, span},
};
use crate::terminal::{self, visible};

/// Show what happened in a session: calls and answers, streams, approvals and refusals, and what is wrong with the recording
///
/// Exit code 1 if the recording is not what the ledger says.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The session, as `sessions list` shows it
    #[arg(value_name = "SESSION")]
    session: Session,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    form: FormArgument,
}

/// A session, as programs read it.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    #[serde(flatten)]
    row: Row,
    timeline: Vec<Entry>,
}

impl Show {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let (shown, state) = shown(&self.place, &self.session)?;
        match self.form.form {
            Form::Json => print_json(&shown)?,
            Form::Text => terminal::print(text(&shown))?,
        }
        Ok(if state.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// # Errors
/// There is no recording to be shown.
pub(super) fn shown(place: &Place, session: &Session) -> anyhow::Result<(Shown, State)> {
    let shelf = place.shelf_with(session)?;
    let recording = shelf.recording(session)?;
    // There is a recording, so there is a state.
    let state = shelf.state(session.as_str()).unwrap_or(State::Missing { segments: 0 });
    let row = Row::of(&shelf, session.to_string(), &state);
    Ok((Shown { row, timeline: timeline::of(&recording, shelf.beside()) }, state))
}

pub(super) fn text(shown: &Shown) -> String {
    let Shown { row, timeline } = shown;
    // Nothing of before a gate that was killed goes on.
    let goes_on =
        timeline.iter().rposition(|entry| matches!(entry.event, Event::Interrupted { .. })).unwrap_or(0);
    let open = |place: usize| row.state == "open" && place >= goes_on;
    let lines = timeline.iter().enumerate().map(|(place, entry)| visible(&line(entry, open(place))) + "\n");
    format!("{}\n{}", row.heading(), lines.collect::<String>())
}

/// `open`: what has no end yet may still get one.
fn line(entry: &Entry, open: bool) -> String {
    let told = match &entry.event {
        Event::Began => "-  the recording begins".to_owned(),
        Event::WentOn => "-  the recording goes on".to_owned(),
        Event::Stopped => "-  the recording is let go in good order".to_owned(),
        Event::Interrupted { torn } => {
            let torn = if *torn { "; a part of a segment was found, and removed" } else { "" };
            format!(
                "!  a gate was killed before this: what it had not sealed is lost, and its streams ended{torn}"
            )
        }
        Event::Call(call) => called(call, open),
        Event::Stream(stream) => streamed(entry, stream, open),
        Event::Told { leaf, what, .. } => format!("-  {leaf}: {what}"),
        Event::Encrypted { finding } => format!("-  {finding}"),
        Event::Amiss { finding } => format!("!  {finding}"),
    };
    let at = entry.at.map_or_else(|| "(no time)".to_owned(), |at| format!("{at:.3}"));
    format!("{at:<24}  {told}")
}

fn called(call: &Call, open: bool) -> String {
    let Call { call, act, sent, answer } = call;
    let act = act.as_deref().unwrap_or("a call whose beginning is lost");
    let sent = sent.map_or_else(String::new, |sent| format!(", {} sent", bytes(sent)));
    let answer = match answer {
        Some(Answer { status: 0, .. }) => "nothing was sent".to_owned(),
        Some(answer) => {
            let media = answer.media.as_ref().map_or_else(String::new, |media| format!(" {media}"));
            let shown = answer.shown.map_or_else(String::new, |shown| format!(", {} shown", bytes(shown)));
            format!("{}{media}{shown}", answer.status)
        }
        None if open => "no answer yet".to_owned(),
        None => "no answer is recorded".to_owned(),
    };
    format!("{call}  {act}{sent}: {answer}")
}

fn streamed(entry: &Entry, stream: &Stream, open: bool) -> String {
    let Stream { stream: number, opened, input, output, ended, .. } = stream;
    let (call, what) = match opened {
        Some(opened) => (opened.call.as_str(), described(opened)),
        None => ("-", "its beginning is lost".to_owned()),
    };
    let end = match ended {
        Some(ended) => {
            let length =
                entry.at.map_or_else(String::new, |began| format!(" after {}", span(began, ended.at)));
            format!("ended{length}: {}", ended.how)
        }
        None if open => "no end yet".to_owned(),
        None => "its end is lost".to_owned(),
    };
    // What is forwarded is not recorded: how it ended tells how much it was.
    let forwards = opened.as_ref().is_some_and(|opened| opened.kind == Kind::PortForward);
    let passed =
        if forwards { String::new() } else { format!(", {} in, {} out", bytes(*input), bytes(*output)) };
    format!("{call}  stream {number}: {what}{passed}; {end}")
}

/// `exec in web-1/app -n shop, with a terminal: sh -c ls`
pub(super) fn described(opened: &Opened) -> String {
    let Opened { kind, namespace, pod, container, argv, tty, .. } = opened;
    let kind = match kind {
        Kind::Exec => "exec",
        Kind::Attach => "attach",
        Kind::PortForward => "port-forward",
        Kind::Log => "log",
        Kind::Watch => "watch",
    };
    let container =
        container.as_ref().map_or_else(String::new, |container| format!("/{}", container.as_str()));
    let tty = if *tty { ", with a terminal" } else { "" };
    let argv = command(argv.iter());
    let argv = if argv.is_empty() { argv } else { format!(" `{argv}`") };
    format!("{kind}{argv} in {}{container} -n {}{tty}", pod.as_str(), namespace.as_str())
}
