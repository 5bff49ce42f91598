//! `portcullis approvals`: humans decide, from a terminal.

pub(in crate::commands) mod text;

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use anyhow::bail;
use approval::{Bound, Subject};
use clap::{Args, Subcommand, ValueEnum};
use identity::Reason;

use self::text::text;
use super::gate::{self, Gate};
use crate::{
    admin::{ApprovalView, Because},
    table::Table,
    terminal::{self, visible},
};

/// See what waits for humans, and decide about it
///
/// Policy asks humans about some calls. The agent's tool waits meanwhile, or is told to come back. Agents can also ask ahead, about several
/// changes or for access. Who may decide stands under
/// `approvers` in the configuration, with their account on this machine.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis approvals list
  portcullis approvals show a-2g4kq7nd5wvx
  portcullis approvals approve a-2g4kq7nd5wvx
  portcullis approvals refuse a-2g4kq7nd5wvx --why 'not on a Friday'
  portcullis approvals wait a-2g4kq7nd5wvx
  portcullis approvals end a-2g4kq7nd5wvx --why 'the roll-out is over'
  portcullis approvals list --unreviewed
  portcullis approvals review a-2g4kq7nd5wvx --found 'it did what the incident needed'")]
pub(crate) enum ApprovalsCommand {
    List(List),
    Show(Show),
    Approve(Approve),
    Refuse(Refuse),
    Wait(Wait),
    End(End),
    Review(Review),
}

/// List what waits for humans, oldest first
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    gate: Gate,
    /// What is decided and over, too; newest first
    #[arg(long)]
    all: bool,
    /// Only where the glass was broken, and nobody has signed off what was done
    #[arg(long, conflicts_with = "all")]
    unreviewed: bool,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Show who asks for what, which rules ask, and what would change
#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    gate: Gate,
    /// The approval, as `approvals list` shows it
    #[arg(value_name = "APPROVAL", value_parser = id)]
    id: String,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Say yes, to exactly what is shown
#[derive(Debug, Args)]
pub(crate) struct Approve {
    #[command(flatten)]
    gate: Gate,
    /// The approval, as `approvals list` shows it
    #[arg(value_name = "APPROVAL", value_parser = id)]
    id: String,
    /// Do not show it and ask again
    #[arg(long)]
    yes: bool,
}

/// Say no, for good
#[derive(Debug, Args)]
pub(crate) struct Refuse {
    #[command(flatten)]
    gate: Gate,
    /// The approval, as `approvals list` shows it
    #[arg(value_name = "APPROVAL", value_parser = id)]
    id: String,
    /// For the agent to read, and for the record
    #[arg(long, value_name = "TEXT")]
    why: Reason,
}

/// Wait until it is decided; the exit code is 0 if it was approved
#[derive(Debug, Args)]
pub(crate) struct Wait {
    #[command(flatten)]
    gate: Gate,
    /// The approval, as the refusal named it
    #[arg(value_name = "APPROVAL", value_parser = id)]
    id: String,
}

/// End what can still be used: access, or changes that were not made yet
///
/// Whoever has an account here may take away what others gave.
#[derive(Debug, Args)]
pub(crate) struct End {
    #[command(flatten)]
    gate: Gate,
    /// The approval, as `approvals list` shows it
    #[arg(value_name = "APPROVAL", value_parser = id)]
    id: String,
    /// For the record
    #[arg(long, value_name = "TEXT")]
    why: Reason,
}

/// Sign off what was done by breaking the glass, once it is over
///
/// By one of `approvals.break_glass.reviewers` in the configuration, and never by who broke it.
#[derive(Debug, Args)]
pub(crate) struct Review {
    #[command(flatten)]
    gate: Gate,
    /// The approval, as `approvals list --unreviewed` shows it
    #[arg(value_name = "APPROVAL", value_parser = id)]
    id: String,
    /// What you found, for the record
    #[arg(long, value_name = "TEXT")]
    found: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

impl ApprovalsCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        gate::run(async {
            match self {
                Self::List(command) => command.run().await,
                Self::Show(command) => command.run().await,
                Self::Approve(command) => command.run().await,
                Self::Refuse(command) => command.run().await,
                Self::Wait(command) => return command.run().await,
                Self::End(command) => command.run().await,
                Self::Review(command) => command.run().await,
            }
            .map(|()| ExitCode::SUCCESS)
        })
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let client = self.gate.client()?;
        let approvals = match self.unreviewed {
            true => client.unreviewed().await?,
            false => client.approvals(self.all).await?,
        };
        match self.output {
            Output::Json => terminal::print_line(visible(&serde_json::to_string(&approvals)?))?,
            Output::Text if approvals.is_empty() => {
                eprintln!(
                    "{}",
                    match (self.all, self.unreviewed) {
                        (true, _) => "nothing was ever asked",
                        (false, true) => "nothing is to be signed off",
                        (false, false) => "nothing waits for humans",
                    }
                );
            }
            Output::Text => terminal::print(table(&approvals))?,
        }
        Ok(())
    }
}

fn table(approvals: &[ApprovalView]) -> Table {
    let mut table = Table::new(&["APPROVAL", "STATE", "ASKED", "UNTIL", "AGENT", "FOR", "WHAT"]);
    for approval in approvals {
        let ApprovalView { id, state, agent, delegator, act, asked_at, deadline, .. } = approval;
        let until = deadline.map_or_else(|| "-".to_owned(), |deadline| format!("{deadline:.0}"));
        let (asked, delegator, act) = (format!("{asked_at:.0}"), visible(delegator), visible(act));
        table.row([id, state, &asked, &until, agent, &delegator, &act]);
    }
    table
}

impl Show {
    async fn run(self) -> anyhow::Result<()> {
        let detail = self.gate.client()?.approval(&self.id).await?;
        match self.output {
            Output::Json => terminal::print_line(visible(&serde_json::to_string(&detail)?))?,
            Output::Text => terminal::print(text(&detail, terminal::colours()))?,
        }
        Ok(())
    }
}

impl Approve {
    async fn run(self) -> anyhow::Result<()> {
        let client = self.gate.client()?;
        if !self.yes {
            let detail = client.approval(&self.id).await?;
            terminal::print(text(&detail, terminal::colours()))?;
            if !confirmed(&detail.bound)? {
                bail!("nothing was decided");
            }
        }
        let detail = client.approve(&self.id).await?;
        let ApprovalView { id, missing, .. } = &detail.approval;
        if !missing.is_empty() {
            let one = |(lacking, rule): &(u32, String)| format!("{lacking} more by {rule}");
            let missing: Vec<String> = missing.iter().map(one).collect();
            let line = format!("You approved {id}; it still needs {}", missing.join(", "));
            return Ok(terminal::print_line(visible(&line))?);
        }
        Ok(terminal::print_line(format_args!("You approved {id}"))?)
    }
}

/// Asks a person; a program has to say `--yes`.
fn confirmed(bound: &Bound) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("say `--yes` to approve without being asked");
    }
    let question = match bound.subject {
        Subject::Call(_) => "Approve exactly this?",
        Subject::Changes(_) => "Approve all of these changes?",
        Subject::Access(_) => "Give this access?",
    };
    eprint!("\n{question} Type yes: ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

impl Refuse {
    async fn run(self) -> anyhow::Result<()> {
        let detail = self.gate.client()?.refuse(&self.id, &Because { why: self.why }).await?;
        Ok(terminal::print_line(format_args!("You refused {}", detail.approval.id))?)
    }
}

impl End {
    async fn run(self) -> anyhow::Result<()> {
        let detail = self.gate.client()?.end(&self.id, &Because { why: self.why }).await?;
        Ok(terminal::print_line(format_args!("You ended {}", detail.approval.id))?)
    }
}

impl Review {
    async fn run(self) -> anyhow::Result<()> {
        let detail = self.gate.client()?.review(&self.id, &Because { why: self.found }).await?;
        Ok(terminal::print_line(format_args!("You signed off {}", detail.approval.id))?)
    }
}

impl Wait {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let view = self.gate.client()?.decided(&self.id).await?;
        let how = if view.how.is_empty() { String::new() } else { format!(": {}", visible(&view.how)) };
        terminal::print_line(format_args!("{} is {}{how}", view.id, view.state))?;
        let approved = matches!(view.state.as_str(), "approved" | "consumed");
        Ok(if approved { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn id(text: &str) -> Result<String, String> {
    let fits = text.strip_prefix("a-").is_some_and(|rest| {
        !rest.is_empty() && rest.len() <= 40 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    if fits {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` is no approval; it looks like a-2g4kq7nd5wvx"))
    }
}

#[cfg(test)]
mod tests;
