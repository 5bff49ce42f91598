//! The page that tells what undoes a session, and its button.

use std::sync::mpsc;

use http::StatusCode;
use identity::{Operator, SessionId};
use recording::record::{Answered, Before, Called, What};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::bench::{Bench, SESSION, grace};
use crate::undoing::{Done, Stage};

const PAGE: &str = "/sessions/s-2g4kq7nd5wvx3jhc/undo";
const MAPS: &str = "/api/v1/namespaces/shop/configmaps";

fn map(name: &str, version: u32, colour: &str) -> Value {
    let metadata =
        json!({"name": name, "namespace": "shop", "uid": name, "resourceVersion": version.to_string()});
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"colour": colour}})
}

/// A session that made one ConfigMap, changed another, deleted a Secret, and changed one whose values the gate kept.
async fn bench() -> Bench {
    let bench = Bench::new().await;
    let asks =
        |call: &str, act: &str| What::Called(Called { call: call.into(), act: act.into(), body: None });
    let looked =
        |call: &str| What::Before(Before { call: call.into(), masked: false, kept: None, body: None });
    let answered =
        |call: &str| What::Answered(Answered { call: call.into(), status: 200, media: None, body: None });
    let text = |object: Value| object.to_string().into_bytes();
    let kept = What::Before(Before {
        call: "c-4".into(),
        masked: true,
        kept: Some(recording::Digest::of(b"kept")),
        body: None,
    });
    let tokens = |version: &str| {
        let metadata = json!({"name": "tokens", "namespace": "shop", "uid": "t", "resourceVersion": version});
        let data = json!({"token": "masked-by-portcullis--not-the-real-value"});
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
    };
    let secret = json!({"kind": "Secret", "data": {"password": "masked-by-portcullis--not-the-real-value"}});
    let segments = bench
        .script(SESSION)
        .at(0, What::Began {})
        .at(1, asks("c-1", &format!("create {MAPS}?fieldManager=x")))
        .with_body(2, answered("c-1"), &text(map("made", 1, "red")))
        .at(3, asks("c-2", &format!("patch {MAPS}/web")))
        .with_body(3, looked("c-2"), &text(map("web", 1, "blue")))
        .with_body(4, answered("c-2"), &text(map("web", 2, "red")))
        .at(5, asks("c-3", "delete /api/v1/namespaces/shop/secrets/db"))
        .with_body(5, looked("c-3"), &text(secret))
        .with_body(6, answered("c-3"), br#"{"kind":"Status"}"#)
        .at(7, asks("c-4", "patch /api/v1/namespaces/shop/secrets/tokens"))
        .with_body(7, kept, &text(tokens("1")))
        .with_body(8, answered("c-4"), &text(tokens("2")))
        .stopped();
    bench.tell(&segments).await;
    bench
}

#[tokio::test]
async fn what_would_be_undone_is_shown_and_what_would_not_and_why() {
    let bench = bench().await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    insta::assert_snapshot!(visitor.get(PAGE).await.main());
}

#[tokio::test]
async fn values_that_were_kept_are_left_if_so_wanted() {
    let bench = bench().await;
    let visitor = bench.sign_in(&grace()).await;
    bench.catch_up().await;
    let (kept, left) =
        (visitor.get(PAGE).await.main(), visitor.get(&format!("{PAGE}?values=left")).await.main());
    assert!(kept.contains("put back from what the gate kept"), "{kept}");
    assert!(!left.contains("put back from what the gate kept"), "{left}");
    assert!(left.contains("No masked values are put back"), "{left}");
    assert_eq!(visitor.get(&format!("{PAGE}?values=all")).await.status, StatusCode::BAD_REQUEST);
    // So does the button of that page, and the page that comes of it.
    visitor.press("/sessions/s-2g4kq7nd5wvx3jhc/revoke", "&why=over").await;
    let told = visitor.press(PAGE, "&partly=yes&values=left").await;
    assert_eq!(
        (told.status, told.location()),
        (StatusCode::SEE_OTHER, format!("{PAGE}?values=left").as_str())
    );
}

#[tokio::test]
async fn a_session_that_goes_on_is_not_undone() {
    let bench = bench().await;
    let visitor = bench.sign_in(&grace()).await;
    bench.catch_up().await;
    let told = visitor.press(PAGE, "&partly=yes").await;
    assert_eq!(told.status, StatusCode::CONFLICT);
    assert!(told.text().contains("The session goes on: freeze or revoke it first."), "{}", told.text());
    assert!(bench.console.undoings().of(SESSION).is_none());
}

/// There is no gate here: then nothing is sent, and the page says so. The session that was opened for it is over.
#[tokio::test]
async fn an_undo_that_cannot_be_done_says_so_and_leaves_no_session() {
    let bench = bench().await;
    let visitor = bench.sign_in(&grace()).await;
    assert_eq!(
        visitor.press("/sessions/s-2g4kq7nd5wvx3jhc/revoke", "&why=over").await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(visitor.get(&format!("{PAGE}/progress")).await.status, StatusCode::NOT_FOUND);
    // What is not in the ledger yet is not said to be undone.
    assert_eq!(visitor.press(PAGE, "&partly=yes").await.status, StatusCode::SERVICE_UNAVAILABLE);
    bench.catch_up().await;
    let begun = visitor.press(PAGE, "&partly=yes").await;
    assert_eq!((begun.status, begun.location()), (StatusCode::SEE_OTHER, PAGE), "{}", begun.text());
    while !matches!(bench.console.undoings().of(SESSION).unwrap().stage, Stage::Over(_)) {
        tokio::task::yield_now().await;
    }
    let progress = visitor.htmx(&format!("{PAGE}/progress")).await.text();
    assert!(progress.contains("not undone"), "{progress}");
    let within = bench.console.undoings().of(SESSION).unwrap().within;
    if let Some(within) = within {
        let listed = visitor.get(&format!("/sessions/{within}")).await.text();
        assert!(listed.contains("revoked"), "{listed}");
    }
}

#[tokio::test]
async fn one_plan_is_made_at_a_time_though_nobody_waits_for_it_any_more() {
    let bench = Bench::new().await;
    let (console, id) = (bench.console.clone(), SessionId::parse(SESSION).unwrap());
    let (begun, has_begun) = oneshot::channel();
    let (end, is_to_end) = mpsc::channel();
    let making = tokio::spawn(async move {
        let make = move |_opened, turn| {
            begun.send(()).unwrap();
            is_to_end.recv().unwrap();
            turn
        };
        console.in_turn(&id, make).await.map(drop).map_err(drop)
    });
    has_begun.await.unwrap();
    making.abort();
    assert!(making.await.unwrap_err().is_cancelled());
    assert!(bench.console.undoings().is_planning());
    end.send(()).unwrap();
    assert!(bench.console.undoings().planning().await.is_some());
}

#[tokio::test]
async fn an_undo_that_breaks_off_is_over_and_another_can_begin() {
    let bench = Bench::new().await;
    let by = Operator::parse("grace").unwrap();
    let going = bench.console.begin(SESSION, &by).unwrap();
    assert_eq!(bench.console.begin(SESSION, &by).unwrap_err(), "The session is being undone already.");
    let broken = tokio::spawn(async move {
        let _going = going;
        panic!("it breaks off");
    });
    assert!(broken.await.unwrap_err().is_panic());
    let stage = bench.console.undoings().of(SESSION).unwrap().stage;
    assert!(matches!(&stage, Stage::Over(over) if over.done == Done::Less), "{stage:?}");
    bench.console.begin(SESSION, &by).unwrap();
}
