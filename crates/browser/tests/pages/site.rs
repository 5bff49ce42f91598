//! A web server on loopback, of a few fixed pages.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivatePkcs8KeyDer};

/// A path, headers of its own (each with its line's end) and what is there.
pub(crate) type Resource = (&'static str, &'static str, &'static str);

/// A site, served until the tests end.
pub(crate) struct Site {
    origin: String,
}

impl Site {
    pub(crate) fn start(resources: &'static [Resource]) -> anyhow::Result<Self> {
        let port = listen(move |stream| answer(stream, resources))?;
        Ok(Self { origin: format!("http://localhost:{port}") })
    }

    /// With a certificate that nobody vouches for.
    pub(crate) fn with_tls(resources: &'static [Resource]) -> anyhow::Result<Self> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())?;
        let config = Arc::new(config);
        let port = listen(move |stream| {
            let tls = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
            let mut stream = StreamOwned::new(tls, stream);
            answer(&mut stream, resources)?;
            stream.conn.send_close_notify();
            stream.flush()
        })?;
        Ok(Self { origin: format!("https://localhost:{port}") })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

/// Serves each connection on a thread of its own, since browsers open some that they may never use.
fn listen(serve: impl Fn(TcpStream) -> io::Result<()> + Clone + Send + 'static) -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    Ok(port)
}

/// Answers one request.
fn answer(mut stream: impl Read + Write, resources: &[Resource]) -> io::Result<()> {
    let mut lines = BufReader::new(&mut stream).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let found = resources.iter().find(|(at, _, _)| *at == path);
    let (status, headers, body) = match found {
        Some((_, headers, body)) => ("200 OK", *headers, *body),
        None => ("404 Not Found", "", "nothing is here"),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        body.len()
    )?;
    stream.flush()
}
