use super::*;
use crate::record::{Channel, Record};
use crate::storage::sim::{Crash, SimDisk};
use crate::writer::testing::*;
use crate::writer::{Stream, Tap};
use tokio::runtime::Builder;

mod changed;

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

/// Six segments after the one of the beginning, a leaf told in each, two seconds apart.
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
    forge(&disk, 3);
    let recording = recording(&disk).against(known);
    insta::assert_snapshot!(lines(recording.stream(1)), @r#"
    0 {"opened":{"stream":1,"call":"c-1","kind":"exec","namespace":"shop","pod":"web-1","container":"app","argv":["sh","-c","ls"],"tty":true}}
    0 {"bytes":{"stream":1,"channel":"stdout"}} "a"
    ! segment 3 is not the one whose digest is in the ledger
    2000000 {"bytes":{"stream":1,"channel":"stdout"}} "c"
    "#);
}

#[test]
fn what_was_shown_is_found() {
    let (disk, _) = record(|tap| async move {
        let [one, two] = streams(&tap).await;
        let parts: [(&Stream, Channel, &[u8]); 14] = [
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
            (&one, Channel::Stdout, b"zz"),
            (&one, Channel::Stdout, b"z"),
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
            (1, out, 7),
            (2, out, 8),
            (2, out, 10),
            (2, Channel::Data, 11),
            (2, Channel::Data, 12)
        ]
    );
    assert_eq!(hits("zz"), [(1, out, 13)], "nothing is found twice");
    assert_eq!(hits("nothing"), []);
    for wrong in ["", "a\nb", &"x".repeat(1025)] {
        assert_eq!(wrong.parse::<Needle>(), Err(NeedleError));
    }
}

#[test]
fn what_is_found_comes_with_its_line_as_far_as_it_was_shown() {
    let long = "x".repeat(300);
    let (disk, _) = record(|tap| async move {
        let [one, _two] = streams(&tap).await;
        let last = format!("\n{long}key=3{long}\nkey=4\n");
        for part in [
            "a key=1 b\nno\n\x1b[1mkey=1\x1b[0m, key=1",
            " ke",
            "y=1 ke",
            "y=",
            "1!",
            "\n",
            &last,
            "ä",
            "ö key=5 é",
        ] {
            one.bytes(Channel::Stdout, Bytes::copy_from_slice(part.as_bytes())).await.unwrap();
        }
    });
    let recording = recording(&disk);
    let hits = recording.search("key=".parse().unwrap()).map(Result::unwrap);
    let lines: Vec<_> = hits.map(|hit| format!("{}[key=]{}", hit.before, hit.after)).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_recording_is_surveyed_without_being_unpacked() {
    let (disk, known) = record(|tap| async move {
        let [one, _two] = streams(&tap).await;
        tap.flush().await.unwrap();
        advance(2).await;
        one.closed("done").await.unwrap();
    });
    let survey = |disk: &SimDisk| recording(disk).against(known.clone()).survey();
    insta::assert_debug_snapshot!(survey(&disk));
    let changed = |change: &dyn Fn(&SimDisk)| {
        let disk = disk.after(Crash::KeepsAll);
        change(&disk);
        let Survey { findings, segments, stopped, .. } = survey(&disk);
        let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
        format!("{segments} segments, {}: {}", if stopped { "stopped" } else { "open" }, findings.join("; "))
    };
    let told = [
        changed(&|_| {}),
        changed(&|disk| forge(disk, 2)),
        changed(&|disk| forge(disk, 4)),
        changed(&|disk| disk.remove(&path(4)).unwrap()),
        changed(&|disk| disk.remove(&path(2)).unwrap()),
        changed(&|disk| disk.write("s-1/00000005.seg.tmp", b"port").unwrap()),
    ];
    insta::assert_snapshot!(told.join("\n"));
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
        162 bytes,
    ]
    "#);
}

#[test]
fn a_reference_to_a_body_is_not_believed() {
    let (disk, _) = record(|tap| async move {
        tap.answered("c", 200, None, Some(b"body"[..].into())).await.unwrap();
    });
    let recording = recording(&disk);
    let blob = Blob { sha256: Digest::of(b"body"), kept: 4, whole: 4, segment: 2 };
    assert_eq!(recording.body(&blob).unwrap(), "body");
    let refuse = |segment, sha256| recording.body(&Blob { segment, sha256, ..blob }).unwrap_err();
    insta::assert_snapshot!(refuse(9, blob.sha256), @"segment 9 is missing");
    insta::assert_snapshot!(refuse(2, Digest::of(b"")), @"segment 2 has no body with the digest e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    edit(&disk, 2, |bytes| bytes.truncate(300));
    insta::assert_snapshot!(refuse(2, blob.sha256), @"segment 2 is damaged: its records cannot be unpacked: they are no zstd frame of the size in the header");
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
            segments: 7,
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

#[test]
fn what_was_shown_is_there_in_lines() {
    let (disk, _) = record(|tap| async move {
        let [one, two] = streams(&tap).await;
        let parts: [(&Stream, Channel, &[u8]); 8] = [
            (&one, Channel::Stdout, b"$ \x1b[1ml\x1b[0m"),
            (&two, Channel::Stderr, b"oh\n\nno"),
            (&one, Channel::Stdin, b"typed"),
            (&one, Channel::Stdout, b"s\r\na\tb\x1b]0;title\x07\r\n"),
            (&one, Channel::Stdout, b"10%\r20%\x1b[5;1Helsewhere\x1b[2J"),
            (&one, Channel::Stdout, b"secret\x08\x08\x08\x9b \xc2\x9b31mx\r\n"),
            (&two, Channel::Data, b"\xc3"),
            (&two, Channel::Data, b"\xa4 and"),
        ];
        for (stream, channel, bytes) in parts {
            advance(1).await;
            stream.bytes(channel, Bytes::from_static(bytes)).await.unwrap();
        }
        one.bytes(Channel::Stdout, vec![b'y'; 10_000].into()).await.unwrap();
        one.closed("done").await.unwrap();
    });
    let told = |stream| {
        let lines = recording(&disk);
        let told = lines.lines(stream).map(Result::unwrap).map(|line| {
            let text = if line.text.len() > 100 { line.text.len().to_string() } else { line.text };
            format!("{} {:?} {} {text:?}", line.stream, line.channel, line.at / 1_000_000)
        });
        told.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(told(None), @r#"
    2 Stderr 2 "oh"
    2 Stderr 2 ""
    1 Stdout 4 "$ ls"
    1 Stdout 4 "a b"
    1 Stdout 5 "10%"
    1 Stdout 5 "20%"
    1 Stdout 5 "elsewhere"
    1 Stdout 6 "secret 31mx"
    1 Stdout 8 "4096"
    1 Stdout 8 "4096"
    1 Stdout 8 "1808"
    2 Stderr 2 "no"
    2 Data 8 "ä and"
    "#);
    insta::assert_snapshot!(told(Some(2)), @r#"
    2 Stderr 2 "oh"
    2 Stderr 2 ""
    2 Stderr 2 "no"
    2 Data 8 "ä and"
    "#);
}

#[test]
fn no_line_goes_on_across_a_gap() {
    let (disk, _) = record(|tap| async move {
        let [one, _two] = streams(&tap).await;
        for part in ["pass", "lost", "word"] {
            one.bytes(Channel::Stdout, part.into()).await.unwrap();
            tap.flush().await.unwrap();
            advance(1).await;
        }
    });
    disk.remove(&path(3)).unwrap();
    let recording = recording(&disk);
    let told =
        recording.lines(None).map(|line| line.map_or_else(|finding| finding.to_string(), |line| line.text));
    assert_eq!(told.collect::<Vec<_>>(), ["pass", "segment 3 is missing", "word"]);
}

#[test]
fn what_has_come_since_is_read_alone() {
    let (disk, known) = record(|tap| async move {
        let [one, _two] = streams(&tap).await;
        for part in ["a", "b", "c"] {
            one.bytes(Channel::Stdout, part.into()).await.unwrap();
            tap.flush().await.unwrap();
            advance(1).await;
        }
    });
    let recording = recording(&disk).against(known);
    let since = |segment| {
        let records = recording.stream_after(1, segment).map(Result::unwrap);
        records.map(|record| String::from_utf8_lossy(record.what.payload()).into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(since(2), ["b", "c"]);
    assert_eq!(since(3), ["c"]);
    assert_eq!(since(recording.last_segment().unwrap()), [""; 0]);
    disk.remove(&path(3)).unwrap();
    assert_eq!(recording.stream_after(1, 2).next().unwrap().unwrap_err().to_string(), "segment 3 is missing");
}
