use std::future::pending;

use bytes::Bytes;
use futures_util::FutureExt;
use streaming::{
    channel::FromClient,
    kind::Asked,
    protocol::{RemoteCommand, Version},
    remote_command::{Client, Server},
};
use tokio::{io::duplex, time::sleep};
use wire::{
    End,
    leg::{self, Saying},
};

use super::*;

const PROTOCOL: RemoteCommand = RemoteCommand::WebSocket(Version::V5);
const ASKED: Asked = Asked { stdin: true, stdout: true, stderr: false, tty: false };

/// A client, and what hears it.
struct Talk {
    /// The client's own, which is open until it is dropped.
    listening: Hearing<Client>,
    saying: Saying<Client>,
    client: Hearing<Server>,
    heard: Heard<Server>,
}

impl Talk {
    async fn begin() -> Self {
        let (one, other) = duplex(4 << 20);
        let wire = wire::split(one, Bytes::new(), PROTOCOL.transport(), End::Client).await;
        let (listening, saying) = leg::new(Client::new(PROTOCOL, ASKED).unwrap(), wire);
        let wire = wire::split(other, Bytes::new(), PROTOCOL.transport(), End::Server).await;
        let (client, _) = leg::new(Server::new(PROTOCOL, ASKED), wire);
        Self { listening, saying, client, heard: Heard::default() }
    }

    async fn say(&self, text: &'static [u8]) {
        self.saying.say(&FromClient::Stdin(text.into())).await.unwrap();
    }

    async fn next(&mut self) -> Bytes {
        match self.heard.next(&mut self.client).await {
            Ok(FromClient::Stdin(bytes)) => bytes,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_is_noticed_while_nothing_is_taken() {
    let talk = Talk::begin().await;
    talk.say(b"typed ahead").await;
    let Talk { listening: _open, saying, mut client, mut heard } = talk;
    assert!(heard.on_while(&mut client, pending::<()>()).now_or_never().is_none(), "it is there");
    saying.close(Client::leave).await.unwrap();
    let left = tokio::time::Instant::now();
    let ended = heard.on_while(&mut client, pending::<()>()).await;
    assert!(matches!(ended, Err(Ending::ClientLeft)), "{ended:?}");
    assert_eq!(left.elapsed(), FAREWELL);
}

#[tokio::test(start_paused = true)]
async fn what_was_said_last_is_passed_on_to_a_process_that_takes_it() {
    let talk = Talk::begin().await;
    talk.say(b"exit").await;
    let Talk { listening: _open, saying, mut client, mut heard } = talk;
    saying.close(Client::leave).await.unwrap();
    let takes = sleep(FAREWELL / 2);
    assert!(heard.on_while(&mut client, takes).await.is_ok());
    assert!(matches!(heard.next(&mut client).await, Ok(FromClient::Stdin(bytes)) if bytes == "exit"));
    assert!(matches!(heard.next(&mut client).await, Err(Ending::ClientLeft)));
}

#[tokio::test]
async fn what_was_said_meanwhile_is_passed_on_in_its_order() {
    let mut talk = Talk::begin().await;
    for text in [&b"one"[..], b"two"] {
        talk.say(text).await;
        assert!(talk.heard.on_while(&mut talk.client, pending::<()>()).now_or_never().is_none());
    }
    assert_eq!(talk.heard.on_while(&mut talk.client, async { 7 }).await.unwrap(), 7);
    talk.say(b"three").await;
    assert_eq!([talk.next().await, talk.next().await, talk.next().await], ["one", "two", "three"]);
    assert_eq!(talk.heard.bytes, 0);
}

#[tokio::test]
async fn what_waits_has_a_bound() {
    const PIECE: &[u8] = &[b'x'; 100 << 10];
    let mut talk = Talk::begin().await;
    for _piece in 0..10 {
        talk.say(PIECE).await;
        let _waits = talk.heard.on_while(&mut talk.client, pending::<()>()).now_or_never();
    }
    assert_eq!(talk.heard.waiting.len(), 3);
    assert!(talk.heard.bytes < MOST + PIECE.len());
    for _piece in 0..10 {
        assert_eq!(talk.next().await, PIECE);
    }
}
