//! `portcullis ledger show` and `tail`: leaves for people and for programs.
//!
//! Leaves that no checkpoint covers yet are told apart in both forms: nobody may take one for a leaf that was signed.

use std::{ops::Range, process::ExitCode, time::Duration};

use chronicle::story;
use clap::{Args, ValueEnum};
use ledger::{
    leaf::Leaf,
    reader::{Extent, ReadError, Reader, Stored},
};

use super::Log;
use crate::terminal::{self, visible};

/// A new checkpoint comes about once a second.
const POLL: Duration = Duration::from_millis(500);
/// Leaves taken at once while following.
const BATCH: u64 = 1_000;

/// Print leaves: one, a range, or all
///
/// The newest may be durable and not under a signed checkpoint yet, which takes about a second. They are marked `(not
/// yet sealed)` in text, and stand inside `{"unsealed":…}` in JSON.
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

/// Print the newest leaves; with -f, go on as more come
///
/// Leaves not under a signed checkpoint yet are marked as by `show`. With -f, each is printed once a checkpoint
/// covers it, within about a second.
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

/// Whether a signed checkpoint covers a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seal {
    Sealed,
    Unsealed,
}

impl Show {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let reader = self.log.reader()?;
        let extent = reader.extent()?;
        let (size, beyond) = (extent.sealed, extent.unsealed.len() as u64);
        let single = self.range.end.checked_sub(self.range.start) == Some(1);
        if single && self.range.start >= size.saturating_add(beyond) {
            return Err(ReadError::OutOfRange { index: self.range.start, size }.into());
        }
        print(&reader, &extent, &self.range, self.form.chosen())?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Tail {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let reader = self.log.reader()?;
        let form = self.form.chosen();
        if self.follow {
            return follow(&reader, self.lines, form);
        }
        let extent = reader.extent()?;
        let end = extent.sealed.saturating_add(extent.unsealed.len() as u64);
        print(&reader, &extent, &(end.saturating_sub(self.lines)..end), form)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Never ends but by an error, such as a reader that went away.
fn follow(reader: &Reader, lines: u64, form: Form) -> anyhow::Result<ExitCode> {
    let size = reader.checkpoint()?.checkpoint.size;
    let mut tail = reader.tail(size.saturating_sub(lines));
    loop {
        let leaves = tail.poll(BATCH)?;
        for leaf in &leaves {
            form.print(leaf, Seal::Sealed)?;
        }
        if leaves.is_empty() {
            std::thread::sleep(POLL);
        }
    }
}

/// Prints the leaves of a range, and says on standard error how many of them nothing vouches for yet.
fn print(reader: &Reader, extent: &Extent, range: &Range<u64>, form: Form) -> anyhow::Result<()> {
    for leaf in reader.leaves(range.start..range.end.min(extent.sealed))? {
        form.print(&leaf?, Seal::Sealed)?;
    }
    let beyond: Vec<&Stored> = extent.unsealed.iter().filter(|leaf| range.contains(&leaf.index)).collect();
    for leaf in &beyond {
        form.print(leaf, Seal::Unsealed)?;
    }
    if let Some(first) = beyond.first() {
        let (count, from) = (beyond.len(), first.index);
        eprintln!(
            "not sealed yet: {count} of these leaves, from {from} on; nothing proves them until a signed checkpoint \
             covers them"
        );
    }
    Ok(())
}

impl FormArgument {
    fn chosen(self) -> Form {
        self.form.unwrap_or_else(|| if terminal::is_terminal() { Form::Text } else { Form::Json })
    }
}

impl Form {
    fn print(self, leaf: &Stored, seal: Seal) -> anyhow::Result<()> {
        let text = match self {
            Self::Json if terminal::is_terminal() => visible(&json(leaf, seal)),
            Self::Json => json(leaf, seal),
            Self::Text => line(leaf, seal),
        };
        terminal::print_line(text)?;
        Ok(())
    }
}

/// A leaf as it was signed; or, inside an object of another form, as it will be.
pub(super) fn json(leaf: &Stored, seal: Seal) -> String {
    let json = String::from_utf8_lossy(&leaf.json);
    match seal {
        Seal::Sealed => json.into_owned(),
        Seal::Unsealed => format!("{{\"unsealed\":{json}}}"),
    }
}

/// One leaf on one line.
pub(super) fn line(stored: &Stored, seal: Seal) -> String {
    let index = stored.index;
    let mark = match seal {
        Seal::Sealed => "",
        Seal::Unsealed => "(not yet sealed) ",
    };
    match Leaf::parse(&stored.json) {
        Ok(leaf) => {
            let told = visible(&story::of(&leaf.event));
            format!("{index:>7}  {:.3}  {:<15}  {mark}{told}", leaf.time, leaf.event.kind().to_string())
        }
        Err(error) => format!("{index:>7}  {mark}{}", visible(&error.to_string())),
    }
}

pub(super) fn range(text: &str) -> Result<Range<u64>, String> {
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
