//! What people are to be told: kept with what happens, whoever makes it happen.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail loudly")]

use approval::{Approval, State, What, testing};
use jiff::Timestamp;
use store::{Frozen, Happened, NewApproval, Session, Store, TokenHash};
use tempfile::TempDir;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

async fn opened(data: &TempDir) -> Store {
    let store = Store::open(data.path()).await.unwrap();
    let session = Session {
        id: "s-1".into(),
        agent: "claude".into(),
        delegator: "ada@example.com".into(),
        cluster: "prod".into(),
        reason: "roll out".into(),
        created_at: at(0),
        expires_at: at(3600),
        revoked: None,
        frozen: None,
    };
    // There already when the state is opened again.
    let _known = store.open_session(&session, &TokenHash([1; 32])).await;
    store
}

async fn ask(store: &Store, id: &str) -> Approval {
    let asked = testing::asked(id, at(0));
    let new = NewApproval { asked: &asked, request: id, act: "delete", reason: "roll out", shown: "{}" };
    store.ask(&new).await.unwrap();
    Approval::new(asked).unwrap()
}

async fn step(store: &Store, from: Approval, what: What) -> Approval {
    let (step, next) = from.next(what, at(1)).unwrap();
    assert!(store.take_step(&step, &next).await.unwrap());
    next
}

/// All that happened, in words; it is settled by that.
async fn rest(store: &Store) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(happening) = store.next_happening().await.unwrap() {
        told.push(match happening.what {
            Happened::Approval { stored, step } => {
                format!("{} {step} {}", stored.approval.asked().id, stored.approval.state().as_str())
            }
            Happened::Freeze { session, frozen } => format!("{} {} {}", session.id, frozen.by, frozen.why),
            Happened::Corrupt(why) => panic!("{why}"),
        });
        store.happening_settled(happening.number).await.unwrap();
    }
    told
}

#[tokio::test]
async fn it_waits_until_it_is_settled_as_it_was_when_it_happened() {
    let data = TempDir::new().unwrap();
    let store = opened(&data).await;
    let asked = ask(&store, "a-1").await;
    let approved = step(&store, asked, testing::yes(testing::human("grace", &["sre"]))).await;
    let withdrawn = step(&store, approved, What::Withdrawn { why: "enough".into(), by: None }).await;
    assert_eq!(*withdrawn.state(), State::Withdrawn { why: "enough".into(), by: None });
    store.step_recorded("a-1", 1, at(1)).await.unwrap();
    store.close().await;

    let store = opened(&data).await;
    // The second step is not in the ledger yet.
    assert_eq!(rest(&store).await, ["a-1 0 pending", "a-1 1 approved"]);
    store.step_recorded("a-1", 2, at(2)).await.unwrap();
    store.step_recorded("a-1", 2, at(3)).await.unwrap();
    assert_eq!(rest(&store).await, ["a-1 2 withdrawn"]);
    assert!(rest(&store).await.is_empty());
}

#[tokio::test]
async fn a_freeze_happens_once_the_ledger_has_it_and_a_thaw_does_not_undo_that() {
    let data = TempDir::new().unwrap();
    let store = opened(&data).await;
    let frozen = |why: &str| Frozen { at: at(1), by: "eve".into(), why: why.into() };
    store.freeze_session("s-1", &frozen("odd")).await.unwrap();
    assert!(rest(&store).await.is_empty());
    store.freeze_recorded("s-1", at(2)).await.unwrap();
    store.freeze_recorded("s-1", at(2)).await.unwrap();
    store.thaw_session("s-1", at(3)).await.unwrap();
    store.freeze_session("s-1", &frozen("again")).await.unwrap();
    store.freeze_recorded("s-1", at(4)).await.unwrap();
    assert_eq!(rest(&store).await, ["s-1 eve odd", "s-1 eve again"]);
}
