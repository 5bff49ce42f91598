//! The reader: knows the values of a cluster's Secrets, so that they can be masked wherever else they appear.
//!
//! It lists and watches Secrets as a user of its own, which may do that and nothing else. It is no agent's call, so there is
//! no intent to record; what makes up for it is that it is narrow. `ask` can ask for Secrets and for nothing else, and
//! what was read leaves this module only as [`mask::SecretValue`]s.
//!
//! ```text
//! ask ── page, event ── object ── values ── held ── index ── mask::KnownValues
//!            follow (one a source)     (what is known,  (off the threads
//!               └──────── sight         and until when)   that serve calls)
//!                (how well we see: what calls wait for)
//! ```
//!
//! Zeroised are the buffers that this module owns; those of TLS and HTTP below it are not its own.

mod ask;
mod backoff;
mod follow;
mod held;
mod index;
mod lines;
mod object;
mod problem;
mod public;
mod scope;
mod shares;
mod sight;
#[cfg(test)]
mod tests;
mod value;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mask::KnownValues;
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use crate::link::Link;

pub use problem::{Blind, Problem};
pub use scope::{BadScope, NamespacePattern, Scope, SecretType};

use follow::Follower;
use held::Held;
use index::{Index, Indexer};
use sight::Sight;

/// Which Secrets are read, and for how long what was read counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Which Secrets.
    pub scope: Scope,
    /// How long a value stays known after it was deleted or replaced.
    pub keep_deleted: Duration,
    /// How long the watch may be lost before calls are refused. See [`Blind::Lost`].
    pub stale_after: Duration,
    /// Most bytes of values that are held. Beyond, values that were deleted go first; where those in use are too many, calls
    /// are refused. Of one namespace it is a quarter, unless no other is read: see [`Blind::OverShare`].
    pub bytes: usize,
}

/// Which part of the room one namespace may have: so many can be filled before others have none.
const SHARES: usize = 4;

/// How well the gate knows a cluster's Secrets, for the operator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Since the API server last said something about them; `None` before the first list was complete.
    pub age: Option<Duration>,
    /// Why calls are refused, if they are.
    pub blind: Option<Blind>,
    /// The last thing that went wrong and is not over.
    pub problem: Option<Problem>,
    /// What becomes of the values.
    pub values: Values,
    /// Namespaces with more values than one may have, so that calls about them are refused, and how many values of each are
    /// left out.
    pub over_share: BTreeMap<String, usize>,
}

/// How many values of Secrets there are, by what becomes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Values {
    /// Looked for.
    pub known: usize,
    /// Not looked for: too short, guessable or public.
    pub guessable: usize,
    /// Not looked for, since there is no room.
    pub left_out: usize,
    /// No base64, and so known as they stand; each is one of the others, too.
    pub undecoded: usize,
}

/// The tasks that read one cluster's Secrets. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Reader {
    shared: Arc<Shared>,
    sight: watch::Receiver<Sight>,
    stale_after: Duration,
    /// The most bytes of one namespace; `usize::MAX` where no other is read.
    share: usize,
    _tasks: JoinSet<()>,
}

/// What the tasks of one reader share; calls look at `sight` alone.
#[derive(Debug)]
struct Shared {
    cluster: String,
    link: Arc<Link>,
    /// For the head of an answer, and again for each page to its end.
    patience: Duration,
    scope: Scope,
    /// Field selector, so that what is not wanted does not come.
    selector: String,
    /// Locked before `sight`, and never while that is borrowed.
    held: Mutex<Held>,
    /// There is something to index.
    changed: Notify,
    sight: watch::Sender<Sight>,
}

// === impl Reader ===

impl Reader {
    /// Begins. Must be called on a tokio runtime.
    pub(crate) fn begin(
        cluster: &str,
        link: Arc<Link>,
        patience: Duration,
        reading: Reading,
        known: KnownValues,
    ) -> Self {
        Self::begin_with(cluster, link, patience, reading, Arc::new(known))
    }

    fn begin_with(
        cluster: &str,
        link: Arc<Link>,
        patience: Duration,
        reading: Reading,
        index: Arc<dyn Index>,
    ) -> Self {
        let Reading { scope, keep_deleted, stale_after, bytes } = reading;
        let sources = scope.sources();
        // Where there is one namespace, nobody else is to be protected.
        let one = scope.named().is_some_and(|names| names.len() == 1);
        let share = if one { usize::MAX } else { bytes / SHARES };
        let (sender, sight) = watch::channel(Sight::new(sources.len()));
        let shared = Arc::new(Shared {
            cluster: cluster.to_owned(),
            link,
            patience,
            selector: scope.selector(),
            scope,
            held: Mutex::new(Held::new(sources.len(), bytes, share, keep_deleted)),
            changed: Notify::new(),
            sight: sender,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(supervise(Arc::clone(&shared), sources, index));
        Self { shared, sight, stale_after, share, _tasks: tasks }
    }

    /// Waits for the first list while nothing has gone wrong with it, for as long as `patience`, so that a call about this
    /// namespace may pass, or (`None`) one about the whole cluster.
    ///
    /// # Errors
    /// Values of Secrets could pass unseen.
    pub(crate) async fn ready(&self, patience: Duration, namespace: Option<&str>) -> Result<(), Blind> {
        match self.blind_to(namespace) {
            None => return Ok(()),
            Some(Blind::Listing) => {}
            Some(blind) => return Err(blind),
        }
        let mut sight = self.sight.clone();
        let settled = sight.wait_for(|sight| sight.blind(self.stale_after) != Some(Blind::Listing));
        let _elapsed_or_ended = timeout(patience, settled).await.is_ok();
        self.blind_to(namespace).map_or(Ok(()), Err)
    }

    /// Resolves when an answer that is under way must end, since values of Secrets could pass unseen in it. That a list is
    /// taken anew is no reason: until it is indexed, what was known stays known.
    pub(crate) async fn blinded(&self, namespace: Option<&str>) -> Blind {
        let mut sight = self.sight.clone();
        loop {
            let stale_at = sight.borrow_and_update().stale_at(self.stale_after);
            match self.blind_to(namespace) {
                None | Some(Blind::Listing) => {}
                Some(blind) => return blind,
            }
            let stale = async {
                match stale_at {
                    // Lost for longer than that, not as long; and if it is already, only what is told changes anything.
                    Some(at) if at >= Instant::now() => sleep_until(at + Duration::from_millis(1)).await,
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = sight.changed() => if changed.is_err() {
                    return Blind::Over;
                },
                () = stale => {}
            }
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        let over_share = self.shared.held.lock().values_left_out();
        let sight = self.sight.borrow();
        let masked = sight.masked();
        let now = Instant::now();
        Standing {
            age: sight.as_of().map(|as_of| now.saturating_duration_since(as_of)),
            blind: sight.blind(self.stale_after),
            problem: sight.problem(),
            values: Values {
                known: masked.map_or(0, |masked| masked.updated.known),
                guessable: masked.map_or(0, |masked| masked.updated.guessable),
                left_out: masked.map_or(0, |masked| masked.updated.left_out)
                    + over_share.values().sum::<usize>(),
                undecoded: masked.map_or(0, |masked| masked.undecoded),
            },
            over_share,
        }
    }

    /// Why a call about this namespace, or (`None`) about the whole cluster, may not pass.
    fn blind_to(&self, namespace: Option<&str>) -> Option<Blind> {
        let sight = self.sight.borrow();
        sight.blind(self.stale_after).or_else(|| {
            let namespace = sight.unknown_in(namespace)?.to_owned();
            Some(Blind::OverShare { namespace, bytes: self.share })
        })
    }
}

impl Shared {
    /// Changes what is held, and tells calls which namespaces have more than their share before it can change again.
    fn change<R>(&self, change: impl FnOnce(&mut Held) -> R) -> R {
        let mut held = self.held.lock();
        let changed = change(&mut held);
        let told = |sight: &mut Sight| sight.over_share_is(held.namespaces_over_share(), held.generation());
        if self.sight.send_if_modified(told) {
            // What was left out may have room now.
            self.changed.notify_one();
        }
        changed
    }
}

/// Runs everything; if a part of it ends, which is a defect, the gate counts as blind from then on.
async fn supervise(shared: Arc<Shared>, sources: Vec<Option<String>>, index: Arc<dyn Index>) {
    let mut parts = JoinSet::new();
    for (source, namespace) in sources.into_iter().enumerate() {
        parts.spawn(Follower::new(Arc::clone(&shared), source, namespace).run());
    }
    parts.spawn(Indexer::new(Arc::clone(&shared), index).run());
    let _defect = parts.join_next().await;
    tracing::error!(cluster = shared.cluster, "the reader of Secrets ended; no call passes until a restart");
    shared.sight.send_modify(Sight::end);
}
