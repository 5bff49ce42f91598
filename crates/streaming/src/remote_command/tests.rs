//! A client and a server that speak with each other, whatever carries them and however it is cut.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::{
    Endpoint,
    channel::{Closed, FromClient, FromServer},
    kind::Asked,
    protocol::{RemoteCommand, Version},
    resize::TerminalSize,
};

const PROTOCOLS: [RemoteCommand; 3] =
    [RemoteCommand::WebSocket(Version::V5), RemoteCommand::WebSocket(Version::V4), RemoteCommand::Spdy];

const ALL: Asked = Asked { stdin: true, stdout: true, stderr: true, tty: false };

/// Both ends, and what they heard.
struct Talk {
    client: Client,
    server: Server,
    by_client: Vec<FromServer>,
    by_server: Vec<FromClient>,
    /// Bytes of a piece; messages are never cut.
    cut: usize,
}

impl Talk {
    fn new(protocol: RemoteCommand, asked: Asked, cut: usize) -> Self {
        let cut = if protocol == RemoteCommand::Spdy { cut.max(1) } else { usize::MAX };
        let (client, server) = (Client::new(protocol, asked).unwrap(), Server::new(protocol, asked));
        let mut talk = Self { client, server, by_client: Vec::new(), by_server: Vec::new(), cut };
        talk.pass();
        assert!(talk.client.is_ready() && talk.server.is_ready());
        talk
    }

    /// Until neither has anything to send.
    fn pass(&mut self) {
        loop {
            let mut quiet = true;
            while let Some(output) = self.client.take_output() {
                quiet = false;
                for piece in output.chunks(self.cut) {
                    let mut piece = Bytes::copy_from_slice(piece);
                    while let Some(said) = self.server.receive(&mut piece).unwrap() {
                        self.by_server.push(said);
                    }
                }
            }
            while let Some(output) = self.server.take_output() {
                quiet = false;
                for piece in output.chunks(self.cut) {
                    let mut piece = Bytes::copy_from_slice(piece);
                    while let Some(said) = self.client.receive(&mut piece).unwrap() {
                        self.by_client.push(said);
                    }
                }
            }
            if quiet {
                return;
            }
        }
    }

    /// What came on stdout, stderr and error.
    fn heard(&self) -> [Vec<u8>; 3] {
        let mut heard = [const { Vec::new() }; 3];
        for said in &self.by_client {
            let (place, bytes) = match said {
                FromServer::Stdout(bytes) => (0, bytes),
                FromServer::Stderr(bytes) => (1, bytes),
                FromServer::Error(bytes) => (2, bytes),
            };
            heard[place].extend_from_slice(bytes);
        }
        heard
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn what_one_says_the_other_hears(
        stdin in prop::collection::vec(any::<u8>(), 1..70_000),
        stdout: Vec<u8>,
        stderr: Vec<u8>,
        width: u16,
        cut in 1_usize..5_000,
    ) {
        for protocol in PROTOCOLS {
            let mut talk = Talk::new(protocol, ALL, cut);
            for piece in stdin.chunks(40_000) {
                talk.client.send(&FromClient::Stdin(Bytes::copy_from_slice(piece))).unwrap();
            }
            talk.server.send(&FromServer::Stdout(stdout.clone().into())).unwrap();
            talk.server.send(&FromServer::Stderr(stderr.clone().into())).unwrap();
            talk.server.send(&FromServer::Error(Bytes::from_static(b"{}"))).unwrap();
            talk.pass();
            let came: Vec<u8> = talk.by_server.iter().flat_map(|said| match said {
                FromClient::Stdin(bytes) => bytes.to_vec(),
                other => panic!("{other:?}"),
            }).collect();
            prop_assert!(came == stdin);
            prop_assert_eq!(talk.heard(), [stdout.clone(), stderr.clone(), b"{}".to_vec()]);

            let mut talk = Talk::new(protocol, Asked { tty: true, ..ALL }, cut);
            let size = FromClient::Resize(TerminalSize { width, height: 1 });
            talk.client.send(&size).unwrap();
            talk.pass();
            prop_assert_eq!(talk.by_server, [size]);
        }
    }
}

#[test]
fn stdin_is_closed_alone_where_that_can_be_said() {
    for protocol in PROTOCOLS {
        let mut talk = Talk::new(protocol, ALL, 7);
        let closed = talk.client.send(&FromClient::Close(Closed::Stdin));
        assert_eq!(closed.is_err(), protocol == RemoteCommand::WebSocket(Version::V4));
        talk.server.send(&FromServer::Stdout(Bytes::from_static(b"x"))).unwrap();
        talk.pass();
        let heard: Vec<FromClient> = closed.map(|()| FromClient::Close(Closed::Stdin)).into_iter().collect();
        assert_eq!(talk.by_server, heard);
        assert_eq!(talk.heard()[0], b"x");
    }
}

#[test]
fn an_end_is_heard_over_spdy() {
    let mut talk = Talk::new(RemoteCommand::Spdy, ALL, 5);
    talk.server.send(&FromServer::Error(Bytes::from_static(b"{}"))).unwrap();
    assert!(!talk.client.is_over());
    talk.server.finish();
    talk.pass();
    assert!(talk.client.is_over());
    assert_eq!(talk.heard()[2], b"{}");

    let mut talk = Talk::new(RemoteCommand::Spdy, ALL, 5);
    talk.client.leave();
    talk.pass();
    assert!(talk.server.has_left());
}

#[test]
fn what_was_not_asked_for_is_refused() {
    let nothing = Asked { stdin: false, ..ALL };
    let mut server = Server::new(RemoteCommand::WebSocket(Version::V5), nothing);
    let told = server.receive(&mut Bytes::from_static(b"\0x")).unwrap_err().to_string();
    // A client that asked for more than the server knows of.
    let over_spdy = |asked: Asked, heard: Asked| {
        let mut client = Client::new(RemoteCommand::Spdy, asked).unwrap();
        let mut server = Server::new(RemoteCommand::Spdy, heard);
        loop {
            let mut piece = client.take_output().expect("it is refused before the client is ready");
            if let Err(error) = server.receive(&mut piece) {
                return error.to_string();
            }
            client.receive(&mut server.take_output().unwrap()).unwrap();
        }
    };
    let tty = over_spdy(Asked { tty: true, ..ALL }, ALL);
    let stdin = over_spdy(ALL, nothing);
    let mut early = Client::new(RemoteCommand::Spdy, ALL).unwrap();
    let early = early.send(&FromClient::Stdin(Bytes::from_static(b"x"))).unwrap_err().to_string();
    insta::assert_snapshot!([told, tty, stdin, early].join("\n"), @"
    the request did not ask for stdin
    the request did not ask for resize
    the request did not ask for stdin
    nothing may be sent before all streams are open
    ");
}
