//! A client that says exactly the bytes it is told to: what kubectl would never send.

mod answer;

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::pem::PemObject};
use testkit::{Gate, Session};

pub use answer::Answer;

/// Reads block no longer than this, so that a test that waits for what does not come fails with a message.
const PATIENCE: Duration = Duration::from_secs(20);

/// Opens TLS connections to a gate.
#[derive(Debug, Clone)]
pub struct Client {
    port: u16,
    tls: Arc<ClientConfig>,
    token: String,
}

impl Client {
    /// A client with a session's token.
    ///
    /// # Errors
    /// The gate's certificate authority cannot be read.
    pub fn new(gate: &Gate, session: &Session<'_>) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        let pem = std::fs::read(gate.path("ca.crt"))?;
        for certificate in rustls::pki_types::CertificateDer::pem_slice_iter(&pem) {
            roots.add(certificate?)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { port: gate.port(), tls: Arc::new(tls), token: session.token()? })
    }

    /// The same client, which offers this protocol by ALPN.
    #[must_use]
    pub fn offering(mut self, protocol: &[u8]) -> Self {
        Arc::make_mut(&mut self.tls).alpn_protocols = vec![protocol.to_vec()];
        self
    }

    /// A connection, for tests that read as it comes.
    ///
    /// # Errors
    /// The gate does not listen.
    pub fn connect(&self) -> anyhow::Result<StreamOwned<ClientConnection, TcpStream>> {
        let name = "localhost".try_into().context("server name")?;
        let tcp = TcpStream::connect(("127.0.0.1", self.port))?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        Ok(StreamOwned::new(ClientConnection::new(Arc::clone(&self.tls), name)?, tcp))
    }

    /// Sends a request line and extra header lines with the session's token; reads until the gate closes.
    ///
    /// # Errors
    /// The gate does not listen, or what came is no HTTP/1.1 answer.
    pub fn ask(&self, request_line: &str, headers: &[&str], body: &str) -> anyhow::Result<Answer> {
        let authorization = format!("Authorization: Bearer {}", self.token);
        let mut lines = vec![authorization.as_str()];
        lines.extend(headers);
        self.say(request_line, &lines, body)
    }

    /// As [`Client::ask`], without a token.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn say(&self, request_line: &str, headers: &[&str], body: &str) -> anyhow::Result<Answer> {
        let mut request = format!("{request_line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        if !body.is_empty() {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        request.push_str(body);
        self.bytes(request.as_bytes())
    }

    /// Sends exactly these bytes; reads until the gate closes.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn bytes(&self, request: &[u8]) -> anyhow::Result<Answer> {
        let mut stream = self.connect()?;
        // A gate that has read enough may answer and close before everything is sent.
        let _rest = stream.write_all(request);
        let mut answer = Vec::new();
        // A reset is an answer too: what came before it counts.
        let _end = stream.read_to_end(&mut answer);
        Answer::parse(&answer)
    }

    /// The session's token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }
}
