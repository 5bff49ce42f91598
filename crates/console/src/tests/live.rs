//! What open pages are told, and until when.

use axum::body::BodyDataStream;
use futures_util::{FutureExt as _, StreamExt as _};

use super::bench::{Bench, Browser, ask, grace, linus};

async fn open(browser: &Browser<'_>, path: &str) -> BodyDataStream {
    let response = browser.open(path).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response.into_body().into_data_stream()
}

/// What the page is told next; nothing if that is the end.
async fn next(told: &mut BodyDataStream) -> Option<String> {
    Some(String::from_utf8(told.next().await?.unwrap().to_vec()).unwrap())
}

const CHANGED: &str = "event: approvals\ndata: changed\n\n";

#[tokio::test]
async fn pages_are_told_of_what_they_show_and_of_nothing_else() {
    let bench = Bench::new().await;
    bench.ask(ask("a-1")).await.unwrap();
    let visitor = bench.sign_in(&grace()).await;
    let mut all = open(&visitor, "/live").await;
    let mut one = open(&visitor, "/live?approval=a-1").await;
    bench.ask(ask("a-2")).await.unwrap();
    assert_eq!(next(&mut all).await.as_deref(), Some(CHANGED));
    assert_eq!(next(&mut one).now_or_never(), None);
    visitor.press("/approvals/a-1/approve", "&read=yes").await;
    assert_eq!(next(&mut all).await.as_deref(), Some(CHANGED));
    assert_eq!(next(&mut one).await.as_deref(), Some(CHANGED));
    assert_eq!(next(&mut all).now_or_never(), None);
    // What nobody knows is told of by nothing.
    let mut unknown = open(&visitor, "/live?approval=%3Cb%3E%0A").await;
    bench.ask(ask("a-3")).await.unwrap();
    assert_eq!(next(&mut unknown).now_or_never(), None);
}

#[tokio::test]
async fn whoever_is_out_is_told_nothing_more() {
    let bench = Bench::new().await;
    let (leaving, staying, idle) =
        (bench.sign_in(&grace()).await, bench.sign_in(&linus()).await, bench.sign_in(&linus()).await);
    let mut told = [open(&leaving, "/live").await, open(&staying, "/live").await, open(&idle, "/live").await];
    leaving.press("/sign-out", "").await;
    bench.pass(45);
    staying.get("/").await;
    bench.pass(20);
    bench.ask(ask("a-1")).await.unwrap();
    let mut heard = Vec::new();
    for told in &mut told {
        heard.push(next(told).await);
    }
    assert_eq!(heard, [None, Some(CHANGED.to_owned()), None]);
}

#[tokio::test]
async fn it_ends_with_the_gate() {
    let bench = Bench::new().await;
    let visitor = bench.sign_in(&grace()).await;
    let mut told = [open(&visitor, "/live").await, open(&visitor, "/live?approval=a-1").await];
    bench.console.parts().stopping.cancel();
    for told in &mut told {
        assert_eq!(next(told).await, None);
    }
}
