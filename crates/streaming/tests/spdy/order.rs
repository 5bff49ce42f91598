//! What comes when it may not matter any more, and what cannot be sent.

use streaming::spdy::{
    Connection, Error, Event, GoAwayStatus, MAX_HEADER_BLOCK, ResetStatus, Role, SendError, StreamId,
};

use crate::support::{
    Blocks, PING, SETTINGS, SYN_REPLY, WINDOW_UPDATE, control, data, headers, heard, numbers,
};

/// A client and a server with a stream that is open on both.
fn pair() -> (Connection, Connection, StreamId) {
    let (mut client, mut server) = (Connection::new(Role::Client), Connection::new(Role::Server));
    let stream = client.open(&headers(&[("streamtype", "stdin")]), false).unwrap();
    assert_eq!(heard(&mut server, client.take_output()).unwrap().len(), 1);
    server.reply(stream).unwrap();
    assert_eq!(heard(&mut client, server.take_output()).unwrap().len(), 1);
    (client, server, stream)
}

/// spdystream does so: one goroutine finishes the stream while another still writes (`copyStdin` in
/// k8s.io/client-go/tools/remotecommand/v2.go).
#[test]
fn data_after_the_end_is_passed_over() {
    let (_, mut server, stream) = pair();
    let id = stream.get();
    let said = [data(id, 0, b"a"), data(id, 1, b"b"), data(id, 0, b"late"), data(id, 1, b"")].concat();
    let events = heard(&mut server, said).unwrap();
    assert!(matches!(&events[..], [Event::Data { finished: false, .. }, Event::Data { finished: true, .. }]));
    server.send(stream, b"still", true).unwrap();
    assert_eq!(server.streams().count(), 0);
    assert_eq!(heard(&mut server, data(id, 0, b"later")), Ok(vec![]));
}

#[test]
fn what_comes_after_a_reset_is_passed_over() {
    let (mut client, mut server, stream) = pair();
    client.send(stream, b"on its way", true).unwrap();
    server.reset(stream, ResetStatus::CANCEL);
    server.reset(stream, ResetStatus::CANCEL);
    assert_eq!(heard(&mut server, client.take_output()), Ok(vec![]));
    let reset = Event::Reset { stream, status: ResetStatus::CANCEL };
    assert_eq!(heard(&mut client, server.take_output()), Ok(vec![reset]), "once");
    assert_eq!(client.send(stream, b"x", false), Err(SendError::NotOpen));
}

/// It was opened, reset by us, and accepted by them before they heard of it. The headers have to be read all the same.
#[test]
fn headers_that_nobody_waits_for_are_read() {
    let (mut client, mut server) = (Connection::new(Role::Client), Connection::new(Role::Server));
    let [first, second] =
        ["stdin", "stdout"].map(|kind| client.open(&headers(&[("streamtype", kind)]), false).unwrap());
    heard(&mut server, client.take_output()).unwrap();
    client.reset(first, ResetStatus::CANCEL);
    server.reply(first).unwrap();
    server.reply(second).unwrap();
    let events = heard(&mut client, server.take_output()).unwrap();
    assert!(matches!(&events[..], [Event::Replied { stream, .. }] if *stream == second), "{events:?}");
}

#[test]
fn a_stream_is_accepted_once_and_before_anything_is_said() {
    let reply = |blocks: &mut Blocks| control(SYN_REPLY, 0, &[&[0, 0, 0, 1][..], &blocks.of(&[])].concat());
    let opens = || {
        let mut client = Connection::new(Role::Client);
        client.open(&headers(&[]), false).unwrap();
        client
    };
    assert_eq!(heard(&mut opens(), data(1, 0, b"x")), Err(Error::Order { frame: "DATA", stream: 1 }));
    let mut blocks = Blocks::new();
    let twice = [reply(&mut blocks), reply(&mut blocks)].concat();
    assert_eq!(heard(&mut opens(), twice), Err(Error::Order { frame: "SYN_REPLY", stream: 1 }));
}

#[test]
fn what_would_be_lost_is_not_sent() {
    let (mut client, mut server) = (Connection::new(Role::Client), Connection::new(Role::Server));
    let stream = client.open(&headers(&[]), false).unwrap();
    let told = |result: Result<(), SendError>| result.unwrap_err();
    assert_eq!(told(client.send(stream, b"early", false)), SendError::NotReplied);
    assert_eq!(told(client.reply(stream)), SendError::Replied);
    assert_eq!(told(server.send(stream, b"", true)), SendError::NotOpen);
    heard(&mut server, client.take_output()).unwrap();
    assert_eq!(told(server.send(stream, b"early", false)), SendError::NotReplied);
    server.reply(stream).unwrap();
    assert_eq!(told(server.reply(stream)), SendError::Replied);
    server.send(stream, b"", true).unwrap();
    assert_eq!(told(server.send(stream, b"more", false)), SendError::Finished);
    let once = client.open(&headers(&[]), true).unwrap();
    assert_eq!(told(client.send(once, b"more", false)), SendError::Finished);
    let long = "x".repeat(MAX_HEADER_BLOCK);
    let long = http::HeaderMap::from_iter([(http::HeaderName::from_static("a"), long.parse().unwrap())]);
    assert_eq!(client.open(&long, false), Err(SendError::Headers));
    client.go_away(GoAwayStatus::OK);
    assert_eq!(client.open(&headers(&[]), false), Err(SendError::GoingAway));
}

#[test]
fn data_is_sent_in_frames_as_long_as_kubectls() {
    let (mut client, mut server, stream) = pair();
    client.send(stream, &[b'x'; 70_000], true).unwrap();
    let events = heard(&mut server, client.take_output()).unwrap();
    let frames: Vec<_> = events
        .iter()
        .map(|event| match event {
            Event::Data { bytes, finished, .. } => (bytes.len(), *finished),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(frames, [(32_768, false), (32_768, false), (4_464, true)]);
    client.send(stream, b"", false).unwrap_err();
    assert!(client.take_output().is_empty());
}

#[test]
fn pings_are_answered_and_other_frames_ignored() {
    let (mut client, mut server, _) = pair();
    assert_eq!([client.ping(), client.ping(), server.ping()], [1, 3, 2]);
    assert_eq!(heard(&mut server, client.take_output()), Ok(vec![]));
    let said = [server.take_output().to_vec(), numbers(SETTINGS, 1, &[1, 7, 65_536])].concat();
    let ponged = [1, 3].map(|ping| Event::Ponged { ping });
    assert_eq!(heard(&mut client, said), Ok(ponged.to_vec()));
    assert_eq!(client.take_output(), numbers(PING, 0, &[2]));
    assert_eq!(heard(&mut client, numbers(WINDOW_UPDATE, 0, &[1, 100])), Ok(vec![]));
}

#[test]
fn who_goes_away_opens_nothing_and_hears_of_nothing_new() {
    let (mut client, mut server, stream) = pair();
    server.go_away(GoAwayStatus::OK);
    client.open(&headers(&[]), false).unwrap();
    client.send(stream, b"the rest", true).unwrap();
    assert!(matches!(&heard(&mut server, client.take_output()).unwrap()[..], [Event::Data { .. }]));
    let away = Event::GoAway { last: Some(stream), status: GoAwayStatus::OK };
    assert_eq!(heard(&mut client, server.take_output()), Ok(vec![away]));
    assert_eq!(client.open(&headers(&[]), false), Err(SendError::GoingAway));
}

#[test]
fn content_is_not_shown() {
    let (mut client, mut server, stream) = pair();
    client.send(stream, b"hunter2", true).unwrap();
    server.send(stream, b"hunter2", false).unwrap();
    let events = heard(&mut server, client.take_output()).unwrap();
    let shown = format!("{client:?} {server:?} {events:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    insta::assert_snapshot!(shown, @"Connection { role: Client, streams: 1, going_away: false, failed: None, .. } Connection { role: Server, streams: 1, going_away: false, failed: None, .. } [1 data, 7 bytes, finished]");
}
