use super::*;
use crate::storage::Storage as _;
use crate::storage::sim::SimDisk;
use crate::writer::testing::*;
use crate::writer::{Opening, Stream};
use bytes::Bytes;

/// A recording of one stream.
pub(super) async fn recorded(
    opening: Opening,
    parts: &[(Channel, &'static [u8])],
    size: Option<(u16, u16)>,
) -> SimDisk {
    let disk = SimDisk::default();
    let (recorder, _ledger) = start_with_ledger(&disk);
    let tap = recorder.session(&session()).await.unwrap();
    advance(100).await;
    let stream: Stream = tap.open(opening).await.unwrap();
    if let Some((width, height)) = size {
        stream.resized(width, height).await.unwrap();
    }
    for (channel, bytes) in parts {
        tokio::time::advance(Duration::from_micros(1_250_017)).await;
        stream.bytes(*channel, Bytes::from_static(bytes)).await.unwrap();
        tap.flush().await.unwrap();
    }
    stream.resized(100, 30).await.unwrap();
    stream.closed("exit status 0").await.unwrap();
    tap.end().await.unwrap();
    disk
}

pub(super) fn cast(disk: &SimDisk, input: bool) -> String {
    let mut bytes = Vec::new();
    let exported = write(recording(disk).stream(1), input, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    // A player reads a line each.
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    assert_eq!(text.lines().count() as u64, 1 + exported.events + exported.findings);
    text
}

pub(super) const PARTS: [(Channel, &[u8]); 4] = [
    (Channel::Stdin, b"ls\r"),
    (Channel::Stdout, b"\x1b[31mr\xc3"),
    (Channel::Stderr, b"\xffoh\n"),
    (Channel::Stdout, b"\xa4\"\n"),
];

#[tokio::test(start_paused = true)]
async fn a_terminal_is_played_as_it_was() {
    let disk = recorded(exec(), &PARTS, Some((120, 40))).await;
    insta::assert_snapshot!(cast(&disk, false), @r#"
    {"version":2,"width":120,"height":40,"timestamp":1780315300,"command":"sh -c ls"}
    [2.500034, "o", "\u001b[31mr"]
    [3.750051, "o", "�oh\n"]
    [5.000068, "o", "ä\"\n"]
    [5.000068, "r", "100x30"]
    "#);
    insta::assert_snapshot!(cast(&disk, true), @r#"
    {"version":2,"width":120,"height":40,"timestamp":1780315300,"command":"sh -c ls"}
    [1.250017, "i", "ls\r"]
    [2.500034, "o", "\u001b[31mr"]
    [3.750051, "o", "�oh\n"]
    [5.000068, "o", "ä\"\n"]
    [5.000068, "r", "100x30"]
    "#);
}

#[tokio::test(start_paused = true)]
async fn without_a_terminal_lines_begin_at_the_left() {
    let parts = [(Channel::Stdout, &b"a\nb\n"[..]), (Channel::Stdout, b"cut \xf0\x9f")];
    let disk = recorded(Opening { tty: false, ..exec() }, &parts, None).await;
    insta::assert_snapshot!(cast(&disk, false), @r#"
    {"version":2,"width":80,"height":24,"timestamp":1780315300,"command":"sh -c ls"}
    [1.250017, "o", "a\r\nb\r\n"]
    [2.500034, "o", "cut "]
    [2.500034, "r", "100x30"]
    [2.500034, "o", "�"]
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_crash_ends_the_stream_and_says_so() {
    let disk = SimDisk::default();
    for _ in 0..2 {
        let (recorder, _ledger) = start_with_ledger(&disk);
        let tap = recorder.session(&session()).await.unwrap();
        let stream = tap.open(exec()).await.unwrap();
        advance(3).await;
        stream.bytes(Channel::Stdout, "half".into()).await.unwrap();
        tap.flush().await.unwrap();
        // Nobody ends it.
        std::mem::forget(recorder);
        advance(60).await;
    }
    insta::assert_snapshot!(cast(&disk, false), @r#"
    {"version":2,"width":80,"height":24,"timestamp":1780315200,"command":"sh -c ls"}
    [3.000000, "o", "half"]
    [3.000000, "m", "the recording was interrupted here: the stream's end is lost"]
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_a_marker_and_no_beginning_is_no_export() {
    let disk = recorded(exec(), &PARTS, None).await;
    disk.remove("s-1/00000004.seg").unwrap();
    insta::assert_snapshot!(cast(&disk, false), @r#"
    {"version":2,"width":80,"height":24,"timestamp":1780315300,"command":"sh -c ls"}
    [3.750051, "m", "segment 4 is missing"]
    [3.750051, "o", "�oh\n"]
    [5.000068, "o", "�\"\n"]
    [5.000068, "r", "100x30"]
    "#);
    disk.remove("s-1/00000002.seg").unwrap();
    let recording = recording(&disk);
    insta::assert_snapshot!(write(recording.stream(1), true, Vec::new()).unwrap_err(), @"the recording has no beginning of this stream");
    insta::assert_snapshot!(write(recording.stream(2), true, Vec::new()).unwrap_err(), @"the recording has no beginning of this stream");
}

#[tokio::test(start_paused = true)]
async fn who_only_looks_is_shown_a_screen_and_nothing_else() {
    let parts = [
        (Channel::Stdout, &b"\x1b]52;c;c2VjcmV0\x07a\x1b]8;;javascript:x\x1b"[..]),
        (Channel::Stderr, b"oh\n\x1b[8;9999;9999t"),
        (Channel::Stdout, b"\\b\n"),
        (Channel::Stdin, b"typed"),
    ];
    let disk = recorded(Opening { tty: false, ..exec() }, &parts, Some((u16::MAX, 0))).await;
    let mut bytes = Vec::new();
    play(recording(&disk).stream(1), &mut bytes).unwrap();
    insta::assert_snapshot!(String::from_utf8(bytes).unwrap(), @r#"
    {"version":2,"width":500,"height":1,"timestamp":1780315300,"command":"sh -c ls"}
    [1.250017, "o", "a"]
    [2.500034, "o", "\u001b[31moh\r\n\u001b[39m"]
    [3.750051, "o", "b\r\n"]
    [5.000068, "r", "100x30"]
    "#);
}
