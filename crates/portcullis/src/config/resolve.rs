//! From what is written to what is meant: values read, defaults filled in, references checked.
//!
//! A part that is wrong is reported once and skipped, and the checks go on, so that one run tells everything.

mod agents;
mod approvals;
mod clusters;
mod console;
mod limits;
mod masking;
mod notices;
mod recordings;

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use crate::bundles::{self, BundleError};

use super::{
    Files, defaults, files, namespace,
    position::FieldPath,
    problems::{Collector, Problem},
    raw,
    resolved::{Bundle, Config, DataFolder, Tls},
    tree::Node,
    values,
};

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
        let approvers = self.approvers(raw.approvers.unwrap_or_default(), &agents, &root.key("approvers"));
        let approvals = self.approvals(raw.approvals.unwrap_or_default(), &root.key("approvals"));
        let console = match (raw.console, &tls) {
            (Some(raw), Some(tls)) => Some(self.console(raw, tls, &approvers, &root.key("console"))),
            _ => None,
        };
        let notices = self.notices(raw.notices.unwrap_or_default(), &root.key("notices"));
        let sessions = self.sessions(raw.sessions.unwrap_or_default(), &root.key("sessions"));
        let longest = sessions.as_ref().map(|sessions| sessions.max_ttl);
        let recordings = raw.recordings.unwrap_or_default();
        let recordings = self.recordings(recordings, data.as_ref(), longest, &root.key("recordings"));
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
            approvers,
            approvals: approvals?,
            console: console.map_or(Some(None), |console| console.map(Some))?,
            notices,
            sessions: sessions?,
            recordings: recordings?,
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
            let most = values::duration_text(most);
            return self
                .refuse(at, format!("`{text}` is out of range; give more than nothing and at most {most}"));
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
