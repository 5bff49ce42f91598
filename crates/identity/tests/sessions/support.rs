//! Sessions over a real store, by a clock that stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use identity::{
    Agent, AgentName, Agents, Clock, ClusterName, Delegator, Entropy, EntropyError, GroupName, LoadError,
    Loaded, Opened, Opening, Operator, Reason, Revocation, SessionId, Sessions, Withdrawn,
};
use jiff::{SignedDuration, Timestamp};
use sqlx::{Connection as _, SqliteConnection};
use store::Store;
use tempfile::TempDir;

/// Stands still until it is set forward, whatever tokio's clock does.
#[derive(Debug, Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn forward(&self, time: Duration) {
        self.0.fetch_add(time.as_micros().try_into().unwrap(), Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        start() + SignedDuration::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// Counts: 1, 2, 3… in eight bytes, over and over.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let next = (self.0.fetch_add(1, Ordering::Relaxed) + 1).to_be_bytes();
        bytes.iter_mut().zip(next.iter().cycle()).for_each(|(to, from)| *to = *from);
        Ok(())
    }
}

#[derive(Debug)]
pub(crate) struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError)
    }
}

pub(crate) fn start() -> Timestamp {
    "2030-01-01T00:00:00.123456789Z".parse().unwrap()
}

pub(crate) fn agents(names: &[&str]) -> Agents {
    let cluster = |name| ClusterName::parse(name).unwrap();
    let agent = Agent {
        groups: vec![GroupName::parse("developers").unwrap(), GroupName::parse("bots").unwrap()],
        clusters: [cluster("prod")].into(),
    };
    let agents = names.iter().map(|name| (AgentName::parse(name).unwrap(), agent.clone()));
    Agents::new([cluster("prod"), cluster("lab")], agents, SignedDuration::from_hours(8)).unwrap()
}

/// With a store that is there, or begins.
pub(crate) async fn load_with(
    data: &TempDir,
    agents: Agents,
    clock: &Arc<TestClock>,
    entropy: impl Entropy + 'static,
) -> Result<Loaded, LoadError> {
    let store = Store::open(data.path()).await.unwrap();
    Sessions::load(store, agents, Arc::clone(clock) as Arc<dyn Clock>, Arc::new(entropy)).await
}

/// With ids that count from one at each start.
pub(crate) async fn try_load(
    data: &TempDir,
    agents: Agents,
    clock: Arc<TestClock>,
) -> Result<Loaded, LoadError> {
    load_with(data, agents, &clock, Counter::default()).await
}

pub(crate) async fn load(data: &TempDir, agents: Agents) -> (Sessions, Vec<Withdrawn>) {
    let Loaded { sessions, withdrawn, .. } = try_load(data, agents, Arc::default()).await.unwrap();
    (sessions, withdrawn)
}

pub(crate) async fn sessions(data: &TempDir) -> Sessions {
    load(data, agents(&["claude", "ci"])).await.0
}

pub(crate) async fn sql(data: &TempDir, statement: &'static str) {
    let url = format!("sqlite://{}", data.path().join("state.sqlite").display());
    let mut raw = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(statement).execute(&mut raw).await.unwrap();
    raw.close().await.unwrap();
}

pub(crate) fn opening() -> Opening {
    Opening {
        agent: AgentName::parse("claude").unwrap(),
        delegator: Delegator::parse("ada@example.com").unwrap(),
        cluster: ClusterName::parse("prod").unwrap(),
        reason: Reason::parse("roll out 1.4").unwrap(),
        ttl: SignedDuration::from_hours(1),
    }
}

pub(crate) fn id(opened: &Opened) -> SessionId {
    SessionId::parse(&opened.session.id).unwrap()
}

pub(crate) async fn revoke(sessions: &Sessions, id: &SessionId) -> Revocation {
    let (by, why) = (Operator::parse("ada").unwrap(), Reason::parse("gone wild").unwrap());
    sessions.revoke(id, &by, &why).await.unwrap()
}
