//! A client that says exactly the bytes it is told to: what kubectl would never send.

mod answer;

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use rustls::{
    ClientConfig, ClientConnection, ConfigBuilder, RootCertStore, StreamOwned,
    client::WantsClientCert,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::Value;
use testkit::{Cluster, Gate, Session, stand_in::StandIn};

pub use answer::Answer;

/// Reads block no longer than this, so that a test that waits for what does not come fails with a message.
const PATIENCE: Duration = Duration::from_secs(20);

/// Opens TLS connections to a gate, or past it to an API server.
#[derive(Debug, Clone)]
pub struct Client {
    port: u16,
    tls: Arc<ClientConfig>,
    token: String,
    /// Header lines that tell who asks, for [`Client::ask`].
    credential: Vec<String>,
}

impl Client {
    /// A client with a session's token.
    ///
    /// # Errors
    /// The gate's certificate authority cannot be read.
    pub fn new(gate: &Gate, session: &Session<'_>) -> anyhow::Result<Self> {
        let tls = trusting(&std::fs::read(gate.path("ca.crt"))?)?.with_no_client_auth();
        let token = session.token()?;
        let credential = vec![format!("Authorization: Bearer {token}")];
        Ok(Self { port: gate.port(), tls: Arc::new(tls), token, credential })
    }

    /// The cluster's administrator, past every gate.
    ///
    /// # Errors
    /// The kubeconfig has no client certificate.
    pub fn administrator(cluster: &Cluster) -> anyhow::Result<Self> {
        let view = cluster.must(&["config", "view", "--raw", "--minify", "-o", "json"])?;
        let view: Value = serde_json::from_str(&view)?;
        let pem = |pointer: &str| {
            let data = view.pointer(pointer).and_then(Value::as_str).context("not in the kubeconfig")?;
            STANDARD.decode(data).context("not in base64")
        };
        let certificates = pem("/users/0/user/client-certificate-data")?;
        let certificates = CertificateDer::pem_slice_iter(&certificates).collect::<Result<_, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(&pem("/users/0/user/client-key-data")?)?;
        let tls = trusting(&pem("/clusters/0/cluster/certificate-authority-data")?)?
            .with_client_auth_cert(certificates, key)?;
        let port = cluster.server().rsplit(':').next().context("no port")?.parse()?;
        Ok(Self { port, tls: Arc::new(tls), token: String::new(), credential: Vec::new() })
    }

    /// An API server's stand-in, past the gate.
    ///
    /// # Errors
    /// Its certificate authority cannot be read.
    pub fn of(server: &StandIn) -> anyhow::Result<Self> {
        let tls = trusting(server.authority().as_bytes())?.with_no_client_auth();
        let port = server.server().rsplit(':').next().context("no port")?.parse()?;
        Ok(Self { port, tls: Arc::new(tls), token: String::new(), credential: Vec::new() })
    }

    /// The same client, which says to be this user in these groups.
    #[must_use]
    pub fn impersonating(mut self, user: &str, groups: &[&str]) -> Self {
        self.credential.push(format!("Impersonate-User: {user}"));
        self.credential.extend(groups.iter().map(|group| format!("Impersonate-Group: {group}")));
        self
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
        // Or a request waits for the acknowledgement of what came before it, which may take 40 ms.
        tcp.set_nodelay(true)?;
        Ok(StreamOwned::new(ClientConnection::new(Arc::clone(&self.tls), name)?, tcp))
    }

    /// Sends a request line and extra header lines with the client's credential; reads until the server closes.
    ///
    /// # Errors
    /// The server does not listen, or what came is no HTTP/1.1 answer.
    pub fn ask(&self, request_line: &str, headers: &[&str], body: &str) -> anyhow::Result<Answer> {
        Answer::parse(&self.exchange(request_line, headers, body)?)
    }

    /// As [`Client::ask`], but closes the connection once what came so far is so: for watches, which go on when what was waited
    /// for has come. An answer that ends before is given as it is.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn ask_until(
        &self,
        request_line: &str,
        headers: &[&str],
        so: impl Fn(&Answer) -> bool,
    ) -> anyhow::Result<Answer> {
        let mut stream = self.connect()?;
        stream.write_all(self.request(request_line, headers, "").as_bytes())?;
        let (mut came, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
        loop {
            // A reset is an end, too.
            let read = stream.read(&mut buffer).unwrap_or(0);
            came.extend_from_slice(buffer.get(..read).unwrap_or_default());
            // Its head may not be complete yet.
            match Answer::parse(&came) {
                Ok(answer) if read == 0 || so(&answer) => return Ok(answer),
                Err(error) if read == 0 => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// As [`Client::ask`]: everything that came, head and framing included, for answers that are not looked into.
    ///
    /// # Errors
    /// The server does not listen.
    pub fn exchange(&self, request_line: &str, headers: &[&str], body: &str) -> anyhow::Result<Vec<u8>> {
        self.raw(self.request(request_line, headers, body).as_bytes())
    }

    fn request(&self, request_line: &str, headers: &[&str], body: &str) -> String {
        let credential = self.credential.iter().map(String::as_str);
        let lines: Vec<&str> = credential.chain(headers.iter().copied()).collect();
        request(request_line, &lines, body)
    }

    /// As [`Client::ask`], without a token.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn say(&self, request_line: &str, headers: &[&str], body: &str) -> anyhow::Result<Answer> {
        self.bytes(request(request_line, headers, body).as_bytes())
    }

    /// Sends exactly these bytes; reads until the gate closes.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn bytes(&self, request: &[u8]) -> anyhow::Result<Answer> {
        Answer::parse(&self.raw(request)?)
    }

    fn raw(&self, request: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut stream = self.connect()?;
        // A gate that has read enough may answer and close before everything is sent.
        let _rest = stream.write_all(request);
        let mut answer = Vec::new();
        // A reset is an answer too: what came before it counts.
        let _end = stream.read_to_end(&mut answer);
        Ok(answer)
    }

    /// The session's token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }
}

/// A request that asks for the connection to be closed, unless its headers ask for another protocol.
fn request(request_line: &str, headers: &[&str], body: &str) -> String {
    let mut request = format!("{request_line} HTTP/1.1\r\nHost: localhost\r\n");
    if !headers.iter().any(|header| header.starts_with("Upgrade:")) {
        request.push_str("Connection: close\r\n");
    }
    if !body.is_empty() {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    for header in headers {
        request.push_str(header);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    request.push_str(body);
    request
}

fn trusting(pem: &[u8]) -> anyhow::Result<ConfigBuilder<ClientConfig, WantsClientCert>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots))
}
