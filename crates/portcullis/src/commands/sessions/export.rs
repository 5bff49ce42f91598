//! `portcullis sessions export`.

use std::{
    fs::{self, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Args;
use recording::{
    Session,
    asciicast::{self, Exported},
    reader::Recording,
};

use super::{place::Place, streams, words::counted};
use crate::terminal;

/// Write a stream of a session as an asciicast (version 2), for terminal players
///
/// It has what was shown as it was, escape sequences included: to look at it in a terminal, `replay` is safe, and a player may not be.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The session, as `sessions list` shows it
    #[arg(value_name = "SESSION")]
    session: Session,
    /// The stream, as `sessions show` numbers it; not needed where there is only one
    #[arg(long, value_name = "N")]
    stream: Option<u32>,
    /// The file to write, which must not be there; without it, standard output
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    file: Option<PathBuf>,
    /// What the agent typed, too
    #[arg(long)]
    input: bool,
    #[command(flatten)]
    place: Place,
}

impl Export {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        if self.file.is_none() && terminal::is_terminal() {
            bail!("an asciicast is for a file: name one with -o FILE, or `replay` the stream here");
        }
        let recording = self.place.shelf()?.recording(&self.session)?;
        let stream = streams::choose(&recording, self.stream)?.stream;
        let exported = match &self.file {
            Some(file) => to_file(&recording, stream, self.input, file)?,
            None => asciicast::write(recording.stream(stream), self.input, io::stdout().lock())?,
        };
        eprintln!("{}", told(exported));
        Ok(ExitCode::SUCCESS)
    }
}

pub(super) fn to_file(
    recording: &Recording,
    stream: u32,
    input: bool,
    file: &Path,
) -> anyhow::Result<Exported> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let opened = match opened {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            bail!("nothing was written, since `{}` is there already: name another file", file.display())
        }
        opened => opened.with_context(|| format!("cannot write `{}`", file.display()))?,
    };
    let mut to = BufWriter::new(opened);
    let written = asciicast::write(recording.stream(stream), input, &mut to)
        .map_err(anyhow::Error::from)
        .and_then(|exported| to.flush().map(|()| exported).map_err(Into::into));
    if written.is_err() {
        // A part of it is not what was asked for.
        let _gone = fs::remove_file(file);
    }
    written.with_context(|| format!("`{}` was not written", file.display()))
}

pub(super) fn told(exported: Exported) -> String {
    let Exported { events, findings } = exported;
    let events = counted(events, "event");
    match findings {
        0 => events,
        findings => format!(
            "{events}; {} in the recording, each a marker in the file: `portcullis sessions show` tells more",
            counted(findings, "finding")
        ),
    }
}
