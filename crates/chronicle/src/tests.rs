use std::fs;
use std::path::Path;

use ledger::leaf::{
    Cause, Digest, Event, Id, Impersonated, Intent, KnownValueSent, Outcome, Recorded, RecordingErased,
    Refusal, Stage, Verdict,
};
use ledger::{Ledger, testing};

use super::*;

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn intent(call: &str) -> Event {
    intent_to("get", call)
}

fn intent_to(verb: &str, call: &str) -> Event {
    Event::Intent(Box::new(Intent {
        call: id(call),
        actor: testing::actor(),
        request: testing::request(verb, "/api/v1/namespaces"),
        decision: testing::decision(Verdict::Allow),
        impersonated: Impersonated {
            user: "u".into(),
            groups: std::iter::empty::<&str>().map(Into::into).collect(),
        },
        audit_id: id("audit"),
        looks_for: None,
        through: None,
        demands: vec![],
        part: None,
        approval: Some(id("a-1")),
    }))
}

fn outcome(call: &str) -> Event {
    Event::Outcome(Outcome {
        call: id(call),
        stage: Stage::Completed,
        status: Some(200),
        delivered: 5,
        masked: 2,
        duration_us: 1500,
        error: None,
        again_as: None,
        stream: None,
    })
}

fn refusal(call: &str) -> Event {
    Event::Refusal(Box::new(Refusal {
        call: id(call),
        cause: Cause::Policy,
        status: 403,
        src: "127.0.0.1:4".into(),
        actor: Some(testing::actor()),
        request: Some(testing::request("delete", "/api/v1/namespaces/shop")),
        raw: None,
        decision: Some(testing::decision(Verdict::Deny)),
        message: "no rule permits it\u{1b}".into(),
    }))
}

fn sent() -> Event {
    Event::KnownValueSent(KnownValueSent { call: id("c-2"), session: id("s-1"), values: 1 })
}

async fn ledger(folder: &Path, events: Vec<Event>) {
    let ledger = testing::open(folder);
    for event in events {
        let _receipt = ledger.append(event).await.unwrap();
    }
    // Closing seals what is there.
    ledger.close(true).await.unwrap();
}

async fn open(folder: &Path) -> Chronicle {
    let key = fs::read_to_string(folder.join("ledger/ledger.vkey")).unwrap();
    let key = Verifier::parse(key.trim()).unwrap();
    Chronicle::open(&folder.join("chronicle.sqlite"), &folder.join("ledger"), key).await.unwrap()
}

#[tokio::test]
async fn calls_have_their_outcomes_and_refusals_their_reasons() {
    let folder = tempfile::tempdir().unwrap();
    ledger(folder.path(), vec![intent("c-1"), refusal("c-2"), sent(), outcome("c-1"), intent("c-3")]).await;
    let chronicle = open(folder.path()).await;
    chronicle.catch_up().await.unwrap();
    let calls = chronicle.calls_of("s-1", Page::newest(10)).await.unwrap();
    let told: Vec<_> = calls.iter().map(|call| (call.leaf, &*call.call, &*call.state, call.status)).collect();
    let all =
        [(5, "c-3", "open", None), (2, "c-2", "refused", Some(403)), (1, "c-1", "completed", Some(200))];
    assert_eq!(told, all);
    let done = &calls[2];
    assert_eq!((done.masked, done.duration_us, done.approval.as_deref()), (2, Some(1500), Some("a-1")));
    let before = Page { before: Some(5), most: 1 };
    assert_eq!(chronicle.calls_of("s-1", before).await.unwrap(), calls[1..2]);
    assert_eq!(chronicle.refusals(Page::newest(10)).await.unwrap(), calls[1..2]);
    assert!(chronicle.calls_of("s-2", Page::newest(10)).await.unwrap().is_empty());
    let happened = chronicle.happenings_of("s-1", Page::newest(10)).await.unwrap();
    assert_eq!(happened[0].told, "1 value of Secrets in what s-1 sent [c-2]");
    assert_eq!(chronicle.happenings("stop", Page::newest(10)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn it_goes_on_where_it_was_and_is_made_anew_when_it_is_lost_or_not_this_ledgers() {
    let folder = tempfile::tempdir().unwrap();
    let calls = async |chronicle: &Chronicle| {
        chronicle.catch_up().await.unwrap();
        let calls = chronicle.calls_of("s-1", Page::newest(10)).await.unwrap();
        chronicle.pool.close().await;
        (chronicle.reader.checkpoint().unwrap().checkpoint.size, calls.len())
    };
    ledger(folder.path(), vec![intent("c-1")]).await;
    assert_eq!(calls(&open(folder.path()).await).await, (3, 1));
    ledger(folder.path(), vec![outcome("c-1"), intent("c-2")]).await;
    assert_eq!(calls(&open(folder.path()).await).await, (7, 2));
    for junk in ["", "not a database at all, but long enough to be looked at"] {
        fs::write(folder.path().join("chronicle.sqlite"), junk).unwrap();
        assert_eq!(calls(&open(folder.path()).await).await, (7, 2), "{junk}");
    }
    // Another ledger, which is shorter.
    let other = tempfile::tempdir().unwrap();
    ledger(other.path(), vec![intent("c-9")]).await;
    fs::copy(folder.path().join("chronicle.sqlite"), other.path().join("chronicle.sqlite")).unwrap();
    assert_eq!(calls(&open(other.path()).await).await, (3, 1));
}

#[tokio::test]
async fn more_than_a_batch_is_entered() {
    let folder = tempfile::tempdir().unwrap();
    let ledger: Ledger = testing::open(folder.path());
    let appends = (0..2_100).map(|n| ledger.append(refusal(&format!("c-{n}"))));
    for append in appends {
        let _receipt = append.await.unwrap();
    }
    ledger.close(true).await.unwrap();
    let chronicle = open(folder.path()).await;
    chronicle.catch_up().await.unwrap();
    assert_eq!(chronicle.leaves().await.unwrap(), 2_102);
    assert_eq!(chronicle.refusals(Page::newest(5_000)).await.unwrap().len(), 2_100);
}

#[tokio::test]
async fn no_number_of_reads_hides_a_write_that_was_sent_by_an_approval() {
    let folder = tempfile::tempdir().unwrap();
    let reads = ["get", "list", "watch"].map(|verb| intent_to(verb, verb));
    let events = [vec![intent_to("delete", "delete")], reads.to_vec()].concat();
    ledger(folder.path(), events).await;
    let chronicle = open(folder.path()).await;
    chronicle.catch_up().await.unwrap();
    let (calls, found) = chronicle.calls_by("a-1", 2).await.unwrap();
    let told: Vec<_> = calls.iter().map(|call| &*call.call).collect();
    assert_eq!((told, found), (vec!["delete", "watch"], 4));
    assert_eq!(chronicle.calls_by("a-2", 2).await.unwrap(), (vec![], 0));
}

fn recorded(segment: u64, digest: u8) -> Event {
    let sha256 = Digest([digest; 32]);
    Event::Recorded(Recorded { session: id("s-1"), segment, sha256, previous: None, bytes: 1, records: 1 })
}

#[tokio::test]
async fn what_a_recording_has_to_be_is_known_and_that_it_was_erased() {
    let folder = tempfile::tempdir().unwrap();
    let erased = RecordingErased {
        session: id("s-1"),
        why: "kept for a day".into(),
        segments: 2,
        last: None,
        sha256: None,
    };
    let events = vec![recorded(1, 7), recorded(2, 8), Event::RecordingErased(erased)];
    ledger(folder.path(), events).await;
    let chronicle = open(folder.path()).await;
    chronicle.catch_up().await.unwrap();
    let known = chronicle.segments_of("s-1").await.unwrap();
    assert_eq!(known.into_iter().collect::<Vec<_>>(), [(1, Digest([7; 32])), (2, Digest([8; 32]))]);
    assert!(chronicle.segments_of("s-2").await.unwrap().is_empty());
    let last =
        [chronicle.last_segment_of("s-1").await.unwrap(), chronicle.last_segment_of("s-2").await.unwrap()];
    assert_eq!(last, [2, 0]);
    let happened = chronicle.happenings_of("s-1", Page::newest(10)).await.unwrap();
    let told: Vec<_> = happened.iter().map(|happening| &*happening.kind).collect();
    assert_eq!(told, ["recording_erased"]);
}

#[tokio::test]
async fn calls_are_found_by_who_and_what() {
    let folder = tempfile::tempdir().unwrap();
    ledger(folder.path(), vec![intent("c-1"), refusal("c-2"), outcome("c-1"), intent_to("list", "c-3")])
        .await;
    let chronicle = open(folder.path()).await;
    chronicle.catch_up().await.unwrap();
    let actor = testing::actor();
    let (agent, human) = (actor.agent.as_str(), actor.delegator.as_str());
    let found = async |[agent, human, verb, object]: [&str; 4]| {
        let wanted =
            Search { agent: agent.into(), human: human.into(), verb: verb.into(), object: object.into() };
        let found = chronicle.search(&wanted, Page::newest(10)).await.unwrap();
        assert_eq!(found.stopped_at, None);
        found.calls.iter().map(|call| call.call.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found(["", "", "", ""]).await, "c-3 c-2 c-1");
    assert_eq!(found([&agent.to_uppercase(), human, "", ""]).await, "c-3 c-2 c-1");
    assert_eq!(found(["nobody", "", "", ""]).await, "");
    assert_eq!(found(["", "%", "", ""]).await, "");
    assert_eq!(found(["", "", "GET", ""]).await, "c-1");
    assert_eq!(found(["", "", "ge", ""]).await, "");
    assert_eq!(found(["", "", "", "SHOP"]).await, "c-2");
    assert_eq!(found(["", "", "", "list"]).await, "");
    let first = chronicle.call("s-1", "c-1").await.unwrap().unwrap();
    assert_eq!((first.leaf, first.delegator.as_deref()), (1, Some(human)));
    assert_eq!(chronicle.time_of(1).await.unwrap(), Some(first.time));
    assert_eq!(chronicle.time_of(99).await.unwrap(), None);
    assert_eq!(chronicle.call("s-2", "c-1").await.unwrap(), None);
}
