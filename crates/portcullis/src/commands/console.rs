//! `portcullis console`: the way into the browser.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::gate::{self, Gate};
use crate::terminal;

/// Decide in a browser
///
/// The console shows what waits for humans, sessions, refusals, the policy in force and the ledger.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis console login
  xdg-open \"$(portcullis console login)\"")]
pub(crate) enum ConsoleCommand {
    Login(Login),
}

/// Print a link that signs you in, once and within five minutes
///
/// Who you are is told by your account on this machine: it stands beside your name under `approvers` in the configuration.
#[derive(Debug, Args)]
pub(crate) struct Login {
    #[command(flatten)]
    gate: Gate,
}

impl ConsoleCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let Self::Login(Login { gate }) = self;
        gate::run(async {
            let link = gate.client()?.console_link().await?;
            // The link alone on standard output, for programs that open it.
            if terminal::is_terminal() {
                eprintln!("Signs in {}, once, until {:.0}:", link.who, link.until);
            }
            terminal::print_line(link.url)?;
            Ok(ExitCode::SUCCESS)
        })
    }
}
