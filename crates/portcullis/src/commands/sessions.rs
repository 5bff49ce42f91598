//! `portcullis sessions`: what sessions did and were shown, read from files alone. No gate needs to run, and one may.
//!
//! ```text
//! place ── the files, and told: what the ledger has of them ── state
//!            ├── list
//!            ├── timeline ── show
//!            ├── streams ── replay (harmless), export
//!            └── search
//! ```

mod beside;
mod erase;
mod export;
mod harmless;
mod list;
pub(in crate::commands) mod place;
mod replay;
mod search;
mod show;
mod state;
mod streams;
pub(in crate::commands) mod timeline;
mod told;
mod words;

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};

use crate::terminal::{self, visible};

/// List, show, replay, export, search and erase what sessions did and were shown
///
/// All but `erase` read files alone: the recordings, and the ledger, which each recording is held against. Nothing is
/// written, and the gate may run meanwhile. docs/replay.md tells more.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis sessions list
  portcullis sessions show s-2g4kq7nd5wvx3jhc
  portcullis sessions replay s-2g4kq7nd5wvx3jhc --stream 1 --speed 2
  portcullis sessions export s-2g4kq7nd5wvx3jhc --stream 1 -o shell.cast
  portcullis sessions search 'permission denied' --agent claude
  portcullis sessions show s-2g4kq7nd5wvx3jhc --identity recordings.key
  portcullis sessions list --data /mnt/copy/data --key gate.vkey
  portcullis sessions erase s-2g4kq7nd5wvx3jhc --why 'the customer asked'")]
pub(crate) enum SessionsCommand {
    List(list::List),
    Show(show::Show),
    Replay(replay::Replay),
    Export(export::Export),
    Search(search::Search),
    Erase(erase::Erase),
}

#[derive(Debug, Clone, Copy, Args)]
struct FormArgument {
    /// How to print it
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Form::Text)]
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
}

impl SessionsCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::List(command) => command.run(),
            Self::Show(command) => command.run(),
            Self::Replay(command) => command.run(),
            Self::Export(command) => command.run(),
            Self::Search(command) => command.run(),
            Self::Erase(command) => command.run(),
        }
    }
}

/// Prints JSON. On a terminal, what nobody would see is written out, which leaves it the same JSON.
fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(value)?;
    for line in json.lines() {
        if terminal::is_terminal() {
            terminal::print_line(visible(line))?;
        } else {
            terminal::print_line(line)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
