//! Connections that hold a place and ask for nothing.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::bench::Bench;

/// As many as one address may have.
const OF_ONE_ADDRESS: usize = 100;

async fn listening(bench: &Bench) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(crate::serve(bench.console.clone(), vec![listener], None, CancellationToken::new()));
    address
}

/// What comes until the other side ends it.
async fn rest(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    let _ended_or_reset = stream.read_to_end(&mut rest).await;
    String::from_utf8(rest).unwrap()
}

#[tokio::test]
async fn whoever_asks_for_nothing_in_time_is_let_go() {
    let bench = Bench::new().await;
    let address = listening(&bench).await;
    for begun in ["", "GET", "GET / HTTP/1.1\r\nHost: localhost"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        // From here on, time passes as soon as nothing else happens.
        tokio::time::pause();
        let told = rest(&mut stream).await;
        tokio::time::resume();
        assert!(told.is_empty() || told.starts_with("HTTP/1.1 408"), "{begun}: {told}");
    }
}

#[tokio::test]
async fn one_address_has_a_share_of_the_room_and_gets_it_back() {
    let bench = Bench::new().await;
    let address = listening(&bench).await;
    let mut open = Vec::new();
    for _ in 0..OF_ONE_ADDRESS {
        open.push(TcpStream::connect(address).await.unwrap());
    }
    let mut beyond = TcpStream::connect(address).await.unwrap();
    assert_eq!(rest(&mut beyond).await, "");
    let ask = "GET /sign-in HTTP/1.1\r\nHost: localhost:8444\r\nConnection: close\r\n\r\n";
    let mut first = open.pop().unwrap();
    first.write_all(ask.as_bytes()).await.unwrap();
    assert!(rest(&mut first).await.starts_with("HTTP/1.1 200"));
    // Its place is free once the server has seen the end.
    loop {
        let mut next = TcpStream::connect(address).await.unwrap();
        if next.write_all(ask.as_bytes()).await.is_ok() && rest(&mut next).await.starts_with("HTTP/1.1 200") {
            break;
        }
    }
}
