//! What breaks the rules: refused in words, never a panic, never more memory than the limits say.

use flate2::FlushCompress;
use proptest::prelude::*;
use streaming::spdy::{
    Connection, Error, Event, GoAwayStatus, MAX_CONTROL_FRAME, MAX_HEADER_BLOCK, MAX_HEADERS, MAX_STREAMS,
    Role,
};

use crate::support::{
    Blocks, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, SYN_REPLY, SYN_STREAM, WINDOW_UPDATE, control, data,
    heard, numbers, opened, server_hears, syn_stream,
};

#[test]
fn what_breaks_the_rules_is_refused() {
    let open = || opened().1;
    let block = |pairs: &[(&[u8], &[u8])]| syn_stream(1, 0, &Blocks::new().of(pairs));
    let raw = |bytes: &[u8]| syn_stream(1, 0, &Blocks::new().raw(bytes, FlushCompress::Sync));
    let many: Vec<_> = (0..=MAX_HEADERS).map(|number| format!("h{number}")).collect();
    let many: Vec<(&[u8], &[u8])> = many.iter().map(|name| (name.as_bytes(), &b"v"[..])).collect();
    let opens = |first, then| {
        let mut blocks = Blocks::new();
        [syn_stream(first, 0, &blocks.of(&[])), syn_stream(then, 0, &blocks.of(&[]))].concat()
    };
    let replies_to_itself = {
        let mut blocks = Blocks::new();
        let open = syn_stream(1, 0, &blocks.of(&[]));
        [open, control(SYN_REPLY, 0, &[&[0, 0, 0, 1][..], &blocks.of(&[])].concat())].concat()
    };
    let cases: &[(&str, Vec<u8>)] = &[
        ("SPDY 2", vec![0x80, 2, 0, 1, 0, 0, 0, 0]),
        ("HTTP", b"GET / HTTP/1.1\r\n".to_vec()),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\n".to_vec()),
        ("no such frame", control(5, 0, &[])),
        ("credentials", control(10, 0, &[])),
        ("too long", numbers(PING, 0, &[1; MAX_CONTROL_FRAME / 4 + 1])),
        ("ping of nothing", control(PING, 0, &[])),
        ("ping 0", numbers(PING, 0, &[0])),
        ("long ping", numbers(PING, 0, &[1, 1])),
        ("flagged ping", numbers(PING, 1, &[1])),
        ("short goaway", numbers(GOAWAY, 0, &[0])),
        ("flagged goaway", numbers(GOAWAY, 1, &[0, 0])),
        ("short window update", numbers(WINDOW_UPDATE, 0, &[1])),
        ("settings that lie", numbers(SETTINGS, 0, &[2, 1, 1])),
        ("settings without end", numbers(SETTINGS, 0, &[u32::MAX, 1, 1])),
        ("reset for nothing", [open(), numbers(RST_STREAM, 0, &[1, 0])].concat()),
        ("reset of 0", numbers(RST_STREAM, 0, &[0, 1])),
        ("reset of what never was", numbers(RST_STREAM, 0, &[1, 5])),
        ("data on 0", data(0, 0, b"x")),
        ("data on what never was", data(1, 0, b"x")),
        ("data on what we never opened", data(2, 0, b"x")),
        ("flagged data", [open(), data(1, 2, b"x")].concat()),
        (
            "reply to what never was",
            control(SYN_REPLY, 0, &[&[0, 0, 0, 2][..], &Blocks::new().of(&[])].concat()),
        ),
        ("reply to its own", replies_to_itself),
        ("more headers", control(HEADERS, 0, &[&[0, 0, 0, 1][..], &Blocks::new().of(&[])].concat())),
        ("short open", control(SYN_STREAM, 0, &[0, 0, 0, 1, 0, 0, 0, 0, 0])),
        ("unidirectional", syn_stream(1, 2, &Blocks::new().of(&[]))),
        (
            "pushed",
            control(SYN_STREAM, 0, &[&[0, 0, 0, 1, 0, 0, 0, 1, 0, 0][..], &Blocks::new().of(&[])].concat()),
        ),
        ("open of 0", syn_stream(0, 0, &Blocks::new().of(&[]))),
        ("open of a server's", syn_stream(2, 0, &Blocks::new().of(&[]))),
        ("open of 2^31", syn_stream(0x8000_0001, 0, &Blocks::new().of(&[]))),
        ("open of an older", opens(3, 1)),
        ("open twice", opens(1, 1)),
        ("zlib begun anew", [open(), open()].concat()),
        ("no zlib", syn_stream(1, 0, b"streamtype: stdin")),
        ("no block", syn_stream(1, 0, b"")),
        ("another dictionary", syn_stream(1, 0, &[0x78, 0xf9, 1, 2, 3, 4, 0, 0])),
        ("the end of zlib", syn_stream(1, 0, &Blocks::new().raw(&[0; 4], FlushCompress::Finish))),
        ("half a block", syn_stream(1, 0, &Blocks::new().of(&[(b"name", b"value")])[..9])),
        ("a bomb", raw(&vec![0; 1 << 22])),
        ("one byte too much", raw(&[0; MAX_HEADER_BLOCK + 1])),
        ("a count that lies", raw(&[0xff; 4])),
        ("a length that lies", raw(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff])),
        ("bytes after the headers", raw(&[0, 0, 0, 0, 0])),
        ("too many headers", block(&many)),
        ("too many values", block(&[(b"name", &[0; MAX_HEADERS])])),
        ("upper case", block(&[(b"streamType", b"stdin")])),
        ("no name", block(&[(b"", b"stdin")])),
        ("no such name", block(&[(b":path", b"/")])),
        ("a line within", block(&[(b"name", b"a\r\nb: c")])),
        ("twice", block(&[(b"name", b"a"), (b"name", b"b")])),
    ];
    let told: Vec<String> = cases
        .iter()
        .map(|(what, bytes)| {
            let told = server_hears(bytes);
            format!("{what}: {}", told.map_or_else(|error| error.to_string(), |events| format!("{events:?}")))
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn an_error_is_for_good() {
    let (_, said) = opened();
    let mut server = Connection::new(Role::Server);
    assert_eq!(heard(&mut server, numbers(PING, 0, &[0])), Err(Error::Malformed("PING")));
    assert_eq!(heard(&mut server, said), Err(Error::Malformed("PING")));
    // Which can still be said.
    server.go_away(GoAwayStatus::PROTOCOL_ERROR);
    assert_eq!(server.take_output(), numbers(GOAWAY, 0, &[0, 1]));
}

#[test]
fn more_streams_than_a_client_may_have_are_reset() {
    let mut blocks = Blocks::new();
    let (mut server, mut opens) = (Connection::new(Role::Server), 0);
    for number in 0..MAX_STREAMS + 10 {
        let stream = u32::try_from(2 * number + 1).unwrap();
        let events = heard(&mut server, syn_stream(stream, 0, &blocks.of(&[(b"a", b"b")]))).unwrap();
        opens += events.len();
        let output = server.take_output();
        if number < MAX_STREAMS {
            assert!(output.is_empty());
        } else {
            assert_eq!(output, numbers(RST_STREAM, 0, &[stream, 3]));
        }
    }
    assert_eq!((opens, server.streams().count()), (MAX_STREAMS, MAX_STREAMS));
    // One ends, one more may be.
    heard(&mut server, numbers(RST_STREAM, 0, &[1, 5])).unwrap();
    assert_eq!(heard(&mut server, syn_stream(9999, 0, &blocks.of(&[]))).unwrap().len(), 1);
}

#[test]
fn a_frame_of_data_is_not_waited_for() {
    let (_, said) = opened();
    let mut server = Connection::new(Role::Server);
    heard(&mut server, said).unwrap();
    let head = [0, 0, 0, 1, 1, 0xff, 0xff, 0xff];
    assert_eq!(heard(&mut server, head.to_vec()), Ok(vec![]));
    let mut left = 0x00ff_ffff;
    while left > 0 {
        let piece = vec![b'x'; 65_536.min(left)];
        left -= piece.len();
        match heard(&mut server, piece.clone()).unwrap().as_slice() {
            [Event::Data { bytes, finished, .. }] => {
                assert_eq!((bytes.len(), *finished), (piece.len(), left == 0))
            }
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #[test]
    fn noise_is_refused_or_waited_for(bytes: Vec<u8>, client: bool) {
        let mut connection = Connection::new(if client { Role::Client } else { Role::Server });
        let _ = heard(&mut connection, bytes.clone());
        prop_assert!(connection.take_output().len() <= bytes.len());
    }

    #[test]
    fn noise_in_a_frame_is_refused_or_waited_for(kind in 1_u16..11, flags in 0_u8..4, body: Vec<u8>) {
        let (_, said) = opened();
        let frame = control(kind, flags, &body);
        let mut server = Connection::new(Role::Server);
        let _ = heard(&mut server, [said, frame.clone()].concat());
        prop_assert!(server.take_output().len() <= frame.len());
    }
}
