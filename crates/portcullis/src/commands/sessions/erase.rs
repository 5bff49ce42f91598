//! `portcullis sessions erase`.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use identity::{Reason, SessionId};

use super::words::{bytes, counted};
use crate::{
    admin::{Because, ErasedRecording},
    commands::gate::{self, Gate},
    terminal,
};

/// Erase the recording of a session; the running gate does it, and the ledger tells by whom and why
///
/// What the session showed is gone for good, and that it was there is not. Nothing of the session can go on after that: revoke it first.
#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// The session, as `sessions list` shows it
    #[arg(value_name = "SESSION", value_parser = SessionId::parse)]
    session: SessionId,
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT")]
    why: Reason,
    #[command(flatten)]
    gate: Gate,
}

impl Erase {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let because = Because { why: self.why };
        let erased = gate::run(async { Ok(self.gate.client()?.erase(&self.session, &because).await?) })?;
        terminal::print_line(told(&erased))?;
        match erased.unrecorded {
            None => Ok(ExitCode::SUCCESS),
            Some(why) => Err(anyhow::anyhow!(why)).context(
                "that is done, but the ledger does not tell of it yet; the gate tries again within an hour",
            ),
        }
    }
}

pub(super) fn told(erased: &ErasedRecording) -> String {
    let recording::Tombstone { session, segments, bytes: size, at, .. } = &erased.erased;
    format!(
        "Erased the recording of {session} at {at:.0}: {}, {}",
        counted(*segments, "segment"),
        bytes(*size)
    )
}
