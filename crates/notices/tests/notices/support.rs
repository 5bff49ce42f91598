//! A gate's notices in a folder, and a clock.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use notices::{Channel, Clock, Event, Filter, Id, Notice, Outbox, Sender, Target, Targets};
use store::Store;
use tempfile::{Builder, TempDir};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The secret of every webhook here.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Part of each address that is a secret.
pub(crate) const SECRET_PATH: &str = "/T0SECRET/B0SECRET";

/// Time that passes only when somebody waits for it, and then at once. Microseconds.
#[derive(Debug)]
pub(crate) struct Jumps(AtomicI64);

impl Clock for Jumps {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).unwrap()
    }

    fn until(&self, then: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        // Not before: a part of a microsecond is one.
        self.0.fetch_max(then.as_microsecond() + 1, Ordering::SeqCst);
        Box::pin(tokio::task::yield_now())
    }
}

/// A gate that tells.
pub(crate) struct Gate {
    pub(crate) data: TempDir,
    pub(crate) store: Arc<Store>,
    pub(crate) clock: Arc<Jumps>,
    pub(crate) outbox: Arc<Outbox>,
    stop: CancellationToken,
    sender: JoinHandle<()>,
}

impl Gate {
    /// A gate with an empty outbox.
    pub(crate) async fn start(targets: Vec<Target>) -> Self {
        let clock = Arc::new(Jumps(AtomicI64::new(1_800_000_000_000_000)));
        Self::restart(TempDir::new().unwrap(), clock, targets).await
    }

    /// A gate with the outbox that another left behind.
    pub(crate) async fn restart(data: TempDir, clock: Arc<Jumps>, targets: Vec<Target>) -> Self {
        let store = Arc::new(Store::open(data.path()).await.unwrap());
        let targets = Targets::open(targets).unwrap();
        let outbox = Arc::new(Outbox::new(store.clone(), &targets, clock.clone()));
        let stop = CancellationToken::new();
        let sender = tokio::spawn(Sender::new(outbox.clone(), targets).seeded(7).run(stop.clone()));
        Self { data, store, clock, outbox, stop, sender }
    }

    /// Tells it, by its id alone.
    pub(crate) async fn tell(&self, id: &str) {
        self.outbox.add(&notice(id)).await.unwrap();
    }

    /// What time it is.
    pub(crate) fn time(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits until a target is owed nothing.
    pub(crate) async fn settled(&self, target: &str) {
        while self.store.next_notice(target).await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    }

    /// Stops, in the midst of whatever is being told.
    pub(crate) async fn stop(self) -> (TempDir, Arc<Jumps>) {
        let Self { data, store, clock, outbox, stop, sender } = self;
        stop.cancel();
        sender.await.unwrap();
        drop(outbox);
        Arc::into_inner(store).unwrap().close().await;
        (data, clock)
    }
}

pub(crate) fn notice(id: &str) -> Notice {
    Notice {
        id: Id::try_from(id.to_owned()).unwrap(),
        at: "2027-01-15T08:00:00Z".parse().unwrap(),
        event: Event::ApprovalAsked,
        cluster: "prod".into(),
        agent: "claude".into(),
        delegator: "ada@example.com".into(),
        session: "s-1".into(),
        approval: Some("a-1".into()),
        what: r#"delete namespaces "shop" of cluster "prod""#.into(),
        reason: "the shop has moved".into(),
        rules: vec!["prod-deletes".into()],
        approvers: vec!["sre".into()],
        decide_by: None,
        by: Vec::new(),
        console: None,
    }
}

thread_local! {
    /// The files of one test; gone with its thread.
    static FILES: TempDir = TempDir::new().unwrap();
}

/// A file of a secret.
pub(crate) fn file(text: &str) -> PathBuf {
    FILES.with(|files| {
        let (mut file, path) = Builder::new().suffix(".secret").tempfile_in(files).unwrap().keep().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        path
    })
}

pub(crate) fn target(name: &str, channel: Channel) -> Target {
    let timeout = Duration::from_secs(60);
    Target { name: name.parse().unwrap(), filter: Filter::default(), channel, ca_file: None, timeout }
}

pub(crate) fn trusting(ca: &Path, target: Target) -> Target {
    Target { ca_file: Some(ca.to_owned()), ..target }
}
