//! Approvals on a real file.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::path::Path;

use approval::{Approval, Asked, Assurance, Bound, Changes, State, Subject, What, testing};
use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use sqlx::{Connection as _, SqliteConnection};
use store::{Asks, NewApproval, Session, Store, StoredApproval, TokenHash};
use tempfile::TempDir;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

async fn opened(data: &Path) -> Store {
    let store = Store::open(data).await.unwrap();
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

fn asked(id: &str, second: i64) -> Asked {
    let (decide_by, asked) = (at(second + 60), testing::asked(id, at(second)));
    let bound = Bound { decide_by: decide_by.to_string(), ..asked.bound };
    Asked { decide_by, use_seconds: 60, bound, ..asked }
}

fn yes() -> What {
    testing::yes(testing::human("grace", &["sre"]))
}

async fn ask(store: &Store, asked: &Asked, request: &str) {
    store.ask(&NewApproval { asked, request, act: "delete", reason: "roll out", shown: "{}" }).await.unwrap();
}

async fn step(store: &Store, from: &Approval, what: What, second: i64) -> Option<Approval> {
    let (step, next) = from.next(what, at(second)).unwrap();
    store.take_step(&step, &next).await.unwrap().then_some(next)
}

#[tokio::test]
async fn of_two_who_would_take_the_same_step_one_is_too_late() {
    let data = TempDir::new().unwrap();
    let store = opened(data.path()).await;
    ask(&store, &asked("a-1", 0), "r").await;
    let read = store.open_approval("s-1", "r").await.unwrap().unwrap().approval;
    let approved = step(&store, &read, yes(), 1).await.unwrap();
    assert!(step(&store, &read, yes(), 1).await.is_none());
    let used = |call: &str| testing::used(&read.asked().bound, call);
    assert!(step(&store, &approved, used("c-1"), 2).await.is_some());
    assert!(step(&store, &approved, used("c-2"), 2).await.is_none());
    store.close().await;

    let store = opened(data.path()).await;
    let read = store.approval("a-1").await.unwrap().unwrap();
    assert_eq!(read.approval.state(), &State::Consumed { call: "c-1".into() });
    assert!(store.open_approval("s-1", "r").await.unwrap().is_none(), "it is used");
    assert!(store.approvals(false, 10).await.unwrap().is_empty());
    assert_eq!(store.approvals(true, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_pending_open_or_overdue_is_told_apart() {
    let data = TempDir::new().unwrap();
    let store = opened(data.path()).await;
    for (id, second) in [("a-1", 0), ("a-2", 1)] {
        ask(&store, &asked(id, second), id).await;
    }
    assert_eq!(store.asks_of("s-1").await.unwrap(), Asks { pending: 2, ever: 2 });
    let first = store.approval("a-1").await.unwrap().unwrap().approval;
    step(&store, &first, yes(), 3).await.unwrap();
    assert_eq!(store.asks_of("s-1").await.unwrap(), Asks { pending: 1, ever: 2 });
    assert_eq!(store.approval_shown("a-1").await.unwrap().as_deref(), Some("{}"));
    let open: Vec<_> =
        store.approvals(false, 10).await.unwrap().iter().map(|one| one.approval.asked().id.clone()).collect();
    assert_eq!(open, ["a-1", "a-2"], "oldest first");
    assert!(store.overdue_approvals(at(60)).await.unwrap().is_empty());
    assert_eq!(store.overdue_approvals(at(61)).await.unwrap(), ["a-2"]);
    // Approved at 3, for a minute.
    assert_eq!(store.overdue_approvals(at(63)).await.unwrap(), ["a-2", "a-1"]);
}

#[tokio::test]
async fn what_the_ledger_has_not_been_told_of_is_known_after_a_restart() {
    let data = TempDir::new().unwrap();
    let store = opened(data.path()).await;
    ask(&store, &asked("a-1", 0), "r").await;
    let read = store.approval("a-1").await.unwrap().unwrap().approval;
    step(&store, &read, yes(), 1).await.unwrap();
    store.close().await;

    let store = opened(data.path()).await;
    assert!(store.unrecorded_steps(Some("a-2")).await.unwrap().is_empty());
    let unrecorded = store.unrecorded_steps(None).await.unwrap();
    assert_eq!(unrecorded.iter().map(|(id, step)| (&**id, step.number)).collect::<Vec<_>>(), [("a-1", 1)]);
    store.step_recorded("a-1", 1, at(2)).await.unwrap();
    assert!(store.unrecorded_steps(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_step_that_somebody_forged_is_no_step() {
    let data = TempDir::new().unwrap();
    let store = opened(data.path()).await;
    ask(&store, &asked("a-1", 0), "r").await;
    store.close().await;
    let url = format!("sqlite://{}", data.path().join("state.sqlite").display());
    let mut raw = SqliteConnection::connect(&url).await.unwrap();
    let forged = r#"INSERT INTO approval_steps (approval, number, step) VALUES ('a-1', 1, '{"number":1,"at":"2027-01-15T08:00:01Z",
        "what":{"kind":"approved","by":{"subject":"Ada@example.com","groups":["sre"]},"assurance":"local_account"}}')"#;
    sqlx::raw_sql(forged).execute(&mut raw).await.unwrap();
    for change in [
        "UPDATE approval_steps SET step = '{}'",
        "DELETE FROM approval_steps",
        "UPDATE approvals SET asked = '{}'",
        "DELETE FROM approvals",
        "UPDATE approval_shown SET shown = '[]'",
        "DELETE FROM approval_shown",
        "UPDATE approval_steps SET recorded_at = 1; UPDATE approval_steps SET recorded_at = NULL",
    ] {
        assert!(sqlx::raw_sql(change).execute(&mut raw).await.is_err(), "{change}");
    }
    raw.close().await.unwrap();
    let store = opened(data.path()).await;
    let refused = store.approval("a-1").await.unwrap_err();
    assert_snapshot!(refused, @"what is stored of `a-1` has an impossible `steps`: restore the state from a copy");
}

#[tokio::test]
async fn times_are_kept_in_full() {
    let data = TempDir::new().unwrap();
    let store = opened(data.path()).await;
    let fine = at(0) + SignedDuration::from_nanos(123_456_789);
    let asked = Asked { at: fine, ..asked("a-1", 0) };
    ask(&store, &asked, "r").await;
    assert_eq!(store.approval("a-1").await.unwrap().unwrap().approval.asked(), &asked);
}

#[tokio::test]
async fn what_was_approved_ahead_and_what_is_to_be_signed_off_is_found() {
    let data = TempDir::new().unwrap();
    let store = opened(data.path()).await;
    let about = |id: &str, second: i64, subject: Subject| testing::asked_for(id, at(second), subject);
    let change = testing::change("a");
    let digest = change.digest().to_string();
    let changes = Subject::Changes(Changes { members: vec![change], reason: "roll out".into() });
    let access = |incident| Subject::Access(testing::access(&["get pods in shop"], incident));
    let mut approved = Vec::new();
    for asked in [
        testing::asked("a-call", at(0)),
        about("a-changes", 1, changes),
        about("a-access", 2, access(None)),
        about("a-glass", 3, access(Some("INC-7"))),
    ] {
        ask(&store, &asked, &asked.id).await;
        approved.push(step(&store, &Approval::new(asked).unwrap(), yes(), 4).await.unwrap());
    }
    assert!(store.approved_ahead("s-1").await.unwrap().is_empty(), "the ledger has yet to be told");
    for one in &approved {
        store.step_recorded(&one.asked().id, 1, at(4)).await.unwrap();
    }
    let ids = |stored: Vec<StoredApproval>| {
        stored.iter().map(|one| one.approval.asked().id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(store.approved_ahead("s-1").await.unwrap()), ["a-changes", "a-access", "a-glass"]);
    assert!(store.approved_ahead("s-2").await.unwrap().is_empty());
    assert_eq!(ids(store.unreviewed(10).await.unwrap()), ["a-glass"]);
    step(&store, &approved[1], What::Consumed { call: "c-1".into(), digest }, 5).await.unwrap();
    let over = step(&store, &approved[3], What::Expired, 1_000).await.unwrap();
    assert_eq!(ids(store.approved_ahead("s-1").await.unwrap()), ["a-access"]);
    assert_eq!(ids(store.unreviewed(10).await.unwrap()), ["a-glass"], "it is open still");
    let url = format!("sqlite://{}", data.path().join("state.sqlite").display());
    let mut raw = SqliteConnection::connect(&url).await.unwrap();
    let forgotten = sqlx::raw_sql("UPDATE approvals SET owes_review = 0").execute(&mut raw).await;
    assert!(forgotten.is_err(), "nobody signed it off");
    raw.close().await.unwrap();
    let by = testing::human("joan", &["leads"]);
    let reviewed = What::Reviewed { by, note: "fine".into(), assurance: Assurance::Provider };
    step(&store, &over, reviewed, 1_001).await.unwrap();
    assert!(store.unreviewed(10).await.unwrap().is_empty());
}
