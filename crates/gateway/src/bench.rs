//! A gate for tests of what its calls do without an API server.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use identity::{Agent, Agents, Caller, Opening, Sessions, SystemClock, SystemEntropy};
use inbox::Inbox;
use jiff::{SignedDuration, Timestamp};
use ledger::{Ledger, testing};
use mask::{Catalogue, Guard, KnownValues};
use policy::{Bundle, Judge};
use recording::{
    at_rest::{Close, Plain},
    kept::Keeper,
    reader::Library,
    record::What,
};
use serde_json::json;
use tempfile::TempDir;
use upstream::Cluster;

use crate::{Gate, Holding, Limits, Recordings, call::Call};

/// How often an agent may send a known value.
pub(crate) const BUDGET: u32 = 3;

const LONG: Duration = Duration::from_secs(60);

/// A cluster that is never asked anything.
async fn unreached(folder: &Path) -> Cluster {
    let file = folder.join("kubeconfig");
    let text = json!({
        "current-context": "c",
        "contexts": [{ "name": "c", "context": { "cluster": "c", "user": "u" } }],
        "clusters": [{ "name": "c", "cluster": { "server": "https://127.0.0.1:1" } }],
        "users": [{ "name": "u", "user": { "token": "t" } }],
    });
    std::fs::write(&file, text.to_string()).unwrap();
    let patience = Duration::from_secs(1);
    let settings = upstream::Settings {
        name: "prod".to_owned(),
        source: upstream::Source::Kubeconfig { file, context: None },
        guard: Guard::new("prod", Catalogue::builtin(), KnownValues::none(), [1; 16]),
        reading: None,
        connect_timeout: patience,
        idle_timeout: patience,
        credential_timeout: patience,
        response_timeout: patience,
    };
    Cluster::load(settings).await.unwrap()
}

/// How a bench is.
pub(crate) struct With {
    /// What the gate keeps values with.
    pub(crate) keeper: Option<Keeper>,
    pub(crate) rules: &'static str,
    pub(crate) write_timeout: Duration,
    /// How recordings are stored.
    pub(crate) at_rest: Arc<dyn Close>,
}

impl Default for With {
    fn default() -> Self {
        let rules = "@id(\"all\") @reason(\"a test\") permit (principal, action, resource);";
        Self { keeper: None, rules, write_timeout: LONG, at_rest: Arc::new(Plain) }
    }
}

/// A gate in front of nothing, with one open session.
pub(crate) struct Bench {
    pub(crate) gate: Arc<Gate>,
    pub(crate) caller: Caller,
    /// Of another session.
    pub(crate) other: Caller,
    pub(crate) data: TempDir,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(With::default()).await
    }

    /// The same, which keeps values with this.
    pub(crate) async fn keeping(keeper: Option<Keeper>) -> Self {
        Self::with(With { keeper, ..With::default() }).await
    }

    pub(crate) async fn with(with: With) -> Self {
        let With { keeper, rules, write_timeout, at_rest } = with;
        let data = tempfile::tempdir().unwrap();
        let cluster: identity::ClusterName = "prod".parse().unwrap();
        let agent = Agent { groups: vec![], clusters: [cluster.clone()].into() };
        let agents = [("claude".parse().unwrap(), agent)];
        let agents = Agents::new([cluster.clone()], agents, SignedDuration::from_hours(8)).unwrap();
        let store = Arc::new(store::Store::open(data.path()).await.unwrap());
        let loaded =
            Sessions::load(Arc::clone(&store), agents, Arc::new(SystemClock), Arc::new(SystemEntropy))
                .await
                .unwrap();
        let opening = || Opening {
            agent: "claude".parse().unwrap(),
            delegator: "ada".parse().unwrap(),
            cluster: cluster.clone(),
            reason: "look".parse().unwrap(),
            ttl: SignedDuration::from_hours(1),
        };
        let opened = loaded.sessions.open(opening()).await.unwrap();
        let caller = loaded.sessions.identify(opened.token.reveal(), Timestamp::now()).unwrap();
        let opened = loaded.sessions.open(opening()).await.unwrap();
        let other = loaded.sessions.identify(opened.token.reveal(), Timestamp::now()).unwrap();
        let rules = policy::Source { name: "test.cedar".to_owned(), text: rules.to_owned() };
        let judge = Judge::new(Bundle::compile(&[rules]).unwrap(), policy::Settings::default());
        let ledger = testing::open(data.path());
        let upstream = unreached(data.path()).await;
        let inbox = Arc::new(Inbox::new(
            store,
            ledger.clone(),
            Arc::new(SystemClock),
            inbox::Limits { pending: 10, ever: 10 },
        ));
        let sessions = Arc::new(loaded.sessions);
        let recordings = recordings(data.path(), &ledger, at_rest);
        let recordings = keeper.into_iter().fold(recordings, Recordings::keeping);
        let clusters = vec![upstream];
        let limits = Limits { write_timeout, ..limits() };
        let gate = Gate::new(clusters, sessions, judge, ledger, recordings, inbox, limits, holding());
        let gate = Arc::new(gate);
        Self { gate, caller, other, data }
    }

    pub(crate) fn call(&self) -> Call {
        Call::unsent(&self.gate, &self.caller)
    }

    /// What the recording of its session has of each call: what was asked, and the status of the answer, if it has one.
    pub(crate) async fn answers(&self) -> Vec<(String, Option<u16>)> {
        self.gate.recordings().close().await.unwrap();
        let session = self.caller.session().as_str().parse().unwrap();
        let library = Library::new(&self.data.path().join("recordings"), Arc::new(Plain));
        let (mut calls, mut answers) = (Vec::new(), HashMap::new());
        for record in library.recording(&session).unwrap().records() {
            match record.unwrap().what {
                What::Called(called) => {
                    calls.push((called.call.as_str().to_owned(), called.act.as_str().to_owned()))
                }
                What::Answered(answered) => {
                    answers.insert(answered.call.as_str().to_owned(), answered.status);
                }
                _ => {}
            }
        }
        calls.into_iter().map(|(call, act)| (act, answers.get(&call).copied())).collect()
    }

    /// A call of the other session.
    pub(crate) fn other_call(&self) -> Call {
        Call::unsent(&self.gate, &self.other)
    }
}

fn recordings(data: &Path, ledger: &Ledger, at_rest: Arc<dyn Close>) -> Recordings {
    let (reserve, quota, queue) = (0, u64::MAX, 0);
    let config = recording::Config { folder: data.join("recordings"), reserve, quota, queue, at_rest };
    let (recorder, segments) = recording::Recorder::open(config, Timestamp::now).unwrap();
    tokio::spawn(crate::segments::tell(segments, ledger.clone()));
    Recordings::new(recorder)
}

fn holding() -> Holding {
    Holding {
        hold: Duration::from_secs(1),
        decide_seconds: 60,
        use_seconds: 60,
        withdraw_when_left: false,
        console: None,
        access: None,
        break_glass: None,
    }
}

fn limits() -> Limits {
    let long = LONG;
    Limits {
        connections: 1,
        connections_per_address: 1,
        header_bytes: 1 << 16,
        header_timeout: long,
        idle_timeout: long,
        write_timeout: long,
        body_timeout: long,
        body_bytes: 1 << 20,
        calls_a_session: 8,
        known_values_a_session: BUDGET,
        keep_alive: long,
        drain: long,
    }
}
