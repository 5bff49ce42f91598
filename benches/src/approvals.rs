//! Approvals: the inbox with many that wait, and what one costs from its request to its use.

use std::{sync::Arc, time::Instant};

use approval::testing;
use identity::{Clock, SystemClock};
use inbox::{Inbox, Limits, Request};
use jiff::SignedDuration;
use ledger::{leaf::Id, testing as ledger_testing};
use store::{Session, Store, TokenHash};

use crate::figures::{Latencies, Row, millis};

pub(crate) const EXPLAINED: &str = "The inbox over SQLite and the ledger on the real file system: 1,000 requests of 50 sessions that wait, listed with all their \
    steps; and one request after the other from being asked over a yes to its use, each step durable in both before the next.";

pub(crate) const WAITING: usize = 1_000;
pub(crate) const SESSIONS: usize = 50;
const LISTED: usize = 20;
const USED: usize = 200;

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/../target"))?;
    let clock = SystemClock;
    let store = Store::open(&folder.path().join("state")).await?;
    for number in 0..=SESSIONS {
        store.open_session(&session(number, clock.now()), &hash(number)).await?;
    }
    let limits = Limits { pending: u32::MAX, ever: u32::MAX };
    let ledger = ledger_testing::open(folder.path());
    let inbox = Inbox::new(Arc::new(store), ledger.clone(), Arc::new(clock), limits);
    for number in 0..WAITING {
        ask(&inbox, &format!("a-{number}"), number % SESSIONS).await?;
    }
    let mut listed = Vec::new();
    let begun = Instant::now();
    for _look in 0..LISTED {
        let started = Instant::now();
        let found = inbox.list(false, 2_000).await?.len();
        listed.push(started.elapsed());
        anyhow::ensure!(found == WAITING, "{found} wait");
    }
    let listed = Latencies::new(listed, begun.elapsed());
    let mut used = Vec::new();
    let begun = Instant::now();
    for number in 0..USED {
        let (id, started) = (format!("u-{number}"), Instant::now());
        let bound = ask(&inbox, &id, SESSIONS).await?;
        inbox.step(&id, testing::yes(testing::human("grace", &["sre"]))).await?;
        inbox.step(&id, testing::used(&bound, "c")).await?;
        used.push(started.elapsed());
    }
    let used = Latencies::new(used, begun.elapsed());
    ledger.close(true).await?;
    let row = |what: &str, latencies: &Latencies, target| {
        let text = format!("{} / {}", millis(latencies.quantile(0.5)), millis(latencies.quantile(0.99)));
        Row::new(format!("{what}: p50 / p99"), text, target)
    };
    Ok(vec![
        row("the inbox with 1,000 that wait", &listed, "≤ 100 ms"),
        row("asked, approved and used, beside those", &used, ""),
    ])
}

pub(crate) async fn ask(inbox: &Inbox, id: &str, session: usize) -> anyhow::Result<approval::Bound> {
    let mut asked = testing::asked(id, inbox.now());
    asked.bound.session = format!("s-{session}");
    let bound = asked.bound.clone();
    let judged = bound.call().map(|call| ledger::leaf::Judged {
        request: ledger_testing::request("delete", &call.url),
        decision: ledger_testing::decision(ledger::leaf::Verdict::Ask),
    });
    let (call, actor) = (Id::new("c-1")?, ledger_testing::actor());
    let (act, reason, shown) = ("delete namespaces", "a benchmark", "[]");
    inbox.ask(Request { asked, key: id, shown, act, reason, call, actor, judged }).await?;
    Ok(bound)
}

pub(crate) fn session(number: usize, now: jiff::Timestamp) -> Session {
    Session {
        id: format!("s-{number}"),
        agent: "claude".into(),
        delegator: "ada@example.com".into(),
        cluster: "prod".into(),
        reason: "a benchmark".into(),
        created_at: now,
        expires_at: now.saturating_add(SignedDuration::from_hours(8)).unwrap_or(now),
        revoked: None,
        frozen: None,
    }
}

/// Another for each.
pub(crate) fn hash(number: usize) -> TokenHash {
    let mut hash = [0; 32];
    hash.iter_mut().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
    TokenHash(hash)
}
