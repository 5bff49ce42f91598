//! The sessions that may be used, in memory over the store.

mod entry;
mod freezing;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use store::{LiveSession, Revocation, Session, Store, TokenHash, Which};
use tokio::sync::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;

use self::entry::{Admitted, Entry, Names};
pub use self::freezing::{Thawing, Turn};

use crate::expirations::{Teller, expirations};
use crate::token::Presented;
use crate::{
    Agents, Caller, Clock, End, Entropy, Expirations, NameError, OpenError, Opened, Opening, Operator,
    Reason, Refusal, Rejected, SessionId, Token, Unauthenticated,
};

/// How many sessions can be open at once.
const MOST_LIVE: usize = 10_000;

/// How often expired sessions are looked for: well within the second in which their streams must end.
const EXPIRY_TICK: Duration = Duration::from_millis(250);

/// A hash to compare with where there is no session, so that an id that exists takes no longer than one that does
/// not. No secret hashes to it as far as anyone knows; and if one did, there is no session to enter.
const NOBODY: TokenHash = TokenHash([0; 32]);

/// The sessions that may be used: who a token belongs to, opening, ending.
///
/// What a call needs is in memory, read without a lock; the store is touched only to open, end and list.
/// Sessions end by themselves when their time is over, or when this value is dropped.
pub struct Sessions {
    store: Arc<Store>,
    agents: Agents,
    entropy: Arc<dyn Entropy>,
    shared: Arc<Shared>,
    /// Held from before a session is stored or ended until `shared.live` agrees: else a session ended just as it
    /// is opened would be entered after its end.
    changes: Mutex<()>,
    expiry: AbortOnDropHandle<()>,
}

/// The registry as it starts, and what it found.
#[derive(Debug)]
pub struct Loaded {
    /// The sessions that may be used.
    pub sessions: Sessions,
    /// Those that configuration no longer allows.
    pub withdrawn: Vec<Withdrawn>,
    /// Those that ended before now, and whose end was never recorded: nothing watched over them, or what did was killed
    /// in between. Those that are withdrawn now are among them.
    pub unrecorded: Vec<Session>,
    /// Those that were frozen, or ended so, and whose freeze was never recorded.
    pub unrecorded_freezes: Vec<Session>,
    /// Those whose time will be over.
    pub expirations: Expirations,
}

/// A session that was stored as active but that configuration no longer allows: it was ended for good.
#[derive(Debug)]
pub struct Withdrawn {
    /// The session as it was.
    pub session: Session,
    /// What is no longer allowed.
    pub refusal: Refusal,
}

/// Why the sessions could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The state cannot be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A stored session holds a name that could never have been stored.
    #[error("stored session `{id}` was tampered with: {source}; restore the state from a copy")]
    Tampered {
        /// The row's id.
        id: String,
        /// What is wrong with it.
        source: NameError,
    },
}

/// What the watch over expiry shares with the registry: not the store, so that dropping the registry lets go of it.
struct Shared {
    clock: Arc<dyn Clock>,
    live: ArcSwap<Live>,
    expired: Teller,
}

type Live = HashMap<SessionId, Arc<Entry>>;
// === impl Sessions ===

impl Sessions {
    /// Loads the active sessions and begins to watch over their expiry; must be called within a tokio runtime.
    /// Sessions that `agents` no longer allows are ended in the store and told, as are those that ended unrecorded.
    ///
    /// # Errors
    /// The state cannot be read or written, or holds what was never stored.
    pub async fn load(
        store: impl Into<Arc<Store>>,
        agents: Agents,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Loaded, LoadError> {
        let store = store.into();
        let now = clock.now();
        let mut live = Live::new();
        let mut withdrawn = Vec::new();
        for LiveSession { session, token_hash, values_sent } in store.load_active(now).await? {
            let names = Names::parse(&session)
                .map_err(|source| LoadError::Tampered { id: session.id.clone(), source })?;
            match agents.allows(&names.agent, &names.delegator, &names.cluster) {
                Ok(agent) => {
                    let admitted = Admitted {
                        names,
                        groups: agent.groups.clone(),
                        expires_at: session.expires_at,
                        values_sent,
                    };
                    let entry = Entry::new(token_hash, admitted, session.frozen.map(Arc::new), now);
                    live.insert(entry.caller.session().clone(), Arc::new(entry));
                }
                Err(refusal) => {
                    let gate = Operator::gate();
                    store.revoke_session(&session.id, gate.as_str(), &refusal.to_string(), now).await?;
                    withdrawn.push(Withdrawn { session, refusal });
                }
            }
        }
        let unrecorded = store.unrecorded_ends(now).await?;
        let unrecorded_freezes = store.unrecorded_freezes().await?;
        let (expired, expirations) = expirations(MOST_LIVE);
        let shared = Arc::new(Shared { clock, live: ArcSwap::from_pointee(live), expired });
        let expiry = AbortOnDropHandle::new(tokio::spawn(watch_expiry(Arc::clone(&shared))));
        let sessions = Self { store, agents, entropy, shared, changes: Mutex::new(()), expiry };
        Ok(Loaded { sessions, withdrawn, unrecorded, unrecorded_freezes, expirations })
    }

    /// Ends all callers and lets go of the store, which is closed if nobody else has it; the sessions themselves stay as they are
    /// stored.
    pub async fn close(self) {
        self.expiry.abort();
        self.shared.live.store(Arc::default());
        if let Some(store) = Arc::into_inner(self.store) {
            store.close().await;
        }
    }

    /// Whose token this is at `now`. Touches memory only; the answer to a bad token does not tell what was wrong.
    ///
    /// A frozen session has a caller, too, so that it can be told why it is refused: one that has
    /// [ended](Caller::ended) from the start, with [`End::Frozen`].
    ///
    /// # Errors
    /// It is nobody's, or no longer.
    pub fn identify(&self, token: &str, now: Timestamp) -> Result<Caller, Unauthenticated> {
        self.shared.identify(token, now).map_err(Unauthenticated::because)
    }

    /// Opens a session. Durable when it returns.
    ///
    /// Cancel safety: dropped while the store commits, the session may be stored, with a token nobody ever saw.
    ///
    /// # Errors
    /// It may not be opened, or cannot be stored.
    pub async fn open(&self, opening: Opening) -> Result<Opened, OpenError> {
        let agent = self.agents.judge(&opening)?;
        let _changing = self.changes.lock().await;
        if self.shared.live.load().len() >= MOST_LIVE {
            return Err(Refusal::TooMany { most: MOST_LIVE }.into());
        }
        let now = whole_microseconds(self.shared.clock.now());
        let expires_at = now.checked_add(opening.ttl).map(whole_microseconds).map_err(|_| {
            Refusal::TtlTooLong { ttl: opening.ttl, most: Timestamp::MAX.duration_since(now) }
        })?;
        let id = SessionId::random(&*self.entropy)?;
        let (token, token_hash) = Token::mint(&id, &*self.entropy)?;
        let session = Session {
            id: id.to_string(),
            agent: opening.agent.to_string(),
            delegator: opening.delegator.to_string(),
            cluster: opening.cluster.to_string(),
            reason: opening.reason.to_string(),
            created_at: now,
            expires_at,
            revoked: None,
            frozen: None,
        };
        self.store.open_session(&session, &token_hash).await?;
        let Opening { agent: name, delegator, cluster, reason, .. } = opening;
        let names = Names { id, agent: name, delegator, cluster, reason };
        let admitted = Admitted { names, groups: agent.groups.clone(), expires_at, values_sent: 0 };
        let entry = Arc::new(Entry::new(token_hash, admitted, None, now));
        self.shared.change(|live| {
            live.insert(entry.caller.session().clone(), Arc::clone(&entry));
        });
        Ok(Opened { session, token })
    }

    /// Ends a session: at once in memory, so that a kill switch never waits for a disk, then in the store.
    /// Doing it again changes nothing and tells how it ended first.
    ///
    /// Cancel safety: dropped before it returns, the session is ended here but may come back with a restart; do it
    /// again.
    ///
    /// # Errors
    /// The end cannot be stored: as with a cancellation.
    pub async fn revoke(
        &self,
        id: &SessionId,
        by: &Operator,
        why: &Reason,
    ) -> Result<Revocation, store::Error> {
        let mut ended_here = self.shared.end(id);
        let _changing = self.changes.lock().await;
        let revocation =
            self.store.revoke_session(id.as_str(), by.as_str(), why.as_str(), self.shared.clock.now()).await;
        // Again, stored or not: it may have been entered while we waited for our turn.
        ended_here |= self.shared.end(id);
        // Its time was over before the watch came by, which now finds it gone.
        if let Ok(Revocation::AlreadyEnded(session)) = &revocation
            && ended_here
            && session.revoked.is_none()
        {
            self.shared.expired.tell(id);
        }
        revocation
    }

    /// Keeps that a session's end is in the ledger, so that it is not told again at the next start.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn end_recorded(&self, id: &str) -> Result<(), store::Error> {
        self.store.end_recorded(id, self.shared.clock.now()).await
    }

    /// The session with this id, if there is or was one.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn find(&self, id: &SessionId) -> Result<Option<Session>, store::Error> {
        self.store.session(id.as_str()).await
    }

    /// Up to `limit` sessions, newest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn list(&self, which: Which, limit: u32) -> Result<Vec<Session>, store::Error> {
        self.store.list_sessions(which, self.shared.clock.now(), limit).await
    }

    /// How many sessions are open at this moment, frozen ones among them.
    pub fn live(&self) -> usize {
        self.shared.live.load().len()
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("live", &self.live()).finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    fn identify(&self, token: &str, now: Timestamp) -> Result<Caller, Rejected> {
        let presented = Presented::parse(token).ok_or(Rejected::Malformed)?;
        let live = self.live.load();
        let entry = live.get(presented.session);
        let proven = presented.is(entry.map_or(&NOBODY, |entry| &entry.hash));
        let entry = entry.ok_or(Rejected::Unknown)?;
        if !proven {
            return Err(Rejected::WrongSecret);
        }
        if entry.caller.expires_at() <= now {
            return Err(Rejected::Expired);
        }
        match &*entry.end.borrow() {
            // Just frozen: the caller says so itself.
            None | Some(End::Frozen(_)) => Ok(entry.caller.clone()),
            Some(End::Expired | End::Revoked | End::Abandoned) => Err(Rejected::Ended),
        }
    }

    /// Copies the map to change it: changes are rare, and calls are not to wait for them.
    fn change(&self, change: impl Fn(&mut Live)) {
        self.live.rcu(|live| {
            let mut live = Live::clone(live);
            change(&mut live);
            live
        });
    }

    /// Ends one session here and now; whether this was its end.
    fn end(&self, id: &SessionId) -> bool {
        let mut first = false;
        // Once, but for one that is frozen or thawed at this moment.
        while let Some(entry) = self.live.load().get(id).cloned() {
            first |= entry.end_as(End::Revoked);
            self.remove(&[entry]);
        }
        first
    }

    /// Only the very entries: what was put in their place in the meantime has an end of its own.
    fn remove(&self, entries: &[Arc<Entry>]) {
        self.change(|live| {
            for entry in entries {
                let session = entry.caller.session();
                if live.get(session).is_some_and(|found| Arc::ptr_eq(found, entry)) {
                    live.remove(session);
                }
            }
        });
    }

    /// Ends the sessions whose time is over by either clock.
    fn expire(&self, now: Timestamp, instant: Instant) {
        let due: Vec<_> =
            self.live.load().values().filter(|entry| entry.is_over(now, instant)).cloned().collect();
        if due.is_empty() {
            return;
        }
        for entry in &due {
            if entry.end_as(End::Expired) {
                self.expired.tell(entry.caller.session());
            }
        }
        self.remove(&due);
    }
}

/// Runs until it is aborted. Ticks instead of sleeping until the next expiry: a wall clock that is set forward,
/// or a machine that slept, would not wake a sleeper.
async fn watch_expiry(shared: Arc<Shared>) {
    let mut tick = interval(EXPIRY_TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        shared.expire(shared.clock.now(), Instant::now());
    }
}

/// What the store keeps of a time, so that a session is the same before and after a restart.
fn whole_microseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}
