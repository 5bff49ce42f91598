//! `portcullis session`: the people's side of the admin socket.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use identity::{AgentName, ClusterName, Delegator, Reason, SessionId};

use super::gate::{self, Gate};
use crate::{
    admin::{Because, ChangedSession, Client, OpenSession, OpenedSession, SessionView},
    kubeconfig,
    table::Table,
    terminal,
};

/// Open, list, freeze, thaw and revoke sessions of a running gate
///
/// A session is one run of one agent, for one human, on one cluster. It has a reason, an end and a kill switch. What sessions did and
/// were shown is read by `portcullis sessions`.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis session open --agent claude --for ada@example.com --cluster prod \\
      --reason 'find out why checkout is slow' --ttl 2h --kubeconfig claude.kubeconfig
  portcullis session list
  portcullis session freeze s-2g4kq7nd5wvx3jhc --reason 'why does it read those?'
  portcullis session revoke s-2g4kq7nd5wvx3jhc --why 'done for today'")]
pub(crate) enum SessionCommand {
    Open(Open),
    List(List),
    Freeze(Freeze),
    Thaw(Thaw),
    Revoke(Revoke),
}

/// Open a session and write its kubeconfig
#[derive(Debug, Args)]
pub(crate) struct Open {
    #[command(flatten)]
    gate: Gate,
    /// The agent, as the configuration names it
    #[arg(long, value_name = "NAME")]
    agent: AgentName,
    /// The human on whose behalf the agent runs
    #[arg(long = "for", value_name = "HUMAN")]
    delegator: Delegator,
    /// The cluster, as the configuration names it
    #[arg(long, value_name = "NAME")]
    cluster: ClusterName,
    /// What the agent is to do; recorded, never judged by
    #[arg(long, value_name = "TEXT")]
    reason: Reason,
    /// How long it lasts, as 30m or 8h
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = gate::seconds)]
    ttl: u32,
    /// The kubeconfig to write, for the agent's KUBECONFIG; `-` prints it
    #[arg(long, value_name = "FILE")]
    kubeconfig: PathBuf,
    /// Replace the file even if it is not one of ours
    #[arg(long)]
    force: bool,
}

/// List the active sessions
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    gate: Gate,
    /// Those that ended, too
    #[arg(long)]
    all: bool,
    /// How to print them
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// Stop a session at once, with its open watches, until it is thawed
///
/// Each of its calls is refused and told since when, by whom and why. It still ends when its time is over.
#[derive(Debug, Args)]
pub(crate) struct Freeze {
    #[command(flatten)]
    gate: Gate,
    /// The session, as `session list` shows it
    #[arg(value_name = "SESSION", value_parser = SessionId::parse)]
    id: SessionId,
    /// For the record, and for the agent to read
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    reason: Reason,
}

/// Let a frozen session go on, until its time is over
#[derive(Debug, Args)]
pub(crate) struct Thaw {
    #[command(flatten)]
    gate: Gate,
    /// The session, as `session list` shows it
    #[arg(value_name = "SESSION", value_parser = SessionId::parse)]
    id: SessionId,
}

/// End a session at once, with its open watches
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    #[command(flatten)]
    gate: Gate,
    /// The session, as `session list` shows it
    #[arg(value_name = "SESSION", value_parser = SessionId::parse)]
    id: SessionId,
    /// For the record
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    why: Reason,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Output {
    Table,
    Json,
}

impl SessionCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        gate::run(async {
            match self {
                Self::Open(command) => command.run().await,
                Self::List(command) => command.run().await,
                Self::Freeze(command) => command.run().await,
                Self::Thaw(command) => command.run().await,
                Self::Revoke(command) => command.run().await,
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Open {
    async fn run(self) -> anyhow::Result<()> {
        let printed = self.kubeconfig == Path::new("-");
        if !printed && !self.force {
            kubeconfig::may_write(&self.kubeconfig)?;
        }
        let client = self.gate.client()?;
        let wanted = OpenSession {
            agent: self.agent,
            delegator: self.delegator,
            cluster: self.cluster,
            reason: self.reason,
            ttl_seconds: self.ttl,
        };
        let opened = client.open(&wanted).await?;
        let text = kubeconfig::text(&opened);
        if printed {
            terminal::print(text)?;
            eprintln!("{}", summary(&opened));
            return Ok(());
        }
        if let Err(error) = kubeconfig::write(&self.kubeconfig, &text) {
            abandon(&client, &opened.session.id).await;
            return Err(error.into());
        }
        terminal::print_line(summary(&opened))?;
        let file = std::path::absolute(&self.kubeconfig)?;
        terminal::print_line(format_args!("Give the agent:  KUBECONFIG={}", file.display()))?;
        Ok(())
    }
}

/// Ends a session whose token reached nobody.
async fn abandon(client: &Client, id: &str) {
    if let (Ok(id), Ok(why)) = (SessionId::parse(id), Reason::parse("its kubeconfig could not be written"))
        && let Err(error) = client.revoke(&id, &Because { why }).await
    {
        eprintln!("session {id} could not be ended: {error}");
    }
}

fn summary(opened: &OpenedSession) -> String {
    let session = &opened.session;
    let SessionView { id, agent, delegator, cluster, expires_at, .. } = session;
    format!("Opened session {id} of {agent} for {delegator} on {cluster}, until {expires_at:.0}")
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let sessions = self.gate.client()?.list(self.all).await?;
        match self.output {
            Output::Json => terminal::print_line(serde_json::to_string_pretty(&sessions)?)?,
            Output::Table if sessions.is_empty() => {
                eprintln!(
                    "{}",
                    if self.all { "there are no sessions" } else { "there are no active sessions" }
                );
            }
            Output::Table => terminal::print(table(&sessions))?,
        }
        Ok(())
    }
}

fn table(sessions: &[SessionView]) -> Table {
    let mut table = Table::new(&["SESSION", "STATE", "AGENT", "FOR", "CLUSTER", "ENDS", "REASON"]);
    for session in sessions {
        let SessionView { id, state, agent, delegator, cluster, reason, .. } = session;
        let ends = session.revoked_at.unwrap_or(session.expires_at);
        table.row([id, state, agent, delegator, cluster, &format!("{ends:.0}"), reason]);
    }
    table
}

impl Revoke {
    async fn run(self) -> anyhow::Result<()> {
        let revoked = self.gate.client()?.revoke(&self.id, &Because { why: self.why }).await?;
        tell(revoked, "Revoked", "was over already")
    }
}

impl Freeze {
    async fn run(self) -> anyhow::Result<()> {
        let frozen = self.gate.client()?.freeze(&self.id, &Because { why: self.reason }).await?;
        tell(frozen, "Froze", "stays as it was")
    }
}

impl Thaw {
    async fn run(self) -> anyhow::Result<()> {
        let thawed = self.gate.client()?.thaw(&self.id).await?;
        tell(thawed, "Thawed", "was not frozen")
    }
}

fn tell(changed: ChangedSession, done: &str, needless: &str) -> anyhow::Result<()> {
    let SessionView { id, state, .. } = &changed.session;
    if changed.changed_now {
        terminal::print_line(format_args!("{done} session {id}"))?;
    } else {
        terminal::print_line(format_args!("Session {id} {needless} ({state})"))?;
    }
    match changed.unrecorded {
        None => Ok(()),
        Some(why) => Err(anyhow::anyhow!(why)).context("that is done, but the ledger does not tell of it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(id: &str, state: &str, revoked_at: Option<&str>) -> SessionView {
        SessionView {
            id: id.to_owned(),
            state: state.to_owned(),
            agent: "claude".to_owned(),
            delegator: "Ada Lovelace".to_owned(),
            cluster: "prod".to_owned(),
            reason: "find out why checkout is slow".to_owned(),
            created_at: "2026-11-23T06:00:00Z".parse().unwrap(),
            expires_at: "2026-11-23T07:00:00.123456Z".parse().unwrap(),
            revoked_at: revoked_at.map(|at| at.parse().unwrap()),
            revoked_by: None,
            revoked_why: None,
            frozen_at: None,
            frozen_by: None,
            frozen_why: None,
        }
    }

    #[test]
    fn the_table_lines_up() {
        let sessions = [
            view("s-2g4kq7nd5wvx3jhc", "active", None),
            view("s-bbbbbbbbbbbbbbbb", "frozen", None),
            view("s-aaaaaaaaaaaaaaaa", "revoked", Some("2026-11-23T06:30:00Z")),
        ];
        insta::assert_snapshot!(table(&sessions));
    }
}
