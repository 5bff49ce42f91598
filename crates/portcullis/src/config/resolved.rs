//! The configuration as the gate uses it: checked, complete, paths absolute or relative to the current folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use approval::Human;
use console::Address;
use gateway::{AccessRules, GlassRules};
use identity::{AgentName, ClusterName, GroupName};
use jiff::SignedDuration;
use mask::Catalogue;
use recording::at_rest::Recipients;
use rustls::sign::CertifiedKey;
use upstream::reader::Reading;

use super::{
    files,
    position::{FieldPath, Position},
    problems::{Collector, Problem, Problems},
};

/// Tells a bundle that comes with the gate from a folder.
const BUILTIN: &str = "builtin:";

/// Everything that `portcullis.yaml` says, with defaults filled in. Holds no secrets, only paths to them.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// SHA-256 of the file's bytes.
    pub digest: [u8; 32],
    /// Where agents connect.
    pub listen: SocketAddr,
    /// What kubeconfigs name as server: `https://HOST[:PORT]`.
    pub public_url: String,
    /// The listener's certificate and key.
    pub tls: Tls,
    /// Where health, readiness and metrics are served.
    pub operations: SocketAddr,
    /// The gate's own data.
    pub data: DataFolder,
    /// The namespace that the gate runs in, which no agent may change.
    pub namespace: String,
    /// What agents may do.
    pub policy: Bundle,
    /// At least one; names are distinct.
    pub clusters: Vec<Cluster>,
    /// At least one; names are distinct.
    pub agents: Vec<Agent>,
    /// The humans who may decide; none shares a name or an account with another.
    pub approvers: Vec<Approver>,
    /// How what waits for humans is treated.
    pub approvals: Approvals,
    /// People's side, in a browser, if there is one.
    pub console: Option<Console>,
    /// Where people are told; names are distinct.
    pub notices: Vec<notices::Target>,
    /// Bounds of every session.
    pub sessions: Sessions,
    /// What sessions did and were shown.
    pub recordings: Recordings,
    /// What clients may use up.
    pub limits: Limits,
    /// How long to wait for an API server.
    pub upstream: Upstream,
}

/// The listener's PEM files.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The certificate, then its intermediates.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// What kubeconfigs embed; `None`: clients use their system's trust.
    pub ca: Option<PathBuf>,
}

/// The folder of the gate's own data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFolder(PathBuf);

/// Where policy comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bundle {
    /// One that comes with the gate, by name.
    Builtin(String),
    /// A folder of `*.cedar` files.
    Folder(PathBuf),
}

/// A cluster that the gate guards.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// The name that sessions and policy use.
    pub name: ClusterName,
    /// Where the gate's credential comes from.
    pub source: ClusterSource,
    /// Ids of fixed denials that the operator lifted.
    pub lift: BTreeSet<String>,
    /// What is masked in its answers.
    pub masking: Masking,
    /// Where in the file it stands.
    pub at: Position,
}

/// What is masked in a cluster's answers.
#[derive(Debug, Clone)]
pub struct Masking {
    /// Which Secrets are read so that their values are masked wherever they appear; `None` for none.
    pub reading: Option<Reading>,
    /// Where secrets hide.
    pub catalogue: Catalogue,
}

/// Where the gate's credential for a cluster comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterSource {
    /// A context of a kubeconfig file; its current context where none is named.
    Kubeconfig {
        /// The file.
        file: PathBuf,
        /// The context's name.
        context: Option<String>,
    },
    /// The service account of the pod that the gate runs in.
    InCluster,
}

/// An agent that may have sessions.
#[derive(Debug, Clone)]
pub struct Agent {
    /// The name that policy and RBAC use.
    pub name: AgentName,
    /// Groups that policy and RBAC may name; distinct.
    pub groups: Vec<GroupName>,
    /// The clusters on which it may have sessions; at least one.
    pub clusters: Vec<ClusterName>,
}

/// A human who may decide what policy asks about.
#[derive(Debug, Clone)]
pub struct Approver {
    /// Their names and groups; no other approver has one of the names.
    pub human: Human,
    /// Their account on the gate's own machine; nobody else's.
    pub account: Option<u32>,
}

/// How what waits for humans is treated.
#[derive(Debug, Clone)]
pub struct Approvals {
    /// How long a call waits before its client is told to come back.
    pub hold: Duration,
    /// How long a request can be decided.
    pub decide_within: Duration,
    /// How long a yes can be used.
    pub use_within: Duration,
    /// Requests of one session that may be pending.
    pub pending: u32,
    /// Requests that one session may make in all.
    pub asked: u32,
    /// Whether a request is withdrawn when its client hangs up.
    pub withdraw_when_client_leaves: bool,
    /// Who gives access for a time, if anybody does.
    pub access: Option<AccessRules>,
    /// Who may break the glass, if anybody may.
    pub break_glass: Option<GlassRules>,
}

/// People's side, in a browser.
#[derive(Debug, Clone)]
pub struct Console {
    /// Where browsers connect.
    pub listen: SocketAddr,
    /// Where they find it.
    pub address: Address,
    /// Its certificate and key, if its address has `https`.
    pub tls: Option<Tls>,
    /// Who vouches for people beside the accounts of this machine.
    pub oidc: Option<Oidc>,
}

/// An OpenID provider.
#[derive(Debug, Clone)]
pub struct Oidc {
    /// Where it is and what the gate is to it.
    pub settings: oidc::Settings,
    /// Its groups that count.
    pub groups: BTreeSet<String>,
    /// Whether its addresses are verified, though it does not say so.
    pub addresses_are_verified: bool,
}

/// Bounds of every session.
#[derive(Debug, Clone)]
pub struct Sessions {
    /// The longest a session may last.
    pub max_ttl: Duration,
    /// Calls that one session may have open at once.
    pub calls_at_once: usize,
    /// Known secret values, and guesses at them, that one session may send before it is frozen.
    pub known_values_sent: u32,
}

/// What sessions did and were shown.
#[derive(Debug, Clone)]
pub struct Recordings {
    /// The folder of all recordings.
    pub folder: PathBuf,
    /// Bytes kept free on its disk.
    pub reserve: u64,
    /// Bytes of it that one session's recording may have.
    pub quota: u64,
    /// Bytes that may wait for the disk.
    pub queue: usize,
    /// How long after its last record a recording is erased; `None`: never.
    pub keep: Option<Keep>,
    /// To whom they are encrypted; `None`: they are not.
    pub recipients: Option<Recipients>,
    /// What the console reads them with; `None`: it reads only what is not encrypted.
    pub identity: Option<PathBuf>,
    /// What the gate keeps values with; `None`: it keeps none.
    pub values: Option<PathBuf>,
}

/// How long recordings are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// The time span.
    pub span: Duration,
    /// The same, as it was written.
    pub text: String,
}

/// What clients may use up before others suffer.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Open connections, all clients together.
    pub connections: usize,
    /// Open connections from one address, or one IPv6 network of 64 bits.
    pub connections_per_address: usize,
    /// Bytes of a request's head.
    pub header_bytes: usize,
    /// For the TLS handshake, and again for a request's head.
    pub header_timeout: Duration,
    /// How long a connection may be open without a call.
    pub idle_timeout: Duration,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// For a request's body to arrive.
    pub body_timeout: Duration,
    /// How long a client may take nothing of an answer that is there.
    pub write_timeout: Duration,
    /// How often an idle connection is asked whether it is still there.
    pub keep_alive: Duration,
    /// How long open calls may go on once the gate is told to stop.
    pub drain: Duration,
    /// Bytes kept free on the ledger's disk.
    pub ledger_reserve: usize,
}

/// How long to wait for an API server.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// To connect, TLS included.
    pub connect_timeout: Duration,
    /// From sending a request to the head of its answer.
    pub response_timeout: Duration,
}

// === impl Config ===

impl Config {
    /// The cluster of this name.
    #[must_use]
    pub fn cluster(&self, name: &str) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.name.as_str() == name)
    }

    /// What is wrong with clusters that only their use shows, by index, as problems of the file.
    ///
    /// # Errors
    /// What was given, if anything was.
    pub(crate) fn unusable_clusters(&self, found: Vec<(usize, String)>) -> Result<(), Problems> {
        let mut problems = Collector::default();
        for (index, message) in found {
            let field = FieldPath::root().key("clusters").index(index);
            let at = self.clusters.get(index).map(|cluster| cluster.at);
            problems.add(Problem::new(at, &field, message));
        }
        problems.finish(&self.file)
    }

    /// The agents and the rules for their sessions, as `identity` wants them.
    ///
    /// # Errors
    /// None of a configuration that was loaded: it has been checked.
    pub fn identities(&self) -> Result<identity::Agents, Vec<identity::AgentsProblem>> {
        let clusters = self.clusters.iter().map(|cluster| cluster.name.clone());
        let agents = self.agents.iter().map(|agent| {
            let clusters = agent.clusters.iter().cloned().collect();
            (agent.name.clone(), identity::Agent { groups: agent.groups.clone(), clusters })
        });
        let max_ttl = SignedDuration::try_from(self.sessions.max_ttl).unwrap_or(SignedDuration::MAX);
        identity::Agents::new(clusters, agents, max_ttl)
    }

    /// What policy is to be judged under: the gate's own namespace, and what the operator lifted.
    ///
    /// # Errors
    /// Something is lifted that cannot be.
    pub fn settings(&self) -> Result<policy::Settings, policy::Problems> {
        policy::Settings::new(policy::Own::in_namespace(&self.namespace), self.lifted())
    }

    /// The fixed denials that the operator lifted, by cluster: what `policy::Settings` wants.
    #[must_use]
    pub fn lifted(&self) -> BTreeMap<String, BTreeSet<String>> {
        self.clusters.iter().map(|cluster| (cluster.name.to_string(), cluster.lift.clone())).collect()
    }
}

// === impl Tls ===

impl Tls {
    /// The certificate chain and its key, for a listener. Reads the files again, so that a renewed certificate is found.
    ///
    /// # Errors
    /// A file is missing or not what it should be, others may read the key, or the two do not belong together.
    pub fn certified_key(&self) -> Result<Arc<CertifiedKey>, TlsUnusable> {
        let load = || {
            let chain = files::certificates(&self.certificate)?;
            files::certified_key(chain, files::private_key(&self.key)?)
        };
        load().map(Arc::new).map_err(TlsUnusable)
    }

    /// The text of the CA file, for kubeconfigs.
    ///
    /// # Errors
    /// The file is missing or holds no certificate.
    pub fn ca_pem(&self) -> Result<Option<String>, TlsUnusable> {
        let Some(file) = &self.ca else { return Ok(None) };
        files::certificates(file).and_then(|_| files::read(file)).map(Some).map_err(TlsUnusable)
    }
}

/// A certificate or key that the listener cannot use.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TlsUnusable(String);

// === impl DataFolder ===

impl DataFolder {
    /// The folder at `path`, which need not exist yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The ledger's folder.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.0.join("ledger")
    }

    /// The file of the key that signs the ledger's checkpoints.
    #[must_use]
    pub fn ledger_key(&self) -> PathBuf {
        self.0.join("ledger.key")
    }

    /// The ledger's key, for whoever verifies it.
    #[must_use]
    pub fn ledger_vkey(&self) -> PathBuf {
        self.ledger().join("ledger.vkey")
    }

    /// The folder of what sessions did and were shown, unless the configuration names another.
    #[must_use]
    pub fn recordings(&self) -> PathBuf {
        self.0.join("recordings")
    }

    /// What the console looks things up in: made from the ledger, and anew when it is lost.
    #[must_use]
    pub fn chronicle(&self) -> PathBuf {
        self.0.join("chronicle.sqlite")
    }

    /// The Unix socket of the admin API.
    #[must_use]
    pub fn admin_socket(&self) -> PathBuf {
        self.0.join("admin.sock")
    }
}

// === impl Bundle ===

impl From<&str> for Bundle {
    /// `builtin:NAME`, or a folder.
    fn from(text: &str) -> Self {
        match text.strip_prefix(BUILTIN) {
            Some(name) => Self::Builtin(name.to_owned()),
            None => Self::Folder(text.into()),
        }
    }
}

impl fmt::Display for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(name) => write!(f, "{BUILTIN}{name}"),
            Self::Folder(folder) => write!(f, "{}", folder.display()),
        }
    }
}
