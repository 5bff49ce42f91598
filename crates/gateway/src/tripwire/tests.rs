use http::{Method, Request as Http, header};
use kube_api::Head;
use ledger::testing;

use super::*;
use crate::bench::{BUDGET, Bench};

/// What the ledger tells, once all of it is told.
async fn told(bench: Bench) -> Vec<String> {
    bench.gate.tasks().close();
    bench.gate.tasks().wait().await;
    bench.gate.ledger().close(true).await.unwrap();
    let tell = |event| match event {
        Event::KnownValueSent(sent) => Some(format!("{} sent", sent.values)),
        Event::SessionFrozen(frozen) => Some(format!("frozen by {}: {}", frozen.by, frozen.reason)),
        _ => None,
    };
    let mut told: Vec<_> = testing::events(bench.data.path()).into_iter().filter_map(tell).collect();
    told.sort();
    told
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
    insta::assert_snapshot!(told(bench).await.join("\n"), @"
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
