//! Who a connection turned out to be, and how long that holds.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use store::Frozen;
use tokio::sync::watch;

use crate::{AgentName, ClusterName, Delegator, GroupName, Reason, SessionId};

/// Who is calling: the one answer to a valid token. Cheap to clone; all calls of a session share one.
#[derive(Clone)]
pub struct Caller(Arc<Facts>);

/// What a caller is, fixed for the life of its session.
pub(crate) struct Facts {
    pub(crate) agent: AgentName,
    pub(crate) groups: Vec<GroupName>,
    pub(crate) delegator: Delegator,
    pub(crate) session: SessionId,
    pub(crate) cluster: ClusterName,
    pub(crate) reason: Reason,
    pub(crate) expires_at: Timestamp,
    pub(crate) ended: Ended,
    pub(crate) values_sent: Arc<AtomicU64>,
}

/// Fires once, when the session is over or frozen. Cheap to clone. A session that is thawed has another one.
#[derive(Clone)]
pub struct Ended(watch::Receiver<Option<End>>);

/// How a session ended, for all that it has open and for every caller of it that there is by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Its time was over.
    Expired,
    /// Someone ended it.
    Revoked,
    /// It is frozen; a human may thaw it, for callers to come.
    Frozen(Arc<Frozen>),
    /// Nobody watches over it any more: the registry is gone, as at shutdown.
    Abandoned,
}

/// No caller. One and the same answer whatever was wrong, also in `Debug`.
#[derive(thiserror::Error)]
#[error("no valid session token: open a session with `portcullis session open`")]
pub struct Unauthenticated {
    rejected: Rejected,
}

/// What was wrong with a token: for the gate's own metrics, never for whoever presented it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rejected {
    /// Not of a token's form.
    Malformed,
    /// No such session; perhaps it ended.
    Unknown,
    /// A session's id with a secret that is not its own: someone may be guessing.
    WrongSecret,
    /// The right token of a session whose time is over.
    Expired,
    /// The right token of a session that is being ended at this moment.
    Ended,
}

// === impl Caller ===

impl Caller {
    pub(crate) fn new(facts: Facts) -> Self {
        Self(Arc::new(facts))
    }

    /// The software that calls.
    pub fn agent(&self) -> &AgentName {
        &self.0.agent
    }

    /// The groups configuration puts the agent in, in its order.
    pub fn groups(&self) -> &[GroupName] {
        &self.0.groups
    }

    /// The human on whose behalf the agent runs.
    pub fn delegator(&self) -> &Delegator {
        &self.0.delegator
    }

    /// The session the call belongs to.
    pub fn session(&self) -> &SessionId {
        &self.0.session
    }

    /// The one cluster the session may call.
    pub fn cluster(&self) -> &ClusterName {
        &self.0.cluster
    }

    /// What the session was opened for: recorded, never judged by.
    pub fn reason(&self) -> &Reason {
        &self.0.reason
    }

    /// From when on the session is refused.
    pub fn expires_at(&self) -> Timestamp {
        self.0.expires_at
    }

    /// Tells when the session is over or frozen, so that what is still open can be cut.
    pub fn ended(&self) -> &Ended {
        &self.0.ended
    }

    /// Counts known secret values, and guesses at them, that the session has sent; how many that makes since it began or
    /// was last thawed. In memory: [`Sessions::keep_count`](crate::Sessions::keep_count) makes it last.
    pub fn count_values(&self, sent: u32) -> u64 {
        let before = self.0.values_sent.fetch_add(u64::from(sent), Ordering::Relaxed);
        before.saturating_add(sent.into())
    }

    /// What [`Caller::count_values`] has counted.
    pub fn values_sent(&self) -> u64 {
        self.0.values_sent.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("agent", self.agent())
            .field("groups", &self.groups())
            .field("delegator", self.delegator())
            .field("session", self.session())
            .field("cluster", self.cluster())
            .field("expires_at", &self.expires_at())
            .field("ended", &self.ended().how())
            .finish_non_exhaustive()
    }
}

// === impl Ended ===

impl Ended {
    pub(crate) fn new(receiver: watch::Receiver<Option<End>>) -> Self {
        Self(receiver)
    }

    /// Has fired already.
    pub(crate) fn already(end: End) -> Self {
        Self(watch::channel(Some(end)).1)
    }

    /// Waits for the end; at once if it is past. Cancel safe.
    pub async fn wait(&self) -> End {
        let mut receiver = self.0.clone();
        let end = receiver.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
        end.unwrap_or(End::Abandoned)
    }

    /// How the session ended; `None` while it lasts.
    pub fn how(&self) -> Option<End> {
        let end = self.0.borrow().clone();
        end.or_else(|| self.0.has_changed().is_err().then_some(End::Abandoned))
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ended").field(&self.how()).finish()
    }
}

// === impl Unauthenticated ===

impl Unauthenticated {
    pub(crate) fn because(rejected: Rejected) -> Self {
        Self { rejected }
    }

    /// What was wrong: for metrics alone.
    pub fn rejected(&self) -> Rejected {
        self.rejected
    }
}

impl fmt::Debug for Unauthenticated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unauthenticated")
    }
}
