//! The reader: knows the values of a cluster's Secrets, so that they can be masked wherever else they appear.
//!
//! It lists and watches Secrets as a user of its own, which may do that and nothing else. It is no agent's call, so there is
//! no intent to record; what makes up for it is that it is narrow. [`ask`] can ask for Secrets and for nothing else, and
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
mod sight;
#[cfg(test)]
mod tests;
mod value;

use std::{sync::Arc, time::Duration};

use mask::KnownValues;
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{Instant, timeout},
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
    /// are refused.
    pub bytes: usize,
}

/// How well the gate knows a cluster's Secrets, for the operator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Since the API server last said something about them; `None` before the first list was complete.
    pub age: Option<Duration>,
    /// Why calls are refused, if they are.
    pub blind: Option<Blind>,
    /// The last thing that went wrong and is not over.
    pub problem: Option<Problem>,
}

/// The tasks that read one cluster's Secrets. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Reader {
    sight: watch::Receiver<Sight>,
    stale_after: Duration,
    _tasks: JoinSet<()>,
}

/// What the tasks of one reader share.
struct Shared {
    cluster: String,
    link: Arc<Link>,
    /// For the head of an answer, and again for each page to its end.
    patience: Duration,
    scope: Scope,
    /// Field selector, so that what is not wanted does not come.
    selector: String,
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
        let (sender, sight) = watch::channel(Sight::new(sources.len()));
        let shared = Arc::new(Shared {
            cluster: cluster.to_owned(),
            link,
            patience,
            selector: scope.selector(),
            scope,
            held: Mutex::new(Held::new(sources.len(), bytes, keep_deleted)),
            changed: Notify::new(),
            sight: sender,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(supervise(shared, sources, index));
        Self { sight, stale_after, _tasks: tasks }
    }

    /// Waits for the first list while nothing has gone wrong with it, for as long as `patience`.
    ///
    /// # Errors
    /// Values of Secrets could pass unseen.
    pub(crate) async fn ready(&self, patience: Duration) -> Result<(), Blind> {
        match self.blind() {
            None => return Ok(()),
            Some(Blind::Listing) => {}
            Some(blind) => return Err(blind),
        }
        let mut sight = self.sight.clone();
        let settled = sight.wait_for(|sight| sight.blind(self.stale_after) != Some(Blind::Listing));
        let _elapsed_or_ended = timeout(patience, settled).await.is_ok();
        self.blind().map_or(Ok(()), Err)
    }

    pub(crate) fn standing(&self) -> Standing {
        let sight = self.sight.borrow();
        let now = Instant::now();
        Standing {
            age: sight.as_of().map(|as_of| now.saturating_duration_since(as_of)),
            blind: sight.blind(self.stale_after),
            problem: sight.problem(),
        }
    }

    fn blind(&self) -> Option<Blind> {
        self.sight.borrow().blind(self.stale_after)
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
