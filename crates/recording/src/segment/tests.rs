use super::*;
use crate::at_rest::{Plain, Recipients};
use crate::writer::testing::identities;

fn header(plain: &[u8]) -> Header {
    Header {
        session: "s-1".parse().unwrap(),
        number: 2,
        previous: Some(Digest::of(b"1")),
        began: "2026-06-01T12:00:00Z".parse().unwrap(),
        first: 10,
        last: 20,
        records: 3,
        plain: plain.len() as u64,
        form: "zstd".into(),
        streams: Some(vec![1, 4]),
        next_stream: 5,
        interrupted: false,
        stopped: false,
    }
}

fn open(bytes: &[u8]) -> Result<(Header, Vec<u8>), Malformed> {
    let (header, stored) = Header::read(bytes)?;
    let plain = header.unpack(stored, &Plain)?;
    Ok((header, plain))
}

#[test]
fn a_segment_is_two_lines_and_a_frame() {
    let plain = b"records".repeat(100);
    let bytes = write(&header(&plain), &plain, &Plain).unwrap();
    assert_eq!(open(&bytes).unwrap(), (header(&plain), plain));
    let lines: Vec<_> = bytes.splitn(3, |byte| *byte == b'\n').take(2).map(String::from_utf8_lossy).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    portcullis recording 1
    {"session":"s-1","number":2,"previous":"6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b","began":"2026-06-01T12:00:00Z","first":10,"last":20,"records":3,"plain":700,"form":"zstd","streams":[1,4],"next_stream":5,"interrupted":false,"stopped":false}
    "#);
}

#[test]
fn the_largest_segment_can_be_read() {
    let mut random = fastrand::Rng::with_seed(1);
    let plain: Vec<u8> = (0..MAX_PLAIN).map(|_| random.u8(..)).collect();
    let header = Header {
        session: "s".repeat(64).parse().unwrap(),
        streams: tell((0..64).map(|n| u32::MAX - 63 + n)),
        ..header(&plain)
    };
    assert!(header.streams.is_some() && header.may_have(u32::MAX) && !header.may_have(1));
    assert_eq!(tell(0..65), None);
    let bytes = write(&header, &plain, &Plain).unwrap();
    assert!(bytes.len() <= MAX_STORED);
    assert_eq!(open(&bytes).unwrap().1.len(), MAX_PLAIN);

    let [identity, _] = identities();
    let one = identity.iter().next().unwrap().recipient();
    let recipients = Recipients::new(vec![one; Recipients::MOST]).unwrap();
    let header = Header { form: recipients.form().into(), ..header };
    let bytes = write(&header, &plain, &recipients).unwrap();
    let (header, stored) = Header::read(&bytes).unwrap();
    assert_eq!(header.unpack(stored, &identity).unwrap().len(), MAX_PLAIN);
}

#[test]
fn a_segment_cut_anywhere_is_refused() {
    let plain = b"some records".to_vec();
    let bytes = write(&header(&plain), &plain, &Plain).unwrap();
    for len in 0..bytes.len() {
        assert!(open(&bytes[..len]).is_err(), "{len}");
    }
}

#[test]
fn a_damaged_segment_never_panics() {
    let mut random = fastrand::Rng::with_seed(3);
    let plain: Vec<u8> = (0..2000).map(|_| random.u8(b'a'..b'f')).collect();
    let whole = write(&header(&plain), &plain, &Plain).unwrap();
    for _ in 0..5000 {
        let mut damaged = whole.clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..damaged.len());
            damaged[at] = random.u8(..);
        }
        if let Ok((_, plain)) = open(&damaged) {
            assert!(plain.len() <= MAX_PLAIN);
        }
    }
}

#[test]
fn what_is_no_segment_is_refused() {
    let refuse = |change: &dyn Fn(&mut Header)| {
        let plain = vec![0; 1000];
        let mut header = header(&plain);
        change(&mut header);
        open(&write(&header, &plain, &Plain).unwrap()).unwrap_err().to_string()
    };
    insta::assert_snapshot!(refuse(&|header| header.number = 0), @"its header does not say what comes before");
    insta::assert_snapshot!(refuse(&|header| header.number = 1), @"its header does not say what comes before");
    insta::assert_snapshot!(refuse(&|header| header.previous = None), @"its header does not say what comes before");
    insta::assert_snapshot!(refuse(&|header| header.first = 21), @"its header is of no record");
    insta::assert_snapshot!(refuse(&|header| header.records = 0), @"its header is of no record");
    insta::assert_snapshot!(refuse(&|header| header.plain = u64::MAX), @"its header is of more than a segment holds");
    insta::assert_snapshot!(refuse(&|header| header.plain = 1001), @"its records cannot be unpacked: they have another size than the header says");
    insta::assert_snapshot!(refuse(&|header| header.plain = 999), @"its records cannot be unpacked: they are no zstd frame of the size in the header");
    insta::assert_snapshot!(refuse(&|header| header.streams = Some(vec![4, 1])), @"its header tells streams out of order");
    insta::assert_snapshot!(refuse(&|header| header.streams = Some((0..65).collect())), @"its header tells streams out of order");
    insta::assert_snapshot!(refuse(&|header| header.form = "zstd+rot13".into()), @"its records are stored as `zstd+rot13`, which this version does not know");
    insta::assert_snapshot!(refuse(&|header| header.form = "zstd+age".into()), @"its records are encrypted");
    insta::assert_snapshot!(open(b"portcullis recording 2\n").unwrap_err(), @"not a segment of this version");
    let endless = [MAGIC, &[b' '; MAX_STORED]].concat();
    insta::assert_snapshot!(open(&endless).unwrap_err(), @"its header has no end");
    let more = [MAGIC, br#"{"secret":1}"#, b"\n"].concat();
    insta::assert_snapshot!(open(&more).unwrap_err(), @"its header is not as it should be");
}

#[test]
fn names_and_numbers_go_one_way() {
    for number in [1, 99_999_999, 100_000_000, 999_999_999_999] {
        assert_eq!(self::number(&file_name(number)), Some(number));
    }
    for name in [
        "00000000.seg",
        "1.seg",
        "+0000001.seg",
        "00000001.seg.tmp",
        "000000001.seg",
        ".seg",
        "a.seg",
        "18446744073709551615.seg",
    ] {
        assert_eq!(number(name), None, "{name}");
    }
}
