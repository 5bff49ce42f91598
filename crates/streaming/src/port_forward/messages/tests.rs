//! A client that speaks in messages, and what it is told.

use std::num::NonZeroU16;

use proptest::prelude::*;

use super::*;
use crate::port_forward::{MAX_CONNECTIONS, NotPorts};

const FIRST: ConnectionId = ConnectionId(1);
const SECOND: ConnectionId = ConnectionId(2);

fn ports(ports: &[u16]) -> Ports {
    Ports::new(ports.iter().map(|port| NonZeroU16::new(*port).unwrap())).unwrap()
}

fn sent(server: &mut Messages) -> Vec<Bytes> {
    std::iter::from_fn(|| server.take_output()).collect()
}

/// What a message says.
fn heard(server: &mut Messages, message: &[u8]) -> Result<Option<FromClient>, Error> {
    let mut message = Bytes::copy_from_slice(message);
    let heard = server.receive(&mut message);
    assert!(message.is_empty(), "a message is read whole");
    heard
}

/// One whose connections were told.
fn open(named: &[u16]) -> Messages {
    let mut server = Messages::new(&ports(named));
    for (number, port) in (1..).zip(named) {
        let (connection, port) = (ConnectionId(number), NonZeroU16::new(*port).unwrap());
        assert_eq!(heard(&mut server, &[]), Ok(Some(FromClient::Open { connection, port })));
    }
    assert_eq!(sent(&mut server).len(), 2 * named.len());
    server
}

#[test]
fn each_channel_begins_with_its_port() {
    let mut server = Messages::new(&ports(&[80, 8443, 80]));
    let said = sent(&mut server);
    assert_eq!(
        said,
        [&b"\0\x50\0"[..], b"\x01\x50\0", b"\x02\xfb\x20", b"\x03\xfb\x20", b"\x04\x50\0", b"\x05\x50\0"]
    );
}

#[test]
fn what_a_client_says_at_once_is_heard_after_what_is_opened() {
    let mut server = Messages::new(&ports(&[80, 81]));
    let mut message = Bytes::from_static(b"\x02early");
    let mut said = Vec::new();
    while let Some(one) = server.receive(&mut message).unwrap() {
        said.push(format!("{one:?}"));
    }
    assert_eq!(said, ["1 open, port 80", "2 open, port 81", "2 data, 5 bytes"]);
}

#[test]
fn all_is_over_when_each_connection_is() {
    let mut server = open(&[80, 81]);
    server.send(&FromServer::Accepted(FIRST)).unwrap();
    server.send(&FromServer::Data { connection: FIRST, bytes: Bytes::from_static(b"yes") }).unwrap();
    server.send(&FromServer::Finished(FIRST)).unwrap();
    assert!(heard(&mut server, b"\0more").unwrap().is_some(), "it may still be told something");
    server.send(&FromServer::Told { connection: FIRST, text: Bytes::new() }).unwrap();
    assert!(!server.is_over());
    assert_eq!(heard(&mut server, b"\0late"), Ok(None));
    server.send(&FromServer::Data { connection: FIRST, bytes: Bytes::from_static(b"late") }).unwrap();
    server.send(&FromServer::Told { connection: SECOND, text: Bytes::from_static(b"no") }).unwrap();
    server.send(&FromServer::Finished(SECOND)).unwrap();
    assert!(server.is_over());
    assert_eq!(sent(&mut server), [&b"\0yes"[..], b"\x03no"]);
    let mut server = open(&[80]);
    server.send(&FromServer::Reset(FIRST)).unwrap();
    assert!(server.is_over());
}

#[test]
fn there_are_so_many_ports() {
    let all = vec![80; MAX_CONNECTIONS];
    let mut server = open(&all);
    let last = ConnectionId(u32::try_from(MAX_CONNECTIONS).unwrap());
    let said = heard(&mut server, b"\xfeyes").unwrap().unwrap();
    assert_eq!(said.connection(), last);
    server.send(&FromServer::Told { connection: last, text: Bytes::from_static(b"no") }).unwrap();
    assert_eq!(sent(&mut server), [&b"\xffno"[..]]);
    let port = NonZeroU16::new(80).unwrap();
    assert_eq!(Ports::new(vec![port; MAX_CONNECTIONS + 1]), Err(NotPorts));
    assert_eq!(Ports::new([]), Err(NotPorts));
}

#[test]
fn what_no_client_says_is_refused() {
    let mut server = open(&[80, 81]);
    let told = [&b"\x01x"[..], b"\x03x", b"\x04x", b"\x04", b"\xff\0"]
        .map(|message| heard(&mut server, message).unwrap_err().to_string());
    insta::assert_snapshot!([&told[..], &[NotPorts.to_string()]].concat().join("\n"), @"
    nothing may be sent where errors are told in this direction
    nothing may be sent where errors are told in this direction
    there is no channel 4: each port that the request names has two, from 0 on
    there is no channel 4: each port that the request names has two, from 0 on
    there is no channel 255: each port that the request names has two, from 0 on
    over `v4.channel.k8s.io` the request names what to connect to: write `?ports=8080`, 1 to 128 ports
    ");
    // As Kubernetes does: nothing is nothing.
    for nothing in [&b""[..], b"\0", b"\x01"] {
        assert_eq!(heard(&mut server, nothing), Ok(None));
    }
}

proptest! {
    #[test]
    fn what_each_says_is_heard_on_its_connection(
        said in prop::collection::vec((0_u8..5, any::<bool>(), prop::collection::vec(any::<u8>(), 1..200)), 0..40),
    ) {
        let mut server = open(&[80, 81, 82, 83, 84]);
        for (which, by_client, bytes) in said {
            let (connection, bytes) = (ConnectionId(u32::from(which) + 1), Bytes::from(bytes));
            let message = [&[2 * which][..], &bytes].concat();
            if by_client {
                prop_assert_eq!(heard(&mut server, &message), Ok(Some(FromClient::Data { connection, bytes })));
            } else {
                server.send(&FromServer::Data { connection, bytes }).unwrap();
                prop_assert_eq!(sent(&mut server), [message]);
            }
        }
    }

    /// Over a WebSocket a piece is a message, so there is no other way to cut.
    #[test]
    fn no_messages_make_it_panic_or_say_what_they_do_not(
        messages: Vec<Vec<u8>>,
        named in prop::collection::vec(1_u16.., 1..=MAX_CONNECTIONS),
    ) {
        let mut server = open(&named);
        for message in messages {
            match heard(&mut server, &message) {
                Ok(Some(FromClient::Data { connection, bytes })) => {
                    prop_assert_eq!(connection.0, u32::from(message[0] / 2) + 1);
                    prop_assert!(connection.0 as usize <= named.len());
                    prop_assert_eq!(&bytes, &message[1..]);
                }
                Ok(Some(said)) => prop_assert!(false, "{:?}", said),
                Ok(None) => prop_assert!(message.len() < 2),
                Err(Error::Channel(channel)) => prop_assert!(usize::from(channel) >= 2 * named.len()),
                Err(error) => prop_assert_eq!(error, Error::Direction),
            }
        }
        prop_assert!(!server.has_output());
    }
}
