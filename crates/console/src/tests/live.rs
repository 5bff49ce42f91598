//! What open pages are told, and until when.

use axum::body::BodyDataStream;
use futures_util::{FutureExt as _, StreamExt as _};

use recording::Segment;
use recording::record::{Channel, What};

use super::bench::{Bench, Browser, SESSION, ask, grace, linus};
use super::replay::{bytes, opened};

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

/// Has the ledger told of the last of these segments, so that it can be looked up.
async fn tell(bench: &Bench, segments: &[Segment]) {
    bench.tell(std::slice::from_ref(segments.last().unwrap())).await;
    bench.catch_up().await;
}

#[tokio::test]
async fn a_stream_that_goes_on_is_shown_as_it_does() {
    let bench = Bench::new().await;
    let visitor = bench.sign_in(&grace()).await;
    let script = bench.script(SESSION).at(0, What::Began {}).at(1_000, opened(1, "c-1", true, &["sh"]));
    let script = script.at(1_000, What::Resized { stream: 1, width: 100, height: 30 });
    let script = script.at(1_500, bytes(1, Channel::Stdout, "$ \x1b]0;title\x07")).sealed();
    tell(&bench, &script.killed()).await;
    let page = visitor.get(&format!("/sessions/{SESSION}/streams/1")).await;
    assert_eq!(page.attributes("data-live"), [format!("/sessions/{SESSION}/streams/1/live")]);
    let mut told = open(&visitor, &format!("/sessions/{SESSION}/streams/1/live")).await;
    let mut heard = vec![next(&mut told).await];

    let on = bench.script(SESSION).at(3_000, bytes(1, Channel::Stdout, "ls\r\n")).sealed();
    tell(&bench, &on.killed()).await;
    heard.push(next(&mut told).await);
    // What the ledger does not have yet is not shown.
    let closed = What::Closed { stream: 1, how: "exit status 0".into() };
    let on = bench.script(SESSION).at(4_000, bytes(1, Channel::Stdout, "README\r\n")).at(4_500, closed);
    let segments = on.stopped();
    tell(&bench, &segments).await;
    heard.extend([next(&mut told).await, next(&mut told).await, next(&mut told).await]);
    let heard: Vec<_> =
        heard.into_iter().map(|event| event.unwrap_or_else(|| "the end".to_owned())).collect();
    insta::assert_snapshot!(heard.join(""));
    let page = visitor.get(&format!("/sessions/{SESSION}/streams/1")).await;
    assert!(page.attributes("data-live").is_empty());
}

/// What the player begins with, or begins anew.
#[derive(serde::Deserialize)]
struct First {
    cols: u16,
    init: String,
}

#[tokio::test]
async fn of_what_came_at_once_the_player_is_given_the_end() {
    let bench = Bench::new().await;
    let visitor = bench.sign_in(&grace()).await;
    let mut script = bench.script(SESSION).at(0, What::Began {}).at(1, opened(1, "c-1", true, &["yes"]));
    script = script.at(1, What::Resized { stream: 1, width: 100, height: 30 });
    let mut told = open(&visitor, &format!("/sessions/{SESSION}/streams/1/live")).await;
    for round in ["one", "two"] {
        for number in 0..10 {
            let piece = format!("{round} {number} {}", "y\r\n".repeat(100_000));
            let (head, tail) = piece.split_at(200_000);
            script = script.at(2, bytes(1, Channel::Stdout, head)).sealed();
            script = script.at(2, bytes(1, Channel::Stdout, tail)).sealed();
        }
        bench.tell(&script.killed()).await;
        bench.catch_up().await;
        let event = next(&mut told).await.unwrap();
        let first = event.strip_prefix("data: ").unwrap().trim_end();
        let First { cols, init } = serde_json::from_str(first).unwrap();
        assert_eq!(cols, 100);
        assert!(init.contains(&format!("{round} 9 ")) && !init.contains(&format!("{round} 0 ")));
        assert!((512 << 10..3 << 20).contains(&init.len()), "{}", init.len());
        script = bench.script(SESSION);
    }
}
