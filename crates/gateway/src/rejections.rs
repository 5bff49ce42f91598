//! Calls turned away at the door, and a session's refusals and the gate's own answers to it beyond its budgets, which are
//! counted: one leaf tells of many, so that a flood does not fill the disk.

mod budget;

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
    leaf::{self, Event, Id, Share},
};
use parking_lot::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::Gate;
use budget::{ANSWERS, Allowance, Budgets, REFUSALS};

/// Between two leaves, and how late one may tell of a call.
const EVERY: Duration = Duration::from_secs(10);
/// Sessions told by name in one leaf.
const NAMED: usize = 32;

/// What was turned away and is not in the ledger yet.
#[derive(Debug)]
pub(crate) struct Rejections {
    /// Anyone can make this count, as fast as they like: no lock.
    unauthenticated: AtomicU64,
    over_limit: Mutex<OverLimits>,
    refused: Mutex<Beyond>,
    answered: Mutex<Beyond>,
}

#[derive(Debug, Default)]
struct OverLimits {
    calls: u64,
    /// At most [`NAMED`]; calls of further sessions are in `calls` alone.
    sessions: BTreeMap<SessionId, u64>,
}

/// Calls that are more than a session may have told one by one.
#[derive(Debug)]
struct Beyond {
    budgets: Budgets,
    /// Only sessions that are open are answered, so there are no more of these than of those.
    sessions: BTreeMap<SessionId, u64>,
}

impl Default for Rejections {
    fn default() -> Self {
        Self {
            unauthenticated: AtomicU64::default(),
            over_limit: Mutex::default(),
            refused: Mutex::new(Beyond::new(REFUSALS)),
            answered: Mutex::new(Beyond::new(ANSWERS)),
        }
    }
}

impl Rejections {
    /// A call without a valid session token.
    pub(crate) fn unauthenticated(&self) {
        self.unauthenticated.fetch_add(1, Ordering::Relaxed);
    }

    /// A call of a session that has as many open as it may.
    pub(crate) fn over_limit(&self, session: &SessionId) {
        self.over_limit.lock().add(session, 1);
    }

    /// Whether a refusal gets a leaf of its own. If not, it is counted here, and one leaf will tell of many.
    pub(crate) fn tells_alone(&self, session: &SessionId) -> bool {
        self.refused.lock().tells_alone(session)
    }

    /// The same of an answer that the gate gave by itself.
    pub(crate) fn tells_answer_alone(&self, session: &SessionId) -> bool {
        self.answered.lock().tells_alone(session)
    }

    /// What there is to tell, all of which came within `period`; the counting begins anew.
    fn take(&self, period: Duration) -> Vec<leaf::Rejections> {
        let period_s = period.as_secs() + u64::from(period.subsec_nanos() > 0);
        let unauthenticated = self.unauthenticated.swap(0, Ordering::Relaxed);
        let OverLimits { calls, sessions } = std::mem::take(&mut *self.over_limit.lock());
        let (refused, answered) = (self.refused.lock().take(), self.answered.lock().take());
        let (mut refused, mut answered) = (refused.chunks(NAMED), answered.chunks(NAMED));
        let mut first = leaf::Rejections {
            period_s,
            unauthenticated,
            over_limit: calls,
            sessions: sessions.into_iter().filter_map(share).collect(),
            ..leaf::Rejections::default()
        };
        let mut all = Vec::new();
        loop {
            let (refused, answered) = (refused.next(), answered.next());
            let more = refused.is_some() || answered.is_some();
            if !more && first.unauthenticated == 0 && first.over_limit == 0 {
                return all;
            }
            let next = leaf::Rejections { period_s, ..leaf::Rejections::default() };
            let (refused, answered) = (refused.unwrap_or_default(), answered.unwrap_or_default());
            all.push(leaf::Rejections {
                refused: total(refused),
                refused_sessions: refused.iter().cloned().collect(),
                answered: total(answered),
                answered_sessions: answered.iter().cloned().collect(),
                ..std::mem::replace(&mut first, next)
            });
        }
    }

    /// Counts again what could not be told.
    fn put_back(&self, untold: &leaf::Rejections) {
        self.unauthenticated.fetch_add(untold.unauthenticated, Ordering::Relaxed);
        let mut over = self.over_limit.lock();
        over.calls += untold.over_limit.saturating_sub(total(untold.sessions.items()));
        for (session, calls) in untold.sessions.items().iter().filter_map(unshare) {
            over.add(&session, calls);
        }
        self.refused.lock().put_back(untold.refused_sessions.items());
        self.answered.lock().put_back(untold.answered_sessions.items());
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
            let (stopping, now) = (stop.is_cancelled(), Instant::now());
            let mut untold = false;
            for told in self.take(since.elapsed()) {
                if !append(ledger, &told).await {
                    self.put_back(&told);
                    untold = true;
                }
            }
            if stopping {
                return;
            }
            if !untold {
                since = now;
            }
        }
    }
}

impl OverLimits {
    fn add(&mut self, session: &SessionId, calls: u64) {
        self.calls += calls;
        if let Some(counted) = self.sessions.get_mut(session) {
            *counted += calls;
        } else if self.sessions.len() < NAMED {
            self.sessions.insert(session.clone(), calls);
        }
    }
}

impl Beyond {
    fn new(allowance: Allowance) -> Self {
        Self { budgets: Budgets::new(allowance), sessions: BTreeMap::new() }
    }

    fn tells_alone(&mut self, session: &SessionId) -> bool {
        let alone = self.budgets.spend(session, Instant::now());
        if !alone {
            *self.sessions.entry(session.clone()).or_default() += 1;
        }
        alone
    }

    fn take(&mut self) -> Vec<Share> {
        self.budgets.tidy(Instant::now());
        std::mem::take(&mut self.sessions).into_iter().filter_map(share).collect()
    }

    fn put_back(&mut self, untold: &[Share]) {
        for (session, calls) in untold.iter().filter_map(unshare) {
            *self.sessions.entry(session).or_default() += calls;
        }
    }
}

fn total(shares: &[Share]) -> u64 {
    shares.iter().map(|share| share.calls).sum()
}

fn share((session, calls): (SessionId, u64)) -> Option<Share> {
    Some(Share { session: Id::new(session.as_str()).ok()?, calls })
}

fn unshare(share: &Share) -> Option<(SessionId, u64)> {
    Some((SessionId::parse(share.session.as_str()).ok()?, share.calls))
}

/// Whether the ledger took it.
async fn append(ledger: &Ledger, told: &leaf::Rejections) -> bool {
    let leaf::Rejections { unauthenticated, over_limit, refused, answered, .. } = told;
    tracing::warn!(unauthenticated, over_limit, refused, answered, "calls were counted, not told one by one");
    let appended = ledger.append(Event::Rejections(told.clone())).await;
    if let Err(why) = &appended {
        tracing::error!(%why, unauthenticated, over_limit, refused, answered, "calls that were counted could not be recorded");
    }
    appended.is_ok()
}

/// Records the calls that were turned away: at most every ten seconds, not when there were none, and once more when
/// `stop` fires. Must have ended before the ledger is closed.
pub async fn record(gate: Arc<Gate>, stop: CancellationToken) {
    gate.rejections().record(gate.ledger(), &stop).await;
}

#[cfg(test)]
mod tests;
