//! Recordings that are taken away.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_is_erased_leaves_a_tombstone_and_never_begins_again() {
    let disk = SimDisk::default();
    let (recorder, _ledger) = start_with_ledger(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    tap.told("a secret").await.unwrap();
    tap.flush().await.unwrap();
    tap.told("another").await.unwrap();
    advance(60).await;
    let tombstone = recorder.erase(&session(), "the customer asked").await.unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&tombstone).unwrap(), @r#"
    {
      "session": "s-1",
      "at": "2026-06-01T12:01:00Z",
      "why": "the customer asked",
      "segments": 2,
      "bytes": 622,
      "last": 2,
      "sha256": "211f2aac9672d9841657374c2eb854ccafc2f988b56302b0db8cf43e37273cf3"
    }
    "#);
    assert_eq!(disk.names(), ["s-1/erased.json"]);
    assert_eq!(tap.told("more").await, Err(Stopped::Erased));
    insta::assert_snapshot!(recorder.session(&session()).await.unwrap_err(), @"the recording of `s-1` was erased");
    insta::assert_snapshot!(library(&disk).recording(&session()).unwrap_err(), @"the recording of `s-1` was erased at 2026-06-01T12:01:00Z: the customer asked");
    assert_eq!(library(&disk).list().unwrap(), [Listed::Erased(tombstone.clone())]);
    assert_eq!(recorder.erase(&session(), "again").await.unwrap(), tombstone);
    insta::assert_snapshot!(recorder.erase(&"none".parse().unwrap(), "").await.unwrap_err(), @"there is no recording of `none`");
}

#[tokio::test(start_paused = true)]
async fn what_was_erased_comes_up_again_until_the_ledger_knows() {
    let disk = SimDisk::default();
    let (recorder, _ledger) = start_with_ledger(&disk);
    recorder.session(&session()).await.unwrap().flush().await.unwrap();
    let tombstone = recorder.erase(&session(), "the customer asked").await.unwrap();
    let untold = async || recorder.expire(jiff::Timestamp::MIN, "never").await.unwrap().erased;
    assert_eq!(untold().await, std::slice::from_ref(&tombstone));
    assert_eq!(untold().await, [tombstone]);
    recorder.erasure_told(&session()).await.unwrap();
    assert_eq!(untold().await, []);
    // A backup that was brought back goes again, and is told again.
    disk.write("s-1/00000001.seg", b"").unwrap();
    assert_eq!(untold().await.len(), 1);
    assert_eq!(disk.names(), ["s-1/erased.json", "s-1/erased.told"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_past_its_time_is_erased_but_for_what_is_being_written() {
    let disk = SimDisk::default();
    let (recorder, _ledger) = start_with_ledger(&disk);
    let now = clock().now();
    for name in ["old", "open", "young"] {
        let tap = recorder.session(&name.parse().unwrap()).await.unwrap();
        tap.told(name).await.unwrap();
        tap.flush().await.unwrap();
        if name != "open" {
            tap.end().await.unwrap();
        }
        advance(3600).await;
    }
    disk.make_folder("torn").unwrap();
    disk.write("torn/00000001.seg", b"").unwrap();
    let expired = recorder.expire(now + SECOND * 5000, "after an hour").await.unwrap();
    let sessions: Vec<_> = expired.erased.iter().map(|tombstone| tombstone.session.as_str()).collect();
    assert_eq!(sessions, ["old"]);
    insta::assert_debug_snapshot!(expired.failed, @r#"
    [
        (
            "torn",
            "segment 1: not a segment of this version",
        ),
    ]
    "#);
    recorder.session(&"young".parse().unwrap()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_erasure_that_was_given_up_stops_nothing() {
    let disk = SimDisk::default();
    let (recorder, mut sealed) = start(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    // Nobody takes what is sealed, so the writer waits.
    for _ in 0..4 * UNRECORDED {
        tap.told("one").await.unwrap();
        advance(1).await;
        settled().await;
    }
    let given_up = recorder.erase(&session(), "why").await.unwrap_err();
    assert_eq!(given_up, Refused::Stopped(Stopped::Stalled));
    tokio::spawn(async move {
        while let Some(sealed) = sealed.recv().await {
            sealed.recorded();
        }
    });
    tap.told("two").await.unwrap();
    tap.flush().await.unwrap();
    assert_eq!(told(&recording(&disk)).last().map(String::as_str), Some("two"));
}
