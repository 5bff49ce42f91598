//! The approvals of a running gate: store, ledger and whoever waits, in one place for the data path and for the people who decide.
//!
//! A request is in the ledger before it is kept, so nobody decides about what is not recorded. A step is kept first, since the
//! store alone can tell that nobody else took it, and in the ledger before anybody acts on it: [`Inbox::step`] answers when
//! both have it. A gate that is killed in between records it at its next start ([`Inbox::recover`]).

mod expiry;
mod passkeys;
mod waiting;

use std::sync::Arc;

use approval::{Approval, Asked, Refusal, Transition, What};
use identity::Clock;
use ledger::Ledger;
use ledger::leaf::{self, Actor, Event, Id};
use store::{NewApproval, Store, StoredApproval};
use tokio::sync::{Mutex, watch};

use self::waiting::Watchers;
pub use self::{passkeys::NotEnrolled, waiting::Waiting};

/// How often a step is tried that others were faster to take.
const TRIES: usize = 8;

/// All approvals. Shared by all who ask, decide and wait.
#[derive(Debug)]
pub struct Inbox {
    store: Arc<Store>,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    limits: Limits,
    watchers: Watchers,
    /// Held from counting what a session has pending until one more is kept.
    asking: Mutex<()>,
    /// Held while steps are recorded: in their order, each once.
    telling: Mutex<()>,
}

/// How often a session may ask.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many requests can be pending.
    pub pending: u32,
    /// How many there can be in all: each is kept.
    pub ever: u32,
}

/// A request for approval to be made.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// What is asked.
    pub asked: Asked,
    /// What it is found by when its client sends the same again: a keyed digest.
    pub key: &'a str,
    /// What approvers are shown, masked: JSON.
    pub shown: &'a str,
    /// What would be done, in words.
    pub act: &'a str,
    /// What the session is for, in words.
    pub reason: &'a str,
    /// The call that waits.
    pub call: Id,
    /// Who calls.
    pub actor: Actor,
    /// The one call that is asked about, if it is one, as leaves tell it.
    pub judged: Option<leaf::Judged>,
}

/// Why nobody is asked, or a step is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such approval.
    #[error("there is no approval `{0}`")]
    Unknown(String),
    /// The session has as many that are pending as it may.
    #[error("{most} requests of this session wait for approval already: wait until they are decided")]
    TooMany {
        /// How many it may have.
        most: u32,
    },
    /// The session has asked as often as it may.
    #[error("this session has asked humans {most} times, as often as it may")]
    TooManyInAll {
        /// How often it may.
        most: u32,
    },
    /// It may not be.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Others were faster each time.
    #[error("others decide about it at this moment: look at it again")]
    Busy,
    /// The state cannot be read or written.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The ledger does not take it.
    #[error("the ledger does not take entries: {0}")]
    Unrecorded(String),
}

impl Inbox {
    /// The inbox over `store`, which records in `ledger`.
    #[must_use]
    pub fn new(store: Arc<Store>, ledger: Ledger, clock: Arc<dyn Clock>, limits: Limits) -> Self {
        Self {
            store,
            ledger,
            clock,
            limits,
            watchers: Watchers::default(),
            asking: Mutex::default(),
            telling: Mutex::default(),
        }
    }

    /// An id for an approval: `a-` and twelve letters and digits, which a human can type. Not a secret.
    #[must_use]
    pub fn new_id() -> String {
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let bits = uuid::Uuid::new_v4().as_u128();
        // The bits that say that it is a UUID are elsewhere.
        let letter = |at: u32| LETTERS.get((bits >> (at * 5) & 31) as usize).copied().map_or('a', char::from);
        std::iter::once("a-".to_owned()).chain((0..12).map(|at| letter(at).to_string())).collect()
    }

    /// Asks: records the request, and then keeps it. If the same was asked at the same moment, that is the answer.
    ///
    /// # Errors
    /// [`Error::TooMany`], [`Error::TooManyInAll`], or it could not be recorded or kept: then nobody is asked.
    pub async fn ask(&self, request: Request<'_>) -> Result<Approval, Error> {
        let Request { asked, key, shown, act, reason, call, actor, judged } = request;
        let approval = Approval::new(asked.clone())?;
        let session = asked.bound.session.as_str();
        let _turn = self.asking.lock().await;
        if let Some(same) = self.store.open_approval(session, key).await? {
            return Ok(same.approval);
        }
        self.may_ask(session).await?;
        let event = leaf::ApprovalAsked { asked: asked.clone(), call, actor, judged };
        self.record(Event::ApprovalAsked(Box::new(event))).await?;
        self.store.ask(&NewApproval { asked: &asked, request: key, act, reason, shown }).await?;
        self.watchers.tell(&asked.id);
        Ok(approval)
    }

    /// Whether a session may ask once more.
    ///
    /// # Errors
    /// [`Error::TooMany`], [`Error::TooManyInAll`], or the state cannot be read.
    pub async fn may_ask(&self, session: &str) -> Result<(), Error> {
        let (asks, Limits { pending, ever }) = (self.store.asks_of(session).await?, self.limits);
        if asks.pending >= pending {
            return Err(Error::TooMany { most: pending });
        }
        if asks.ever >= ever {
            return Err(Error::TooManyInAll { most: ever });
        }
        Ok(())
    }

    /// The approval that a request of `session` has which is pending or can be used. One whose time is over is ended by that.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn open_for(&self, session: &str, key: &str) -> Result<Option<Approval>, Error> {
        let found = self.store.open_approval(session, key).await?.map(|stored| stored.approval);
        let Some(approval) = found else { return Ok(None) };
        if approval.deadline().is_some_and(|deadline| self.clock.now() < deadline) {
            return Ok(Some(approval));
        }
        match self.step(&approval.asked().id, What::Expired).await {
            // Somebody else was faster to say so.
            Ok(_) | Err(Error::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The approval `id`, and what it is for.
    ///
    /// # Errors
    /// [`Error::Unknown`], or the state cannot be read.
    pub async fn get(&self, id: &str) -> Result<StoredApproval, Error> {
        self.store.approval(id).await?.ok_or_else(|| Error::Unknown(id.to_owned()))
    }

    /// What approvers are shown of the approval `id`: JSON.
    ///
    /// # Errors
    /// [`Error::Unknown`], or the state cannot be read.
    pub async fn shown(&self, id: &str) -> Result<String, Error> {
        self.store.approval_shown(id).await?.ok_or_else(|| Error::Unknown(id.to_owned()))
    }

    /// Those that can be decided or used, oldest first; with `all`, also those that ended, newest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn list(&self, all: bool, most: u32) -> Result<Vec<StoredApproval>, Error> {
        Ok(self.store.approvals(all, most).await?)
    }

    /// The changes and the access of a session that humans approved and nobody ended, oldest first. Whether they can be used now is
    /// found out by using them.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn approved_ahead(&self, session: &str) -> Result<Vec<Approval>, Error> {
        let stored = self.store.approved_ahead(session).await?;
        Ok(stored.into_iter().map(|stored| stored.approval).collect())
    }

    /// By which the glass was broken, and which nobody has signed off; oldest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn unreviewed(&self, most: u32) -> Result<Vec<StoredApproval>, Error> {
        Ok(self.store.unreviewed(most).await?)
    }

    /// Takes a step; both store and ledger have it when this answers. Whoever waits is told.
    ///
    /// Cancel safety: dropped, the step may be taken or not, and if it is, be recorded only with a later one, or at the next start.
    ///
    /// # Errors
    /// It may not be taken; or it could not be kept, or not be recorded: then nobody may act on it.
    pub async fn step(&self, id: &str, what: What) -> Result<Approval, Error> {
        let mut checked = false;
        for _try in 0..TRIES {
            let StoredApproval { approval, .. } = self.get(id).await?;
            let (step, next) = approval.next(what.clone(), self.clock.now())?;
            if !checked {
                self.check_passkey(&approval, &what).await?;
                checked = true;
            }
            if self.store.take_step(&step, &next).await? {
                let told = self.tell(Some(id)).await;
                self.watchers.tell(id);
                return told.map(|()| next);
            }
        }
        Err(Error::Busy)
    }

    /// Withdraws what a session has that can be decided or used, since it is over.
    ///
    /// # Errors
    /// The state cannot be read, or a step not be kept or recorded; those before it are.
    pub async fn withdraw_all_of(&self, session: &str, why: &str) -> Result<(), Error> {
        for id in self.store.open_approvals_of(session).await? {
            match self.step(&id, What::Withdrawn { why: why.to_owned(), by: None }).await {
                // It ended by itself in the meantime.
                Ok(_) | Err(Error::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Tells of every step of an approval from now on.
    pub fn watch(&self, id: &str) -> Waiting {
        self.watchers.watch(id)
    }

    /// Counts how often an approval was asked for or took a step since the start.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.watchers.any()
    }

    /// What time it is for approvals.
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// Records the steps that a gate which was killed could not record. For the start, before anything is decided.
    ///
    /// # Errors
    /// They cannot be read or recorded.
    pub async fn recover(&self) -> Result<(), Error> {
        self.tell(None).await
    }

    /// Records what has not been recorded, of one approval or of all.
    async fn tell(&self, of: Option<&str>) -> Result<(), Error> {
        let _turn = self.telling.lock().await;
        for (id, step) in self.store.unrecorded_steps(of).await? {
            let Transition { number, .. } = step;
            let approval = Id::new(&id).map_err(|error| Error::Unrecorded(error.to_string()))?;
            self.record(Event::ApprovalStep(leaf::ApprovalStep { approval, step })).await?;
            self.store.step_recorded(&id, number, self.clock.now()).await?;
        }
        Ok(())
    }

    async fn record(&self, event: Event) -> Result<(), Error> {
        let recorded = self.ledger.append(event).await;
        recorded.map(drop).map_err(|refused| Error::Unrecorded(refused.to_string()))
    }
}

#[cfg(test)]
mod tests;
