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

/// A run that is killed over its third segment, and one that goes on and ends in good order.
async fn two_runs(disk: &SimDisk, first: Arc<dyn Close>, second: Arc<dyn Close>) {
    let mut running = Vec::new();
    for (at_rest, text) in [(first, "a secret"), (second, "another")] {
        let (recorder, mut sealed) = start_with(disk, &Config { at_rest, ..config() });
        tokio::spawn(async move {
            while let Some(sealed) = sealed.recv().await {
                sealed.recorded();
            }
        });
        let tap = recorder.session(&session()).await.unwrap();
        tap.told(text).await.unwrap();
        tap.flush().await.unwrap();
        running.push((recorder, tap));
        if running.len() == 1 {
            disk.write("s-1/00000003.seg.tmp", b"half a segm").unwrap();
        }
    }
    running.pop().unwrap().1.end().await.unwrap();
    assert!(disk.names().iter().all(|name| name.ends_with(".seg")));
}

fn read(disk: &SimDisk, at_rest: Arc<dyn Open>) -> String {
    let recording = Library::on(Arc::new(disk.clone()), at_rest).recording(&session()).unwrap();
    lines(recording.records())
}

#[tokio::test(start_paused = true)]
async fn a_recorder_that_cannot_read_what_it_wrote_goes_on_after_a_crash_all_the_same() {
    let disk = SimDisk::default();
    two_runs(&disk, Arc::new(recipients(1)), Arc::new(recipients(2))).await;
    let [one, other] = identities();
    insta::assert_snapshot!(read(&disk, Arc::new(one)), @r#"
    0 {"began":{}}
    0 {"bytes":{"stream":1,"channel":"data"}} "a secret"
    0 {"interrupted":{"torn":true}}
    0 {"bytes":{"stream":1,"channel":"data"}} "another"
    0 {"stopped":{}}
    "#);
    // Who was added later reads what came later.
    insta::assert_snapshot!(read(&disk, Arc::new(other)), @r#"
    ! segments 1 to 2 are encrypted to others
    0 {"interrupted":{"torn":true}}
    0 {"bytes":{"stream":1,"channel":"data"}} "another"
    0 {"stopped":{}}
    "#);
    let none = read(&disk, Arc::new(Plain));
    assert_eq!(none, "! segments 1 to 5 are encrypted");
}

#[tokio::test(start_paused = true)]
async fn each_segment_is_read_as_its_header_says() {
    let disk = SimDisk::default();
    two_runs(&disk, Arc::new(Plain), Arc::new(recipients(1))).await;
    let [one, _] = identities();
    assert!(!read(&disk, Arc::new(one)).contains('!'));
    insta::assert_snapshot!(read(&disk, Arc::new(Plain)), @r#"
    0 {"began":{}}
    0 {"bytes":{"stream":1,"channel":"data"}} "a secret"
    ! segments 3 to 5 are encrypted
    "#);
    let disk = SimDisk::default();
    two_runs(&disk, Arc::new(recipients(1)), Arc::new(Plain)).await;
    insta::assert_snapshot!(read(&disk, Arc::new(Plain)), @r#"
    ! segments 1 to 2 are encrypted
    0 {"interrupted":{"torn":true}}
    0 {"bytes":{"stream":1,"channel":"data"}} "another"
    0 {"stopped":{}}
    "#);
}

#[tokio::test(start_paused = true)]
async fn an_encrypted_segment_that_was_changed_is_not_shown() {
    let disk = SimDisk::default();
    two_runs(&disk, Arc::new(recipients(1)), Arc::new(recipients(1))).await;
    let path = "s-1/00000002.seg";
    let mut bytes = disk.read(path, usize::MAX).unwrap().unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    disk.write(path, &bytes).unwrap();
    let [one, _] = identities();
    insta::assert_snapshot!(read(&disk, Arc::new(one)), @r#"
    0 {"began":{}}
    ! segment 2 is damaged: its records cannot be unpacked: its age file was changed, or cut
    ! segment 3 does not follow the one before it
    0 {"interrupted":{"torn":true}}
    0 {"bytes":{"stream":1,"channel":"data"}} "another"
    0 {"stopped":{}}
    "#);
}
