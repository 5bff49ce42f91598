use super::*;
use crate::record::{Answered, Before, Blob, Called, Channel, Kind, MAX_BODY, MAX_PIECE, Opened};
use crate::{Digest, Text, Words};

fn bytes(records: &[Record]) -> Bytes {
    let mut bytes = Vec::new();
    records.iter().for_each(|record| push(record, &mut bytes).unwrap());
    bytes.into()
}

/// A record with this JSON and payload, whatever they are.
fn raw(head: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (head.len() as u32).to_be_bytes().to_vec();
    bytes.extend((payload.len() as u32).to_be_bytes());
    bytes.extend(head.as_bytes());
    bytes.extend(payload);
    bytes
}

/// One of each, as large as can be made, of what grows most in JSON.
fn largest() -> Vec<Record> {
    let hard = "\u{1}".repeat(64 << 10);
    let blob = Blob { sha256: Digest::of(b""), kept: u64::MAX, whole: u64::MAX, segment: u64::MAX };
    let text = hard.as_str();
    let opened = Opened {
        stream: u32::MAX,
        call: text.into(),
        kind: Kind::PortForward,
        namespace: text.into(),
        pod: text.into(),
        container: Some(text.into()),
        argv: Words::from_iter(vec!["\u{1}".repeat(60); 1000]),
        tty: false,
    };
    let body = Bytes::from(vec![0; MAX_BODY]);
    let whats = [
        What::Body { sha256: Digest::of(&body), kept: Payload(body) },
        What::Called(Called { call: text.into(), act: text.into(), body: Some(blob.clone()) }),
        What::Before(Before {
            call: text.into(),
            masked: true,
            kept: Some(Digest::of(b"kept")),
            body: Some(blob.clone()),
        }),
        What::Answered(Answered { call: text.into(), status: 1, media: Some(text.into()), body: Some(blob) }),
        What::Opened(opened),
        What::Bytes { stream: 1, channel: Channel::Stderr, bytes: Payload(vec![0; 256 << 10].into()) },
        What::Resized { stream: 1, width: 1, height: 1 },
        What::Closed { stream: 1, how: Text::from(text) },
        What::Began {},
        What::Interrupted { torn: true },
        What::Stopped {},
    ];
    whats.into_iter().enumerate().map(|(at, what)| Record { at: at as u64, what }).collect()
}

#[test]
fn what_is_written_can_be_read() {
    let records = largest();
    let read: Vec<Record> = Frames::new(bytes(&records), 0).collect::<Result<_, _>>().unwrap();
    assert_eq!(read, records);
}

#[test]
fn nothing_of_what_is_recorded_is_in_debug() {
    let mut records = largest();
    let secret = What::Bytes { stream: 1, channel: Channel::Stdout, bytes: Payload("hunter2".into()) };
    records.push(Record { at: 10, what: secret });
    insta::assert_snapshot!(format!("{:?}", records.last().unwrap()), @"Record { at: 10, what: Bytes { stream: 1, channel: Stdout, bytes: 7 bytes } }");
    assert!(format!("{records:?}").len() < 5000);
}

#[test]
fn bytes_cut_anywhere_give_the_records_before_and_no_panic() {
    let records: Vec<Record> = largest().split_off(6);
    let whole = bytes(&records);
    for len in 0..whole.len().min(7000) {
        let read: Vec<_> = Frames::new(whole.slice(..len), 0).collect();
        let whole_ones = read.iter().filter(|record| record.is_ok()).count();
        assert!(read.iter().take(whole_ones).zip(&records).all(|(a, b)| a.as_ref() == Ok(b)), "{len}");
        assert!(read.len() <= whole_ones + 1, "{len}: it ends after the first that is malformed");
    }
}

#[test]
fn damaged_bytes_never_panic() {
    let mut random = fastrand::Rng::with_seed(7);
    let whole = bytes(&largest().split_off(6)).to_vec();
    for _ in 0..2000 {
        let mut damaged = whole.clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..damaged.len().min(300));
            damaged[at] = random.u8(..);
        }
        assert!(Frames::new(damaged.into(), 0).count() <= 6);
    }
}

#[test]
fn what_is_no_record_is_refused() {
    let refuse = |bytes: Vec<u8>| {
        let refused = Frames::new(bytes.into(), 5).find_map(Result::err);
        refused.map_or_else(|| "taken".to_owned(), |why| why.to_string())
    };
    let piece = r#"{"at":5,"what":{"bytes":{"stream":1,"channel":"data"}}}"#;
    insta::assert_snapshot!(refuse(raw(piece, b"leaf")), @"taken");
    insta::assert_snapshot!(refuse(vec![0; 7]), @"byte 0 of its records: cut");
    insta::assert_snapshot!(refuse([u32::MAX.to_be_bytes(), [0; 4]].concat()), @"byte 0 of its records: a head that is too long");
    insta::assert_snapshot!(refuse(raw(r#"{"at":5,"what":{"bytes":{"stream":1,"channel":"data","bytes":"secret"}}}"#, b"")), @"byte 0 of its records: a head that is no record");
    insta::assert_snapshot!(refuse(raw(r#"{"at":5,"what":{"stopped":{}},"more":1}"#, b"")), @"byte 0 of its records: a head that is no record");
    insta::assert_snapshot!(refuse(raw(r#"{"at":5,"what":{"stopped":{}}}"#, b"x")), @"byte 0 of its records: a payload where none belongs");
    insta::assert_snapshot!(refuse(raw(r#"{"at":4,"what":{"stopped":{}}}"#, b"")), @"byte 0 of its records: a time before the one of the record before");
    insta::assert_snapshot!(refuse(raw(piece, &vec![0; MAX_PIECE + 1])), @"byte 0 of its records: a payload that is too long");
    let body = format!(r#"{{"at":5,"what":{{"body":{{"sha256":"{}"}}}}}}"#, Digest::of(b"a"));
    insta::assert_snapshot!(refuse(raw(&body, b"a")), @"taken");
    insta::assert_snapshot!(refuse([raw(piece, b"leaf"), raw(&body, b"b")].concat()), @"byte 67 of its records: a body that is not what its digest says");
}
