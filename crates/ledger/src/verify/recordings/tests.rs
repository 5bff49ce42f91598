use super::*;
use crate::leaf::{Event, Position, format_time};
use crate::verify::story::Story;
use insta::assert_snapshot;
use jiff::Timestamp;

fn session(n: u128) -> Id {
    Id::from_u128(n)
}

fn digest(n: u64) -> Digest {
    Digest::of(&n.to_be_bytes())
}

/// Segment `n`, after the one before it.
fn segment(n: u64) -> Recorded {
    Recorded {
        session: session(1),
        segment: n,
        sha256: digest(n),
        previous: (n > 1).then(|| digest(n - 1)),
        bytes: 100,
        records: 2,
    }
}

fn erased(last: u64) -> RecordingErased {
    let (last, sha256) = (Some(last), Some(digest(last)));
    RecordingErased { session: session(1), why: "kept for 90 days".into(), segments: 2, last, sha256 }
}

enum Told {
    Recorded(Recorded),
    Erased(RecordingErased),
}

fn findings(leaves: Vec<Told>, gaps: bool) -> String {
    let (mut recordings, mut report) = (Recordings::default(), Report::new("log"));
    for (index, leaf) in (0..).zip(leaves) {
        match leaf {
            Told::Recorded(leaf) => recordings.recorded(index, &leaf, gaps, &mut report),
            Told::Erased(leaf) => recordings.erased(index, &leaf, gaps, &mut report),
        }
    }
    report.findings.iter().map(|finding| format!("{finding}\n")).collect()
}

fn segments(numbers: impl IntoIterator<Item = u64>) -> Vec<Told> {
    numbers.into_iter().map(|n| Told::Recorded(segment(n))).collect()
}

#[test]
fn a_recording_that_goes_on_tells_its_last_segment_again() {
    assert_eq!(findings(segments([1, 2, 2, 3]), false), "");
}

#[test]
fn each_recording_has_segments_of_its_own() {
    let other = Recorded { session: session(2), ..segment(1) };
    let mut leaves = segments([1, 2]);
    leaves.extend([Told::Recorded(other)]);
    leaves.extend(segments([3]));
    assert_eq!(findings(leaves, false), "");
}

#[test]
fn what_was_erased_is_what_was_told() {
    for last in [2, 3] {
        let mut leaves = segments([1, 2]);
        leaves.push(Told::Erased(erased(last)));
        assert_eq!(findings(leaves, false), "", "{last}");
    }
    assert_eq!(findings(vec![Told::Erased(erased(4))], false), "");
}

#[test]
fn segments_that_do_not_follow_need_explaining() {
    let with = |numbers: &[u64], leaf| {
        let mut leaves = segments(numbers.iter().copied());
        leaves.push(leaf);
        leaves
    };
    let told = [
        segments([2]),
        segments([1, 3, 4]),
        segments([1, 2, 1]),
        with(&[], Told::Recorded(Recorded { previous: Some(digest(0)), ..segment(1) })),
        with(&[1], Told::Recorded(Recorded { previous: Some(digest(9)), ..segment(2) })),
        with(&[1], Told::Recorded(Recorded { sha256: digest(9), ..segment(1) })),
        with(&[1, 2], Told::Erased(erased(1))),
        with(&[1, 2], Told::Erased(erased(9))),
        with(&[1], Told::Erased(RecordingErased { sha256: Some(digest(9)), ..erased(1) })),
        with(&[1], Told::Erased(RecordingErased { last: None, sha256: None, segments: 0, ..erased(1) })),
        vec![Told::Erased(erased(1)), Told::Recorded(segment(2)), Told::Recorded(segment(1))],
    ];
    assert_snapshot!(told.map(|leaves| findings(leaves, false)).concat());
}

#[test]
fn where_leaves_are_missing_any_segment_may_be_the_next() {
    let mut leaves = segments([4, 9]);
    leaves.push(Told::Erased(erased(12)));
    assert_eq!(findings(leaves, true), "");
}

#[test]
fn the_leaves_of_a_log_are_held_against_each_other() {
    let events = [
        Event::Recorded(segment(1)),
        Event::Recorded(segment(3)),
        Event::RecordingErased(erased(3)),
        Event::Recorded(segment(4)),
    ];
    let (mut story, mut report) = (Story::default(), Report::new("log"));
    for (index, event) in (0..).zip(events) {
        let position = Position { writer_id: Id::new("gate-1").unwrap(), boot_epoch: 1, writer_seq: index };
        let leaf = event.encode().unwrap().leaf(&position, &format_time(Timestamp::UNIX_EPOCH));
        story.leaf("tile", index, &leaf, &mut report);
    }
    let about: Vec<u64> = report
        .findings
        .iter()
        .filter_map(|finding| match finding {
            Finding::BadRecording { index, .. } => Some(*index),
            _ => None,
        })
        .collect();
    assert_eq!(about, [1, 3]);
}
