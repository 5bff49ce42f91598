//! What arrives at the API server, and what is made of what it does then.

use std::time::Duration;

use http::{StatusCode, header};
use testkit::stand_in::{Habits, Hold, Reply, StandIn};
use upstream::Failure;

use crate::support::{Bench, CLUSTER, LONG, POD, TOKEN, first, obliging, opened, pods, read};

#[tokio::test]
async fn the_agent_is_impersonated_and_the_request_is_built_from_empty() {
    let server = obliging();
    let bench = Bench::of(&server.kubeconfig(TOKEN)).await;
    let request = http::Request::get("/api/v1/namespaces/n/secrets/s")
        .header("authorization", "Bearer of-the-agent")
        .header("audit-id", "chosen")
        .header("x-forwarded-for", "10.0.0.1")
        .header("forwarded", "for=10.0.0.1")
        .header("cookie", "a=b")
        .header("user-agent", "kubectl/v1")
        .header("if-none-match", "\"x\"")
        .header("range", "bytes=0-1")
        .header("accept-encoding", "gzip")
        .header("traceparent", "00-1-1-00")
        .header("x-unheard-of", "1");
    bench.call(request.body("").unwrap()).await.unwrap();
    let seen = server.requests().remove(0);
    let mut told = vec![format!("{} {}", seen.method, seen.uri.path())];
    let mut names: Vec<_> = seen.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    told.extend(names.iter().map(|name| format!("{name}: {}", seen.values(name).join(" | "))));
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn the_group_that_may_read_secrets_is_lent_to_no_other_call() {
    let server = obliging();
    let bench = Bench::of(&server.kubeconfig(TOKEN)).await;
    for path in ["/api/v1/secrets", POD, "/api/v1/namespaces/n/pods"] {
        bench.get(path).await.unwrap();
    }
    bench.create("/api/v1/namespaces/n/configmaps", "ConfigMap").await.unwrap();
    let groups: Vec<_> =
        server.requests().iter().map(|seen| seen.values("impersonate-group").join(" ")).collect();
    insta::assert_snapshot!(groups.join("\n"));
}

#[tokio::test]
async fn a_redirect_is_neither_followed_nor_passed_on() {
    let server = StandIn::start(|_request| {
        pods().status(StatusCode::TEMPORARY_REDIRECT).header(header::LOCATION, "/api/v1/secrets")
    })
    .unwrap();
    let bench = Bench::of(&server.kubeconfig(TOKEN)).await;
    assert!(matches!(bench.get(POD).await, Err(Failure::Redirect)));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_call_that_may_have_arrived_is_sent_once() {
    let server = StandIn::start(|_request| Reply::hang_up()).unwrap();
    let bench = Bench::of(&server.kubeconfig(TOKEN)).await;
    let created = bench.create("/api/v1/namespaces/n/configmaps", "ConfigMap").await;
    assert!(matches!(created, Err(Failure::Broken(_))), "{created:?}");
    let read = bench.get(POD).await;
    assert!(matches!(read, Err(Failure::Broken(_))), "{read:?}");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_waited_for() {
    let hold = Hold::default();
    let server = {
        let hold = hold.clone();
        StandIn::start(move |_request| pods().held(&hold)).unwrap()
    };
    let bench = Bench::with(&server.kubeconfig(TOKEN), LONG, Duration::from_millis(100)).await;
    let created = bench.create("/api/v1/namespaces/n/configmaps", "ConfigMap").await;
    assert!(matches!(created, Err(Failure::Deadline { .. })), "{created:?}");
    // The server learns that nobody waits any more, and the next call is served.
    server.until("the call is given up", |observed| observed.answering == 0).await.unwrap();
    hold.release();
    bench.get(POD).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn an_answer_that_breaks_off_does_not_look_whole() {
    let server = StandIn::start(|_request| Reply::endless(r#"{"kind":"PodList","items":["#)).unwrap();
    let bench = Bench::of(&server.kubeconfig(TOKEN)).await;
    let mut body = opened(bench.get("/api/v1/pods").await.unwrap()).await;
    let begun = first(&mut body).await;
    server.end_connections();
    let (rest, error) = read(body).await;
    insta::assert_snapshot!(format!("{begun}{rest}\n{error:?}"));
}

#[tokio::test]
async fn a_secret_that_is_no_json_is_not_delivered_short() {
    let server = StandIn::start(|_request| {
        Reply::json(StatusCode::OK, r#"{"kind":"Secret","apiVersion":"v1","data":{"password":"Q0FOQVJZ"},}"#)
    })
    .unwrap();
    let bench = Bench::of(&server.kubeconfig(TOKEN)).await;
    let answer = bench.get("/api/v1/namespaces/n/secrets/s").await.unwrap();
    let (text, error) = read(opened(answer).await).await;
    assert!(!text.contains("Q0FOQVJZ"), "{text}");
    insta::assert_snapshot!(error.unwrap_or_else(|| "came to an end".to_owned()));
}

#[tokio::test]
async fn a_receipt_for_another_cluster_sends_nothing() {
    let server = obliging();
    let bench = Bench::of(&server.kubeconfig(TOKEN)).await;
    let receipt = bench.receipt("other", http::Request::get(POD).body("").unwrap()).await;
    let sent = bench.cluster.send(receipt, std::future::pending::<()>()).await;
    assert!(matches!(sent, Err(Failure::WrongCluster)));
    assert_eq!(server.observed().connections, 0);
}

#[tokio::test]
async fn a_log_that_is_followed_may_be_silent_for_longer_than_an_answer_may_take() {
    let hold = Hold::default();
    let server = {
        let hold = hold.clone();
        StandIn::start(move |_request| {
            let log = Reply::streamed(futures_util::stream::iter(["a line\n".into()]));
            log.header(header::CONTENT_TYPE, "text/plain").held(&hold)
        })
        .unwrap()
    };
    let patience = Duration::from_millis(100);
    let bench = Bench::with(&server.kubeconfig(TOKEN), LONG, patience).await;
    let waiting = bench.get("/api/v1/namespaces/n/pods/p/log?follow=true");
    let other = async {
        // A log that is not followed is bounded as ever; once it has failed, the other has waited for as long.
        server.until("the first call has arrived", |observed| observed.answering == 1).await.unwrap();
        let short = bench.get("/api/v1/namespaces/n/pods/p/log").await;
        assert!(matches!(short, Err(Failure::Deadline { .. })), "{short:?}");
        hold.release();
    };
    let (answer, ()) = tokio::join!(waiting, other);
    assert_eq!(read(opened(answer.unwrap()).await).await, ("a line\n".to_owned(), None));
}

#[tokio::test]
async fn an_error_message_that_does_not_end_is_not_waited_for() {
    let server = StandIn::start(|_request| {
        Reply::endless(r#"{"kind":"Status","message":"CANARY"#).status(StatusCode::FORBIDDEN)
    })
    .unwrap();
    let bench = Bench::with(&server.kubeconfig(TOKEN), LONG, Duration::from_millis(300)).await;
    let answer = bench.get("/api/v1/namespaces/n/secrets/s").await.unwrap();
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let (text, error) = read(opened(answer).await).await;
    assert!(error.is_none() && !text.contains("CANARY"), "{text} {error:?}");
    // Nor about an object of another kind: what it quotes is cut off, and what did not come cannot be.
    let answer = bench.get(POD).await.unwrap();
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let (text, error) = read(opened(answer).await).await;
    assert!(error.is_none() && !text.contains("CANARY"), "{text} {error:?}");
    server.until("both are given up", |observed| observed.answering == 0).await.unwrap();
}

#[tokio::test]
async fn what_nobody_wants_any_more_is_not_sent_once_there_is_a_connection() {
    let habits = Habits { mute: true, ..Habits::default() };
    let server = StandIn::with(habits, |_request| pods()).unwrap();
    let bench = Bench::of(&server.kubeconfig(TOKEN)).await;
    let write = http::Request::delete(POD).body("").unwrap();
    let receipt = bench.receipt(CLUSTER, write).await;
    let unwanted = server.until("a connection is being opened", |observed| observed.open == 1);
    let sent = bench.cluster.send(receipt, unwanted).await;
    assert!(matches!(sent, Err(Failure::Unwanted)), "{sent:?}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_log_that_is_reset_without_a_reason_is_not_whole() {
    let hold = Hold::default();
    let held = hold.clone();
    let server = StandIn::start(move |_request| {
        Reply::reset("half a line.", &held).header(header::CONTENT_TYPE, "text/plain")
    });
    let server = server.unwrap();
    let bench = Bench::of(&server.kubeconfig(TOKEN)).await;
    let mut body = opened(bench.get(&format!("{POD}/log")).await.unwrap()).await;
    assert_eq!(first(&mut body).await, "half a line.");
    hold.release();
    let (text, error) = read(body).await;
    assert_eq!((text.as_str(), error.as_deref()), ("", Some("the API server's answer broke off")));
}
