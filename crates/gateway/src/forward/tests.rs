//! What the recording has of calls that come to nothing: else an undo would tell that nobody knows what they did.

use http::header::CONTENT_TYPE;
use kube_api::Head;
use policy::{Judgement, Verdict};

use super::*;
use crate::{bench::Bench, tape::UNSENT};

fn request() -> Request {
    let builder = http::Request::post("/api/v1/namespaces/shop/configmaps");
    let builder = builder.header(CONTENT_TYPE, "application/json");
    let head = Head::parse(&builder.body(()).unwrap().into_parts().0).unwrap();
    head.with_body(br#"{"metadata":{"name":"web"}}"#).unwrap()
}

async fn call(bench: &Bench) -> (Call, Permit) {
    let mut call = bench.call();
    assert!(call.begin_recording().await.is_ok());
    let Judgement::Verdict(Verdict::Allow(permit)) = call.judge(request()) else { panic!() };
    (call, permit)
}

async fn answer(bench: &Bench) -> Option<u16> {
    let answers = bench.answers().await;
    let [(act, answer)] = &answers[..] else { panic!("{answers:?}") };
    assert!(act.starts_with("create "), "{act}");
    *answer
}

#[tokio::test]
async fn what_did_not_reach_the_api_server_was_not_sent() {
    let bench = Bench::new().await;
    let (call, permit) = call(&bench).await;
    let refused = call.forward(permit, None).await;
    assert!(matches!(refused, Err(Refused::Unreachable)));
    assert_eq!(answer(&bench).await, Some(UNSENT));
}

#[tokio::test]
async fn what_a_frozen_session_asks_was_not_sent() {
    let bench = Bench::new().await;
    let (call, permit) = call(&bench).await;
    assert!(bench.call().sent_known(u32::MAX).await.is_err());
    let refused = call.forward(permit, None).await;
    assert!(matches!(refused, Err(Refused::Frozen { .. })));
    assert_eq!(answer(&bench).await, Some(UNSENT));
}

#[tokio::test]
async fn a_try_that_is_made_again_was_answered() {
    let bench = Bench::new().await;
    let (call, permit) = call(&bench).await;
    let tape = call.tape(&permit, None).await.unwrap();
    assert!(call.again(tape, StatusCode::CONFLICT).await.is_ok());
    assert_eq!(answer(&bench).await, Some(409));
}

#[tokio::test]
async fn an_answer_that_is_not_delivered_was_given() {
    let bench = Bench::new().await;
    let (call, permit) = call(&bench).await;
    let tape = call.tape(&permit, None).await.unwrap();
    let failed = call.fail_answered(tape, StatusCode::CREATED, Ending::Unmaskable, Refused::Unmaskable);
    assert!(failed.await.is_err());
    assert_eq!(answer(&bench).await, Some(201));
}

#[tokio::test]
async fn of_what_was_sent_and_not_answered_nothing_is_said() {
    let bench = Bench::new().await;
    let (call, permit) = call(&bench).await;
    let tape = call.tape(&permit, None).await.unwrap();
    let seconds = 1.0;
    let failure = Failure::Deadline { seconds };
    let failed = call.fail(tape, Ending::of_failure(&failure), Refused::from(&failure));
    assert!(failed.await.is_err());
    assert_eq!(answer(&bench).await, None);
}
