use std::time::Duration;

use streaming::{
    channel::{FromClient, FromServer},
    kind::{Asked, RemoteCommandStream},
    protocol::RemoteCommand,
    remote_command::Client,
    spdy::{self, Connection, Event},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use futures_util::FutureExt;

use super::*;
use tokio::time::timeout;

async fn pair(transport: Transport) -> ((Reader, Writer), (Reader, Writer)) {
    let (one, other) = duplex(1 << 20);
    let client = split(one, Bytes::new(), transport, End::Client).await;
    (client, split(other, Bytes::new(), transport, End::Server).await)
}

async fn read(reader: &mut Reader, bytes: usize) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < bytes {
        read.extend_from_slice(&reader.next().await.unwrap().unwrap());
    }
    read
}

#[tokio::test]
async fn pieces_pass_both_ways_and_come_to_an_end() {
    for transport in [Transport::Spdy, Transport::WebSocket] {
        let ((mut from_server, mut to_server), (mut from_client, mut to_client)) = pair(transport).await;
        let long = Bytes::from(vec![7; 300_000]);
        to_server.send(long.clone()).await.unwrap();
        assert_eq!(read(&mut from_client, long.len()).await, long);
        to_client.send(Bytes::from_static(b"yes")).await.unwrap();
        assert_eq!(read(&mut from_server, 3).await, b"yes");
        to_client.close().await.unwrap();
        assert!(from_server.next().await.unwrap().is_none());
        drop((from_server, to_server));
        from_client.linger(Duration::from_secs(60)).await;
    }
}

#[tokio::test]
async fn what_was_read_ahead_comes_first() {
    let (one, mut other) = duplex(1 << 10);
    let (mut reader, _writer) = split(one, Bytes::from_static(b"first"), Transport::Spdy, End::Server).await;
    AsyncWriteExt::write_all(&mut other, b"second").await.unwrap();
    assert_eq!(read(&mut reader, 5).await, b"first");
    assert_eq!(read(&mut reader, 6).await, b"second");
}

#[tokio::test]
async fn a_message_that_is_too_long_is_refused() {
    let (one, other) = duplex(16 << 20);
    let settings = WebSocketConfig::default();
    let mut client = WebSocketStream::from_raw_socket(one, Role::Client, Some(settings)).await;
    let (mut reader, _writer) = split(other, Bytes::new(), Transport::WebSocket, End::Server).await;
    let message = tungstenite::Message::Binary(vec![0; MAX_MESSAGE + 1].into());
    futures_util::SinkExt::send(&mut client, message).await.unwrap();
    assert!(matches!(reader.next().await, Err(Error::TooLong)));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_end_is_not_waited_for() {
    let ((_from_server, _to_server), (from_client, _to_client)) = pair(Transport::Spdy).await;
    from_client.linger(Duration::from_secs(2)).await;
}

/// Both sides of a conversation may be writing: who waits for the other to take an answer, and reads nothing until then, may wait
/// for ever.
#[tokio::test]
async fn what_comes_is_heard_while_what_is_said_is_not_taken() {
    let (ours, mut theirs) = duplex(4 << 10);
    let wire = split(ours, Bytes::new(), Transport::Spdy, End::Client).await;
    let asked = Asked { stdin: true, stdout: true, ..Asked::default() };
    let (mut hearing, saying) = leg::new(Client::new(RemoteCommand::Spdy, asked).unwrap(), wire);
    let mut server = Connection::new(spdy::Role::Server);
    let mut stdout = None;
    let opened = async {
        while stdout.is_none() {
            let mut bytes = vec![0; 1 << 10];
            let read = theirs.read(&mut bytes).await.unwrap();
            let mut piece = Bytes::copy_from_slice(&bytes[..read]);
            while let Some(event) = server.receive(&mut piece).unwrap() {
                if let Event::Opened { stream, headers, .. } = event {
                    server.reply(stream).unwrap();
                    let kind = RemoteCommandStream::from_headers(&headers).unwrap();
                    stdout = (kind == RemoteCommandStream::Stdout).then_some(stream);
                }
            }
            theirs.write_all(&server.take_output()).await.unwrap();
        }
    };
    let (ready, ()) = tokio::join!(hearing.next_until(Client::is_ready), opened);
    assert!(ready.unwrap().is_none());
    let said = FromClient::Stdin(vec![7; 1 << 20].into());
    let stdout = stdout.unwrap();
    let converse = async {
        for _each in 0..20 {
            server.ping();
            server.send(stdout, &[1; 1000], false).unwrap();
            theirs.write_all(&server.take_output()).await.unwrap();
        }
        // Now it takes what was said, all of it, and the answers.
        let mut heard = 0;
        let mut pongs = 0;
        while heard < 1 << 20 || pongs < 20 {
            let mut bytes = vec![0; 64 << 10];
            let read = theirs.read(&mut bytes).await.unwrap();
            let mut piece = Bytes::copy_from_slice(&bytes[..read]);
            while let Some(event) = server.receive(&mut piece).unwrap() {
                match event {
                    Event::Data { bytes, .. } => heard += bytes.len(),
                    Event::Ponged { .. } => pongs += 1,
                    other => panic!("{other:?}"),
                }
            }
        }
    };
    let hear = async {
        let mut heard = 0;
        while heard < 20_000 {
            let Some(FromServer::Stdout(bytes)) = hearing.next().await.unwrap() else { panic!() };
            heard += bytes.len();
        }
        // What is answered goes out, though nothing more comes.
        let _nothing = timeout(Duration::from_secs(3600), hearing.next()).await;
    };
    tokio::select! {
        () = async { tokio::join!(async { saying.say(&said).await.unwrap() }, converse); } => {}
        () = hear => panic!("it did not come to its end"),
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_closed_says_nothing_more_and_hears_on() {
    let (ours, mut theirs) = duplex(4 << 10);
    let wire = split(ours, Bytes::new(), Transport::WebSocket, End::Server).await;
    let asked = Asked { stdin: true, stdout: true, ..Asked::default() };
    let protocol = RemoteCommand::WebSocket(streaming::protocol::Version::V5);
    let (mut hearing, saying) = leg::new(streaming::remote_command::Server::new(protocol, asked), wire);
    saying.close(|_server| ()).await.unwrap();
    let late = saying.say(&FromServer::Stdout(Bytes::from_static(b"late"))).await;
    assert!(matches!(late, Err(leg::Fault::Wire(Error::Closed))), "{late:?}");
    saying.with(|_server| ());
    // A masked frame of one byte on the channel of standard input.
    theirs.write_all(&[0x82, 0x82, 0, 0, 0, 0, 0, b'x']).await.unwrap();
    assert_eq!(hearing.next().await.unwrap(), Some(FromClient::Stdin(Bytes::from_static(b"x"))));
    // Nothing comes, and that is waited for.
    assert!(timeout(Duration::from_secs(1), hearing.next()).await.is_err());
}

/// What is said may make room for something to be heard that came before.
#[tokio::test]
async fn what_is_to_be_heard_by_what_is_said_is_heard() {
    use streaming::{
        kind::{PortForwardKind, PortForwardStream, RequestId},
        port_forward::{FromClient, FromServer, Server},
    };
    let (ours, mut theirs) = duplex(4 << 10);
    let (mut hearing, saying) =
        leg::new(Server::streams(), split(ours, Bytes::new(), Transport::Spdy, End::Server).await);
    let mut client = Connection::new(spdy::Role::Client);
    for kind in [PortForwardKind::Error, PortForwardKind::Data] {
        let port = std::num::NonZeroU16::MIN;
        client
            .open(&PortForwardStream { request: RequestId::from(1), port, kind }.to_headers(), true)
            .unwrap();
    }
    theirs.write_all(&client.take_output()).await.unwrap();
    let Some(FromClient::Open { connection, .. }) = hearing.next().await.unwrap() else { panic!() };
    let accepted = FromServer::Accepted(connection);
    let (heard, said) = tokio::join!(hearing.next(), saying.say(&accepted));
    said.unwrap();
    assert_eq!(heard.unwrap(), Some(FromClient::Finished(connection)));
}

/// A frame as a client sends it (RFC 6455, section 5.2).
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [1, 2, 3, 4];
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126, "longer ones have their length elsewhere");
    let masked = payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key);
    [first, 0x80 | length].into_iter().chain(KEY).chain(masked).collect()
}

/// Two messages, one of them in three frames with a ping between them, and the end.
fn messages() -> Vec<u8> {
    let [binary, continuation, ping, close, last] = [2, 0, 9, 8, 0x80];
    [
        frame(last | binary, b"whole"),
        frame(binary, b"in "),
        frame(continuation, b"three "),
        frame(last | ping, b"there?"),
        frame(last | continuation, b"frames"),
        frame(last | close, &1000_u16.to_be_bytes()),
    ]
    .concat()
}

/// What is there by now, and whether that is all there will be.
fn heard(reader: &mut Reader, messages: &mut Vec<Bytes>) -> Result<bool, Error> {
    // However much was done before without a pause.
    while let Some(next) = tokio::task::unconstrained(reader.next()).now_or_never() {
        match next? {
            Some(message) => messages.push(message),
            None => return Ok(true),
        }
    }
    Ok(false)
}

#[tokio::test]
async fn messages_are_the_same_however_their_frames_are_cut() {
    let bytes = messages();
    for cut in 0..=bytes.len() {
        let (ours, mut theirs) = duplex(1 << 10);
        let (mut reader, _writer) = split(ours, Bytes::new(), Transport::WebSocket, End::Server).await;
        let (mut came, mut ended) = (Vec::new(), false);
        let (first, second) = bytes.split_at(cut);
        for part in [first, second] {
            theirs.write_all(part).await.unwrap();
            ended |= heard(&mut reader, &mut came).unwrap();
        }
        assert_eq!(
            (&came[..], ended),
            (&[Bytes::from("whole"), Bytes::from("in three frames")][..], true),
            "cut at {cut}"
        );
    }
}

#[tokio::test]
async fn frames_that_are_damaged_come_to_an_end() {
    let whole = messages();
    for (at, bit) in (0..whole.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << bit;
        let (ours, mut theirs) = duplex(1 << 10);
        let (mut reader, _writer) = split(ours, Bytes::new(), Transport::WebSocket, End::Server).await;
        theirs.write_all(&bytes).await.unwrap();
        drop(theirs);
        let mut came = Vec::new();
        let over = heard(&mut reader, &mut came);
        assert!(!matches!(over, Ok(false)), "byte {at}, bit {bit}: it waits for more");
        assert!(came.iter().all(|message| message.len() <= bytes.len()), "byte {at}, bit {bit}");
    }
}

/// A process that has ended reads nothing more: whoever writes to it then hears first how it ended.
#[tokio::test]
async fn what_has_come_is_heard_though_nothing_can_be_said() {
    use tungstenite::Message;
    let (ours, theirs) = duplex(64 << 10);
    let wire = split(ours, Bytes::new(), Transport::WebSocket, End::Client).await;
    let asked = Asked { stdin: true, stdout: true, ..Asked::default() };
    let protocol = RemoteCommand::WebSocket(streaming::protocol::Version::V5);
    let (mut hearing, saying) = leg::new(Client::new(protocol, asked).unwrap(), wire);
    let mut server = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
    for said in [Message::Binary(b"\x01out"[..].into()), Message::Binary(b"\x03{}"[..].into())] {
        futures_util::SinkExt::send(&mut server, said).await.unwrap();
    }
    drop(server);
    assert!(saying.say(&FromClient::Stdin(Bytes::from("in"))).await.is_err());
    assert_eq!(hearing.next().await.unwrap(), Some(FromServer::Stdout(Bytes::from("out"))));
    assert_eq!(hearing.next().await.unwrap(), Some(FromServer::Error(Bytes::from("{}"))));
    assert!(hearing.next().await.is_err(), "it has no good end");
}
