//! A scripted HTTP server.

use std::net::SocketAddr;
use std::sync::Arc;

use notices::{Channel, Target};
use parking_lot::Mutex;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
    BufReader,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::support::{SECRET, SECRET_PATH, file, target};

/// What a client sent.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// What it gets.
pub(crate) enum Answer {
    Status(u16),
    With(u16, String),
    /// A good head, and a body without end.
    Endless,
    /// Nothing, on a connection that stays open.
    Nothing,
    /// Nothing, on a connection that is closed.
    Close,
}

/// A server, and what it has seen.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: mpsc::UnboundedReceiver<Request>,
}

type Script = Arc<Mutex<dyn FnMut(&Request) -> Answer + Send>>;

impl Server {
    pub(crate) async fn start(script: impl FnMut(&Request) -> Answer + Send + 'static) -> Self {
        Self::listen(Arc::new(Mutex::new(script)), None).await
    }

    pub(crate) async fn with_tls(tls: TlsAcceptor) -> Self {
        Self::listen(Arc::new(Mutex::new(|_: &Request| Answer::Status(200))), Some(tls)).await
    }

    async fn listen(script: Script, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, seen) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, tell, tls) = (script.clone(), tell.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, script, tell).await,
                        // A client that does not trust us goes away.
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, script, tell).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { address, seen }
    }

    /// The next request, as soon as it has been answered or is about to be.
    pub(crate) async fn next(&mut self) -> Request {
        self.seen.recv().await.unwrap()
    }

    /// Requests that nobody has looked at.
    pub(crate) fn rest(&mut self) -> Vec<Request> {
        std::iter::from_fn(|| self.seen.try_recv().ok()).collect()
    }

    pub(crate) fn webhook(&self, name: &str) -> Target {
        let address = format!("http://{}{SECRET_PATH}", self.address).parse().unwrap();
        target(name, Channel::Webhook { address, secret_file: file(SECRET) })
    }
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(known, _)| known == name).unwrap().1
    }

    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    /// When it says that it was sent, in seconds.
    pub(crate) fn at(&self) -> i64 {
        self.header("webhook-timestamp").parse().unwrap()
    }
}

/// Answers what comes on one connection. `None`: it has ended.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    script: Script,
    tell: mpsc::UnboundedSender<Request>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let request = read(&mut stream).await?;
        let answer = script.lock()(&request);
        let _test_ended = tell.send(request);
        match answer {
            Answer::Status(status) => reply(&mut stream, status, "").await?,
            Answer::With(status, header) => reply(&mut stream, status, &format!("{header}\r\n")).await?,
            Answer::Endless => {
                let head = "HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n";
                stream.get_mut().write_all(head.as_bytes()).await.ok()?;
                loop {
                    stream.get_mut().write_all(&[b'x'; 1024]).await.ok()?;
                }
            }
            Answer::Nothing => std::future::pending().await,
            Answer::Close => return None,
        }
    }
}

async fn reply(
    stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
    status: u16,
    header: &str,
) -> Option<()> {
    let head = format!("HTTP/1.1 {status} X\r\n{header}content-length: 2\r\n\r\nok");
    stream.get_mut().write_all(head.as_bytes()).await.ok()
}

async fn read(stream: &mut (impl AsyncBufRead + Unpin)) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let headers: Vec<_> = lines[1..]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let mut request = Request { line: lines[0].clone(), headers, body: String::new() };
    let mut body = vec![0; request.header("content-length").parse().unwrap()];
    stream.read_exact(&mut body).await.ok()?;
    request.body = String::from_utf8(body).unwrap();
    Some(request)
}

/// A server's side of TLS as `127.0.0.1`, and the file of the certificate that a client has to trust.
pub(crate) fn tls() -> (TlsAcceptor, std::path::PathBuf) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), file(&cert.pem()))
}
