//! `portcullis undo`: puts back what a session changed.

mod text;

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
    time::Duration,
};

use agent::Endpoint;
use anyhow::{Context, bail};
use clap::Args;
use identity::{AgentName, Delegator, Reason, SessionId};
use recording::Session;
use undo::{History, Look, Plan};

use super::{
    gate,
    sessions::{
        place::{Place, Shelf},
        timeline::ENCRYPTED,
    },
};
use crate::{
    admin::{Because, Client, OpenSession, OpenedSession},
    terminal,
};

/// For how long the end of a recording is waited for, and how often it is looked for.
const END_WITHIN: u32 = 10;
const A_WHILE: Duration = Duration::from_millis(500);
/// Longer than any undo waits for humans.
const TTL_SECONDS: u32 = 2 * 60 * 60;

/// Put back what a session changed, from its recording
///
/// What it made is deleted, what it deleted is made anew, what it changed is changed back: in reverse, each object once, and only
/// where nobody else changed it since. This runs through the gate like any agent, in a session of its own: policy judges it, humans are
/// asked if policy asks (about all of it at once), and it is recorded. The session that is undone must be over, or frozen.
///
/// Masked values (of Secrets, above all) are put back by the gate itself where it kept them (`recordings.values` in its configuration); nobody is
/// shown them. Otherwise what held them is told, and left.
///
/// The exit code is 0 if all that the session changed is as it was before, and 1 otherwise. docs/undo.md tells what cannot be undone.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portcullis undo s-2g4kq7nd5wvx3jhc --for ada@example.com --dry-run
  portcullis undo s-2g4kq7nd5wvx3jhc --for ada@example.com --reason 'INC-4711'
  portcullis undo s-2g4kq7nd5wvx3jhc --for ada@example.com --agent undo --partly --yes")]
pub(crate) struct Undo {
    /// The session, as `sessions list` shows it
    #[arg(value_name = "SESSION")]
    session: Session,
    /// The human on whose behalf it is undone, who does not decide about it
    #[arg(long = "for", value_name = "HUMAN")]
    delegator: Delegator,
    /// The agent as which it is undone; without it, the one of the session
    #[arg(long, value_name = "NAME")]
    agent: Option<AgentName>,
    /// What for, for those who decide and for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<Reason>,
    /// Look at everything, show what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Undo the rest if something cannot be undone
    #[arg(long)]
    partly: bool,
    /// Put no masked values back, though the gate kept them: they stay as they are now
    #[arg(long)]
    without_values: bool,
    /// Do not ask before anything is sent
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    place: Place,
}

/// The session in which it is undone.
struct Within<'a> {
    admin: &'a Client,
    opened: OpenedSession,
}

impl Undo {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (plan, shelf) = self.plan()?;
        if plan.encrypted {
            bail!("the recording of `{}` is encrypted, and cannot be read: {ENCRYPTED}", self.session);
        }
        if plan.is_empty() {
            terminal::print(text::plan(&plan))?;
            return Ok(if plan.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        let opening = self.opening(&shelf)?;
        gate::run(self.undo(&self.place.gate()?, &plan, opening))
    }

    async fn must_be_over(&self, admin: &Client) -> anyhow::Result<()> {
        let going_on = admin.list(false).await?;
        if going_on.iter().any(|open| open.id == self.session.as_str() && open.state == "active") {
            bail!(
                "the session `{0}` goes on: end it with `portcullis session revoke {0}`, or stop it with `… freeze {0}`",
                self.session
            );
        }
        Ok(())
    }

    /// What undoes the session. Of one that is just over, the end of the recording is waited for.
    fn plan(&self) -> anyhow::Result<(Plan, Shelf)> {
        let mut waits = 0..END_WITHIN;
        loop {
            let shelf = self.place.shelf()?;
            let recording = shelf.recording(&self.session)?;
            if let Some(amiss) = shelf.amiss(&self.session) {
                bail!(
                    "the recording of `{}` is not what the ledger says: {amiss}; `portcullis sessions show` tells more",
                    self.session
                );
            }
            let history = History::of(&recording);
            let plan = Plan::of(if self.without_values { history.without_values() } else { history });
            if plan.ended || plan.encrypted || waits.next().is_none() {
                return Ok((plan, shelf));
            }
            gate::run(self.must_be_over(&self.place.gate()?))?;
            std::thread::sleep(A_WHILE);
        }
    }

    fn opening(&self, shelf: &Shelf) -> anyhow::Result<OpenSession> {
        let opened = shelf.opened(&self.session);
        let opened =
            opened.with_context(|| format!("the ledger does not tell how `{}` was opened", self.session))?;
        let agent = match &self.agent {
            Some(agent) => agent.clone(),
            None => AgentName::parse(opened.agent.as_str())?,
        };
        let cluster = identity::ClusterName::parse(opened.cluster.as_str())?;
        let reason = match &self.reason {
            Some(reason) => Reason::parse(&format!("undo {}: {}", self.session, reason.as_str()))?,
            None => Reason::parse(&format!("undo {}", self.session))?,
        };
        Ok(OpenSession {
            agent,
            delegator: self.delegator.clone(),
            cluster,
            reason,
            ttl_seconds: TTL_SECONDS,
        })
    }

    async fn undo(&self, admin: &Client, plan: &Plan, opening: OpenSession) -> anyhow::Result<ExitCode> {
        self.must_be_over(admin).await?;
        let reason = opening.reason.as_str().to_owned();
        let within = Within { admin, opened: admin.open(&opening).await? };
        let undone = self.undo_within(plan, &within, &reason).await;
        within.end().await;
        undone
    }

    async fn undo_within(&self, plan: &Plan, within: &Within<'_>, reason: &str) -> anyhow::Result<ExitCode> {
        let client = within.client()?;
        eprintln!("looking at {} in session {}", objects(plan.steps.len()), within.opened.session.id);
        let look = Look::at(plan, &client).await;
        terminal::print(text::look(plan, &look, terminal::colours()))?;
        let whole = look.left.is_empty() && plan.is_whole();
        let code = |done: bool| Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        if self.dry_run || look.ready.is_empty() {
            return code(whole);
        }
        if !whole && !self.partly {
            bail!(
                "nothing was changed, since not all of it can be undone for certain; say `--partly` to undo the rest"
            );
        }
        if !self.yes && !confirmed()? {
            bail!("nothing was changed");
        }
        let asked = |answer: &approval::Answer| {
            eprint!("{}", agent::asked(answer));
            if agent::is_pending(answer) {
                eprintln!("waiting until humans have decided");
            }
        };
        // What was kept may be gone, or of another key; the gate alone can tell.
        let restores = look.ready.iter().any(|ready| ready.call.restores.is_some());
        let instead =
            if restores { "; say `--without-values` to leave masked values as they are" } else { "" };
        let undone = undo::undo(&client, &look.ready, reason, asked).await;
        let undone = undone.with_context(|| format!("nothing was changed{instead}"))?;
        terminal::print(text::undone(&undone))?;
        if !undone.has_begun() {
            eprintln!("nothing was changed");
        }
        code(undone.is_done() && whole)
    }
}

impl Within<'_> {
    fn client(&self) -> anyhow::Result<agent::Client> {
        let OpenedSession { server, ca, token, .. } = &self.opened;
        let endpoint = Endpoint::of(server, ca.as_deref(), token).map_err(anyhow::Error::msg)?;
        Ok(agent::Client::new(endpoint)?)
    }

    /// Nobody needs it any more; it would end by itself.
    async fn end(&self) {
        let id = &self.opened.session.id;
        if let (Ok(session), Ok(why)) = (SessionId::parse(id), Reason::parse("the undo has ended"))
            && let Err(error) = self.admin.revoke(&session, &Because { why }).await
        {
            eprintln!("session {id} could not be ended: {error}");
        }
    }
}

/// Asks a person; a program has to say `--yes`.
fn confirmed() -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!("nothing was changed; say `--yes` to undo without being asked");
    }
    eprint!("\nUndo exactly this? Type yes: ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

fn objects(count: usize) -> String {
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}
