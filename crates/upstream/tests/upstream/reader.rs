//! Calls wait until the values of the cluster's Secrets are known.

use http::StatusCode;
use testkit::stand_in::{Hold, Reply, StandIn};
use upstream::{
    Failure,
    reader::{Blind, Problem, Reading, Scope},
};

use crate::support::{Bench, LONG, POD, TOKEN, pods};

fn everything() -> Reading {
    let scope = Scope { namespaces: vec!["*".parse().unwrap()], except_types: Vec::new() };
    Reading { scope, keep_deleted: LONG, stale_after: LONG, bytes: 1 << 20 }
}

/// Answers about Secrets like this, about other things as usual, and watches with nothing.
fn server(secrets: impl Fn() -> Reply + Send + Sync + 'static) -> StandIn {
    let server = StandIn::start(move |request| match request.uri.path() {
        "/api/v1/secrets" if request.uri.query().is_some_and(|query| query.contains("watch")) => {
            Reply::endless("")
        }
        "/api/v1/secrets" => secrets(),
        _ => pods(),
    });
    server.unwrap()
}

fn none() -> Reply {
    let list = r#"{"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"5"},"items":[]}"#;
    Reply::json(StatusCode::OK, list)
}

fn paths(server: &StandIn) -> Vec<String> {
    server.requests().iter().map(|seen| seen.uri.path().to_owned()).collect()
}

#[tokio::test]
async fn nothing_is_sent_before_reading_begins_but_for_discovery() {
    let server = server(none);
    let mut bench = Bench::reading(&server.kubeconfig(TOKEN), everything()).await;
    let refused = bench.get(POD).await;
    assert!(matches!(refused, Err(Failure::Blind(Blind::NotBegun))), "{refused:?}");
    bench.get("/api/v1").await.unwrap();
    assert_eq!(paths(&server), ["/api/v1"]);
    bench.cluster.read_secrets();
    bench.get(POD).await.unwrap();
    assert_eq!(bench.cluster.standing().map(|standing| standing.blind), Some(None));
}

#[tokio::test]
async fn a_call_waits_for_the_first_list() {
    let hold = Hold::default();
    let held = hold.clone();
    let server = server(move || none().held(&held));
    let mut bench = Bench::reading(&server.kubeconfig(TOKEN), everything()).await;
    bench.cluster.read_secrets();
    let release = async {
        server.until("the list is asked for", |observed| !observed.requests.is_empty()).await.unwrap();
        hold.release();
    };
    let (answer, ()) = tokio::join!(bench.get(POD), release);
    answer.unwrap();
    assert!(paths(&server).contains(&POD.to_owned()));
}

#[tokio::test]
async fn without_the_right_to_read_secrets_nothing_is_sent() {
    let server = server(|| Reply::json(StatusCode::FORBIDDEN, "{}"));
    let mut bench = Bench::reading(&server.kubeconfig(TOKEN), everything()).await;
    bench.cluster.read_secrets();
    let refused = bench.get(POD).await;
    assert!(matches!(refused, Err(Failure::Blind(Blind::Unlisted(Problem::Forbidden)))), "{refused:?}");
    assert!(paths(&server).iter().all(|path| path == "/api/v1/secrets"));
}
