mod erasing;
mod going_on;
mod keeping;
mod pressure;

use super::testing::*;
use super::*;
use crate::Digest;
use crate::at_rest::{Close, Open, Plain};
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
    2000000 {"bytes":{"stream":1,"channel":"data"}} "{\"refusal\":\"no\"}"
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
