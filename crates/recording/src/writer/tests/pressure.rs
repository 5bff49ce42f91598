//! Disks and ledgers that are slow, full or gone: who waits, and what ends.

use super::*;
use crate::record::{MAX_PIECE, Payload};

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
    0 {"bytes":{"stream":1,"channel":"data"}} "one"
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
async fn a_recording_that_fills_the_disk_stops_with_what_came_so_far() {
    let disk = SimDisk::default();
    let (recorder, ledger) = start_with_ledger(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    let begun = ledger.lock().len();
    tap.told("one").await.unwrap();
    disk.leave_free(999);
    let why = tap.until_stopped().await;
    insta::assert_snapshot!(why, @"the recording cannot be written (999 bytes are free, 1000 are kept in reserve): free or repair its disk, and begin anew");
    assert_eq!(ledger.lock().len(), begun + 1, "what came is kept");
    assert_eq!(tap.told("two").await.unwrap_err(), why);
}

/// A piece may be shown once it was handed over: the segment before it is not the last that is kept of it.
#[tokio::test(start_paused = true)]
async fn what_was_handed_over_before_the_disk_was_found_full_is_kept() {
    let disk = SimDisk::default();
    let (recorder, _ledger) = start_with_ledger(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    let stream = tap.open(exec()).await.unwrap();
    disk.leave_free(999);
    // More than a segment, and something behind it, before any of it is looked at.
    for byte in 0..=u8::try_from(FULL / MAX_PIECE).unwrap() {
        stream.bytes(Channel::Stdout, vec![byte; MAX_PIECE].into()).await.unwrap();
    }
    stream.bytes(Channel::Stdout, "last".into()).await.unwrap();
    let why = tap.until_stopped().await;
    assert_eq!(tap.told("more").await.unwrap_err(), why);
    // What the pod has already, and how the stream ends, even while somebody asks for more.
    assert!(matches!(recorder.session(&session()).await, Err(Refused::NoSpace { .. })));
    stream.rest(Channel::Stdin, "typed".into()).await.unwrap();
    stream.closed("ended").await.unwrap();
    assert_eq!(tap.end().await, Err(why), "its end is not in good order");
    disk.leave_free(u64::MAX);
    recorder.session(&session()).await.unwrap().end().await.unwrap();
    let records: Vec<What> = recording(&disk).records().map(|record| record.unwrap().what).collect();
    let at = records.iter().position(|what| what.payload() == b"last").unwrap();
    let typed = What::Bytes { stream: 1, channel: Channel::Stdin, bytes: Payload("typed".into()) };
    let closed = What::Closed { stream: 1, how: "ended".into() };
    let next = [What::Interrupted { torn: false }, What::Stopped {}];
    assert_eq!(records[at + 1..], [&[typed, closed][..], &next].concat());
}

/// What a gate was killed over does not go on, though nothing more is recorded.
#[tokio::test(start_paused = true)]
async fn a_full_recording_that_a_gate_was_killed_over_is_ended_by_the_next() {
    let disk = SimDisk::default();
    let (recorder, _ledger) = with_ledger(start_with(&disk, &config()));
    let tap = recorder.session(&session()).await.unwrap();
    let _stream = tap.open(exec()).await.unwrap();
    tap.flush().await.unwrap();
    let left = disk.after(crate::storage::sim::Crash::KeepsAll);
    let small = || Config { quota: 1, ..config() };
    for _start in 0..2 {
        let (recorder, ledger) = with_ledger(start_with(&left, &small()));
        assert_eq!(recorder.session(&session()).await.unwrap_err(), Refused::Stopped(Stopped::Full));
        recorder.close().await.unwrap();
        let last = ledger.lock().last().map(|segment| segment.number);
        let survey = recording(&left).survey();
        assert_eq!((last, survey.stopped, survey.interrupted), (Some(3), true, 1));
    }
}

/// Others can still be recorded, and the session itself from no other run.
#[tokio::test(start_paused = true)]
async fn a_recording_that_has_its_quota_stops_and_does_not_go_on() {
    let disk = SimDisk::default();
    let small = || Config { quota: 2 << 20, ..config() };
    let (recorder, ledger) = with_ledger(start_with(&disk, &small()));
    let tap = recorder.session(&session()).await.unwrap();
    let stream = tap.open(exec()).await.unwrap();
    let mut noise = fastrand::Rng::with_seed(1);
    let mut taken = 0_u64;
    let why = loop {
        let piece = std::iter::repeat_with(|| noise.u8(..)).take(MAX_PIECE).collect::<Vec<u8>>();
        match stream.bytes(Channel::Stdout, piece.into()).await {
            Ok(()) => taken += MAX_PIECE as u64,
            Err(why) => break why,
        }
        settled().await;
    };
    insta::assert_snapshot!(why, @"as much is recorded of the session as is recorded of one: go on in another one");
    assert!((2 << 20..4 << 20).contains(&taken), "{taken}");
    // As an agent does that goes on asking.
    assert_eq!(recorder.session(&session()).await.unwrap_err(), Refused::Stopped(Stopped::Full));
    // What goes on is told to its end, and nothing else is taken.
    assert_eq!(tap.told("c-2").await, Err(Stopped::Full));
    assert_eq!(stream.rest(Channel::Stdin, "typed".into()).await, Ok(()));
    assert_eq!(stream.closed("ended").await, Ok(()));
    assert_eq!(tap.answered("c-1", 200, None, None).await, Ok(()));
    assert_eq!(tap.answered("c-1", 200, None, Some(b"body"[..].into())).await, Err(Stopped::Full));
    assert_eq!(tap.end().await, Ok(()), "all of it is there");
    assert!(recording(&disk).survey().stopped);
    let records: Vec<What> = recording(&disk).records().map(|record| record.unwrap().what).collect();
    let ends = records.rsplit(|what| what.payload().len() == MAX_PIECE).next().unwrap();
    let ends_alone = matches!(
        ends,
        [
            What::Bytes { channel: Channel::Stdin, .. },
            What::Closed { .. },
            What::Answered(_),
            What::Stopped {}
        ]
    );
    assert!(ends_alone, "{ends:?}");
    let told: u64 = ledger.lock().iter().map(|segment| segment.bytes).sum();
    let segments = recording(&disk).survey().segments;
    assert_eq!((told >= 2 << 20, ledger.lock().len() as u64), (true, segments), "what came is kept");
    recorder.session(&"s-2".parse().unwrap()).await.unwrap();
    assert_eq!(recorder.session(&session()).await.unwrap_err(), Refused::Stopped(Stopped::Full));
    assert_eq!(recording(&disk).survey().segments, segments, "a refusal writes nothing");
    disk.leave_free(0);
    let refused = recorder.session(&session()).await.unwrap_err();
    assert_eq!(refused, Refused::Stopped(Stopped::Full), "nor is the disk asked again");
    disk.leave_free(u64::MAX);
    recorder.close().await.unwrap();
    // It is the files that count; and the gate before may have been killed over the last of them.
    let (recorder, ledger) = with_ledger(start_with(&disk, &small()));
    assert_eq!(recorder.session(&session()).await.unwrap_err(), Refused::Stopped(Stopped::Full));
    settled().await;
    assert_eq!(ledger.lock().iter().map(|segment| segment.number).collect::<Vec<_>>(), [segments]);
    recorder.erase(&session(), "the customer asked").await.unwrap();
    assert_eq!(recorder.session(&session()).await.unwrap_err(), Refused::Erased { session: session() });
}
