use std::sync::Arc;

use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, pki_types::ServerName};

use super::*;

/// Cut into pieces of `cut` bytes.
fn told(bytes: &[u8], cut: usize) -> String {
    let (mut fingerprint, known) = (Fingerprint::default(), KnownValues::none());
    for piece in bytes.chunks(cut) {
        fingerprint.push(piece, &known);
    }
    fingerprint.to_string()
}

fn hello(name: &'static str) -> Vec<u8> {
    let config = ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    let name = ServerName::try_from(name).unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    hello
}

#[test]
fn the_first_words_tell_what_it_is() {
    let long = [b"GET /".as_slice(), &[b'a'; LONGEST_LINE], b" HTTP/1.1\r\n"].concat();
    let cut_hello = hello("db.example").into_iter().take(100).collect::<Vec<u8>>();
    let cases: [(&str, Vec<u8>); 14] = [
        ("request", b"GET /items?token=x HTTP/1.1\r\nHost: a\r\n\r\n".into()),
        ("proxy", b"GET http://ada:pw@a/ HTTP/1.1\r\n".into()),
        ("http/1.0", b"POST /a HTTP/1.0\n".into()),
        ("http/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into()),
        ("tls", hello("db.example")),
        ("tls by address", hello("192.0.2.1")),
        ("half a hello", cut_hello),
        ("broken hello", [22, 3, 1, 0, 4, 9, 9, 9, 9].into()),
        ("endless hello", [22, 3, 1, 0x40, 0].into_iter().chain([1; 20_000]).collect()),
        ("ssh", b"SSH-2.0-OpenSSH_9.6\r\n".into()),
        ("postgres", [0, 0, 0, 8, 4, 210, 22, 47].into()),
        ("half a line", b"GET /".into()),
        ("long line", long),
        ("nothing", Vec::new()),
    ];
    let told: Vec<String> = cases
        .iter()
        .map(|(what, bytes)| {
            let whole = told(bytes, usize::MAX);
            for cut in [1, 7, 1000] {
                assert_eq!(told(bytes, cut), whole, "{what} by {cut}");
            }
            format!("{what}: {whole}")
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}
