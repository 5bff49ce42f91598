//! A client and a server that speak with each other, however it is cut.

mod rude;

use http::HeaderMap;
use proptest::prelude::*;

use super::{streams::Streams, *};
use crate::{
    Endpoint,
    kind::{PortForwardKind, PortForwardStream, RequestId},
    spdy::{Connection, Event, ResetStatus, Role},
};

const PORT: NonZeroU16 = NonZeroU16::new(8080).unwrap();

/// Both ends, and what they heard.
struct Talk {
    client: Client,
    server: Streams,
    by_client: Vec<FromServer>,
    by_server: Vec<FromClient>,
    /// Bytes of a piece.
    cut: usize,
}

impl Talk {
    fn new(cut: usize) -> Self {
        let (client, server) = (Client::default(), Streams::default());
        Self { client, server, by_client: Vec::new(), by_server: Vec::new(), cut }
    }

    /// Until neither has anything to send.
    fn pass(&mut self) {
        while self.client.has_output() || self.server.has_output() {
            while let Some(output) = self.client.take_output() {
                for piece in output.chunks(self.cut) {
                    let mut piece = Bytes::copy_from_slice(piece);
                    while let Some(said) = self.server.receive(&mut piece).unwrap() {
                        self.by_server.push(said);
                    }
                }
            }
            while let Some(output) = self.server.take_output() {
                for piece in output.chunks(self.cut) {
                    let mut piece = Bytes::copy_from_slice(piece);
                    while let Some(said) = self.client.receive(&mut piece).unwrap() {
                        self.by_client.push(said);
                    }
                }
            }
        }
    }

    fn client_says(&mut self, said: &FromClient) {
        self.client.send(said).unwrap();
        self.pass();
    }

    fn server_says(&mut self, said: &FromServer) {
        self.server.send(said).unwrap();
        self.pass();
    }

    /// Opened and accepted.
    fn open(&mut self, number: u32) -> ConnectionId {
        let connection = ConnectionId(number);
        self.client_says(&FromClient::Open { connection, port: PORT });
        self.server_says(&FromServer::Accepted(connection));
        assert_eq!(self.by_client.pop(), Some(FromServer::Accepted(connection)));
        assert_eq!(self.by_server.pop(), Some(FromClient::Open { connection, port: PORT }));
        connection
    }

    fn debug(&self) -> String {
        format!("client heard {:?}\nserver heard {:?}", self.by_client, self.by_server)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn what_one_says_the_other_hears(
        said in prop::collection::vec((0_u32..3, any::<bool>(), prop::collection::vec(any::<u8>(), 1..40_000)), 1..6),
        cut in 1_usize..5_000,
    ) {
        let mut talk = Talk::new(cut);
        let connections = [1, 2, 3].map(|number| talk.open(number));
        let mut wanted = vec![(Vec::new(), Vec::new()); 3];
        for (which, by_client, bytes) in said {
            let connection = connections[which as usize];
            let bytes = Bytes::from(bytes);
            let (up, down) = &mut wanted[which as usize];
            if by_client {
                up.extend_from_slice(&bytes);
                talk.client.send(&FromClient::Data { connection, bytes }).unwrap();
            } else {
                down.extend_from_slice(&bytes);
                talk.server.send(&FromServer::Data { connection, bytes }).unwrap();
            }
        }
        talk.pass();
        for (connection, (up, down)) in connections.into_iter().zip(wanted) {
            let came: Vec<u8> = talk.by_server.iter().flat_map(|said| match said {
                FromClient::Data { connection: of, bytes } if *of == connection => bytes.to_vec(),
                _ => Vec::new(),
            }).collect();
            prop_assert!(came == up);
            let came: Vec<u8> = talk.by_client.iter().flat_map(|said| match said {
                FromServer::Data { connection: of, bytes } if *of == connection => bytes.to_vec(),
                _ => Vec::new(),
            }).collect();
            prop_assert!(came == down);
        }
    }

    #[test]
    fn no_bytes_make_an_end_panic(bytes: Vec<u8>, cut in 1_usize..64) {
        let (mut client, mut server) = (Client::default(), Streams::default());
        for piece in bytes.chunks(cut) {
            let piece = Bytes::copy_from_slice(piece);
            let mut to_client = piece.clone();
            while let Ok(Some(_)) = client.receive(&mut to_client) {}
            let mut to_server = piece;
            while let Ok(Some(_)) = server.receive(&mut to_server) {}
        }
    }
}

#[test]
fn connections_end_from_either_side_and_are_forgotten() {
    let mut talk = Talk::new(7);
    // The server closes first, as with HTTP/1.0; then kubectl resets.
    let connection = talk.open(1);
    let text = Bytes::new();
    talk.server_says(&FromServer::Told { connection, text: text.clone() });
    talk.server_says(&FromServer::Finished(connection));
    talk.client_says(&FromClient::Reset(connection));
    // The client closes first.
    let connection = talk.open(2);
    talk.client_says(&FromClient::Finished(connection));
    talk.server_says(&FromServer::Finished(connection));
    talk.server_says(&FromServer::Told { connection, text });
    // It is refused.
    let connection = talk.open(3);
    talk.server_says(&FromServer::Told { connection, text: Bytes::from_static(b"no") });
    talk.server_says(&FromServer::Finished(connection));
    talk.client_says(&FromClient::Finished(connection));
    // The server gives it up.
    let connection = talk.open(4);
    talk.server_says(&FromServer::Reset(connection));
    talk.server_says(&FromServer::Told { connection, text: Bytes::from_static(b"gone") });
    insta::assert_snapshot!(talk.debug(), @"
    client heard [1 told, 0 bytes, 1 finished, 2 finished, 2 told, 0 bytes, 3 told, 2 bytes, 3 finished, 4 told, 24 bytes, 4 reset]
    server heard [1 reset, 2 finished, 3 reset]
    ");
    assert!(talk.server.open.is_empty() && talk.client.open.is_empty());
    assert!(talk.server.streams.is_empty() && talk.client.streams.is_empty());
    // Nobody listens, and nobody minds.
    talk.server_says(&FromServer::Data { connection, bytes: Bytes::from_static(b"late") });
    talk.client_says(&FromClient::Data { connection, bytes: Bytes::from_static(b"late") });
}

#[test]
fn what_is_given_up_before_it_is_accepted_is_not_there_any_more() {
    let mut talk = Talk::new(usize::MAX);
    let connection = ConnectionId(1);
    talk.client.send(&FromClient::Open { connection, port: PORT }).unwrap();
    talk.client_says(&FromClient::Reset(connection));
    assert!(talk.by_server.is_empty() && talk.server.open.is_empty());
    let connection = ConnectionId(2);
    talk.client_says(&FromClient::Open { connection, port: PORT });
    talk.client_says(&FromClient::Reset(connection));
    talk.server_says(&FromServer::Accepted(connection));
    talk.server_says(&FromServer::Told { connection, text: Bytes::new() });
    assert_eq!(talk.by_server, [FromClient::Open { connection, port: PORT }, FromClient::Reset(connection)]);
    assert!(talk.server.open.is_empty() && talk.client.open.is_empty());
}

/// What the client does not end, the server's end does: nothing is said any more on what is over.
#[test]
fn a_connection_is_over_with_what_the_server_says() {
    let mut talk = Talk::new(usize::MAX);
    let connection = talk.open(1);
    talk.server_says(&FromServer::Finished(connection));
    talk.server_says(&FromServer::Told { connection, text: Bytes::new() });
    assert!(talk.client.open.is_empty() && talk.client.streams.is_empty());
    talk.client_says(&FromClient::Data { connection, bytes: Bytes::from_static(b"late") });
    assert_eq!(talk.by_server, [FromClient::Reset(connection)]);
    assert!(talk.server.open.is_empty());
}

/// Whoever gives a connection up does not wait for how it went.
#[test]
fn what_is_given_up_is_forgotten_at_once() {
    let mut talk = Talk::new(usize::MAX);
    let connection = talk.open(1);
    talk.client_says(&FromClient::Reset(connection));
    assert!(talk.client.open.is_empty() && talk.client.streams.is_empty());
    assert_eq!(talk.by_server, [FromClient::Reset(connection)]);
    assert!(talk.server.open.is_empty() && talk.server.streams.is_empty());
}

/// A node that resets a stream did not say that all went well, whichever stream it is and whenever.
#[test]
fn a_reset_is_told_as_one() {
    let heard = |resets: fn(&mut Node, [spdy::StreamId; 2])| {
        let mut node = Node::new();
        let streams = node.accept();
        resets(&mut node, streams);
        node.pass();
        assert!(node.client.open.is_empty(), "{:?}", node.client.open);
        format!("{:?}", node.heard)
    };
    let mut before = Node::new();
    let error = before.opened();
    before.connection.reset(error, ResetStatus::CANCEL);
    before.pass();
    assert!(before.client.open.is_empty());
    let told = [
        format!("{:?}", before.heard),
        heard(|node, [_, data]| node.connection.reset(data, ResetStatus::CANCEL)),
        heard(|node, [error, data]| {
            node.connection.reset(error, ResetStatus::CANCEL);
            node.connection.send(data, &[], true).unwrap();
        }),
        heard(|node, [error, data]| {
            node.connection.send(error, b"no", false).unwrap();
            node.connection.reset(data, ResetStatus::CANCEL);
        }),
        heard(|node, [error, data]| {
            node.connection.send(error, &[], true).unwrap();
            node.connection.reset(data, ResetStatus::CANCEL);
        }),
    ];
    insta::assert_snapshot!(told.join("\n"), @"
    [1 told, 24 bytes, 1 reset]
    [1 accepted, 1 told, 24 bytes, 1 reset]
    [1 accepted, 1 told, 24 bytes, 1 finished]
    [1 accepted, 1 told, 2 bytes, 1 reset]
    [1 accepted, 1 told, 0 bytes, 1 reset]
    ");
}

/// A node that does as it likes.
struct Node {
    connection: Connection,
    client: Client,
    heard: Vec<FromServer>,
}

impl Node {
    /// Asked for a connection.
    fn new() -> Self {
        let mut client = Client::default();
        client.send(&FromClient::Open { connection: ConnectionId(1), port: PORT }).unwrap();
        Self { connection: Connection::new(Role::Server), client, heard: Vec::new() }
    }

    /// The stream that the client opens next.
    fn opened(&mut self) -> spdy::StreamId {
        let mut piece = self.client.take_output().unwrap();
        loop {
            if let Event::Opened { stream, .. } = self.connection.receive(&mut piece).unwrap().unwrap() {
                return stream;
            }
        }
    }

    /// Both streams, accepted.
    fn accept(&mut self) -> [spdy::StreamId; 2] {
        [(), ()].map(|()| {
            let stream = self.opened();
            self.connection.reply(stream).unwrap();
            self.pass();
            stream
        })
    }

    fn pass(&mut self) {
        let mut piece = self.connection.take_output();
        while let Some(said) = self.client.receive(&mut piece).unwrap() {
            self.heard.push(said);
        }
    }
}

#[test]
fn there_are_so_many_at_once() {
    let mut talk = Talk::new(usize::MAX);
    let most = u32::try_from(MAX_CONNECTIONS).unwrap();
    for number in 1..=most {
        talk.open(number);
    }
    let connection = ConnectionId(most + 1);
    talk.client_says(&FromClient::Open { connection, port: PORT });
    assert_eq!(talk.by_client.last(), Some(&FromServer::Reset(connection)));
    assert_eq!(talk.client.open.len(), MAX_CONNECTIONS);
    // With one less there is room again.
    talk.server_says(&FromServer::Told { connection: ConnectionId(1), text: Bytes::new() });
    talk.client_says(&FromClient::Reset(ConnectionId(1)));
    talk.by_server.clear();
    talk.client_says(&FromClient::Open { connection, port: PORT });
    assert_eq!(talk.by_server.len(), 1);
}

#[test]
fn an_end_is_heard() {
    let mut talk = Talk::new(5);
    talk.open(1);
    talk.server.finish();
    talk.pass();
    assert_eq!(talk.by_client.len(), 2);
    assert!(talk.client.is_over());

    let mut talk = Talk::new(5);
    talk.open(1);
    talk.client.leave();
    talk.pass();
    assert_eq!(talk.by_server, [FromClient::Reset(ConnectionId(1))]);
    assert!(talk.server.has_left());
}

#[test]
fn what_is_said_is_not_shown() {
    let connection = ConnectionId(1);
    let bytes = Bytes::from_static(b"secret");
    let shown = format!(
        "{:?} {:?} {:?}",
        FromClient::Data { connection, bytes: bytes.clone() },
        FromServer::Data { connection, bytes: bytes.clone() },
        FromServer::Told { connection, text: bytes }
    );
    assert_eq!(shown, "1 data, 6 bytes 1 data, 6 bytes 1 told, 6 bytes");
}
