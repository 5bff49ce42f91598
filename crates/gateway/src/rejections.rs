//! Calls turned away at the door, which are counted: one leaf tells of many, so that a flood does not fill the disk.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use identity::SessionId;
use ledger::{
    Ledger,
    leaf::{self, Event, Id, OverLimit},
};
use parking_lot::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::Gate;

/// Between two leaves, and how late one may tell of a call.
const EVERY: Duration = Duration::from_secs(10);
/// Sessions told by name in one leaf.
const NAMED: usize = 32;

/// What was turned away and is not in the ledger yet.
#[derive(Debug, Default)]
pub(crate) struct Rejections {
    /// Anyone can make this count, as fast as they like: no lock.
    unauthenticated: AtomicU64,
    over_limit: Mutex<OverLimits>,
}

#[derive(Debug, Default)]
struct OverLimits {
    calls: u64,
    /// At most [`NAMED`]; calls of further sessions are in `calls` alone.
    sessions: BTreeMap<SessionId, u64>,
}

impl Rejections {
    /// A call without a valid session token.
    pub(crate) fn unauthenticated(&self) {
        self.unauthenticated.fetch_add(1, Ordering::Relaxed);
    }

    /// A call of a session that has as many open as it may.
    pub(crate) fn over_limit(&self, session: &SessionId) {
        let mut over = self.over_limit.lock();
        over.calls += 1;
        if let Some(calls) = over.sessions.get_mut(session) {
            *calls += 1;
        } else if over.sessions.len() < NAMED {
            over.sessions.insert(session.clone(), 1);
        }
    }

    /// What there is to tell, all of which came within `period`; the counting begins anew.
    fn take(&self, period: Duration) -> Option<leaf::Rejections> {
        let unauthenticated = self.unauthenticated.swap(0, Ordering::Relaxed);
        let OverLimits { calls, sessions } = std::mem::take(&mut *self.over_limit.lock());
        let named = sessions.into_iter().filter_map(|(session, calls)| {
            let session = Id::new(session.as_str()).ok()?;
            Some(OverLimit { session, calls })
        });
        (unauthenticated > 0 || calls > 0).then(|| leaf::Rejections {
            period_s: period.as_secs() + u64::from(period.subsec_nanos() > 0),
            unauthenticated,
            over_limit: calls,
            sessions: named.collect(),
        })
    }

    async fn record(&self, ledger: &Ledger, stop: &CancellationToken) {
        let mut since = Instant::now();
        let mut tick = interval_at(since + EVERY, EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _instant = tick.tick() => {}
                () = stop.cancelled() => {}
            }
            // Before the counters are read: a call that is counted in between is in this leaf or in the next.
            let stopping = stop.is_cancelled();
            if let Some(told) = self.take(since.elapsed()) {
                append(ledger, told).await;
            }
            if stopping {
                return;
            }
            since = Instant::now();
        }
    }
}

async fn append(ledger: &Ledger, told: leaf::Rejections) {
    let (unauthenticated, over_limit) = (told.unauthenticated, told.over_limit);
    tracing::warn!(unauthenticated, over_limit, "calls were turned away");
    if let Err(refused) = ledger.append(Event::Rejections(told)).await {
        tracing::error!(%refused, unauthenticated, over_limit, "that calls were turned away could not be recorded");
    }
}

/// Records the calls that were turned away: at most every ten seconds, not when there were none, and once more when
/// `stop` fires. Must have ended before the ledger is closed.
pub async fn record(gate: Arc<Gate>, stop: CancellationToken) {
    gate.rejections().record(gate.ledger(), &stop).await;
}

#[cfg(test)]
mod tests;
