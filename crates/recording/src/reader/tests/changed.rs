//! What somebody did to the files: told where it was done, and no way past anything else.

use super::*;

/// The leaves and findings after this was done to the files, alone and against the ledger.
fn changed(change: impl Fn(&SimDisk)) -> String {
    let (disk, known) = six();
    change(&disk);
    let recording = recording(&disk);
    let told = |recording: &Recording| {
        let told = recording.records().map(|record| match record {
            Ok(record) if record.what.payload().is_empty() => ".".to_owned(),
            Ok(record) => String::from_utf8_lossy(record.what.payload()).into_owned(),
            Err(finding) => format!("({finding})"),
        });
        told.collect::<Vec<_>>().join(" ")
    };
    [told(&recording), told(&recording.against(known))].join("\n")
}

#[test]
fn what_is_missing_is_told_and_the_rest_is_read() {
    insta::assert_snapshot!(changed(|_| {}), @r#"
    . 0 1 2 3 4 5 .
    . 0 1 2 3 4 5 .
    "#);
    let remove = |disk: &SimDisk, numbers: &[u64]| {
        numbers.iter().for_each(|number| disk.remove(&path(*number)).unwrap());
    };
    insta::assert_snapshot!(changed(|disk| remove(disk, &[1, 3, 4])), @r#"
    (segment 1 is missing) 0 (segments 3 to 4 are missing) 3 4 5 .
    (segment 1 is missing) 0 (segments 3 to 4 are missing) 3 4 5 .
    "#);
    insta::assert_snapshot!(changed(|disk| remove(disk, &[7])), @r#"
    . 0 1 2 3 4
    . 0 1 2 3 4 (segment 7 is missing)
    "#);
    insta::assert_snapshot!(changed(|disk| remove(disk, &[1, 2, 3, 4, 5, 6, 7])), @r#"

    (segments 1 to 7 are missing)
    "#);
}

#[test]
fn what_was_changed_is_told_and_the_rest_is_read() {
    insta::assert_snapshot!(changed(|disk| edit(disk, 3, |bytes| bytes.truncate(bytes.len() - 9))), @r#"
    . 0 (segment 3 is damaged: its records cannot be unpacked: they are no zstd frame of the size in the header) (segment 4 does not follow the one before it) 2 3 4 5 .
    . 0 (segment 3 is not the one whose digest is in the ledger) 2 3 4 5 .
    "#);
    insta::assert_snapshot!(changed(|disk| edit(disk, 3, Vec::clear)), @r#"
    . 0 (segment 3 is damaged: not a segment of this version) 2 3 4 5 .
    . 0 (segment 3 is not the one whose digest is in the ledger) 2 3 4 5 .
    "#);
    insta::assert_snapshot!(changed(|disk| edit(disk, 3, |bytes| bytes.resize(MAX_STORED + 9, 0))), @r#"
    . 0 (segment 3 is damaged: it is larger than a segment) 2 3 4 5 .
    . 0 (segment 3 is damaged: it is larger than a segment) 2 3 4 5 .
    "#);
    insta::assert_snapshot!(changed(|disk| forge(disk, 3)), @r#"
    . 0 q (segment 4 does not follow the one before it) 2 3 4 5 .
    . 0 (segment 3 is not the one whose digest is in the ledger) 2 3 4 5 .
    "#);
    insta::assert_snapshot!(changed(|disk| forge(disk, 7)), @r#"
    . 0 1 2 3 4 5 (segment 7 is damaged: byte 71 of its records: a head that is no record)
    . 0 1 2 3 4 (segment 7 is not the one whose digest is in the ledger)
    "#);
    insta::assert_snapshot!(changed(|disk| disk.rename(&path(2), &path(3)).unwrap()), @r#"
    . (segment 2 is missing) (segment 3 is another recording's, or has another place in this one) 2 3 4 5 .
    . (segment 2 is missing) (segment 3 is not the one whose digest is in the ledger) 2 3 4 5 .
    "#);
}

#[test]
fn what_was_put_there_is_told_and_the_rest_is_read() {
    let put = |disk: &SimDisk, name: &str| disk.write(&format!("s-1/{name}"), b"").unwrap();
    insta::assert_snapshot!(changed(|disk| put(disk, "00000008.seg")), @r#"
    . 0 1 2 3 4 5 . (segment 8 is damaged: not a segment of this version)
    . 0 1 2 3 4 5 . (segment 8 is not in the ledger)
    "#);
    insta::assert_snapshot!(changed(|disk| put(disk, "00000008.seg.tmp")), @r#"
    (segment 8 was not written to its end) . 0 1 2 3 4 5 .
    (segment 8 was not written to its end) . 0 1 2 3 4 5 .
    "#);
    insta::assert_snapshot!(changed(|disk| put(disk, "notes\u{202e}.txt")), @r#"
    (`notes\u{202e}.txt` is no part of the recording) . 0 1 2 3 4 5 .
    (`notes\u{202e}.txt` is no part of the recording) . 0 1 2 3 4 5 .
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
    for removed in 0..128_u64 {
        let disk = whole.after(Crash::KeepsAll);
        for number in (1..=7).filter(|number| removed >> (number - 1) & 1 == 1) {
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
fn seeking_begins_at_the_segment_that_has_the_time() {
    let (disk, _) = six();
    let recording = recording(&disk);
    let mut records = recording.records_from(6_000_000);
    assert_eq!(records.next().unwrap().unwrap().at, 6_000_000);
    assert_eq!(records.segment(), Some(5));
    assert_eq!(lines(recording.records_from(11_000_000)), "");
}

#[test]
fn a_segment_that_is_stored_in_another_way_is_told_so() {
    let (disk, _) = six();
    edit(&disk, 1, |bytes| {
        let at = bytes.windows(6).position(|part| part == b"\"zstd\"").unwrap();
        bytes[at..at + 6].copy_from_slice(b"\"zpaq\"");
    });
    let told = recording(&disk).records().find_map(Result::err).unwrap();
    insta::assert_snapshot!(told, @"segment 1 is damaged: its records are stored as `zpaq`, which this version does not know");
}

/// The segment as somebody wrote it who says other things of it.
fn pretend(disk: &SimDisk, number: u64, change: impl Fn(Header) -> Header) {
    edit(disk, number, |bytes| {
        let (header, stored) = Header::read(bytes).unwrap();
        let plain = header.unpack(stored, &crate::at_rest::Plain).unwrap();
        *bytes = segment::write(&change(header), &plain, &crate::at_rest::Plain).unwrap();
    });
}

/// Who may write the files hides nothing from whoever reads from a time on.
#[test]
fn a_header_that_was_edited_leads_past_nothing() {
    let (disk, known) = six();
    pretend(&disk, 4, |header| Header { first: 0, last: 0, ..header });
    let recording = recording(&disk).against(known);
    insta::assert_snapshot!(lines(recording.records_from(2_000_000)), @r#"
    2000000 {"bytes":{"stream":1,"channel":"data"}} "1"
    ! segment 4 is not the one whose digest is in the ledger
    6000000 {"bytes":{"stream":1,"channel":"data"}} "3"
    8000000 {"bytes":{"stream":1,"channel":"data"}} "4"
    10000000 {"bytes":{"stream":1,"channel":"data"}} "5"
    10000000 {"stopped":{}}
    "#);
}

/// Nor does more come before the newest than there is room for, which would leave no room for that.
#[test]
fn a_header_that_was_edited_puts_nothing_before_what_is_newest() {
    const FITS: u64 = 20 << 10;
    let whole = six();
    let newest =
        |disk: &SimDisk, until| recording(disk).against(whole.1.clone()).newest_within(0, until, FITS);
    let before = [newest(&whole.0, u64::MAX), newest(&whole.0, 8_000_001)];
    assert_eq!(before, [8_000_000, 6_000_000]);
    let edits: [fn(Header) -> Header; 3] = [
        |header| Header { first: 0, ..header },
        |header| Header { first: 0, last: 0, ..header },
        |header| Header { last: u64::MAX, ..header },
    ];
    for (number, edit) in (2..=7).flat_map(|number| edits.map(|edit| (number, edit))) {
        let (disk, _) = six();
        pretend(&disk, number, edit);
        let after = [newest(&disk, u64::MAX), newest(&disk, 8_000_001)];
        // One before it may be there in its place.
        let mut pairs = after.iter().zip(&before);
        assert!(pairs.all(|(after, before)| after + 2_000_000 >= *before), "segment {number}: {after:?}");
    }
}

#[test]
fn when_it_began_is_told_by_what_was_not_edited() {
    let (disk, known) = six();
    let began = recording(&disk).began();
    for number in [1, 7, 2, 3, 4, 5] {
        pretend(&disk, number, |header| Header { began: Timestamp::UNIX_EPOCH, ..header });
        assert_eq!(recording(&disk).against(known.clone()).began(), began, "segment {number}");
    }
    pretend(&disk, 6, |header| Header { began: Timestamp::UNIX_EPOCH, ..header });
    assert_eq!(recording(&disk).against(known).began(), None);
}

/// Whoever asks about a time has not to wait until all that nobody reads has been looked at.
#[test]
fn among_encrypted_segments_reading_ends_with_what_is_asked_for() {
    let (disk, _) = six();
    let mut before = None;
    for number in 2..=7 {
        pretend(&disk, number, |header| {
            let form = if (3..=6).contains(&number) { "zstd+age".into() } else { header.form.clone() };
            Header { form, previous: before.or(header.previous), ..header }
        });
        before = Some(Digest::of(&disk.read(&path(number), usize::MAX).unwrap().unwrap()));
    }
    let recording = recording(&disk);
    let until = |at: u64| {
        let findings = recording.records().encrypted_until(at).filter_map(Result::err);
        findings.map(|finding| finding.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(until(u64::MAX), ["segments 3 to 6 are encrypted"]);
    assert_eq!(until(4_000_001), ["segments 3 to 5 are encrypted"]);
    assert_eq!(until(0), ["segment 3 is encrypted"]);
}
