use std::sync::atomic::{AtomicU32, Ordering};

use approval::State;
use jiff::{SignedDuration, Timestamp};
use ledger::leaf::Verdict;
use ledger::testing;
use parking_lot::Mutex as Held;
use store::{Session, TokenHash};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::*;

/// A clock that stands until it is set.
#[derive(Debug, Clone)]
struct Standing(Arc<Held<Timestamp>>);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

struct Bench {
    inbox: Arc<Inbox>,
    clock: Standing,
    data: TempDir,
}

impl Bench {
    async fn new() -> Self {
        let data = TempDir::new().unwrap();
        let clock = Standing(Arc::new(Held::new(Timestamp::from_second(1_800_000_000).unwrap())));
        let store = Store::open(&data.path().join("state")).await.unwrap();
        let session = Session {
            id: "s-1".into(),
            agent: "claude".into(),
            delegator: "ada".into(),
            cluster: "prod".into(),
            reason: "roll out".into(),
            created_at: clock.now(),
            expires_at: clock.now() + SignedDuration::from_hours(1),
            revoked: None,
            frozen: None,
        };
        store.open_session(&session, &TokenHash([1; 32])).await.unwrap();
        let other = Session { id: "s-2".into(), ..session };
        store.open_session(&other, &TokenHash([2; 32])).await.unwrap();
        let ledger = testing::open(data.path());
        let inbox =
            Inbox::new(Arc::new(store), ledger, Arc::new(clock.clone()), Limits { pending: 2, ever: 4 });
        Self { inbox: Arc::new(inbox), clock, data }
    }

    async fn ask(&self, id: &str) -> Result<Approval, Error> {
        self.inbox.ask(request(id, self.clock.now())).await
    }

    fn pass(&self, minutes: i64) {
        *self.clock.0.lock() += SignedDuration::from_mins(minutes);
    }

    /// What the ledger has of approvals, in a word each, after it was closed.
    async fn told(self) -> Vec<String> {
        self.inbox.ledger.close(true).await.unwrap();
        let word = |event: &Event| match event {
            Event::ApprovalAsked(asked) => Some(format!("{} asked", asked.asked.id)),
            Event::ApprovalStep(leaf) => {
                let what = format!("{:?}", leaf.step.what).to_lowercase();
                let what = what.split([' ', '{']).next().unwrap_or_default().to_owned();
                Some(format!("{} {}: {what}", leaf.approval, leaf.step.number))
            }
            _ => None,
        };
        testing::events(self.data.path()).iter().filter_map(word).collect()
    }
}

fn request(id: &str, now: Timestamp) -> Request<'static> {
    let asked = approval::testing::asked(id, now);
    let actor = testing::actor();
    let judged = asked.bound.call().map(|call| leaf::Judged {
        request: testing::request("delete", &call.url),
        decision: testing::decision(Verdict::Ask),
    });
    let (call, key) = (Id::new("c-1").unwrap(), KEYS.iter().find(|key| id.ends_with(**key)).unwrap());
    Request { asked, key, shown: "{}", act: "delete", reason: "x", call, actor, judged }
}

/// What requests are found by.
const KEYS: [&str; 6] = ["1", "2", "3", "4", "5", "6"];

fn yes() -> What {
    approval::testing::yes(approval::testing::human("grace", &["sre"]))
}

fn used(approval: &Approval, call: &str) -> What {
    approval::testing::used(&approval.asked().bound, call)
}

#[tokio::test]
async fn whoever_waits_is_told_of_each_step_and_the_ledger_has_it_by_then() {
    let bench = Bench::new().await;
    let asked = bench.ask("a-1").await.unwrap();
    let mut waiting = bench.inbox.watch("a-1");
    assert!(bench.inbox.open_for("s-1", "1").await.unwrap().is_some());
    let (decided, ()) = tokio::join!(bench.inbox.step("a-1", yes()), waiting.step());
    assert!(matches!(decided.unwrap().state(), State::Approved { .. }));
    drop(waiting);
    assert!(bench.inbox.watchers.is_empty(), "nobody waits, so nothing is kept");
    bench.inbox.step("a-1", used(&asked, "c-1")).await.unwrap();
    assert!(bench.inbox.open_for("s-1", "1").await.unwrap().is_none());
    assert_eq!(bench.told().await, ["a-1 asked", "a-1 1: approved", "a-1 2: consumed"]);
}

#[tokio::test]
async fn of_many_who_would_use_it_at_once_one_does() {
    let bench = Bench::new().await;
    let asked = bench.ask("a-1").await.unwrap();
    bench.inbox.step("a-1", yes()).await.unwrap();
    let mut tries = Vec::new();
    for call in 0..20 {
        let (inbox, what) = (Arc::clone(&bench.inbox), used(&asked, &format!("c-{call}")));
        tries.push(tokio::spawn(async move { inbox.step("a-1", what).await.is_ok() }));
    }
    let mut times_used = 0;
    for used in tries {
        times_used += u32::from(used.await.unwrap());
    }
    assert_eq!(times_used, 1);
}

#[tokio::test]
async fn who_asks_the_same_at_the_same_moment_waits_for_the_same() {
    let bench = Bench::new().await;
    // Both end with 1.
    let (one, other) = tokio::join!(bench.ask("a-1"), bench.ask("a-11"));
    assert_eq!(one.unwrap().asked().id, other.unwrap().asked().id);
    assert_eq!(bench.inbox.list(false, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_has_no_more_pending_than_it_may() {
    let bench = Bench::new().await;
    let (one, two, three) = tokio::join!(bench.ask("a-1"), bench.ask("a-2"), bench.ask("a-3"));
    assert!(one.is_ok() && two.is_ok());
    assert!(matches!(three, Err(Error::TooMany { most: 2 })));
    bench.inbox.step("a-1", yes()).await.unwrap();
    bench.ask("a-4").await.unwrap();
    bench.inbox.step("a-2", yes()).await.unwrap();
    bench.ask("a-5").await.unwrap();
    bench.inbox.step("a-4", yes()).await.unwrap();
    assert!(matches!(bench.ask("a-6").await, Err(Error::TooManyInAll { most: 4 })));
    let told = bench.told().await;
    assert_eq!(told.iter().filter(|what| what.ends_with("asked")).count(), 4);
}

/// As many calls as a session may have open, again and again.
#[tokio::test]
async fn ten_thousand_requests_against_the_cap_keep_nobody_else_from_asking() {
    const AT_ONCE: u32 = 50;
    const EACH: u32 = 200;
    let bench = Bench::new().await;
    bench.ask("a-1").await.unwrap();
    bench.ask("a-2").await.unwrap();
    let (refused, now) = (Arc::new(AtomicU32::new(0)), bench.clock.now());
    let mut flood = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (inbox, refused) = (Arc::clone(&bench.inbox), Arc::clone(&refused));
        flood.spawn(async move {
            for _ in 0..EACH {
                assert!(matches!(inbox.ask(request("a-3", now)).await, Err(Error::TooMany { most: 2 })));
                refused.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while refused.load(Ordering::Relaxed) < AT_ONCE {
        tokio::task::yield_now().await;
    }
    let mut other = request("b-1", now);
    other.asked.bound.session = "s-2".into();
    bench.inbox.ask(other).await.unwrap();
    assert!(
        refused.load(Ordering::Relaxed) < AT_ONCE * EACH,
        "it waits for its turn, and not for all of them"
    );
    while let Some(done) = flood.join_next().await {
        done.unwrap();
    }
    assert_eq!(refused.load(Ordering::Relaxed), AT_ONCE * EACH);
}

#[tokio::test]
async fn what_is_overdue_ends_whether_somebody_looks_or_not() {
    let bench = Bench::new().await;
    bench.ask("a-1").await.unwrap();
    bench.ask("a-2").await.unwrap();
    bench.inbox.step("a-2", yes()).await.unwrap();
    bench.pass(10);
    // Approved for five minutes, and over; so is the other, which nobody looks for.
    assert!(bench.inbox.open_for("s-1", "2").await.unwrap().is_none());
    assert!(matches!(bench.inbox.step("a-1", yes()).await, Err(Error::Refused(Refusal::TooLate(_)))));
    bench.inbox.expire_overdue().await.unwrap();
    bench.inbox.expire_overdue().await.unwrap();
    assert!(bench.inbox.list(false, 10).await.unwrap().is_empty());
    let told = bench.told().await;
    assert_eq!(told.last().unwrap(), "a-1 1: expired");
    assert_eq!(told.len(), 5);
}

#[tokio::test]
async fn what_a_session_asked_for_is_withdrawn_with_it() {
    let bench = Bench::new().await;
    bench.ask("a-1").await.unwrap();
    bench.ask("a-2").await.unwrap();
    bench.inbox.step("a-2", yes()).await.unwrap();
    bench.inbox.withdraw_all_of("s-2", "over").await.unwrap();
    assert_eq!(bench.inbox.list(false, 10).await.unwrap().len(), 2);
    bench.inbox.withdraw_all_of("s-1", "the session ended").await.unwrap();
    assert!(bench.inbox.list(false, 10).await.unwrap().is_empty());
    let told = bench.told().await;
    assert_eq!(told[3..], ["a-1 1: withdrawn", "a-2 2: withdrawn"]);
}

#[tokio::test]
async fn a_step_that_a_killed_gate_did_not_record_is_recorded_at_the_next_start() {
    let bench = Bench::new().await;
    let asked = bench.ask("a-1").await.unwrap();
    // As far as a gate gets that is killed between the two.
    let (step, next) = asked.next(yes(), bench.clock.now()).unwrap();
    assert!(bench.inbox.store.take_step(&step, &next).await.unwrap());
    bench.inbox.recover().await.unwrap();
    bench.inbox.recover().await.unwrap();
    assert_eq!(bench.told().await, ["a-1 asked", "a-1 1: approved"]);
}

#[tokio::test]
async fn without_a_ledger_nobody_is_asked_and_nothing_is_decided() {
    let bench = Bench::new().await;
    bench.ask("a-1").await.unwrap();
    bench.inbox.ledger.close(true).await.unwrap();
    assert!(matches!(bench.ask("a-2").await, Err(Error::Unrecorded(_))));
    assert!(matches!(bench.inbox.get("a-2").await, Err(Error::Unknown(_))));
    assert!(matches!(bench.inbox.step("a-1", yes()).await, Err(Error::Unrecorded(_))));
}

#[test]
fn ids_are_short_and_differ() {
    let (one, other) = (Inbox::new_id(), Inbox::new_id());
    assert_ne!(one, other);
    assert!(one.len() == 14 && one.starts_with("a-") && Id::new(&one).is_ok(), "{one}");
}
