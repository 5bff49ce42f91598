//! From what is written to what is meant: values read, defaults filled in, references checked.
//!
//! A part that is wrong is reported once and skipped, and the checks go on, so that one run tells everything.

mod masking;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use identity::{AgentName, ClusterName, GroupName};
use policy::FixedDenial;

use crate::bundles::{self, BundleError};

use super::{
    Files, defaults, files,
    files::ContextProblem,
    namespace,
    position::FieldPath,
    problems::{Collector, Problem},
    raw,
    resolved::{Agent, Bundle, Cluster, ClusterSource, Config, DataFolder, Limits, Sessions, Tls, Upstream},
    suggest::suggestion,
    tree::Node,
    values,
};

const SMALLEST_HEADER: usize = 8 << 10;
const LARGEST_HEADER: usize = 1 << 20;
const SMALLEST_BODY: usize = 1 << 10;
/// `MaxRequestBodyBytes` of k8s.io/apiserver.
const LARGEST_BODY: usize = 3 << 20;
/// The outcomes of some thousands of calls.
const SMALLEST_RESERVE: usize = 1 << 20;
const LARGEST_RESERVE: usize = 1 << 40;
const LONGEST_SESSION: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// What resolving needs to know about the file.
pub(super) struct Context<'a> {
    pub(super) file: PathBuf,
    pub(super) digest: [u8; 32],
    /// For positions.
    pub(super) tree: &'a Node,
    pub(super) files: Files,
}

/// `None` when something that a configuration cannot do without is missing or wrong; that has been reported.
pub(super) fn resolve(raw: raw::Config, context: Context<'_>, problems: &mut Collector) -> Option<Config> {
    let mut resolver = Resolver { context, problems };
    resolver.config(raw)
}

struct Resolver<'a> {
    context: Context<'a>,
    problems: &'a mut Collector,
}

impl Resolver<'_> {
    fn config(&mut self, raw: raw::Config) -> Option<Config> {
        let root = FieldPath::root();
        let listen = raw.listen.unwrap_or_else(|| defaults::LISTEN.to_owned());
        let listen = self.read(&root.key("listen"), values::address(&listen));
        let public_url =
            raw.public_url.and_then(|url| self.read(&root.key("public_url"), values::public_url(&url)));
        let tls = raw.tls.and_then(|tls| self.tls(tls, &root.key("tls")));
        let operations = self.operations(raw.operations, &root.key("operations"));
        let data = raw.data.unwrap_or_else(|| defaults::DATA.to_owned());
        let data = self.path(&data, &root.key("data")).map(DataFolder::new);
        let namespace = self.namespace(raw.namespace.as_deref(), &root.key("namespace"));
        let policy = raw.policy.and_then(|policy| policy.bundle);
        let policy = policy.and_then(|bundle| self.bundle(&bundle, &root.key("policy").key("bundle")));
        let clusters = self.clusters(raw.clusters.unwrap_or_default(), &root.key("clusters"));
        let agents = self.agents(raw.agents.unwrap_or_default(), &clusters, &root.key("agents"));
        let sessions = self.sessions(raw.sessions.unwrap_or_default(), &root.key("sessions"));
        let limits = self.limits(raw.limits.unwrap_or_default(), &root.key("limits"));
        let upstream = self.upstream(raw.upstream.unwrap_or_default(), &root.key("upstream"));
        Some(Config {
            file: self.context.file.clone(),
            digest: self.context.digest,
            listen: listen?,
            public_url: public_url?,
            tls: tls?,
            operations: operations?,
            data: data?,
            namespace: namespace?,
            policy: policy?,
            clusters: clusters.list,
            agents,
            sessions: sessions?,
            limits: limits?,
            upstream: upstream?,
        })
    }

    fn tls(&mut self, raw: raw::Tls, at: &FieldPath) -> Option<Tls> {
        let (certificate_at, key_at, ca_at) = (at.key("certificate"), at.key("key"), at.key("ca"));
        let certificate = raw.certificate.and_then(|path| self.path(&path, &certificate_at));
        let key = raw.key.and_then(|path| self.path(&path, &key_at));
        let ca = match raw.ca {
            Some(path) => Some(self.path(&path, &ca_at)?),
            None => None,
        };
        if self.context.files == Files::Check {
            if let Some(ca) = &ca {
                self.read(&ca_at, files::certificates(ca));
            }
            let chain =
                certificate.as_ref().and_then(|file| self.read(&certificate_at, files::certificates(file)));
            let private = key.as_ref().and_then(|file| self.read(&key_at, files::private_key(file)));
            if let (Some(chain), Some(private)) = (chain, private) {
                self.read(&key_at, files::certified_key(chain, private));
            }
        }
        Some(Tls { certificate: certificate?, key: key?, ca })
    }

    fn operations(&mut self, raw: Option<raw::Operations>, at: &FieldPath) -> Option<std::net::SocketAddr> {
        let listen = raw.and_then(|raw| raw.listen).unwrap_or_else(|| defaults::OPERATIONS.to_owned());
        self.read(&at.key("listen"), values::address(&listen))
    }

    fn namespace(&mut self, written: Option<&str>, at: &FieldPath) -> Option<String> {
        let mounted = match self.context.files {
            Files::Check => self.read(at, namespace::mounted(Path::new(namespace::MOUNT)))?,
            Files::Ignore => None,
        };
        self.read(at, namespace::own(written, mounted.as_deref()))
    }

    fn bundle(&mut self, written: &str, at: &FieldPath) -> Option<Bundle> {
        if let bundle @ Bundle::Builtin(_) = Bundle::from(written) {
            self.read(at, bundles::sources(&bundle).map_err(|error| error.to_string()))?;
            return Some(bundle);
        }
        let folder = self.path(written, at)?;
        if self.context.files == Files::Check && !folder.is_dir() {
            let message = format!(
                "`{}` is not a folder; name a folder of `*.cedar` files, or a bundle such as `builtin:developer`",
                folder.display()
            );
            return self.refuse(at, message);
        }
        let bundle = Bundle::Folder(folder);
        if self.context.files == Files::Check {
            self.rules(&bundle, at)?;
        }
        Some(bundle)
    }

    /// Compiles a bundle: each problem of its rules, with its own place, is one of the configuration.
    fn rules(&mut self, bundle: &Bundle, at: &FieldPath) -> Option<()> {
        match bundles::load(bundle) {
            Ok(_usable) => Some(()),
            Err(BundleError::Rules(problems)) => {
                for problem in problems.iter() {
                    self.report(at, problem.to_string());
                }
                None
            }
            Err(error) => self.refuse(at, error.to_string()),
        }
    }

    fn clusters(&mut self, raw: Vec<raw::Cluster>, at: &FieldPath) -> Clusters {
        let mut clusters = Clusters::default();
        for (index, raw) in raw.into_iter().enumerate() {
            let at = at.index(index);
            let source = self.cluster_source(&raw, &at);
            let name =
                raw.name.and_then(|name| self.name("cluster", &name, &clusters.names, &at.key("name")));
            clusters.names.extend(name.clone());
            let lift = self.lift(raw.lift.unwrap_or_default(), &at.key("lift"));
            let masking = self.masking(raw.masking.unwrap_or_default(), &at.key("masking"));
            if let (Some(name), Some(source), Some(masking)) = (name, source, masking) {
                let at = self.context.tree.locate(&at);
                clusters.list.push(Cluster { name, source, lift, masking, at });
            }
        }
        clusters
    }

    fn cluster_source(&mut self, raw: &raw::Cluster, at: &FieldPath) -> Option<ClusterSource> {
        let in_cluster = raw.in_cluster.unwrap_or(false);
        match (&raw.kubeconfig, in_cluster) {
            (Some(_), true) => self.refuse(at, "give either `kubeconfig` or `in_cluster: true`, not both"),
            (None, true) if raw.context.is_some() => {
                self.refuse(&at.key("context"), "a context belongs to a `kubeconfig`; remove it")
            }
            (None, true) => Some(ClusterSource::InCluster),
            // A field that is misspelt or of the wrong type was most likely meant to be one of them.
            (None, false) if self.problems.has_below(at) => None,
            (None, false) => {
                self.refuse(at, "give the gate's credential: `kubeconfig: FILE` or `in_cluster: true`")
            }
            (Some(file), false) => {
                let file = self.path(file, &at.key("kubeconfig"))?;
                let context = raw.context.clone();
                if self.context.files == Files::Check {
                    match files::kubeconfig(&file, context.as_deref()) {
                        Ok(()) => {}
                        Err(ContextProblem::File(message)) => {
                            return self.refuse(&at.key("kubeconfig"), message);
                        }
                        Err(ContextProblem::Context(message)) => {
                            return self.refuse(&at.key("context"), message);
                        }
                    }
                }
                Some(ClusterSource::Kubeconfig { file, context })
            }
        }
    }

    fn lift(&mut self, written: Vec<String>, at: &FieldPath) -> BTreeSet<String> {
        let known = policy::fixed_denials();
        let mut lifted = BTreeSet::new();
        for (index, id) in written.into_iter().enumerate() {
            let at = at.index(index);
            match known.iter().find(|denial| denial.id() == id) {
                Some(denial) if denial.is_liftable() => {
                    lifted.insert(id);
                }
                Some(denial) => self.report(&at, format!("`{id}` cannot be lifted: {}", denial.reason())),
                None => {
                    let liftable = known.iter().filter(|denial| denial.is_liftable()).map(FixedDenial::id);
                    let hint = suggestion(&id, liftable);
                    self.report(&at, format!("there is no fixed denial `{id}`; {hint}"));
                }
            }
        }
        lifted
    }

    fn agents(&mut self, raw: Vec<raw::Agent>, clusters: &Clusters, at: &FieldPath) -> Vec<Agent> {
        let mut names: Vec<AgentName> = Vec::new();
        let mut agents = Vec::new();
        for (index, raw) in raw.into_iter().enumerate() {
            let at = at.index(index);
            let name = raw.name.and_then(|name| self.name("agent", &name, &names, &at.key("name")));
            names.extend(name.clone());
            let groups = self.groups(raw.groups.unwrap_or_default(), &at.key("groups"));
            let reachable = match raw.clusters {
                Some(written) => self.agent_clusters(written, clusters, &at.key("clusters")),
                None => clusters.names.clone(),
            };
            agents.extend(name.map(|name| Agent { name, groups, clusters: reachable }));
        }
        agents
    }

    fn groups(&mut self, written: Vec<String>, at: &FieldPath) -> Vec<GroupName> {
        let mut groups: Vec<GroupName> = Vec::new();
        for (index, group) in written.into_iter().enumerate() {
            groups.extend(self.name("group", &group, &groups, &at.index(index)));
        }
        groups
    }

    fn agent_clusters(
        &mut self,
        written: Vec<String>,
        clusters: &Clusters,
        at: &FieldPath,
    ) -> Vec<ClusterName> {
        let mut found: Vec<ClusterName> = Vec::new();
        for (index, name) in written.iter().enumerate() {
            match clusters.names.iter().find(|cluster| cluster.as_str() == name) {
                Some(cluster) => found.push(cluster.clone()),
                None => {
                    let hint = suggestion(name, clusters.names.iter().map(ClusterName::as_str));
                    self.report(
                        &at.index(index),
                        format!("there is no cluster `{name}` in `clusters`; {hint}"),
                    );
                }
            }
        }
        found
    }

    fn sessions(&mut self, raw: raw::Sessions, at: &FieldPath) -> Option<Sessions> {
        let max_ttl = self.duration(raw.max_ttl, defaults::MAX_TTL, LONGEST_SESSION, &at.key("max_ttl"));
        let calls_at_once = count(raw.calls_at_once.unwrap_or(defaults::CALLS_AT_ONCE));
        let known_values_sent = raw.known_values_sent.unwrap_or(defaults::KNOWN_VALUES_SENT);
        Some(Sessions { max_ttl: max_ttl?, calls_at_once, known_values_sent })
    }

    fn limits(&mut self, raw: raw::Limits, at: &FieldPath) -> Option<Limits> {
        let header_bytes = self.size(
            raw.header_bytes,
            defaults::HEADER_BYTES,
            SMALLEST_HEADER..=LARGEST_HEADER,
            &at.key("header_bytes"),
        );
        let body_bytes = self.size(
            raw.body_bytes,
            defaults::BODY_BYTES,
            SMALLEST_BODY..=LARGEST_BODY,
            &at.key("body_bytes"),
        );
        let ledger_reserve = self.size(
            raw.ledger_reserve,
            defaults::LEDGER_RESERVE,
            SMALLEST_RESERVE..=LARGEST_RESERVE,
            &at.key("ledger_reserve"),
        );
        let mut wait = |raw, default, key| self.duration(raw, default, LONGEST_WAIT, &at.key(key));
        let header_timeout = wait(raw.header_timeout, defaults::HEADER_TIMEOUT, "header_timeout");
        let idle_timeout = wait(raw.idle_timeout, defaults::IDLE_TIMEOUT, "idle_timeout");
        let body_timeout = wait(raw.body_timeout, defaults::BODY_TIMEOUT, "body_timeout");
        let write_timeout = wait(raw.write_timeout, defaults::WRITE_TIMEOUT, "write_timeout");
        let keep_alive = wait(raw.keep_alive, defaults::KEEP_ALIVE, "keep_alive");
        let drain = wait(raw.drain, defaults::DRAIN, "drain");
        Some(Limits {
            connections: count(raw.connections.unwrap_or(defaults::CONNECTIONS)),
            connections_per_address: count(
                raw.connections_per_address.unwrap_or(defaults::CONNECTIONS_PER_ADDRESS),
            ),
            header_bytes: header_bytes?,
            header_timeout: header_timeout?,
            idle_timeout: idle_timeout?,
            body_bytes: body_bytes?,
            body_timeout: body_timeout?,
            write_timeout: write_timeout?,
            keep_alive: keep_alive?,
            drain: drain?,
            ledger_reserve: ledger_reserve?,
        })
    }

    fn upstream(&mut self, raw: raw::Upstream, at: &FieldPath) -> Option<Upstream> {
        let mut wait = |raw, default, key| self.duration(raw, default, LONGEST_WAIT, &at.key(key));
        let connect_timeout = wait(raw.connect_timeout, defaults::CONNECT_TIMEOUT, "connect_timeout");
        let response_timeout = wait(raw.response_timeout, defaults::RESPONSE_TIMEOUT, "response_timeout");
        Some(Upstream { connect_timeout: connect_timeout?, response_timeout: response_timeout? })
    }

    // --- single values ---

    fn name<N>(&mut self, what: &str, written: &str, taken: &[N], at: &FieldPath) -> Option<N>
    where
        N: FromStr<Err = identity::NameError> + PartialEq,
    {
        let name = self.read(at, written.parse::<N>().map_err(|error| error.to_string()))?;
        if taken.contains(&name) {
            return self.refuse(at, format!("a second {what} `{written}`; names must differ"));
        }
        Some(name)
    }

    fn path(&mut self, written: &str, at: &FieldPath) -> Option<PathBuf> {
        if written.is_empty() {
            return self.refuse(at, "an empty path; name a file or folder");
        }
        let folder = self.context.file.parent().unwrap_or_else(|| Path::new(""));
        Some(folder.join(written))
    }

    fn duration(
        &mut self,
        raw: Option<raw::DurationText>,
        default: &str,
        most: Duration,
        at: &FieldPath,
    ) -> Option<Duration> {
        let text = raw.map_or_else(|| default.to_owned(), |raw| raw.0);
        let duration = self.read(at, values::duration(&text))?;
        if duration.is_zero() || duration > most {
            let most = most.as_secs() / 3600;
            return self
                .refuse(at, format!("`{text}` is out of range; give more than nothing and at most {most}h"));
        }
        Some(duration)
    }

    fn size(
        &mut self,
        raw: Option<raw::SizeText>,
        default: &str,
        range: std::ops::RangeInclusive<usize>,
        at: &FieldPath,
    ) -> Option<usize> {
        let text = raw.map_or_else(|| default.to_owned(), |raw| raw.0);
        let size = self.read(at, values::size(&text))?;
        if range.contains(&size) {
            return Some(size);
        }
        let (least, most) = (values::size_text(*range.start()), values::size_text(*range.end()));
        self.refuse(at, format!("`{text}` is out of range; give from {least} to {most}"))
    }

    // --- reporting ---

    fn read<T>(&mut self, at: &FieldPath, value: Result<T, String>) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(message) => self.refuse(at, message),
        }
    }

    fn refuse<T>(&mut self, at: &FieldPath, message: impl Into<String>) -> Option<T> {
        self.report(at, message);
        None
    }

    fn report(&mut self, at: &FieldPath, message: impl Into<String>) {
        let position = self.context.tree.locate(at);
        self.problems.add(Problem::new(Some(position), at, message));
    }
}

/// Clusters that are right, and the names of all that have one, so that an agent's reference to a cluster with
/// another problem is not a second problem.
#[derive(Default)]
struct Clusters {
    list: Vec<Cluster>,
    names: Vec<ClusterName>,
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
