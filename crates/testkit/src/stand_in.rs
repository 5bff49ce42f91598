//! A stand-in for an API server (HTTP/2 and HTTP/1.1 over TLS) that does what a test tells it to: what no real one can be made to do.

mod certificates;
mod heard;
mod reply;
mod serve;

use std::{collections::BTreeMap, fmt, fs, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Method, Uri, Version};
use tokio::{runtime::Runtime, sync::watch};

use certificates::Certificates;
pub use reply::{Hold, Reply};

/// How long a test waits for what does not come, before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a stand-in differs from the usual API server.
#[derive(Debug, Clone)]
pub struct Habits {
    /// Streams that one connection may carry at once; Go's servers say 250.
    pub streams: u32,
    /// The protocols that it offers by ALPN.
    pub protocols: Vec<Vec<u8>>,
    /// Take connections and say nothing, not even the TLS handshake.
    pub mute: bool,
    /// Keep what arrives, byte by byte, also after an answer `101`.
    pub listening: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self { streams: 250, protocols: vec![b"h2".to_vec()], mute: false, listening: false }
    }
}

/// A request as it arrived, whole.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Which connection it came on, from 1.
    pub connection: usize,
    /// Its protocol.
    pub version: Version,
    /// Its method.
    pub method: Method,
    /// Its target, scheme and authority included.
    pub uri: Uri,
    /// Its headers, as they came.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Whether a client certificate of the stand-in's own authority was shown.
    pub certified: bool,
}

impl Seen {
    /// The values of a header, one after the other.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<String> {
        let values = self.headers.get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    }
}

/// What a stand-in has seen so far.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// TCP connections that were taken.
    pub connections: usize,
    /// Those of them that are open.
    pub open: usize,
    /// Every request, in the order in which they were complete.
    pub requests: Vec<Seen>,
    /// Answers that were begun and whose end, or whose client's leaving, is not yet seen.
    pub answering: usize,
    /// What has arrived on all connections, for one that is [`Habits::listening`].
    pub heard: Vec<u8>,
    /// The same, by connection.
    pub heard_on: BTreeMap<usize, Vec<u8>>,
}

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

/// A running stand-in. Ended when dropped.
pub struct StandIn {
    port: u16,
    certificates: Certificates,
    shared: Arc<Shared>,
    /// Its own, so that a test may block; always there until dropped.
    runtime: Option<Runtime>,
}

/// What its connections share.
struct Shared {
    script: Box<Script>,
    habits: Habits,
    observed: watch::Sender<Observed>,
    /// Counted up to end every connection that is open.
    ended: watch::Sender<u64>,
}

impl StandIn {
    /// A usual API server that answers every request as `script` says.
    ///
    /// # Errors
    /// No port, or no certificate.
    pub fn start(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> anyhow::Result<Self> {
        Self::with(Habits::default(), script)
    }

    /// As [`StandIn::start`], with habits of its own.
    ///
    /// # Errors
    /// As [`StandIn::start`].
    pub fn with(
        habits: Habits,
        script: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let certificates = Certificates::new()?;
        let tls = certificates.acceptor(&habits.protocols)?;
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            habits,
            observed: watch::Sender::default(),
            ended: watch::Sender::default(),
        });
        let serving = serve::serve(listener, tls, Arc::clone(&shared));
        runtime.spawn(serving);
        Ok(Self { port, certificates, shared, runtime: Some(runtime) })
    }

    /// A kubeconfig for it with this user, as `{token: t}`.
    #[must_use]
    pub fn kubeconfig(&self, user: &str) -> String {
        let authority = STANDARD.encode(self.authority());
        self.kubeconfig_with(&format!("certificate-authority-data: {authority}"), user)
    }

    /// As [`StandIn::kubeconfig`], with the cluster's other fields given, as `insecure-skip-tls-verify: true`.
    #[must_use]
    pub fn kubeconfig_with(&self, cluster: &str, user: &str) -> String {
        let server = self.server();
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
             clusters: [{{name: c, cluster: {{server: \"{server}\", {cluster}}}}}]\n\
             users: [{{name: c, user: {user}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: c}}}}]\n"
        )
    }

    /// Its address.
    #[must_use]
    pub fn server(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The certificate, PEM, that its own verifies against.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.certificates.authority()
    }

    /// The user of a kubeconfig with a client certificate that it knows.
    ///
    /// # Errors
    /// No certificate could be made.
    pub fn certified_user(&self) -> anyhow::Result<String> {
        let (certificate, key) = self.client_certificate()?;
        let (certificate, key) = (STANDARD.encode(certificate), STANDARD.encode(key));
        Ok(format!("{{client-certificate-data: {certificate}, client-key-data: {key}}}"))
    }

    /// A client certificate that it knows and its key, PEM.
    ///
    /// # Errors
    /// No certificate could be made.
    pub fn client_certificate(&self) -> anyhow::Result<(String, String)> {
        self.certificates.client()
    }

    /// What it has seen so far.
    #[must_use]
    pub fn observed(&self) -> Observed {
        self.shared.observed.borrow().clone()
    }

    /// The requests it has seen so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        self.observed().requests
    }

    /// Ends every connection that is open, at once and without a farewell.
    pub fn end_connections(&self) {
        self.shared.ended.send_modify(|ended| *ended += 1);
    }

    /// Waits until what it has seen is so.
    ///
    /// # Errors
    /// It did not become so in time; `what` and what was seen are in the message.
    pub async fn until(&self, what: &str, so: impl FnMut(&Observed) -> bool) -> anyhow::Result<()> {
        let mut observed = self.shared.observed.subscribe();
        let waited = tokio::time::timeout(PATIENCE, observed.wait_for(so)).await;
        match waited {
            Ok(seen) => seen.map(drop).context("the stand-in has ended"),
            Err(_elapsed) => anyhow::bail!("{what}: not so after {PATIENCE:?}: {:?}", self.observed()),
        }
    }

    /// [`StandIn::until`], for tests that are not async.
    ///
    /// # Errors
    /// As [`StandIn::until`].
    pub fn wait(&self, what: &str, so: impl FnMut(&Observed) -> bool) -> anyhow::Result<()> {
        let runtime = self.runtime.as_ref().context("the stand-in has ended")?;
        runtime.block_on(self.until(what, so))
    }

    /// Writes what a pod finds of its service account: `token` and `ca.crt`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn service_account(&self, folder: &Path, token: &str) -> anyhow::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("token"), token)?;
        Ok(fs::write(folder.join("ca.crt"), self.authority())?)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // Not awaited: a test may drop it inside a runtime of its own.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandIn").field("port", &self.port).finish_non_exhaustive()
    }
}
