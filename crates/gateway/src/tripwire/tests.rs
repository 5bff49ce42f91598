use std::{path::Path, time::Duration};

use http::{Method, Request as Http, header};
use identity::{Agent, Agents, Caller, Opening, Sessions, SystemClock, SystemEntropy};
use inbox::Inbox;
use jiff::{SignedDuration, Timestamp};
use kube_api::Head;
use ledger::{Ledger, testing};
use mask::{Catalogue, Guard, KnownValues};
use policy::{Bundle, Judge};
use serde_json::json;
use tempfile::TempDir;
use upstream::Cluster;

use super::*;
use crate::{Holding, Limits, Recordings};

const BUDGET: u32 = 3;

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

/// A gate in front of nothing, with one open session.
struct Bench {
    gate: Arc<Gate>,
    caller: Caller,
    data: TempDir,
}

impl Bench {
    async fn new() -> Self {
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
        let opening = Opening {
            agent: "claude".parse().unwrap(),
            delegator: "ada".parse().unwrap(),
            cluster,
            reason: "look".parse().unwrap(),
            ttl: SignedDuration::from_hours(1),
        };
        let opened = loaded.sessions.open(opening).await.unwrap();
        let caller = loaded.sessions.identify(opened.token.reveal(), Timestamp::now()).unwrap();
        let rules = policy::Source {
            name: "all.cedar".to_owned(),
            text: "@id(\"all\") @reason(\"a test\") permit (principal, action, resource);".to_owned(),
        };
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
        let recordings = recordings(data.path(), &ledger);
        let clusters = vec![upstream];
        let gate = Gate::new(clusters, sessions, judge, ledger, recordings, inbox, limits(), holding());
        let gate = Arc::new(gate);
        Self { gate, caller, data }
    }

    fn call(&self) -> Call {
        Call::unsent(&self.gate, &self.caller)
    }

    /// What the ledger tells, once all of it is told.
    async fn told(self) -> Vec<String> {
        self.gate.tasks().close();
        self.gate.tasks().wait().await;
        self.gate.ledger().close(true).await.unwrap();
        let tell = |event| match event {
            Event::KnownValueSent(sent) => Some(format!("{} sent", sent.values)),
            Event::SessionFrozen(frozen) => Some(format!("frozen by {}: {}", frozen.by, frozen.reason)),
            _ => None,
        };
        let mut told: Vec<_> = testing::events(self.data.path()).into_iter().filter_map(tell).collect();
        told.sort();
        told
    }
}

fn recordings(data: &Path, ledger: &Ledger) -> Recordings {
    let (reserve, queue, at_rest) = (0, 0, Arc::new(recording::at_rest::Plain));
    let config = recording::Config { folder: data.join("recordings"), reserve, queue, at_rest };
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
    let long = Duration::from_secs(60);
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

#[tokio::test]
async fn within_the_budget_nothing_happens_but_a_leaf_and_beyond_it_the_session_is_frozen() {
    let bench = Bench::new().await;
    for values in [0, 1, 0, 2] {
        assert!(bench.call().sent_known(values).await.is_ok());
    }
    assert_eq!(bench.caller.ended().how(), None);
    let Err(refused) = bench.call().sent_known(1).await else { panic!("not refused") };
    let frozen = bench.caller.ended().how();
    assert!(matches!(&frozen, Some(End::Frozen(_))));
    let message = refused.status().message().to_owned();
    assert!(
        message.contains("is frozen since") && message.contains("than the 3 that a session may"),
        "{message}"
    );
    // Calls that were under way are refused as well, and change nothing more.
    assert!(bench.call().sent_known(1).await.is_err());
    assert_eq!(bench.caller.ended().how(), frozen);
    insta::assert_snapshot!(bench.told().await.join("\n"), @"
    1 sent
    1 sent
    1 sent
    2 sent
    frozen by portcullis: it sent more known secret values, and guesses at them, than the 3 that a session may
    ");
}

#[tokio::test]
async fn a_call_of_before_a_thaw_does_not_freeze_the_session_again() {
    let bench = Bench::new().await;
    assert!(bench.call().sent_known(u32::MAX).await.is_err());
    let id = bench.caller.session();
    let thawing = bench.gate.sessions().thaw(id).await.unwrap();
    thawing.finish().await.unwrap();
    assert!(bench.call().sent_known(1).await.is_err());
    assert!(bench.gate.sessions().thaw(id).await.is_none(), "not frozen");
}

#[tokio::test]
async fn a_ledger_that_takes_nothing_keeps_no_session_from_being_frozen() {
    let bench = Bench::new().await;
    bench.gate.ledger().close(true).await.unwrap();
    assert!(bench.call().sent_known(BUDGET).await.is_ok());
    assert!(bench.call().sent_known(1).await.is_err());
    assert!(matches!(bench.caller.ended().how(), Some(End::Frozen(_))));
    assert_eq!(bench.gate.sessions().unrecorded_freezes().await.unwrap().len(), 1);
}

fn request(method: Method, target: &str, body: &str) -> Request {
    let (parts, ()) = Http::builder()
        .method(method)
        .uri(target)
        .header(header::CONTENT_TYPE, "application/json")
        .body(())
        .unwrap()
        .into_parts();
    Head::parse(&parts).unwrap().with_body(body.as_bytes()).unwrap()
}

fn text(method: Method, target: &str, body: &str) -> String {
    String::from_utf8(text_of(&request(method, target, body))).unwrap()
}

#[test]
fn all_that_a_request_says_is_looked_at() {
    insta::assert_snapshot!(text(Method::GET, "/api/v1/namespaces/a/pods?labelSelector=x%3Dhun.ter&limit=2", ""), @r"
    /api/v1/namespaces/a/pods?labelSelector=x%3Dhun.ter&limit=2
    /api/v1/namespaces/a/pods
    x=hun.ter
    2
    ");
    let body = r#"{"kind":"ConfigMap","apiVersion":"v1","data":{"plain":"hunter2","a \"key\"":["é\nline",{"n":12345}]}}"#;
    insta::assert_snapshot!(text(Method::POST, "/api/v1/namespaces/a/configmaps", body), @r#"
    /api/v1/namespaces/a/configmaps
    /api/v1/namespaces/a/configmaps
    {"kind":"ConfigMap","apiVersion":"v1","data":{"plain":"hunter2","a \"key\"":["é\nline",{"n":12345}]}}
    a "key"
    é
    line
    "#);
}

#[test]
fn values_are_counted_once_over_all_of_it() {
    let asked = request(Method::GET, "/api/v1/namespaces/hunter2/pods/hunter2", "");
    let mut looked = 0;
    let values = values_in(&asked, |text| {
        looked += 1;
        usize::from(text.windows(7).any(|window| window == b"hunter2"))
    });
    assert_eq!((values, looked), (1, 1));
    assert_eq!(values_in(&asked, |_| usize::MAX), u32::MAX);
}
