use std::time::Duration;

use tokio::io::duplex;

use super::*;

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
    tokio::io::AsyncWriteExt::write_all(&mut other, b"second").await.unwrap();
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
