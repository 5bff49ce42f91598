use super::*;
use crate::record::{Channel, Record};
use crate::storage::sim::{Crash, SimDisk};
use crate::writer::testing::*;
use crate::writer::{Stream, Tap};
use tokio::runtime::Builder;

/// A recording that the ledger has.
fn record<F: Future<Output = ()>>(script: impl FnOnce(Tap) -> F) -> (SimDisk, BTreeMap<u64, Digest>) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let disk = SimDisk::default();
        let (recorder, ledger) = start_with_ledger(&disk);
        let tap = recorder.session(&session()).await.unwrap();
        script(tap.clone()).await;
        tap.end().await.unwrap();
        let known = ledger.lock().iter().map(|segment| (segment.number, segment.sha256)).collect();
        (disk, known)
    })
}

/// Six segments, a leaf told in each, two seconds apart.
fn six() -> (SimDisk, BTreeMap<u64, Digest>) {
    record(|tap| async move {
        for n in 0..6 {
            tap.told(&n.to_string()).await.unwrap();
            if n < 5 {
                tap.flush().await.unwrap();
                advance(2).await;
            }
        }
    })
}

/// A line for each record or finding, after this was done to the files.
fn changed(change: impl Fn(&SimDisk)) -> String {
    let (disk, known) = six();
    change(&disk);
    let recording = recording(&disk);
    format!("{}\n--- the ledger\n{}", lines(recording.records()), lines(recording.against(known).records()))
}

fn path(number: u64) -> String {
    format!("s-1/{}", segment::file_name(number))
}

fn edit(disk: &SimDisk, number: u64, change: impl Fn(&mut Vec<u8>)) {
    let mut bytes = disk.read(&path(number), usize::MAX).unwrap().unwrap();
    change(&mut bytes);
    disk.write(&path(number), &bytes).unwrap();
}

/// Writes the segment anew, with another content, as somebody would who knows how.
fn forge(disk: &SimDisk, number: u64) {
    edit(disk, number, |bytes| {
        let (header, stored) = Header::read(bytes).unwrap();
        let mut plain = header.unpack(stored, &crate::at_rest::Plain).unwrap();
        *plain.last_mut().unwrap() ^= 64;
        *bytes = segment::write(&header, &plain, &crate::at_rest::Plain).unwrap();
    });
}

#[test]
fn what_is_wrong_is_told_and_the_rest_is_read() {
    insta::assert_snapshot!(changed(|_| {}), @r#"
    0 {"told":{}} "0"
    2000000 {"told":{}} "1"
    4000000 {"told":{}} "2"
    6000000 {"told":{}} "3"
    8000000 {"told":{}} "4"
    10000000 {"told":{}} "5"
    10000000 {"stopped":{}}
    --- the ledger
    0 {"told":{}} "0"
    2000000 {"told":{}} "1"
    4000000 {"told":{}} "2"
    6000000 {"told":{}} "3"
    8000000 {"told":{}} "4"
    10000000 {"told":{}} "5"
    10000000 {"stopped":{}}
    "#);
    insta::assert_snapshot!(changed(|disk| { disk.remove(&path(1)).unwrap(); disk.remove(&path(3)).unwrap(); disk.remove(&path(4)).unwrap() }), @r#"
    ! segments 1 to 1 are missing
    2000000 {"told":{}} "1"
    ! segments 3 to 4 are missing
    8000000 {"told":{}} "4"
    10000000 {"told":{}} "5"
    10000000 {"stopped":{}}
    --- the ledger
    ! segments 1 to 1 are missing
    2000000 {"told":{}} "1"
    ! segments 3 to 4 are missing
    8000000 {"told":{}} "4"
    10000000 {"told":{}} "5"
    10000000 {"stopped":{}}
    "#);
    insta::assert_snapshot!(changed(|disk| disk.remove(&path(6)).unwrap()), @r#"
    0 {"told":{}} "0"
    2000000 {"told":{}} "1"
    4000000 {"told":{}} "2"
    6000000 {"told":{}} "3"
    8000000 {"told":{}} "4"
    --- the ledger
    0 {"told":{}} "0"
    2000000 {"told":{}} "1"
    4000000 {"told":{}} "2"
    6000000 {"told":{}} "3"
    8000000 {"told":{}} "4"
    ! segments 6 to 6 are missing
    "#);
    insta::assert_snapshot!(changed(|disk| edit(disk, 3, |bytes| bytes.truncate(bytes.len() - 9))), @r#"
    0 {"told":{}} "0"
    2000000 {"told":{}} "1"
    ! segment 3 is damaged: its records cannot be unpacked: they are no zstd frame of the size in the header
    ! segment 4 does not follow the one before it
    6000000 {"told":{}} "3"
    8000000 {"told":{}} "4"
    10000000 {"told":{}} "5"
    10000000 {"stopped":{}}
    --- the ledger
    0 {"told":{}} "0"
    2000000 {"told":{}} "1"
    ! segment 3 is not the one whose digest is in the ledger
    6000000 {"told":{}} "3"
    8000000 {"told":{}} "4"
    10000000 {"told":{}} "5"
    10000000 {"stopped":{}}
    "#);
    insta::assert_snapshot!(changed(|disk| edit(disk, 3, Vec::clear)), @r#"
    0 {"told":{}} "0"
    2000000 {"told":{}} "1"
    ! segment 3 is damaged: not a segment of this version
    6000000 {"told":{}} "3"
    8000000 {"told":{}} "4"
    10000000 {"told":{}} "5"
    10000000 {"stopped":{}}
    --- the ledger
    0 {"told":{}} "0"
    2000000 {"told":{}} "1"
    ! segment 3 is not the one whose digest is in the ledger
    6000000 {"told":{}} "3"
    8000000 {"told":{}} "4"
    10000000 {"told":{}} "5"
    10000000 {"stopped":{}}
    "#);
    insta::assert_snapshot!(changed(|disk| forge(disk, 3)), @r#"
    0 {"told":{}} "0"
    2000000 {"told":{}} "1"
    4000000 {"told":{}} "r"
    ! segment 4 does not follow the one before it
    6000000 {"told":{}} "3"
    8000000 {"told":{}} "4"
    10000000 {"told":{}} "5"
    10000000 {"stopped":{}}
    --- the ledger
    0 {"told":{}} "0"
    2000000 {"told":{}} "1"
    ! segment 3 is not the one whose digest is in the ledger
    6000000 {"told":{}} "3"
    8000000 {"told":{}} "4"
    10000000 {"told":{}} "5"
    10000000 {"stopped":{}}
    "#);
    insta::assert_snapshot!(changed(|disk| forge(disk, 6)), @r#"
    0 {"told":{}} "0"
    2000000 {"told":{}} "1"
    4000000 {"told":{}} "2"
    6000000 {"told":{}} "3"
    8000000 {"told":{}} "4"
    10000000 {"told":{}} "5"
    ! segment 6 is damaged: byte 43 of its records: a head that is no record
    --- the ledger
    0 {"told":{}} "0"
    2000000 {"told":{}} "1"
    4000000 {"told":{}} "2"
    6000000 {"told":{}} "3"
    8000000 {"told":{}} "4"
    ! segment 6 is not the one whose digest is in the ledger
    "#);
    insta::assert_snapshot!(changed(|disk| disk.rename(&path(2), &path(3)).unwrap()), @r#"
    0 {"told":{}} "0"
    ! segments 2 to 2 are missing
    ! segment 3 is another recording's, or has another place in this one
    6000000 {"told":{}} "3"
    8000000 {"told":{}} "4"
    10000000 {"told":{}} "5"
    10000000 {"stopped":{}}
    --- the ledger
    0 {"told":{}} "0"
    ! segments 2 to 2 are missing
    ! segment 3 is not the one whose digest is in the ledger
    6000000 {"told":{}} "3"
    8000000 {"told":{}} "4"
    10000000 {"told":{}} "5"
    10000000 {"stopped":{}}
    "#);
    insta::assert_snapshot!(changed(|disk| {
        disk.write(&path(7), b"").unwrap();
        disk.write("s-1/00000007.seg.tmp", b"").unwrap();
        disk.write("s-1/notes\u{202e}.txt", b"").unwrap();
    }), @r#"
    ! segment 7 was not written to its end
    ! `notes\u{202e}.txt` is no part of the recording
    0 {"told":{}} "0"
    2000000 {"told":{}} "1"
    4000000 {"told":{}} "2"
    6000000 {"told":{}} "3"
    8000000 {"told":{}} "4"
    10000000 {"told":{}} "5"
    10000000 {"stopped":{}}
    ! segment 7 is damaged: not a segment of this version
    --- the ledger
    ! segment 7 was not written to its end
    ! `notes\u{202e}.txt` is no part of the recording
    0 {"told":{}} "0"
    2000000 {"told":{}} "1"
    4000000 {"told":{}} "2"
    6000000 {"told":{}} "3"
    8000000 {"told":{}} "4"
    10000000 {"told":{}} "5"
    10000000 {"stopped":{}}
    ! segment 7 is not in the ledger
    "#);
}

#[test]
fn another_sessions_segment_is_foreign() {
    let (disk, _) = six();
    disk.make_folder("s-2").unwrap();
    let bytes = disk.read(&path(1), usize::MAX).unwrap().unwrap();
    disk.write("s-2/00000001.seg", &bytes).unwrap();
    let recording = library(&disk).recording(&"s-2".parse().unwrap()).unwrap();
    insta::assert_snapshot!(lines(recording.records()), @"! segment 1 is another recording's, or has another place in this one");
}

#[test]
fn a_time_is_found_whatever_is_missing() {
    let (whole, _) = six();
    let first = |disk: &SimDisk, at: u64| {
        recording(disk).records_from(at).find_map(Result::ok).map(|record| record.at)
    };
    for removed in 0..64_u64 {
        let disk = whole.after(Crash::KeepsAll);
        for number in (1..=6).filter(|number| removed >> (number - 1) & 1 == 1) {
            // Half of them are there and cannot be read.
            if number % 2 == 0 {
                disk.remove(&path(number)).unwrap()
            } else {
                edit(&disk, number, Vec::clear)
            }
        }
        for at in 0..13 {
            let at = at * 1_000_000;
            let by_reading = recording(&disk)
                .records()
                .filter_map(Result::ok)
                .map(|record| record.at)
                .find(|has| *has >= at);
            assert_eq!(first(&disk, at), by_reading, "{removed:b} {at}");
        }
    }
    assert_eq!(recording(&whole).records_from(11_000_000).count(), 0);
}

#[test]
fn seeking_looks_at_few_segments() {
    let (disk, _) = six();
    let recording = recording(&disk);
    let mut records = recording.records_from(6_000_000);
    assert_eq!(records.next().unwrap().unwrap().at, 6_000_000);
    assert_eq!(records.segment(), Some(4));
    assert_eq!(lines(recording.records_from(11_000_000)), "");
}

async fn streams(tap: &Tap) -> [Stream; 2] {
    [tap.open(exec()).await.unwrap(), tap.open(exec()).await.unwrap()]
}

#[test]
fn one_stream_is_read_and_all_are_verified() {
    let (disk, known) = record(|tap| async move {
        let [one, two] = streams(&tap).await;
        for (stream, text) in [(&one, "a"), (&two, "b"), (&one, "c")] {
            stream.bytes(Channel::Stdout, text.into()).await.unwrap();
            tap.flush().await.unwrap();
            advance(1).await;
        }
        two.closed("done").await.unwrap();
    });
    forge(&disk, 2);
    let recording = recording(&disk).against(known);
    insta::assert_snapshot!(lines(recording.stream(1)), @r#"
    0 {"opened":{"stream":1,"call":"c-1","kind":"exec","namespace":"shop","pod":"web-1","container":"app","argv":["sh","-c","ls"],"tty":true}}
    0 {"bytes":{"stream":1,"channel":"stdout"}} "a"
    ! segment 2 is not the one whose digest is in the ledger
    2000000 {"bytes":{"stream":1,"channel":"stdout"}} "c"
    "#);
}

#[test]
fn what_was_shown_is_found() {
    let (disk, _) = record(|tap| async move {
        let [one, two] = streams(&tap).await;
        let parts: [(&Stream, Channel, &[u8]); 12] = [
            (&one, Channel::Stdout, b"pass\x1b[1;31mwo"),
            (&two, Channel::Stdout, b"rd"),
            (&one, Channel::Stderr, b"rd"),
            (&one, Channel::Stdin, b"password"),
            (&one, Channel::Stdout, b"\x1b[0mrd\r\n"),
            (&one, Channel::Stdout, b"\x1b]0;password\x07 p\xc3"),
            (&one, Channel::Stdout, b"\xa4ssword pass\nword"),
            (&two, Channel::Stdout, b" password, password"),
            (&two, Channel::Stdout, b" passwor"),
            (&two, Channel::Stdout, b"d"),
            (&two, Channel::Data, b"\x9bpass\xffword\x1bPpassword\x1b\\"),
            (&two, Channel::Data, b"password"),
        ];
        for (stream, channel, bytes) in parts {
            advance(1).await;
            stream.bytes(channel, Bytes::from_static(bytes)).await.unwrap();
        }
    });
    let recording = recording(&disk);
    let hits = |needle: &str| {
        let hits = recording.search(needle.parse().unwrap()).map(Result::unwrap);
        hits.map(|hit| (hit.stream, hit.channel, hit.at / 1_000_000)).collect::<Vec<_>>()
    };
    let out = Channel::Stdout;
    assert_eq!(hits("password"), [(1, out, 5), (2, out, 8), (2, out, 10), (2, Channel::Data, 12)]);
    assert_eq!(hits("pässword"), [(1, out, 7)]);
    assert_eq!(
        hits("d"),
        [
            (2, out, 2),
            (1, Channel::Stderr, 3),
            (1, out, 5),
            (1, out, 7),
            (2, out, 8),
            (2, out, 10),
            (2, Channel::Data, 11),
            (2, Channel::Data, 12)
        ]
    );
    assert_eq!(hits("nothing"), []);
    for wrong in ["", "a\nb", &"x".repeat(1025)] {
        assert_eq!(wrong.parse::<Needle>(), Err(NeedleError));
    }
}

#[test]
fn a_search_keeps_little_whatever_is_shown() {
    let (disk, _) = record(|tap| async move {
        let [one, _two] = streams(&tap).await;
        // A title that never ends, and text that never matches.
        one.bytes(Channel::Stdout, vec![b'x'; 1 << 20].into()).await.unwrap();
        one.bytes(Channel::Stdout, [b"\x1b]0;".to_vec(), vec![b'y'; 1 << 20]].concat().into()).await.unwrap();
    });
    let recording = recording(&disk);
    let mut search = recording.search("xxz".parse().unwrap());
    assert_eq!(search.next().map(Result::unwrap), None);
    insta::assert_debug_snapshot!(search.channels.values().collect::<Vec<_>>(), @r#"
    [
        2 bytes,
    ]
    "#);
}

#[test]
fn a_reference_to_a_body_is_not_believed() {
    let (disk, _) = record(|tap| async move {
        tap.answered("c", 200, None, Some(b"body"[..].into())).await.unwrap();
    });
    let recording = recording(&disk);
    let blob = Blob { sha256: Digest::of(b"body"), kept: 4, whole: 4, segment: 1 };
    assert_eq!(recording.body(&blob).unwrap(), "body");
    let refuse = |segment, sha256| recording.body(&Blob { segment, sha256, ..blob }).unwrap_err();
    insta::assert_snapshot!(refuse(9, blob.sha256), @"segments 9 to 9 are missing");
    insta::assert_snapshot!(refuse(1, Digest::of(b"")), @"segment 1 has no body with the digest e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    edit(&disk, 1, |bytes| bytes.truncate(300));
    insta::assert_snapshot!(refuse(1, blob.sha256), @"segment 1 is damaged: its records cannot be unpacked: they are no zstd frame of the size in the header");
}

#[test]
fn recordings_are_listed() {
    let (disk, _) = six();
    disk.make_folder("empty").unwrap();
    disk.make_folder("no session").unwrap();
    disk.make_folder("torn").unwrap();
    disk.write("torn/00000001.seg", b"").unwrap();
    insta::assert_debug_snapshot!(library(&disk).list().unwrap(), @r#"
    [
        Kept {
            session: Session(
                "s-1",
            ),
            segments: 6,
            times: Some(
                (
                    2026-06-01T12:00:00Z,
                    2026-06-01T12:00:10Z,
                ),
            ),
        },
        Kept {
            session: Session(
                "torn",
            ),
            segments: 1,
            times: None,
        },
    ]
    "#);
    let record: Record = recording(&disk).records().next().unwrap().unwrap();
    assert_eq!(record.at, 0);
}
