//! One open session in memory.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::Timestamp;
use store::{Frozen, Session, TokenHash};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::caller::Facts;
use crate::{AgentName, Caller, ClusterName, Delegator, End, Ended, GroupName, NameError, Reason, SessionId};

/// An open session: who its token belongs to, and what ends that.
pub(super) struct Entry {
    pub(super) hash: TokenHash,
    /// Of a frozen session: one for which everything has ended.
    pub(super) caller: Caller,
    pub(super) frozen: Option<Arc<Frozen>>,
    /// Ends `caller`, unless that has ended because the session is frozen. The first end stands.
    pub(super) end: watch::Sender<Option<End>>,
    /// `caller.expires_at()` as it was foreseen when the entry was made. Beside the wall clock, since that can be
    /// set back.
    deadline: Instant,
}

// === impl Entry ===

impl Entry {
    pub(super) fn new(
        hash: TokenHash,
        admitted: Admitted,
        frozen: Option<Arc<Frozen>>,
        now: Timestamp,
    ) -> Self {
        let (end, ended) = watch::channel(None);
        let Admitted { names, groups, expires_at, values_sent } = admitted;
        let Names { id, agent, delegator, cluster, reason } = names;
        let ended =
            frozen.clone().map_or_else(|| Ended::new(ended), |frozen| Ended::already(End::Frozen(frozen)));
        let values_sent = Arc::new(AtomicU64::new(values_sent));
        let caller = Caller::new(Facts {
            agent,
            groups,
            delegator,
            session: id,
            cluster,
            reason,
            expires_at,
            ended,
            values_sent,
        });
        // A time to live that is not positive, or beyond reckoning, is over at once.
        let start = Instant::now();
        let ttl = Duration::try_from(expires_at.duration_since(now)).unwrap_or_default();
        let deadline = start.checked_add(ttl).unwrap_or(start);
        Self { hash, caller, frozen, end, deadline }
    }

    /// The same session anew: frozen, or thawed and with nothing counted.
    pub(super) fn again(&self, frozen: Option<Arc<Frozen>>) -> Self {
        let caller = &self.caller;
        let names = Names {
            id: caller.session().clone(),
            agent: caller.agent().clone(),
            delegator: caller.delegator().clone(),
            cluster: caller.cluster().clone(),
            reason: caller.reason().clone(),
        };
        let groups = caller.groups().to_vec();
        let admitted = Admitted { names, groups, expires_at: caller.expires_at(), values_sent: 0 };
        let entry = Self::new(self.hash, admitted, frozen, caller.expires_at());
        Self { deadline: self.deadline, ..entry }
    }

    pub(super) fn is_over(&self, now: Timestamp, instant: Instant) -> bool {
        self.caller.expires_at() <= now || self.deadline <= instant
    }

    /// The first end stands; whether this was it.
    pub(super) fn end_as(&self, end: End) -> bool {
        self.end.send_if_modified(|ended| {
            let first = ended.is_none();
            ended.get_or_insert(end);
            first
        })
    }
}

/// A session as it is let in.
pub(super) struct Admitted {
    pub(super) names: Names,
    pub(super) groups: Vec<GroupName>,
    pub(super) expires_at: Timestamp,
    pub(super) values_sent: u64,
}

/// A session's names, proven.
pub(super) struct Names {
    pub(super) id: SessionId,
    pub(super) agent: AgentName,
    pub(super) delegator: Delegator,
    pub(super) cluster: ClusterName,
    pub(super) reason: Reason,
}

impl Names {
    pub(super) fn parse(session: &Session) -> Result<Self, NameError> {
        Ok(Self {
            id: SessionId::parse(&session.id)?,
            agent: AgentName::parse(&session.agent)?,
            delegator: Delegator::parse(&session.delegator)?,
            cluster: ClusterName::parse(&session.cluster)?,
            reason: Reason::parse(&session.reason)?,
        })
    }
}
