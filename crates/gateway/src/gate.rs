//! The gate: what its calls share.

use std::{collections::BTreeMap, sync::Arc};

use identity::Sessions;
use inbox::Inbox;
use ledger::Ledger;
use policy::Judge;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use upstream::Cluster;

use crate::{
    limits::{Holding, Limits},
    metrics::Metrics,
    recordings::Recordings,
    rejections::Rejections,
    stream::Echoes,
};
use door::Slots;

/// Everything a call needs, once per process.
#[derive(Debug)]
pub struct Gate {
    clusters: BTreeMap<String, Arc<Cluster>>,
    sessions: Arc<Sessions>,
    judge: watch::Sender<Arc<Judge>>,
    ledger: Ledger,
    recordings: Recordings,
    inbox: Arc<Inbox>,
    limits: Limits,
    holding: Holding,
    slots: Slots,
    proposals: Slots,
    metrics: Metrics,
    rejections: Rejections,
    echoes: Echoes,
    /// Fired when the gate stops: streams end, other calls finish.
    stopping: CancellationToken,
    /// Fired when the time to finish is over: every call ends.
    cut: CancellationToken,
    /// Calls and outcomes under way, which outlive their connections.
    tasks: TaskTracker,
}

impl Gate {
    /// A gate in front of these clusters.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "each is a part of the gate of its own type")]
    pub fn new(
        clusters: Vec<Cluster>,
        sessions: Arc<Sessions>,
        judge: Judge,
        ledger: Ledger,
        recordings: Recordings,
        inbox: Arc<Inbox>,
        limits: Limits,
        holding: Holding,
    ) -> Self {
        Self {
            clusters: clusters
                .into_iter()
                .map(|cluster| (cluster.name().to_owned(), Arc::new(cluster)))
                .collect(),
            sessions,
            judge: watch::Sender::new(Arc::new(judge)),
            ledger,
            recordings,
            inbox,
            holding,
            slots: Slots::new(limits.calls_a_session),
            proposals: Slots::new(1),
            limits,
            metrics: Metrics::new(),
            rejections: Rejections::default(),
            echoes: Echoes::default(),
            stopping: CancellationToken::new(),
            cut: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    /// Puts another policy in force: for the next call, and for those that wait for humans; not for others under way.
    pub fn set_judge(&self, judge: Judge) {
        self.judge.send_replace(Arc::new(judge));
    }

    /// Tells of each policy that comes into force from now on.
    pub(crate) fn policies(&self) -> watch::Receiver<Arc<Judge>> {
        self.judge.subscribe()
    }

    /// The digest of the policy in force.
    #[must_use]
    pub fn policy_digest(&self) -> String {
        self.judge.borrow().bundle().digest().as_str().to_owned()
    }

    /// The limits it was started with.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The policy in force.
    #[must_use]
    pub fn judge(&self) -> Arc<Judge> {
        Arc::clone(&self.judge.borrow())
    }

    pub(crate) fn cluster(&self, name: &str) -> Option<Arc<Cluster>> {
        self.clusters.get(name).cloned()
    }

    pub(crate) fn clusters(&self) -> impl Iterator<Item = &Arc<Cluster>> {
        self.clusters.values()
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn recordings(&self) -> &Recordings {
        &self.recordings
    }

    pub(crate) fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    pub(crate) fn shared_inbox(&self) -> Arc<Inbox> {
        Arc::clone(&self.inbox)
    }

    /// Proposals under way: one of a session at a time, since each is many looks.
    pub(crate) fn proposals(&self) -> &Slots {
        &self.proposals
    }

    pub(crate) fn holding(&self) -> &Holding {
        &self.holding
    }

    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn rejections(&self) -> &Rejections {
        &self.rejections
    }

    pub(crate) fn echoes(&self) -> &Echoes {
        &self.echoes
    }

    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    pub(crate) fn cut(&self) -> &CancellationToken {
        &self.cut
    }
}
