use super::testing::*;
use super::*;
use crate::Digest;
use crate::at_rest::Plain;
use crate::reader::{Library, Listed, Unreadable};
use crate::record::{Channel, Record, What};
use crate::segment::FULL;
use crate::storage::sim::SimDisk;
use bytes::Bytes;
use std::pin::pin;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// Whether the future waits.
async fn waits<T>(future: impl Future<Output = T>) -> bool {
    tokio::select! { biased; _ = future => false, () = settled() => true }
}

/// Lets everything run that can.
async fn settled() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_over_is_read_back_in_order() {
    let disk = SimDisk::default();
    let (recorder, _ledger) = start_with_ledger(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    tap.called("c-0", "get pods in shop", None).await.unwrap();
    tap.answered("c-0", 200, Some("application/json"), Some(b"{}"[..].into())).await.unwrap();
    advance(2).await;
    let stream = tap.open(exec()).await.unwrap();
    stream.resized(120, 40).await.unwrap();
    stream.bytes(Channel::Stdin, "ls\r".into()).await.unwrap();
    stream.bytes(Channel::Stdout, "web\r\n".into()).await.unwrap();
    tap.told(r#"{"refusal":"no"}"#).await.unwrap();
    stream.closed("exit status 0").await.unwrap();
    tap.end().await.unwrap();
    insta::assert_snapshot!(lines(recording(&disk).records()), @r#"
    0 {"began":{}}
    0 {"called":{"call":"c-0","act":"get pods in shop"}}
    0 {"body":{"sha256":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}} "{}"
    0 {"answered":{"call":"c-0","status":200,"media":"application/json","body":{"sha256":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","kept":2,"whole":2,"segment":2}}}
    2000000 {"opened":{"stream":1,"call":"c-1","kind":"exec","namespace":"shop","pod":"web-1","container":"app","argv":["sh","-c","ls"],"tty":true}}
    2000000 {"resized":{"stream":1,"width":120,"height":40}}
    2000000 {"bytes":{"stream":1,"channel":"stdin"}} "ls\r"
    2000000 {"bytes":{"stream":1,"channel":"stdout"}} "web\r\n"
    2000000 {"told":{}} "{\"refusal\":\"no\"}"
    2000000 {"closed":{"stream":1,"how":"exit status 0"}}
    2000000 {"stopped":{}}
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_segment_holds_a_second_at_most_or_a_mebibyte() {
    let disk = SimDisk::default();
    let (recorder, mut sealed) = start(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    sealed.recv().await.unwrap().recorded();
    let began = Instant::now();
    tap.told("one").await.unwrap();
    let first = sealed.recv().await.unwrap();
    assert_eq!(began.elapsed(), SECOND);
    let stream = tap.open(exec()).await.unwrap();
    stream.bytes(Channel::Stdout, vec![7; FULL].into()).await.unwrap();
    let second = sealed.recv().await.unwrap();
    assert_eq!(began.elapsed(), SECOND);
    assert_eq!(second.segment().previous, Some(first.segment().sha256));
    assert_eq!((second.segment().number, second.segment().records), (3, 5));
    let file = disk.read("s-1/00000003.seg", usize::MAX).unwrap().unwrap();
    assert_eq!(second.segment().sha256, Digest::of(&file));
    [first, second].into_iter().for_each(Sealed::recorded);
}

#[tokio::test(start_paused = true)]
async fn a_body_is_stored_once_and_cut_when_it_is_long() {
    let disk = SimDisk::default();
    let (recorder, _ledger) = start_with_ledger(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    let long = vec![b'x'; MAX_BODY + 1];
    for call in ["c-1", "c-2", "c-3"] {
        tap.answered(call, 200, None, Some(b"the same"[..].into())).await.unwrap();
        tap.flush().await.unwrap();
    }
    tap.answered("c-4", 200, None, Some(long[..].into())).await.unwrap();
    tap.flush().await.unwrap();
    let recording = recording(&disk);
    insta::assert_snapshot!(lines(recording.records()), @r#"
    0 {"began":{}}
    0 {"body":{"sha256":"fa0487f2dc91544ab4b9f5b1d59b7eb2bf68807a6e42cdf22fce4e0bc4b84cb2"}} "the same"
    0 {"answered":{"call":"c-1","status":200,"body":{"sha256":"fa0487f2dc91544ab4b9f5b1d59b7eb2bf68807a6e42cdf22fce4e0bc4b84cb2","kept":8,"whole":8,"segment":2}}}
    0 {"answered":{"call":"c-2","status":200,"body":{"sha256":"fa0487f2dc91544ab4b9f5b1d59b7eb2bf68807a6e42cdf22fce4e0bc4b84cb2","kept":8,"whole":8,"segment":2}}}
    0 {"answered":{"call":"c-3","status":200,"body":{"sha256":"fa0487f2dc91544ab4b9f5b1d59b7eb2bf68807a6e42cdf22fce4e0bc4b84cb2","kept":8,"whole":8,"segment":2}}}
    0 {"body":{"sha256":"3bea8a9a07c1e8dcaa4c1b816815c35a29b4fb585ba6ecc70ea44840a794cfb3"}} (3145728 bytes)
    0 {"answered":{"call":"c-4","status":200,"body":{"sha256":"3bea8a9a07c1e8dcaa4c1b816815c35a29b4fb585ba6ecc70ea44840a794cfb3","kept":3145728,"whole":3145729,"segment":5}}}
    "#);
    let kept = recording.records().filter_map(|record| match record.unwrap().what {
        What::Answered(answered) => answered.body,
        _ => None,
    });
    let kept: Vec<Bytes> = kept.map(|blob| recording.body(&blob).unwrap()).collect();
    assert_eq!(kept, [&b"the same"[..], b"the same", b"the same", &long[..MAX_BODY]]);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_too_fast_waits_and_is_then_stopped_without_a_gap() {
    let disk = SimDisk::default();
    let (recorder, mut sealed) = start(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    let stream = tap.open(exec()).await.unwrap();
    let began = Instant::now();
    let mut taken = 0_u32;
    // Nobody takes what is sealed, so the writer waits, so the queue fills.
    let why = loop {
        let mut piece = vec![0; 200 << 10];
        piece[..4].copy_from_slice(&taken.to_be_bytes());
        match stream.bytes(Channel::Stdout, piece.into()).await {
            Ok(()) => taken += 1,
            Err(why) => break why,
        }
    };
    assert_eq!((why, began.elapsed()), (Stopped::Stalled, WITHIN));
    assert!(taken as usize * (200 << 10) > UNRECORDED * FULL + LEAST_QUEUE / 2);
    assert!((taken as usize - UNRECORDED * 6) * (200 << 10) < LEAST_QUEUE + 2 * FULL);
    assert_eq!(tap.told("").await, Err(Stopped::Stalled));
    tokio::spawn(async move {
        while let Some(sealed) = sealed.recv().await {
            sealed.recorded();
        }
    });
    recorder.session(&session()).await.unwrap().end().await.unwrap();
    let recording = recording(&disk);
    let kept = recording.records().filter_map(|record| match record.unwrap().what {
        What::Bytes { bytes, .. } => Some(u32::from_be_bytes(bytes.0[..4].try_into().unwrap())),
        _ => None,
    });
    assert!(kept.eq(0..taken));
    let last: Vec<What> = recording.records().map(|record| record.unwrap().what).collect();
    assert_eq!(last[last.len() - 2..], [What::Interrupted { torn: false }, What::Stopped {}]);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_fails_stops_the_recording_and_the_next_goes_on() {
    let disk = SimDisk::default();
    let (recorder, ledger) = start_with_ledger(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    tap.told("one").await.unwrap();
    tap.flush().await.unwrap();
    let stream = tap.open(exec()).await.unwrap();
    disk.break_down(true);
    tap.told("two").await.unwrap();
    insta::assert_snapshot!(tap.until_stopped().await, @"the recording cannot be written (simulated fault, NotDone): free or repair its disk, and begin anew");
    let stopped = tap.stopped().unwrap();
    assert_eq!(stream.closed("").await, Err(stopped.clone()));
    assert_eq!((tap.flush().await, tap.end().await), (Err(stopped.clone()), Err(stopped.clone())));
    let refused = recorder.session(&session()).await.unwrap_err();
    assert_eq!(refused, Refused::Stopped(stopped));
    disk.break_down(false);
    let tap = recorder.session(&session()).await.unwrap();
    assert_eq!(tap.open(exec()).await.unwrap().number(), 1, "the first stream was never durable");
    tap.end().await.unwrap();
    insta::assert_snapshot!(lines(recording(&disk).records()), @r#"
    0 {"began":{}}
    0 {"told":{}} "one"
    1000000 {"interrupted":{"torn":false}}
    1000000 {"opened":{"stream":1,"call":"c-1","kind":"exec","namespace":"shop","pod":"web-1","container":"app","argv":["sh","-c","ls"],"tty":true}}
    1000000 {"stopped":{}}
    "#);
    let numbers: Vec<u64> = ledger.lock().iter().map(|segment| segment.number).collect();
    assert_eq!(numbers, [1, 2, 2, 3, 4], "the last is told again");
}

#[tokio::test(start_paused = true)]
async fn an_end_is_shown_once_the_ledger_has_it() {
    let disk = SimDisk::default();
    let (recorder, mut sealed) = start(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    sealed.recv().await.unwrap().recorded();
    tap.told("one").await.unwrap();
    let mut flush = pin!(tap.flush());
    assert!(waits(&mut flush).await);
    let first = sealed.recv().await.unwrap();
    tap.told("two").await.unwrap();
    advance(1).await;
    let second = sealed.recv().await.unwrap();
    assert!(waits(&mut flush).await);
    first.recorded();
    flush.await.unwrap();
    let mut flush = pin!(tap.flush());
    assert!(waits(&mut flush).await);
    drop(second);
    assert_eq!(flush.await, Err(Stopped::Unrecorded));
    assert_eq!(tap.told("three").await, Err(Stopped::Unrecorded));
    let tap = recorder.session(&session()).await.unwrap();
    sealed.recv().await.unwrap().recorded();
    sealed.recv().await.unwrap().recorded();
    tap.told("four").await.unwrap();
    let flushed = tokio::join!(tap.flush(), async { sealed.recv().await.unwrap().recorded() }).0;
    assert_eq!(flushed, Ok(()));
    assert_eq!(told(&recording(&disk)), ["one", "two", "four"]);
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_does_not_answer_is_not_waited_for_without_end() {
    let disk = SimDisk::default();
    let (recorder, _sealed) = start(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    tap.told("one").await.unwrap();
    let began = Instant::now();
    assert_eq!(tap.flush().await, Err(Stopped::Stalled));
    assert_eq!(began.elapsed(), WITHIN);
}

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
async fn no_recording_begins_where_it_could_not_end() {
    let disk = SimDisk::default();
    let (recorder, _ledger) = start_with_ledger(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    disk.leave_free(999);
    let other = "s-2".parse().unwrap();
    insta::assert_snapshot!(recorder.session(&other).await.unwrap_err(), @"no recording can begin: 999 bytes are free, 1000 are kept in reserve; free space on the disk of the recordings");
    tap.told("one").await.unwrap();
    recorder.session(&session()).await.unwrap().end().await.unwrap();
    disk.leave_free(1000);
    recorder.session(&other).await.unwrap();
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

#[test]
fn of_records_that_overtook_each_other_the_time_does_not_go_back() {
    let disk = SimDisk::default();
    let now = jiff::Timestamp::UNIX_EPOCH;
    let (mut chain, _) =
        chain::Chain::open(Arc::new(disk.clone()), Arc::new(Plain), &session(), now).unwrap();
    let mut batch = chain::Batch::default();
    for at in [5, 3, 9] {
        chain.add(&mut batch, at, What::Stopped {}).unwrap();
    }
    chain.seal(&batch, false).unwrap();
    let recording = recording(&disk);
    assert!(recording.records().map(|record| record.unwrap().at).eq([5, 5, 9]));
}

#[tokio::test(start_paused = true)]
async fn many_recordings_together_hold_no_more_than_the_queue() {
    let disk = SimDisk::default();
    let (recorder, ledger) = start_with_ledger(&disk);
    let began = Instant::now();
    for n in 0..30 {
        let tap = recorder.session(&format!("s-{n}").parse().unwrap()).await.unwrap();
        let stream = tap.open(exec()).await.unwrap();
        stream.bytes(Channel::Stdout, vec![0; 800 << 10].into()).await.unwrap();
    }
    settled().await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert!(recorder.room.available_permits() >= LEAST_QUEUE / 2);
    assert!(ledger.lock().len() > 14);
}

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
      "bytes": 599,
      "last": 2,
      "sha256": "a35225334b9fbe17a18e7cfcd1dee0313a33a268937522307741ae8e828dc246"
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

#[tokio::test]
async fn a_real_disk_keeps_it_and_has_one_recorder() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("recordings");
    let open = || {
        let config = Config { folder: folder.clone(), reserve: 0, ..config() };
        Recorder::open(config, jiff::Timestamp::now)
    };
    let (recorder, mut sealed) = open().unwrap();
    assert!(matches!(open().unwrap_err(), OpenError::InUse { .. }));
    let ledger = tokio::spawn(async move {
        let mut known = std::collections::BTreeMap::new();
        while let Some(sealed) = sealed.recv().await {
            known.insert(sealed.segment().number, sealed.segment().sha256);
            sealed.recorded();
        }
        known
    });
    let tap = recorder.session(&session()).await.unwrap();
    let stream = tap.open(exec()).await.unwrap();
    stream.bytes(Channel::Stdout, "hello".into()).await.unwrap();
    stream.closed("").await.unwrap();
    recorder.close().await.unwrap();
    let library = Library::new(&folder, Arc::new(Plain));
    let recording = library.recording(&session()).unwrap().against(ledger.await.unwrap());
    let records: Vec<Record> = recording.records().collect::<Result<_, _>>().unwrap();
    assert_eq!(records.len(), 5);
    assert!(matches!(library.recording(&"s-2".parse().unwrap()), Err(Unreadable::None { .. })));
}
