//! `portcullis ledger`: what happened, read and verified from files alone. No gate needs to run.

mod hidden;
mod proof;
mod read;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use ledger::{
    checkpoint::Checkpoint,
    note::Verifier,
    reader::Reader,
    verify::{self, Report},
};

use crate::terminal::{self, Colour, painted, visible};

/// The key that the ledger keeps beside itself.
pub(super) const KEY: &str = "ledger.vkey";

/// Verify, read and follow a ledger, offline
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis ledger verify data/ledger --key gate.vkey
  portcullis ledger verify data/ledger --key gate.vkey --since january.checkpoint   # a copy of data/ledger/checkpoint
  portcullis ledger show data/ledger 100..120
  portcullis ledger show data/ledger -o json | jq 'select(.type == \"refusal\")'
  portcullis ledger tail -f data/ledger
  portcullis ledger prove data/ledger 17 > leaf-17.tlog-proof
  portcullis ledger check-proof leaf-17.tlog-proof --key gate.vkey
  portcullis ledger match-body data/ledger 17 --key data/ledger.key < body.json")]
pub(crate) enum LedgerCommand {
    Verify(Verify),
    Show(read::Show),
    Tail(read::Tail),
    Prove(proof::Prove),
    CheckProof(proof::CheckProof),
    MatchBody(hidden::MatchBody),
}

/// Which ledger, and the key it is held against.
#[derive(Debug, Args)]
struct Log {
    /// The ledger's folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The log's public key, kept elsewhere; without it, the one in the folder is believed, which proves nothing
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Compute every hash again, check signatures, sequence and each call's outcome; exit code 1 if anything is wrong
///
/// The verdict is INTACT for what a signed checkpoint covers, and only when held against a --key that you kept; further
/// entries in the journal are told apart.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    log: Log,
    /// A `checkpoint` of this log that you kept: prove that nothing under it was cut off or rewritten since
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
}

impl LedgerCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Verify(command) => command.run(),
            Self::Show(command) => command.run(),
            Self::Tail(command) => command.run(),
            Self::Prove(command) => command.run(),
            Self::CheckProof(command) => command.run(),
            Self::MatchBody(command) => command.run(),
        }
    }
}

impl Log {
    fn verifier(&self) -> anyhow::Result<Verifier> {
        if !self.folder.is_dir() {
            bail!("`{}` is not a folder; a gate's ledger is `data/ledger`", self.folder.display());
        }
        verifier(&self.key.clone().unwrap_or_else(|| self.folder.join(KEY)))
    }

    fn reader(&self) -> anyhow::Result<Reader> {
        Ok(Reader::new(&self.folder, self.verifier()?))
    }
}

/// The key in a file.
pub(super) fn verifier(file: &Path) -> anyhow::Result<Verifier> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read the log's key `{}`", file.display()))?;
    Verifier::parse(text.trim()).with_context(|| format!("`{}`", file.display()))
}

impl Verify {
    fn run(self) -> anyhow::Result<ExitCode> {
        let verifier = self.log.verifier()?;
        let report = match &self.since {
            Some(file) => verify::verify_since(&self.log.folder, &verifier, &checkpoint(file, &verifier)?),
            None => verify::verify(&self.log.folder, &verifier),
        };
        let report = if self.log.key.is_some() { report } else { report.self_keyed() };
        let key = self.log.key.as_deref();
        terminal::print(shown(&report, key, terminal::colours()))?;
        Ok(if report.intact() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// A checkpoint that was kept. Nothing is verified against one that this log's key did not sign.
fn checkpoint(file: &Path, verifier: &Verifier) -> anyhow::Result<Checkpoint> {
    let note =
        fs::read(file).with_context(|| format!("cannot read the earlier checkpoint `{}`", file.display()))?;
    let opened = Checkpoint::open(&note, verifier).with_context(|| {
        format!("nothing was verified, since `{}` is no checkpoint of this log", file.display())
    })?;
    Ok(opened.checkpoint)
}

/// The report, with the last line coloured, and with what the verdict rests on.
fn shown(report: &Report, key: Option<&Path>, colours: bool) -> String {
    let text = report.to_string();
    let mut lines: Vec<String> = text.lines().map(visible).collect();
    let verdict = lines.pop().unwrap_or_default();
    lines.push(match key {
        Some(file) => format!("key         {}", file.display()),
        None => {
            "key         the one in the folder itself; give --key with one that you kept elsewhere".to_owned()
        }
    });
    lines.push(match (report.intact(), report.self_keyed) {
        (true, false) => painted(&verdict, Colour::Good, colours),
        // It holds together, and that is no evidence.
        (true, true) => verdict,
        (false, _) => painted(&verdict, Colour::Bad, colours),
    });
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests;
