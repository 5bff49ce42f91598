//! What the next run makes of what the last one left.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_recording_that_ended_in_good_order_goes_on_without_saying_otherwise() {
    let disk = SimDisk::default();
    let (recorder, _ledger) = start_with_ledger(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    let stream = tap.open(exec()).await.unwrap();
    advance(5).await;
    recorder.close().await.unwrap();
    assert_eq!(stream.closed("").await, Err(Stopped::Closed));
    assert_eq!(recorder.session(&session()).await.unwrap_err(), Refused::Stopped(Stopped::Closed));
    let (recorder, _ledger) = start_with_ledger(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    assert_eq!(tap.open(exec()).await.unwrap().number(), 2);
    tap.end().await.unwrap();
    assert_eq!(tap.told("").await, Err(Stopped::Ended));
    // The clock of the second run begins anew, and the recording's time does not go back.
    insta::assert_snapshot!(lines(recording(&disk).records()), @r#"
    0 {"began":{}}
    0 {"opened":{"stream":1,"call":"c-1","kind":"exec","namespace":"shop","pod":"web-1","container":"app","argv":["sh","-c","ls"],"tty":true}}
    5000000 {"stopped":{}}
    5000000 {"began":{}}
    5000000 {"opened":{"stream":2,"call":"c-1","kind":"exec","namespace":"shop","pod":"web-1","container":"app","argv":["sh","-c","ls"],"tty":true}}
    5000000 {"stopped":{}}
    "#);
}

#[tokio::test(start_paused = true)]
async fn what_a_crash_left_of_a_segment_is_removed_and_told() {
    let disk = SimDisk::default();
    let (recorder, _ledger) = start_with_ledger(&disk);
    recorder.session(&session()).await.unwrap().end().await.unwrap();
    let crashed = recorder.session(&session()).await.unwrap();
    crashed.told("lost").await.unwrap();
    disk.write("s-1/00000004.seg.tmp", b"half a segm").unwrap();
    let (recorder, _ledger) = start_with_ledger(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    assert!(disk.names().iter().all(|name| name.ends_with(".seg")));
    tap.end().await.unwrap();
    insta::assert_snapshot!(lines(recording(&disk).records()), @r#"
    0 {"began":{}}
    0 {"stopped":{}}
    0 {"began":{}}
    0 {"interrupted":{"torn":true}}
    0 {"stopped":{}}
    "#);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_not_what_was_written_is_not_gone_on_from() {
    let disk = SimDisk::default();
    let (recorder, _ledger) = start_with_ledger(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    tap.told("one").await.unwrap();
    tap.end().await.unwrap();
    disk.write("s-1/00000003.seg", b"zeros").unwrap();
    insta::assert_snapshot!(recorder.session(&session()).await.unwrap_err(), @"the recording of `s-1` cannot go on: segment 3: not a segment of this version; restore it from a backup, or move the folder away and keep it as evidence");
    disk.rename("s-1/00000001.seg", "s-1/00000003.seg").unwrap();
    insta::assert_snapshot!(recorder.session(&session()).await.unwrap_err(), @"the recording of `s-1` cannot go on: segment 3: it is another recording's, or has another place in this one; restore it from a backup, or move the folder away and keep it as evidence");
}

#[tokio::test(start_paused = true)]
async fn a_recorder_that_cannot_open_what_it_closed_goes_on_all_the_same() {
    let disk = SimDisk::default();
    let config = Config { at_rest: Arc::new(Sealing), ..config() };
    let (recorder, mut sealed) = start_with(&disk, &config);
    tokio::spawn(async move {
        while let Some(sealed) = sealed.recv().await {
            sealed.recorded();
        }
    });
    for _ in 0..2 {
        let tap = recorder.session(&session()).await.unwrap();
        tap.told("a secret").await.unwrap();
        tap.end().await.unwrap();
    }
    let library = Library::on(Arc::new(disk), config.at_rest);
    let recording = library.recording(&session()).unwrap();
    insta::assert_snapshot!(lines(recording.records()), @r#"
    ! segment 1 is damaged: its records cannot be unpacked: they cannot be opened
    ! segment 2 is damaged: its records cannot be unpacked: they cannot be opened
    ! segment 3 is damaged: its records cannot be unpacked: they cannot be opened
    ! segment 4 is damaged: its records cannot be unpacked: they cannot be opened
    "#);
}
