//! `portcullis ledger`: what happened, read and verified from files alone. No gate needs to run.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use ledger::{
    leaf::Leaf,
    note::Verifier,
    reader::{Reader, Stored},
    verify::{self, Report},
};

use crate::{
    story,
    terminal::{self, Colour, painted, visible},
};

/// The key that the ledger keeps beside itself.
const KEY: &str = "ledger.vkey";
/// A new checkpoint comes about once a second.
const POLL: Duration = Duration::from_millis(500);
/// Leaves taken at once while following.
const BATCH: u64 = 1_000;

/// Verify, read and follow a ledger, offline
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis ledger verify data/ledger --key gate.vkey
  portcullis ledger show data/ledger 100..120
  portcullis ledger show data/ledger -o json | jq 'select(.type == \"refusal\")'
  portcullis ledger tail -f data/ledger
  portcullis ledger prove data/ledger 17 > leaf-17.tlog-proof")]
pub(crate) enum LedgerCommand {
    Verify(Verify),
    Show(Show),
    Tail(Tail),
    Prove(Prove),
}

/// Which ledger, and the key it is held against.
#[derive(Debug, Args)]
struct Log {
    /// The ledger's folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The log's public key, kept elsewhere; without it, the one in the folder is believed
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Compute every hash again, check signatures, sequence and each call's outcome; exit code 1 if anything is wrong
#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    log: Log,
}

/// Print leaves: one, a range, or all
#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    log: Log,
    /// `17`, `17..42`, `17..` or `..42`; the end is not included
    #[arg(value_name = "RANGE", value_parser = range, default_value = "..")]
    range: Range<u64>,
    #[command(flatten)]
    form: FormArgument,
}

/// Print the newest leaves, and go on as more come
#[derive(Debug, Args)]
pub(crate) struct Tail {
    #[command(flatten)]
    log: Log,
    /// Go on until interrupted
    #[arg(short, long)]
    follow: bool,
    /// How many to begin with
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 10)]
    lines: u64,
    #[command(flatten)]
    form: FormArgument,
}

/// Print a proof that a leaf is in the log (C2SP tlog-proof), which needs no log to be verified
#[derive(Debug, Args)]
pub(crate) struct Prove {
    #[command(flatten)]
    log: Log,
    /// The leaf
    #[arg(value_name = "INDEX")]
    index: u64,
}

#[derive(Debug, Clone, Copy, Args)]
struct FormArgument {
    /// By default `text` on a terminal, and `json`, a leaf a line, elsewhere
    #[arg(short = 'o', long = "output", value_enum)]
    form: Option<Form>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
}

impl LedgerCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Verify(command) => command.run(),
            Self::Show(command) => command.run(),
            Self::Tail(command) => command.run(),
            Self::Prove(command) => command.run(),
        }
    }
}

impl Log {
    fn verifier(&self) -> anyhow::Result<Verifier> {
        if !self.folder.is_dir() {
            bail!("`{}` is not a folder; a gate's ledger is `data/ledger`", self.folder.display());
        }
        let file = self.key.clone().unwrap_or_else(|| self.folder.join(KEY));
        let text = fs::read_to_string(&file)
            .with_context(|| format!("cannot read the log's key `{}`", file.display()))?;
        Verifier::parse(text.trim()).with_context(|| format!("`{}`", file.display()))
    }

    fn reader(&self) -> anyhow::Result<Reader> {
        Ok(Reader::new(&self.folder, self.verifier()?))
    }
}

impl Verify {
    fn run(self) -> anyhow::Result<ExitCode> {
        let report = verify::verify(&self.log.folder, &self.log.verifier()?);
        let key = self.log.key.as_deref();
        terminal::print(shown(&report, key, terminal::colours()))?;
        Ok(if report.intact() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
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
    let colour = if report.intact() { Colour::Good } else { Colour::Bad };
    lines.push(painted(&verdict, colour, colours));
    lines.push(String::new());
    lines.join("\n")
}

impl Show {
    fn run(self) -> anyhow::Result<ExitCode> {
        let reader = self.log.reader()?;
        let form = self.form.chosen();
        if self.range.end.checked_sub(self.range.start) == Some(1) {
            form.print(&reader.leaf(self.range.start)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        for leaf in reader.leaves(self.range)? {
            form.print(&leaf?)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Tail {
    fn run(self) -> anyhow::Result<ExitCode> {
        let reader = self.log.reader()?;
        let form = self.form.chosen();
        let size = reader.checkpoint()?.checkpoint.size;
        let mut tail = reader.tail(size.saturating_sub(self.lines));
        loop {
            let leaves = tail.poll(BATCH)?;
            for leaf in &leaves {
                form.print(leaf)?;
            }
            match (leaves.is_empty(), self.follow) {
                (true, false) => return Ok(ExitCode::SUCCESS),
                (true, true) => std::thread::sleep(POLL),
                (false, _) => {}
            }
        }
    }
}

impl Prove {
    fn run(self) -> anyhow::Result<ExitCode> {
        let proof = self.log.reader()?.prove(self.index)?;
        terminal::print(proof)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl FormArgument {
    fn chosen(self) -> Form {
        self.form.unwrap_or_else(|| if terminal::is_terminal() { Form::Text } else { Form::Json })
    }
}

impl Form {
    fn print(self, leaf: &Stored) -> anyhow::Result<()> {
        let json = String::from_utf8_lossy(&leaf.json);
        match self {
            Self::Json if terminal::is_terminal() => terminal::print_line(visible(&json))?,
            Self::Json => terminal::print_line(json)?,
            Self::Text => terminal::print_line(line(leaf))?,
        }
        Ok(())
    }
}

/// One leaf on one line.
fn line(stored: &Stored) -> String {
    let index = stored.index;
    match Leaf::parse(&stored.json) {
        Ok(leaf) => {
            let told = visible(&story::of(&leaf.event));
            format!("{index:>7}  {:.3}  {:<15}  {told}", leaf.time, leaf.event.kind().to_string())
        }
        Err(error) => format!("{index:>7}  {}", visible(&error.to_string())),
    }
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let wrong = || format!("`{text}` is no range; write `17`, `17..42`, `17..` or `..42`");
    let number = |text: &str, otherwise| {
        if text.is_empty() { Ok(otherwise) } else { text.parse().map_err(|_| wrong()) }
    };
    match text.split_once("..") {
        Some((from, to)) => Ok(number(from, 0)?..number(to, u64::MAX)?),
        None => {
            let index: u64 = text.parse().map_err(|_| wrong())?;
            Ok(index..index.checked_add(1).ok_or_else(wrong)?)
        }
    }
}

#[cfg(test)]
mod tests;
