//! What is kept of values beside a recording.

use super::*;
use crate::kept::{Keeper, Values};
use crate::record::Before;

const IDENTITY: &str = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";

#[tokio::test(start_paused = true)]
async fn what_is_kept_stands_beside_the_recording_and_goes_with_it() {
    let disk = SimDisk::default();
    let (recorder, _ledger) = start_with_ledger(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    let keeper = Keeper::parse(IDENTITY).unwrap();
    let stored = keeper.close(&Values::of(&[b"CANARY"])).unwrap();
    let digest = tap.keep("c-1", stored.clone()).await.unwrap();
    assert_eq!(digest, Digest::of(&stored));
    tap.before("c-1", true, Some(digest), Some(b"{}"[..].into())).await.unwrap();
    tap.end().await.unwrap();

    let kept = recorder.kept(&session(), "c-1").unwrap().unwrap();
    assert_eq!(keeper.open(&kept).unwrap().as_bytes(), b"CANARY");
    for other in ["c-2", "../s-1/c-1", "00000001.seg", ""] {
        assert_eq!(recorder.kept(&session(), other).unwrap(), None, "{other}");
    }
    let recording = recording(&disk);
    assert!(recording.records().all(|record| record.is_ok()), "{}", lines(recording.records()));
    assert!(lines(recording.records()).contains(&format!(r#""masked":true,"kept":"{digest}""#)));

    let tombstone = recorder.erase(&session(), "why").await.unwrap();
    assert_eq!((tombstone.segments, recorder.kept(&session(), "c-1").unwrap()), (2, None));
    assert_eq!(disk.names(), ["s-1/erased.json"]);
}

/// As gates of before wrote it.
#[test]
fn a_record_that_says_nothing_of_it_tells_that_nothing_was_kept() {
    let before: Before = serde_json::from_str(r#"{"call":"c-1","masked":true}"#).unwrap();
    assert_eq!(before.kept, None);
    assert_eq!(serde_json::to_string(&before).unwrap(), r#"{"call":"c-1","masked":true}"#);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_of_what_is_not_recorded() {
    let disk = SimDisk::default();
    let (recorder, _ledger) = start_with_ledger(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    assert!(matches!(tap.keep("../c-1", vec![1]).await, Err(Stopped::Unwritable { .. })));
    tap.end().await.unwrap();
    assert_eq!(tap.keep("c-1", vec![1]).await, Err(Stopped::Ended));
    let again = recorder.session(&session()).await.unwrap();
    recorder.erase(&session(), "why").await.unwrap();
    assert_eq!(again.keep("c-1", vec![1]).await, Err(Stopped::Erased));
    assert_eq!(disk.names(), ["s-1/erased.json"]);
}

#[tokio::test(start_paused = true)]
async fn of_a_full_disk_nothing_is_kept_and_the_recording_goes_on() {
    let disk = SimDisk::default();
    let (recorder, _ledger) = start_with_ledger(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    disk.leave_free(999);
    assert!(matches!(tap.keep("c-1", vec![1]).await, Err(Stopped::Unwritable { .. })));
    disk.leave_free(1000);
    tap.keep("c-1", vec![1]).await.unwrap();
    tap.end().await.unwrap();
}

/// Across runs of the gate: it is the files that count.
#[tokio::test]
async fn of_one_session_so_much_is_kept_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        folder: folder.path().to_owned(),
        reserve: 0,
        quota: u64::MAX,
        queue: 0,
        at_rest: Arc::new(Plain),
    };
    let (recorder, _sealed) = Recorder::open(config, || jiff::Timestamp::UNIX_EPOCH).unwrap();
    let tap = recorder.session(&session()).await.unwrap();
    // It takes no room on the disk.
    let kept = File::create(folder.path().join("s-1/c-0.kept")).unwrap();
    kept.set_len(kept::MAX_SESSION - 8).unwrap();
    tap.keep("c-1", vec![1; 5]).await.unwrap();
    assert_eq!(tap.keep("c-2", vec![1; 5]).await, Err(Stopped::KeptEnough));
    tap.keep("c-3", vec![1; 3]).await.unwrap();
    assert_eq!(tap.keep("c-4", vec![1]).await, Err(Stopped::KeptEnough));
    assert_eq!(recorder.kept(&session(), "c-2").unwrap(), None);
    assert!(tap.stopped().is_none(), "the recording goes on");
}
