//! Sessions that are being undone: each in a task of its own, which goes on when its page is closed.
//!
//! It is done through the gate, as by any agent: in a session on behalf of whoever pressed the button, which ends with it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use agent::{Client, Endpoint};
use identity::{AgentName, ClusterName, Delegator, Opened, Opening, Operator, Reason, Session, SessionId};
use jiff::SignedDuration;
use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use undo::{Look, Plan};

use crate::Console;

/// Sessions that are undone at a time.
const MOST: usize = 8;
/// For how long somebody waits for a plan to be begun.
const WITHIN: Duration = Duration::from_secs(10);
/// Of those that have ended, so many are told of.
const TOLD: usize = 100;
const ALL: &str = "All of it is as it was before.";
/// Longer than anybody waits for humans.
const TTL: SignedDuration = SignedDuration::from_hours(2);

/// By the session that is undone.
#[derive(Debug)]
pub(crate) struct Undoings {
    all: Mutex<HashMap<String, Progress>>,
    /// One plan is made, and shown, at a time: its images are many times as large in memory as they are written.
    planning: Arc<Semaphore>,
}

impl Default for Undoings {
    fn default() -> Self {
        Self { all: Mutex::default(), planning: Arc::new(Semaphore::new(1)) }
    }
}

/// How far it came.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    /// Who wanted it.
    pub(crate) by: String,
    /// The session in which it is done, once that is open.
    pub(crate) within: Option<String>,
    pub(crate) stage: Stage,
}

/// What it is at.
#[derive(Debug, Clone)]
pub(crate) enum Stage {
    Looking,
    /// Humans are asked, by this approval.
    Asked {
        approval: String,
        needs: String,
    },
    Sending,
    /// It has ended.
    Over(Over),
}

/// How it ended.
#[derive(Debug, Clone)]
pub(crate) struct Over {
    pub(crate) done: Done,
    /// What became of it as a whole.
    pub(crate) told: String,
    /// What became of each object.
    pub(crate) lines: Vec<String>,
}

/// How much of it is as it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    All,
    /// All that can be.
    Part,
    /// Less, or nothing.
    Less,
}

/// What is to be undone, and for whom.
pub(crate) struct Wanted {
    pub(crate) session: Session,
    pub(crate) plan: Plan,
    pub(crate) by: Operator,
    /// Whether the rest is undone if something cannot be.
    pub(crate) partly: bool,
}

/// The right to make a plan. It goes along to where one is made or shown, since whoever asked may go away meanwhile.
#[derive(Debug)]
pub(crate) struct Turn(
    #[expect(dead_code, reason = "it is given back when it is dropped")] OwnedSemaphorePermit,
);

/// An undo that goes on. However it ends, it is over then.
#[derive(Debug)]
pub(crate) struct Going {
    console: Console,
    session: String,
}

impl Going {
    fn ends(self, over: Over) {
        self.console.undoings().set(&self.session, |progress| progress.stage = Stage::Over(over));
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let told = "It broke off: the gate's log says why. What was put back before that stays so.";
        self.console.undoings().set(&self.session, |progress| {
            if !matches!(progress.stage, Stage::Over(_)) {
                let over = Over { done: Done::Less, told: told.to_owned(), lines: Vec::new() };
                progress.stage = Stage::Over(over);
            }
        });
    }
}

impl Undoings {
    /// The right to make a plan, if it comes about soon.
    pub(crate) async fn planning(&self) -> Option<Turn> {
        let turn = timeout(WITHIN, Arc::clone(&self.planning).acquire_owned()).await;
        turn.ok()?.ok().map(Turn)
    }

    #[cfg(test)]
    pub(crate) fn is_planning(&self) -> bool {
        self.planning.available_permits() == 0
    }

    pub(crate) fn of(&self, session: &str) -> Option<Progress> {
        self.all.lock().get(session).cloned()
    }

    /// Takes a place; `Err` says why there is none.
    fn begin(&self, session: &str, by: &Operator) -> Result<(), &'static str> {
        let mut all = self.all.lock();
        let is_going_on = |progress: &Progress| !matches!(progress.stage, Stage::Over(_));
        if all.get(session).is_some_and(is_going_on) {
            return Err("The session is being undone already.");
        }
        if all.values().filter(|progress| is_going_on(progress)).count() >= MOST {
            return Err("Too many sessions are being undone. Try again in a moment.");
        }
        if all.len() >= TOLD {
            all.retain(|_, progress| is_going_on(progress));
        }
        let begun = Progress { by: by.as_str().to_owned(), within: None, stage: Stage::Looking };
        all.insert(session.to_owned(), begun);
        Ok(())
    }

    fn set(&self, session: &str, set: impl FnOnce(&mut Progress)) {
        if let Some(progress) = self.all.lock().get_mut(session) {
            set(progress);
        }
    }
}

impl Console {
    /// Begins to undo a session.
    ///
    /// # Errors
    /// It cannot be begun now; the sentence says why.
    pub(crate) fn undo(&self, wanted: Wanted) -> Result<(), &'static str> {
        let going = self.begin(&wanted.session.id, &wanted.by)?;
        tokio::spawn(async move {
            let over = match going.console.undo_within(&wanted).await {
                Ok(over) => over,
                Err(told) => Over { done: Done::Less, told, lines: Vec::new() },
            };
            tracing::info!(
                session = going.session,
                by = wanted.by.as_str(),
                done = ?over.done,
                "a session was undone, or tried to be"
            );
            going.ends(over);
        });
        Ok(())
    }

    pub(crate) fn begin(&self, session: &str, by: &Operator) -> Result<Going, &'static str> {
        self.undoings().begin(session, by)?;
        Ok(Going { console: self.clone(), session: session.to_owned() })
    }

    async fn undo_within(&self, wanted: &Wanted) -> Result<Over, String> {
        let opening = opening(wanted)
            .ok_or("The session's agent, cluster or human has a name that is none any more.")?;
        let opened = self.control().open(opening, &wanted.by).await;
        let Opened { session, token } =
            opened.map_err(|error| format!("No session could be opened to undo it in: {error}."))?;
        self.undoings().set(&wanted.session.id, |progress| progress.within = Some(session.id.clone()));
        let over = self.undo_as(wanted, token.reveal(), session.reason.as_str()).await;
        self.end(&session.id, &wanted.by).await;
        over
    }

    async fn undo_as(&self, wanted: &Wanted, token: &str, reason: &str) -> Result<Over, String> {
        let Wanted { session, plan, partly, .. } = wanted;
        let gate = &self.parts().gate;
        let endpoint = Endpoint::of(&gate.server, gate.ca.as_deref(), token).map_err(str::to_owned)?;
        let client = Client::new(endpoint).map_err(|failure| failure.to_string())?;
        let look = Look::at(plan, &client).await;
        let whole = look.left.is_empty() && plan.is_whole();
        let mut lines: Vec<String> =
            look.left.iter().map(|left| format!("{}: {}", left.what, left.why)).collect();
        let over = |done, told: &str, lines| Ok(Over { done, told: told.to_owned(), lines });
        if look.ready.is_empty() {
            return if whole {
                over(Done::All, ALL, lines)
            } else {
                over(Done::Less, "Nothing is left that can be undone.", lines)
            };
        }
        if !whole && !partly {
            return over(Done::Less, "Nothing was changed, since not all of it can be undone.", lines);
        }
        let set = |stage| self.undoings().set(&session.id, |progress| progress.stage = stage);
        let asked = |answer: &approval::Answer| {
            let pending = answer.approval.clone().filter(|_| agent::is_pending(answer));
            set(pending
                .map_or(Stage::Sending, |approval| Stage::Asked { approval, needs: answer.needs.clone() }));
        };
        let undone = undo::undo(&client, &look.ready, reason, asked).await;
        let undone = undone.map_err(|failure| format!("Nothing was changed: {failure}"))?;
        let (done, begun) = (undone.is_done(), undone.has_begun());
        if begun {
            lines.splice(0..0, undone.sent.iter().map(ToString::to_string));
        }
        let (done, told) = match (&undone.not_agreed, begun) {
            (Some(answer), false) => {
                (Done::Less, format!("Nothing was changed: it is {}. {}", answer.state.as_str(), answer.how))
            }
            (Some(answer), true) => (
                Done::Less,
                format!("The rest stays as it is: it is {}. {}", answer.state.as_str(), answer.how),
            ),
            (None, _) if done && whole => (Done::All, ALL.to_owned()),
            (None, _) if done => {
                (Done::Part, "What can be undone for certain is undone; the rest stays as it is.".to_owned())
            }
            (None, _) => (Done::Less, "Not all of it could be undone.".to_owned()),
        };
        over(done, told.trim_end(), lines)
    }

    /// Nobody needs the session any more; it would end by itself.
    async fn end(&self, id: &str, by: &Operator) {
        let (Ok(session), Ok(why)) = (SessionId::parse(id), Reason::parse("the undo has ended")) else {
            return;
        };
        if let Err(error) = self.control().revoke(&session, by, &why).await {
            tracing::warn!(session = id, %error, "a session in which another was undone could not be ended");
        }
    }
}

/// On behalf of whoever wants it: they do not decide about it.
fn opening(wanted: &Wanted) -> Option<Opening> {
    let Wanted { session, by, .. } = wanted;
    Some(Opening {
        agent: AgentName::parse(&session.agent).ok()?,
        delegator: Delegator::parse(by.as_str()).ok()?,
        cluster: ClusterName::parse(&session.cluster).ok()?,
        reason: Reason::parse(&format!("undo {}", session.id)).ok()?,
        ttl: TTL,
    })
}
