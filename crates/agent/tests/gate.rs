//! The client and what is proposed, against a gate that answers as a test tells it to.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::{fs, sync::Arc, time::Duration};

use agent::{Client, Failure, How, Kubeconfig, Sources, changes};
use approval::{Answer, WantedAccess, WantedChanges};
use http::{StatusCode, header::LOCATION};
use serde_json::{Value, json};
use testkit::stand_in::{Habits, Reply, Seen, StandIn};

const TOKEN: &str = "CANARY-token";

struct Bench {
    server: StandIn,
    client: Client,
}

impl Bench {
    fn new(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let habits = Habits { protocols: vec![b"http/1.1".to_vec()], ..Habits::default() };
        let server = StandIn::with(habits, script).unwrap();
        let client = client(&server.kubeconfig(&format!("{{token: {TOKEN}}}")));
        Self { server, client }
    }

    /// Answers with these, one after the other, and the last from then on.
    fn in_turn(replies: impl IntoIterator<Item = (u16, Value)>) -> Self {
        let replies: Vec<_> = replies.into_iter().collect();
        let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        Self::new(move |_seen| {
            let turn = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst).min(replies.len() - 1);
            let (status, body) = replies.get(turn).unwrap();
            if *status == 0 { Reply::hang_up() } else { json_of(*status, body) }
        })
    }

    /// What was asked for.
    fn asked(&self) -> Vec<String> {
        self.server.requests().iter().map(|seen| format!("{} {}", seen.method, seen.uri)).collect()
    }

    fn told(&self, failure: &Failure) -> String {
        let told = format!("{failure}");
        assert!(!format!("{failure:?}{:?}{told}", self.client).contains("CANARY"));
        told.replace(&self.server.server(), "GATE")
    }
}

fn client(kubeconfig: &str) -> Client {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    fs::write(&file, kubeconfig).unwrap();
    let access = Kubeconfig::find(Some(&file)).unwrap().load().unwrap();
    Client::new(access).unwrap().pausing(Duration::ZERO)
}

fn json_of(status: u16, body: &Value) -> Reply {
    Reply::json(StatusCode::from_u16(status).unwrap(), body.to_string())
}

fn standing(state: &str) -> Value {
    json!({"approval": "a-2g4kq7nd5wvx", "state": state, "asked": ["create configmaps \"a\""]})
}

fn refusal(code: u16, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": code})
}

fn access() -> WantedAccess {
    WantedAccess {
        reason: "look".to_owned(),
        scopes: vec!["get pods in shop".to_owned()],
        seconds: 1800,
        incident: None,
    }
}

#[tokio::test]
async fn what_is_asked_for_is_sent_as_this_session() {
    let bench = Bench::in_turn([(201, standing("pending"))]);
    let answer = bench.client.request_access(&access()).await.unwrap();
    assert_eq!(answer, serde_json::from_value::<Answer>(standing("pending")).unwrap());
    let wanted = WantedChanges { reason: "r".to_owned(), calls: vec![] };
    bench.client.propose(&wanted).await.unwrap();
    bench.client.approval("a-1/../x?y", false).await.unwrap();
    assert_eq!(
        bench.asked(),
        [
            "POST /portcullis/v1/access",
            "POST /portcullis/v1/changes",
            "GET /portcullis/v1/approvals/a-1%2F..%2Fx%3Fy"
        ]
    );
    for seen in bench.server.requests() {
        assert_eq!(seen.values("authorization"), [format!("Bearer {TOKEN}")]);
    }
    let [first, second, _third] = &bench.server.requests()[..] else { panic!("three calls") };
    assert_eq!(serde_json::from_slice::<WantedAccess>(&first.body).unwrap(), access());
    assert_eq!(serde_json::from_slice::<WantedChanges>(&second.body).unwrap(), wanted);
    assert_eq!(first.values("content-type"), ["application/json"]);
}

#[tokio::test]
async fn a_decision_is_waited_for() {
    let turns =
        [(200, standing("pending")), (0, json!({})), (200, standing("pending")), (200, standing("approved"))];
    let bench = Bench::in_turn(turns);
    assert_eq!(bench.client.decided("a-2g4kq7nd5wvx").await.unwrap().state, approval::Standing::Approved);
    assert_eq!(bench.asked(), ["GET /portcullis/v1/approvals/a-2g4kq7nd5wvx?wait=true"; 4]);
}

#[tokio::test]
async fn an_object_is_absent_only_if_it_is_said_of_it() {
    let status = |of: Value| json!({"kind": "Status", "code": 404, "message": "not found", "details": of});
    let bench = Bench::in_turn([
        (200, json!({"kind": "ConfigMap"})),
        (404, status(json!({"name": "a", "kind": "configmaps"}))),
        (404, status(json!({"name": "b", "kind": "configmaps"}))),
        (404, status(json!({}))),
    ]);
    let object = async || bench.client.object("/api/v1/namespaces/shop/configmaps/a", "a").await;
    assert_eq!(object().await.unwrap(), Some(json!({"kind": "ConfigMap"})));
    assert_eq!(object().await.unwrap(), None);
    for _another in 0..2 {
        assert_eq!(bench.told(&object().await.unwrap_err()), "not found");
    }
}

#[tokio::test]
async fn a_gate_that_is_gone_is_not_waited_for_for_ever() {
    let bench = Bench::new(|_seen| Reply::hang_up());
    let failure = bench.client.decided("a-2g4kq7nd5wvx").await.unwrap_err();
    assert!(matches!(failure, Failure::Unreachable { .. }), "{failure}");
    assert_eq!(bench.asked().len(), 11);
}

#[tokio::test]
async fn what_the_gate_says_instead_is_told() {
    let redirect = Bench::new(|_seen| {
        Reply::json(StatusCode::FOUND, "").header(LOCATION, "https://elsewhere.example.com/")
    });
    let large = Bench::new(|_seen| Reply::json(StatusCode::OK, vec![b' '; (8 << 20) + 1]));
    let others = [
        (403, refusal(403, "no: rule `asks`\u{1b}[2J")),
        (404, refusal(404, "no such approval")),
        (502, json!("no status")),
        (200, json!({"state": "approved"})),
        (200, json!({"state": "approved", "asked": [], "else": 1})),
    ];
    let mut told = Vec::new();
    for bench in [redirect, large].into_iter().chain(others.map(|other| Bench::in_turn([other]))) {
        told.push(bench.told(&bench.client.approval("a-1", true).await.unwrap_err()));
        assert_eq!(bench.asked().len(), 1);
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn another_authoritys_certificate_is_refused_before_the_token_is_sent() {
    let (server, other) = (Bench::in_turn([(200, json!({}))]), Bench::in_turn([(200, json!({}))]));
    let mixed =
        other.server.kubeconfig("{token: t}").replace(&other.server.server(), &server.server.server());
    let failure = client(&mixed).get("/api/v1").await.unwrap_err();
    assert!(matches!(failure, Failure::Unreachable { .. }), "{failure}");
    assert_eq!(server.asked(), [""; 0]);
}

/// A cluster with ConfigMaps, of which `old` is there, Namespaces and nothing else.
fn cluster(seen: &Seen) -> Reply {
    let resources = json!({"kind": "APIResourceList", "resources": [
        {"name": "configmaps/status", "kind": "ConfigMap", "namespaced": true},
        {"name": "configmaps", "kind": "ConfigMap", "namespaced": true},
        {"name": "namespaces", "kind": "Namespace", "namespaced": false},
    ]});
    let old = json!({"metadata": {"name": "old"}, "data": {"a": "0"}});
    match seen.uri.path() {
        "/api/v1" => json_of(200, &resources),
        "/api/v1/namespaces/shop/configmaps/old" => json_of(200, &old),
        "/api/v1/namespaces/shop/configmaps/secret" => json_of(403, &refusal(403, "no: rule `reads`")),
        _ => json_of(404, &refusal(404, "not found")),
    }
}

async fn proposed(bench: &Bench, text: &str, how: How, namespace: Option<&str>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yaml");
    fs::write(&file, text).unwrap();
    let manifests = Sources { files: vec![file], recursive: false }.read().unwrap();
    let told = match changes(&bench.client, &manifests, how, namespace).await {
        Ok(found) => found.calls.iter().map(|call| format!("{call:?}\n")).collect(),
        Err(why) => format!("{why}\n"),
    };
    told.replace(&folder.path().display().to_string(), "DIR")
}

fn map(name: &str, namespace: &str) -> String {
    format!("---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: {namespace}}}}}\n")
}

#[tokio::test]
async fn manifests_become_the_calls_that_kubectl_would_make() {
    let bench = Bench::new(cluster);
    let text = format!(
        "{}{}{}---\n{{apiVersion: v1, kind: Namespace, metadata: {{name: 'a b'}}}}\n",
        map("old", "shop"),
        map("new", "shop"),
        map("new", "''")
    );
    let told = [
        proposed(&bench, &text, How::Client, None).await,
        proposed(&bench, &text, How::Server { force: false }, None).await,
    ];
    insta::assert_snapshot!(told.join("\n"));
    let asked = bench.asked();
    assert_eq!(asked.iter().filter(|asked| *asked == "GET /api/v1").count(), 2, "{asked:?}");
    assert!(asked.iter().all(|asked| asked.starts_with("GET ")), "{asked:?}");
}

#[tokio::test]
async fn what_cannot_be_proposed_is_told() {
    let bench = Bench::new(cluster);
    let twice = format!("{}{}", map("a", "shop"), map("a", "''"));
    let cases = [
        (twice.as_str(), Some("shop")),
        (&map("a", "shop"), Some("other")),
        (&map("secret", "shop"), None),
        ("{apiVersion: v1, kind: Widget, metadata: {name: a}}", None),
        ("{apiVersion: example.com/v1, kind: Widget, metadata: {name: a}}", None),
    ]
    .map(|(text, namespace)| (text.to_owned(), namespace));
    let mut told = String::new();
    for (text, namespace) in cases {
        told.push_str(&proposed(&bench, &text, How::Client, namespace).await);
    }
    insta::assert_snapshot!(told);
}
