//! What happened becomes a notice, whatever happens to the gate.

use std::path::Path;

use approval::{Approval, Asked, Assurance, Changes, Human, Subject, What, testing};
use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use notices::{Address, Reporter};
use sqlx::{Connection as _, SqliteConnection};
use store::{Frozen, NewApproval, Session, Store, TokenHash};

use crate::http::{Answer, Request, Server};
use crate::support::Gate;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn console() -> Address {
    Address::try_from("https://gate.example:8444".to_owned()).unwrap()
}

fn reporter(gate: &Gate) -> Reporter {
    Reporter::new(gate.outbox.clone(), Some(console()))
}

async fn session(store: &Store, id: &str) {
    let session = Session {
        id: id.into(),
        agent: "claude".into(),
        delegator: "ada@example.com".into(),
        cluster: "prod".into(),
        reason: "find out why checkout is slow".into(),
        created_at: at(0),
        expires_at: at(3600),
        revoked: None,
        frozen: None,
    };
    store.open_session(&session, &TokenHash([1; 32])).await.unwrap();
}

/// Asks `sre`, and of `security` two.
async fn ask(store: &Store, id: &str, second: i64) -> Approval {
    let asked = testing::asked(id, at(second));
    let demands =
        vec![testing::demand("asks", &["sre"], 1), testing::demand("two-ask", &["security", "sre"], 2)];
    ask_for(store, Asked { demands, ..asked }).await
}

async fn ask_for(store: &Store, asked: Asked) -> Approval {
    let act = "delete namespaces \"shop\" of cluster \"prod\"";
    let (request, reason) = (asked.id.as_str(), "the shop has moved");
    store.ask(&NewApproval { asked: &asked, request, act, reason, shown: "[]" }).await.unwrap();
    Approval::new(asked).unwrap()
}

/// Takes a step, as the inbox does.
async fn step(store: &Store, from: &Approval, what: What, second: i64) -> Approval {
    let (step, next) = from.next(what, at(second)).unwrap();
    assert!(store.take_step(&step, &next).await.unwrap());
    store.step_recorded(&next.asked().id, step.number, at(second)).await.unwrap();
    next
}

/// Freezes, as `control` does.
async fn freeze(store: &Store, id: &str, second: i64) {
    let why = "it sent more known secret values, and guesses at them, than the 20 that a session may";
    let frozen = Frozen { at: at(second), by: "portcullis".into(), why: why.into() };
    store.freeze_session(id, &frozen).await.unwrap();
    store.freeze_recorded(id, at(second)).await.unwrap();
}

fn grace() -> Human {
    testing::human("grace", &["sre"])
}

fn ids(told: &[Request]) -> Vec<&str> {
    told.iter().map(Request::id).collect()
}

async fn sql(data: &Path, statement: &'static str) {
    let url = format!("sqlite://{}", data.join("state.sqlite").display());
    let mut raw = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(statement).execute(&mut raw).await.unwrap();
    raw.close().await.unwrap();
}

#[tokio::test]
async fn what_an_approver_waits_for_is_told_and_nothing_else() {
    let mut server = Server::start(|_| Answer::Status(200)).await;
    let gate = Gate::start(vec![server.webhook("audit")]).await;
    let store = &gate.store;
    session(store, "s-1").await;
    let asked = ask(store, "a-used", 1).await;
    let one = step(store, &asked, testing::yes(grace()), 2).await;
    let both = step(store, &one, testing::yes(testing::human("alan", &["security"])), 3).await;
    let digest = both.asked().bound.digest().to_string();
    step(store, &both, What::Consumed { call: "c-1".into(), digest }, 4).await;
    let asked = ask(store, "a-refused", 5).await;
    step(store, &asked, What::Refused { by: grace(), why: "not today".into() }, 6).await;
    let asked = ask(store, "a-late", 7).await;
    let past = asked.asked().decide_by.duration_since(at(0)) + SignedDuration::from_secs(1);
    step(store, &asked, What::Expired, past.as_secs()).await;
    let asked = ask(store, "a-unwanted", 8).await;
    step(store, &asked, What::Withdrawn { why: "the session was revoked".into(), by: None }, 9).await;
    let asked = ask(store, "a-changed", 10).await;
    step(store, &asked, What::Superseded { by: "a-other".into(), why: "the object has changed".into() }, 11)
        .await;
    freeze(store, "s-1", 12).await;
    store.thaw_session("s-1", at(13)).await.unwrap();

    reporter(&gate).report().await.unwrap();
    gate.settled("audit").await;
    let told = server.rest();
    let shown: Vec<_> = told.iter().map(|request| request.body.as_str()).collect();
    assert_snapshot!(shown.join("\n"));
    assert!(told.iter().all(|request| request.body.contains(&format!("\"id\":\"{}\"", request.id()))));
}

#[tokio::test]
async fn who_breaks_the_glass_is_told_of_at_once_and_that_it_has_to_be_signed_off() {
    let mut server = Server::start(|_| Answer::Status(200)).await;
    let gate = Gate::start(vec![server.webhook("audit")]).await;
    let store = &gate.store;
    session(store, "s-1").await;
    let access = testing::access(&["delete pods in shop"], Some("INC-7"));
    let asked = ask_for(store, testing::asked_for("a-glass", at(1), Subject::Access(access))).await;
    let broken = step(store, &asked, testing::yes(grace()), 2).await;
    let over = step(store, &broken, What::Expired, 400).await;
    let by = testing::human("joan", &["leads"]);
    step(store, &over, What::Reviewed { by, note: "fine".into(), assurance: Assurance::Provider }, 401).await;
    let members = vec![testing::change("a"), testing::change("b")];
    let changes = Subject::Changes(Changes { members: members.clone(), reason: "roll out".into() });
    let asked = ask_for(store, testing::asked_for("a-changes", at(500), changes)).await;
    let mut approved = step(store, &asked, testing::yes(grace()), 501).await;
    for (second, change) in (502..).zip(members) {
        let digest = change.digest().to_string();
        approved =
            step(store, &approved, What::Consumed { call: format!("c-{second}"), digest }, second).await;
    }
    reporter(&gate).report().await.unwrap();
    gate.settled("audit").await;
    let told = server.rest();
    let shown: Vec<_> = told.iter().map(|request| request.body.as_str()).collect();
    assert_snapshot!(shown.join("\n"));
}

#[tokio::test]
async fn a_gate_that_was_killed_tells_what_it_had_not_and_nothing_twice() {
    let mut server = Server::start(|_| Answer::Status(200)).await;
    let gate = Gate::start(vec![server.webhook("audit")]).await;
    session(&gate.store, "s-1").await;
    let asked = ask(&gate.store, "a-1", 1).await;
    reporter(&gate).report().await.unwrap();
    gate.settled("audit").await;
    step(&gate.store, &asked, What::Refused { by: grace(), why: "not today".into() }, 2).await;
    freeze(&gate.store, "s-1", 3).await;
    let (data, clock) = gate.stop().await;
    // Killed once it was in the outbox, and before that was noted.
    sql(data.path(), "INSERT INTO happenings (number, approval, step) VALUES (1, 'a-1', 0)").await;

    let gate = Gate::restart(data, clock, vec![server.webhook("audit")]).await;
    reporter(&gate).report().await.unwrap();
    gate.settled("audit").await;
    assert_eq!(ids(&server.rest()), ["a-1-asked", "a-1-1", "s-1-frozen-1800000003000000"]);
}

#[tokio::test]
async fn what_cannot_be_kept_now_is_told_later() {
    let mut server = Server::start(|_| Answer::Status(200)).await;
    let gate = Gate::start(vec![server.webhook("audit")]).await;
    session(&gate.store, "s-1").await;
    ask(&gate.store, "a-1", 1).await;
    ask(&gate.store, "a-2", 2).await;
    let fails = "CREATE TRIGGER full BEFORE INSERT ON notices BEGIN SELECT RAISE(ABORT, 'full'); END";
    sql(gate.data.path(), fails).await;
    assert!(reporter(&gate).report().await.is_err());
    sql(gate.data.path(), "DROP TRIGGER full").await;
    reporter(&gate).report().await.unwrap();
    gate.settled("audit").await;
    assert_eq!(ids(&server.rest()), ["a-1-asked", "a-2-asked"]);
}

#[tokio::test]
async fn what_cannot_be_read_keeps_nobody_from_hearing_the_rest() {
    let mut server = Server::start(|_| Answer::Status(200)).await;
    let gate = Gate::start(vec![server.webhook("audit")]).await;
    session(&gate.store, "s-1").await;
    ask(&gate.store, "a-1", 1).await;
    let forged = "INSERT INTO approval_steps (approval, number, step) VALUES ('a-1', 1, '{}');
        UPDATE approval_steps SET recorded_at = 1";
    sql(gate.data.path(), forged).await;
    ask(&gate.store, "a-2", 2).await;
    reporter(&gate).report().await.unwrap();
    gate.settled("audit").await;
    assert_eq!(ids(&server.rest()), ["a-1-asked", "a-2-asked"]);
}

#[tokio::test]
async fn with_nobody_to_tell_nothing_is_kept() {
    let gate = Gate::start(Vec::new()).await;
    session(&gate.store, "s-1").await;
    ask(&gate.store, "a-1", 1).await;
    reporter(&gate).report().await.unwrap();
    assert!(gate.store.next_happening().await.unwrap().is_none());
    let mut server = Server::start(|_| Answer::Status(200)).await;
    let (data, clock) = gate.stop().await;
    // Nor is it told to those who come later.
    let gate = Gate::restart(data, clock, vec![server.webhook("audit")]).await;
    ask(&gate.store, "a-2", 2).await;
    reporter(&gate).report().await.unwrap();
    gate.settled("audit").await;
    assert_eq!(ids(&server.rest()), ["a-2-asked"]);
}
