use std::{fs, path::Path, sync::Arc};

use gateway::segments;
use jiff::SignedDuration;
use ledger::testing;
use recording::at_rest::Plain;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;

const BEGAN: &str = "2026-06-01T12:00:00Z";

/// A recorder on a clock that stands still, and a ledger.
struct Bench {
    folder: TempDir,
    recorder: Recorder,
    telling: JoinHandle<()>,
    ledger: Ledger,
}

fn began() -> Timestamp {
    BEGAN.parse().unwrap()
}

fn keep(days: u64) -> Keep {
    Keep { span: Duration::from_secs(days * 24 * 3600), text: format!("{days}d") }
}

fn session(id: &str) -> Session {
    id.parse().unwrap()
}

impl Bench {
    fn new(folder: TempDir) -> Self {
        let config = recording::Config {
            folder: folder.path().join("recordings"),
            reserve: 0,
            quota: u64::MAX,
            queue: 0,
            at_rest: Arc::new(Plain),
        };
        let (recorder, sealed) = Recorder::open(config, began).unwrap();
        let ledger = testing::open(folder.path());
        let telling = tokio::spawn(segments::tell(sealed, ledger.clone()));
        Self { folder, recorder, telling, ledger }
    }

    fn eraser(&self) -> Eraser {
        Eraser::new(self.recorder.clone(), self.ledger.clone())
    }

    /// Recordings that have ended.
    async fn recorded(&self, ids: &[&str]) {
        for id in ids {
            let tap = self.recorder.session(&session(id)).await.unwrap();
            tap.answered(id, 200, None, None).await.unwrap();
            tap.end().await.unwrap();
        }
    }

    async fn closed(self) -> TempDir {
        self.recorder.close().await.unwrap();
        self.telling.await.unwrap();
        self.ledger.close(true).await.unwrap();
        self.folder
    }
}

/// What the ledger has of recordings that were erased.
fn told(folder: &Path) -> Vec<String> {
    let erased = testing::events(folder).into_iter().filter_map(|event| match event {
        Event::RecordingErased(RecordingErased { session, why, segments, .. }) => {
            Some(format!("{session} of {segments}: {why}"))
        }
        _ => None,
    });
    erased.collect()
}

fn ids(swept: &Swept) -> Vec<&str> {
    swept.erased.iter().map(|erased| erased.tombstone.session.as_str()).collect()
}

#[tokio::test]
async fn what_is_past_its_time_is_erased_and_the_ledger_told_once() {
    let bench = Bench::new(TempDir::new().unwrap());
    bench.recorded(&["s-a", "s-b"]).await;
    let _open = bench.recorder.session(&session("s-open")).await.unwrap();
    let eraser = bench.eraser();
    let days = |days: i64| began() + SignedDuration::from_hours(24 * days);
    assert_eq!(ids(&eraser.sweep(None, days(9_999)).await.unwrap()), [""; 0], "kept for ever");
    assert_eq!(ids(&eraser.sweep(Some(&keep(90)), days(89)).await.unwrap()), [""; 0], "too young");
    let swept = eraser.sweep(Some(&keep(90)), days(91)).await.unwrap();
    assert_eq!(ids(&swept), ["s-a", "s-b"]);
    assert!(swept.failed.is_empty() && swept.erased.iter().all(|erased| erased.unrecorded.is_none()));
    assert_eq!(ids(&eraser.sweep(Some(&keep(90)), days(92)).await.unwrap()), [""; 0], "told already");
    let folder = bench.closed().await;
    insta::assert_snapshot!(told(folder.path()).join("\n"), @r"
    s-a of 2: recordings.keep: 90d
    s-b of 2: recordings.keep: 90d
    ");
    let names = |id: &str| {
        let entries = fs::read_dir(folder.path().join("recordings").join(id)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("s-a"), ["erased.json", "erased.told"]);
    assert_eq!(names("s-open"), ["00000001.seg", "00000002.seg"]);
}

#[tokio::test]
async fn an_erasure_that_the_ledger_did_not_take_is_told_by_the_next_start() {
    let bench = Bench::new(TempDir::new().unwrap());
    bench.recorded(&["s-a"]).await;
    let eraser = bench.eraser();
    // As when the gate is killed in between: the tombstone is there, and its leaf is not.
    bench.ledger.close(true).await.unwrap();
    let by = Operator::parse("local user 1000").unwrap();
    let erased = eraser.erase(&session("s-a"), &by, &"the customer asked".parse().unwrap()).await.unwrap();
    assert_eq!(erased.unrecorded.as_deref(), Some("the ledger is closed"));
    bench.recorder.close().await.unwrap();
    let folder = bench.folder;
    assert_eq!(told(folder.path()), [""; 0]);

    // No rule erases anything at this start; what was erased is told all the same, and only once.
    let bench = Bench::new(folder);
    let eraser = bench.eraser();
    assert_eq!(ids(&eraser.sweep(None, began()).await.unwrap()), ["s-a"]);
    assert_eq!(ids(&eraser.sweep(None, began()).await.unwrap()), [""; 0]);
    let folder = bench.closed().await;
    insta::assert_snapshot!(told(folder.path()).join("\n"), @"s-a of 2: local user 1000: the customer asked");
}

#[tokio::test]
async fn what_was_erased_half_is_finished_and_what_is_none_of_ours_is_told() {
    let bench = Bench::new(TempDir::new().unwrap());
    bench.recorded(&["s-a"]).await;
    let folder = bench.folder.path().join("recordings");
    let segment = fs::read(folder.join("s-a/00000001.seg")).unwrap();
    let eraser = bench.eraser();
    eraser.sweep(Some(&keep(1)), began() + SignedDuration::from_hours(48)).await.unwrap();
    fs::write(folder.join("s-a/00000001.seg"), segment).unwrap();
    fs::create_dir(folder.join("s-torn")).unwrap();
    fs::write(folder.join("s-torn/00000001.seg"), "").unwrap();
    let swept = eraser.sweep(None, began()).await.unwrap();
    assert_eq!(ids(&swept), ["s-a"]);
    insta::assert_debug_snapshot!(swept.failed, @r#"
    [
        (
            "s-torn",
            "segment 1: not a segment of this version",
        ),
    ]
    "#);
    assert!(!folder.join("s-a/00000001.seg").exists());
    let none =
        eraser.erase(&session("s-none"), &Operator::parse("ada").unwrap(), &"x".parse().unwrap()).await;
    insta::assert_snapshot!(none.unwrap_err(), @"there is no recording of `s-none`");
    bench.closed().await;
}

#[tokio::test]
async fn the_first_look_is_at_the_start_and_the_stop_is_heard() {
    let bench = Bench::new(TempDir::new().unwrap());
    bench.recorded(&["s-a"]).await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(bench.eraser().run(Some(keep(1)), stop.clone()));
    // The recording is of long ago.
    while !bench.folder.path().join("recordings/s-a/erased.told").exists() {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    running.await.unwrap();
    assert_eq!(told(bench.closed().await.path()).len(), 1);
}
