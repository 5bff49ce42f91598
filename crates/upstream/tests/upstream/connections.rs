//! Connections: as many as are needed, verified, and never waited for one after the other.

use std::time::Duration;

use mask::Masked;
use testkit::stand_in::{Habits, Reply, StandIn};
use tokio::time::Instant;
use upstream::{AnswerBody, Failure};

use crate::support::{Bench, LONG, POD, TOKEN, first, obliging, opened, pods, read};

const EVENT: &str = r#"{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1"}}"#;

/// Watches never end; anything else is answered at once.
fn watched(streams: u32) -> StandIn {
    let habits = Habits { streams, ..Habits::default() };
    let server = StandIn::with(habits, |request| {
        let watch = request.uri.query().is_some_and(|query| query.contains("watch"));
        if watch { Reply::endless(format!("{EVENT}\n")) } else { pods() }
    });
    server.unwrap()
}

/// So many watches at once, each with its first event.
async fn watches(bench: &Bench, many: usize) -> Vec<Masked<AnswerBody>> {
    let opening = (0..many).map(|_watch| async {
        let mut body = opened(bench.get("/api/v1/pods?watch=true").await.unwrap()).await;
        assert_eq!(first(&mut body).await.trim_end(), EVENT);
        body
    });
    futures_util::future::join_all(opening).await
}

#[tokio::test]
async fn more_watches_than_a_connection_carries_open_others() {
    let server = watched(250);
    let bench = Bench::of(&server.kubeconfig(TOKEN)).await;
    let open = watches(&bench, 260).await;
    bench.get(POD).await.unwrap();
    assert_eq!(server.observed().answering, 260);
    assert!(server.observed().connections > 1);
    drop(open);
    server.until("all watches are given up", |observed| observed.answering == 0).await.unwrap();
}

#[tokio::test]
async fn a_server_that_allows_few_streams_serves_many_watches() {
    let server = watched(3);
    let bench = Bench::of(&server.kubeconfig(TOKEN)).await;
    let _open = watches(&bench, 20).await;
    let (text, error) = read(opened(bench.get(POD).await.unwrap()).await).await;
    assert!(text.contains("PodList") && error.is_none(), "{text} {error:?}");
}

#[tokio::test]
async fn a_connection_that_ended_is_replaced() {
    let server = obliging();
    let bench = Bench::of(&server.kubeconfig(TOKEN)).await;
    for _call in 0..3 {
        let answer = match bench.get(POD).await {
            // It has not heard yet that the connection ended. Having heard, it must do better.
            Err(Failure::Broken(_)) => bench.get(POD).await,
            answer => answer,
        };
        read(opened(answer.unwrap()).await).await;
        server.end_connections();
        server.until("the connection is ended", |observed| observed.open == 0).await.unwrap();
    }
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn connections_that_carry_nothing_are_closed_but_for_one() {
    let server = watched(3);
    let bench = Bench::with_idle_timeout(&server.kubeconfig(TOKEN), Duration::from_millis(50)).await;
    let open = watches(&bench, 20).await;
    assert!(server.observed().open > 1);
    drop(open);
    server.until("all but one are closed", |observed| observed.open == 1).await.unwrap();
    bench.get(POD).await.unwrap();
}

#[tokio::test]
async fn a_server_that_says_nothing_fails_all_who_wait_at_once() {
    let habits = Habits { mute: true, ..Habits::default() };
    let server = StandIn::with(habits, |_request| pods()).unwrap();
    let patience = Duration::from_millis(300);
    let bench = Bench::with(&server.kubeconfig(TOKEN), patience, LONG).await;
    let begun = Instant::now();
    let answers = futures_util::future::join_all((0..50).map(|_call| bench.get(POD))).await;
    for answer in answers {
        let Err(Failure::Connect(error)) = answer else { panic!("{answer:?}") };
        assert_eq!(error.to_string(), "connecting to the API server at `localhost` took longer than 0.3 s");
    }
    // One attempt, not fifty in turn: far from a limit that a busy machine could miss.
    assert!(begun.elapsed() < patience * 25, "{:?}", begun.elapsed());
    assert_eq!(server.observed().connections, 1);
    assert!(bench.cluster.reach().await.is_err());
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_named() {
    let server = obliging();
    Bench::of(&server.kubeconfig(TOKEN)).await.cluster.reach().await.unwrap();
    // Nothing listens on port 1.
    let kubeconfig = server.kubeconfig(TOKEN).replace(&server.server(), "https://localhost:1");
    let bench = Bench::of(&kubeconfig).await;
    let Err(error) = bench.cluster.reach().await else { panic!("reached") };
    assert_eq!(
        error.to_string(),
        "cannot reach the API server at `localhost:1`: Connection refused (os error 111)"
    );
}
