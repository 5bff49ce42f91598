//! `portcullis approvals`: humans decide, from a terminal.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use anyhow::bail;
use approval::{Changes, Line};
use clap::{Args, Subcommand, ValueEnum};
use identity::Reason;

use super::gate::{self, Gate};
use crate::{
    admin::{ApprovalDetail, ApprovalView, Because},
    table::Table,
    terminal::{self, Colour, painted, visible},
};

/// See what waits for humans, and decide about it
///
/// Policy asks humans about some calls. The agent's tool waits meanwhile, or is told to come back. Who may decide stands under
/// `approvers` in the configuration, with their account on this machine.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis approvals list
  portcullis approvals show a-2g4kq7nd5wvx
  portcullis approvals approve a-2g4kq7nd5wvx
  portcullis approvals refuse a-2g4kq7nd5wvx --why 'not on a Friday'
  portcullis approvals wait a-2g4kq7nd5wvx")]
pub(crate) enum ApprovalsCommand {
    List(List),
    Show(Show),
    Approve(Approve),
    Refuse(Refuse),
    Wait(Wait),
}

/// List what waits for humans, oldest first
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    gate: Gate,
    /// What is decided and over, too; newest first
    #[arg(long)]
    all: bool,
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

/// Say yes, to this call as it is shown and to no other
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
            }
            .map(|()| ExitCode::SUCCESS)
        })
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let approvals = self.gate.client()?.approvals(self.all).await?;
        match self.output {
            Output::Json => terminal::print_line(visible(&serde_json::to_string(&approvals)?))?,
            Output::Text if approvals.is_empty() => {
                eprintln!("{}", if self.all { "nothing was ever asked" } else { "nothing waits for humans" });
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
            terminal::print(text(&client.approval(&self.id).await?, terminal::colours()))?;
            if !confirmed()? {
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
fn confirmed() -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("say `--yes` to approve without being asked");
    }
    eprint!("\nApprove exactly this? Type yes: ");
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

impl Wait {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let view = self.gate.client()?.decided(&self.id).await?;
        let how = if view.how.is_empty() { String::new() } else { format!(": {}", visible(&view.how)) };
        terminal::print_line(format_args!("{} is {}{how}", view.id, view.state))?;
        let approved = matches!(view.state.as_str(), "approved" | "consumed");
        Ok(if approved { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Everything an approver needs to know, for people. What agents wrote cannot move the cursor or hide anything.
fn text(detail: &ApprovalDetail, colours: bool) -> String {
    let ApprovalDetail { approval, bound, digest, shown } = detail;
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        let _infallible = writeln!(out, "{name:<10}{}", visible(value));
    };
    line("approval", &approval.id);
    line("what", &approval.act);
    let how = if approval.how.is_empty() { String::new() } else { format!(": {}", approval.how) };
    line("state", &format!("{}{how}", approval.state));
    line("agent", &format!("{} for {}", approval.agent, approval.delegator));
    line("session", &format!("{}: {}", approval.session, approval.reason));
    line("asked", &format!("{:.0}", approval.asked_at));
    if let Some(deadline) = approval.deadline {
        line("until", &format!("{deadline:.0}"));
    }
    for why in &shown.rules {
        line("rule", &format!("{}: {}", why.rule, why.reason));
    }
    for demand in &approval.demands {
        let text = format!("{} of {} by {}", demand.quorum, demand.approvers.join(", "), demand.rule);
        line("needs", &text);
    }
    for (who, when) in &approval.votes {
        line("yes", &format!("{who} at {when:.0}"));
    }
    line("request", &format!("{} {}", bound.method, bound.url));
    if let Some(target) = &bound.target {
        line("object", &format!("uid {} at version {}", target.uid, target.resource_version));
    }
    line("digest", digest);
    for effect in shown.effects() {
        line("effect", &effect);
    }
    out.push('\n');
    out.push_str(&changes(&shown.changes(), colours));
    out
}

fn changes(changes: &Changes, colours: bool) -> String {
    let Changes { lines, left_out } = changes;
    let mut out = String::new();
    for line in lines {
        let text = match line {
            Line::Same(line) => format!("  {}", visible(line)),
            Line::Added(line) => painted(&format!("+ {}", visible(line)), Colour::Good, colours),
            Line::Removed(line) => painted(&format!("- {}", visible(line)), Colour::Bad, colours),
            Line::Folded(lines) if lines.len() == 1 => "  (1 more line stays as it is)".to_owned(),
            Line::Folded(lines) => format!("  ({} more lines stay as they are)", lines.len()),
        };
        out.push_str(&text);
        out.push('\n');
    }
    if lines.is_empty() {
        out.push_str("nothing can be shown of what would change\n");
    }
    if !left_out.is_empty() {
        let _infallible =
            writeln!(out, "\nnot shown, since the API server sets it by itself: {}", left_out.join(", "));
    }
    out
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
