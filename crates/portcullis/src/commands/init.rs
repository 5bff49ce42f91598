//! `portcullis init`: a folder to start from.

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use identity::{AgentName, ClusterName};

use crate::{bundles, certificate, terminal, yaml::quoted};

/// Write a configuration, a certificate and a policy to start from
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portcullis init
  portcullis init --dir gate --kubeconfig ~/.kube/gate --context prod --agent claude --agent ci
  portcullis init --san gate.example.com --policy read-only

The certificate is signed by a CA made for it, whose key is thrown away: kubeconfigs written by
`portcullis session open` embed ca.crt. For a certificate of your own, replace tls.crt and tls.key.")]
pub(crate) struct Init {
    /// Folder to write to; made when missing
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Kubeconfig with the gate's own credential for the cluster
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context of that kubeconfig; its current context where none is named
    #[arg(long, value_name = "NAME", requires = "kubeconfig")]
    context: Option<String>,
    /// What sessions and policy call the cluster; by default like the context, or `prod`
    #[arg(long, value_name = "NAME")]
    cluster: Option<ClusterName>,
    /// An agent that may have sessions; may be repeated
    #[arg(long = "agent", value_name = "NAME", default_value = "claude")]
    agents: Vec<AgentName>,
    /// A host name or IP address at which agents reach the gate, beside localhost; may be repeated
    #[arg(long = "san", value_name = "HOST")]
    names: Vec<String>,
    /// The bundle to copy: read-only, developer or operator
    #[arg(long, value_name = "BUNDLE", default_value = "developer")]
    policy: String,
}

impl Init {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let written = self.write()?;
        terminal::print(self.told(&written))?;
        Ok(ExitCode::SUCCESS)
    }

    /// Everything is prepared first, so that a refusal leaves nothing behind.
    fn write(&self) -> anyhow::Result<Written> {
        let cluster = self.cluster_name()?;
        let policy = bundles::builtin(&self.policy)?;
        let certificate = certificate::for_listener(&self.names).context("could not make a certificate")?;
        let ends = certificate.ends;
        let mut files = vec![
            File::new("portcullis.yaml", self.configuration(&cluster)?),
            File::new("ca.crt", certificate.ca),
            File::new("tls.crt", certificate.chain),
            File { mode: 0o600, ..File::new("tls.key", certificate.key) },
        ];
        let folder = format!("policies/{}", self.policy);
        files.extend(policy.iter().map(|(name, text)| File::new(format!("{folder}/{name}"), *text)));
        self.refuse_to_overwrite(&files)?;
        for file in &files {
            file.write(&self.dir)?;
        }
        Ok(Written { files: files.into_iter().map(|file| file.name).collect(), cluster, ends })
    }

    fn cluster_name(&self) -> anyhow::Result<ClusterName> {
        let name = match (&self.cluster, &self.context) {
            (Some(name), _) => return Ok(name.clone()),
            (None, Some(context)) => label(context),
            (None, None) => "prod".to_owned(),
        };
        Ok(name.parse()?)
    }

    fn refuse_to_overwrite(&self, files: &[File]) -> anyhow::Result<()> {
        let taken: Vec<String> = files
            .iter()
            .map(|file| self.dir.join(&file.name))
            .filter(|path| path.symlink_metadata().is_ok())
            .map(|path| path.display().to_string())
            .collect();
        ensure!(taken.is_empty(), "nothing was written, since these exist already: {}", taken.join(", "));
        Ok(())
    }

    fn configuration(&self, cluster: &ClusterName) -> anyhow::Result<String> {
        let host = self.names.first().map_or("localhost", String::as_str);
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let credential = match &self.kubeconfig {
            Some(file) => {
                let file = std::path::absolute(file)?;
                let Some(file) = file.to_str() else {
                    bail!("`{}` is not UTF-8; choose another path", file.display());
                };
                let context = self.context.as_ref().map(|name| format!("\n    context: {}", quoted(name)));
                format!("kubeconfig: {}{}", quoted(file), context.unwrap_or_default())
            }
            None => "kubeconfig: cluster.kubeconfig".to_owned(),
        };
        let agents: String = self
            .agents
            .iter()
            .map(|agent| format!("  - name: {agent}\n    groups: [developers]\n"))
            .collect();
        Ok(include_str!("init.yaml")
            .replace("{host}", &host)
            .replace("{policy}", &self.policy)
            .replace("{cluster}", cluster.as_str())
            .replace("{credential}", &credential)
            .replace("{agents}", &agents))
    }

    fn told(&self, written: &Written) -> String {
        let path = |name: &str| self.dir.join(name).display().to_string();
        let list: String = written.files.iter().map(|name| format!("  {}\n", path(name))).collect();
        let config = match self.dir.as_os_str().to_str() {
            Some(".") => String::new(),
            _ => format!(" --config {}", path("portcullis.yaml")),
        };
        let credential = match &self.kubeconfig {
            Some(file) => format!(
                "let {} hold the credential of that account; of another, name it in step 2: portcullis rbac --help",
                file.display()
            ),
            None => format!(
                "put a kubeconfig with the credential of that account at {} (README.md, \"Use it\", has the \
                 commands); a gate in a pod that runs as it needs none: in_cluster: true in place of kubeconfig",
                path("cluster.kubeconfig")
            ),
        };
        let (cluster, ends) = (&written.cluster, written.ends);
        let agent = self.agents.first().map_or("claude", AgentName::as_str);
        format!(
            "Written:\n{list}\nThe certificate ends on {ends}.\n\nNext:\n\
             \x20 1. kubectl create namespace portcullis && kubectl create serviceaccount gate -n portcullis\n\
             \x20 2. portcullis rbac{config} | kubectl apply -f -\n\
             \x20 3. {credential}\n\
             \x20 4. portcullis config check{config}\n\
             \x20 5. portcullis serve{config}\n\
             \x20 6. portcullis session open{config} --agent {agent} --for YOU@example.com --cluster {cluster} \
             --reason WHY --kubeconfig {agent}.kubeconfig\n"
        )
    }
}

struct Written {
    files: Vec<String>,
    cluster: ClusterName,
    ends: jiff::civil::Date,
}

struct File {
    /// Relative to the folder.
    name: String,
    text: String,
    mode: u32,
}

impl File {
    fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), mode: 0o644 }
    }

    /// Never follows or replaces what is there; the mode holds from the first byte on.
    fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let path = folder.join(&self.name);
        let write = || {
            if let Some(parent) = path.parent() {
                fs::DirBuilder::new().recursive(true).mode(0o755).create(parent)?;
            }
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(self.mode).open(&path)?;
            file.write_all(self.text.as_bytes())?;
            file.sync_all()
        };
        write().with_context(|| format!("could not write `{}`", path.display()))
    }
}

/// A context's name as a cluster's name: `kubernetes-admin@kubernetes` becomes `kubernetes-admin-kubernetes`.
fn label(context: &str) -> String {
    let fitting = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = context.chars().map(fitting).take(63).collect();
    name.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::{Bundle, Config, Files};

    fn init(dir: &Path) -> Init {
        Init {
            dir: dir.to_owned(),
            kubeconfig: None,
            context: None,
            cluster: None,
            agents: vec!["claude".parse().unwrap(), "ci".parse().unwrap()],
            names: vec!["gate.example.com".to_owned(), "10.0.0.1".to_owned()],
            policy: "developer".to_owned(),
        }
    }

    #[test]
    fn what_is_written_loads_without_problems() {
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("my config");
        let context = "kubernetes-admin@Kubernetes";
        fs::write(&kubeconfig, format!("contexts: [{{name: {context}}}]")).unwrap();
        let dir = folder.path().join("gate");
        let init = Init { kubeconfig: Some(kubeconfig), context: Some(context.to_owned()), ..init(&dir) };
        init.write().unwrap();
        let loaded = Config::load(&dir.join("portcullis.yaml"), Files::Check).unwrap();
        assert_eq!(loaded.public_url, "https://gate.example.com:8443");
        assert_eq!(loaded.clusters[0].name.as_str(), "kubernetes-admin-kubernetes");
        assert_eq!(loaded.agents[1].name.as_str(), "ci");
        assert_eq!(loaded.policy, Bundle::Folder(dir.join("policies/developer")));
        assert!(loaded.tls.certified_key().is_ok());
        assert!(loaded.tls.ca_pem().unwrap().unwrap().starts_with("-----BEGIN CERTIFICATE"));
        let mode = fs::metadata(dir.join("tls.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_commented_configuration_names_every_default_as_the_schema_does() {
        let folder = tempfile::tempdir().unwrap();
        init(folder.path()).write().unwrap();
        let written = Config::load(&folder.path().join("portcullis.yaml"), Files::Ignore).unwrap();
        let text = fs::read_to_string(folder.path().join("portcullis.yaml")).unwrap();
        // Everything that is commented out is a default: with the comment signs gone, nothing changes.
        let bare: String =
            text.lines().map(|line| format!("{}\n", line.strip_prefix("#: ").unwrap_or(line))).collect();
        let spelt = Config::parse(&bare, &written.file, Files::Ignore).unwrap();
        assert_ne!(text, bare);
        let without_digest = |config: Config| format!("{:?}", Config { digest: [0; 32], ..config });
        assert_eq!(without_digest(written), without_digest(spelt));
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tls.key"), "mine").unwrap();
        let refused = init(folder.path()).write().err().unwrap().to_string();
        let refused = refused.replace(&folder.path().display().to_string(), "DIR");
        insta::assert_snapshot!(refused, @"nothing was written, since these exist already: DIR/tls.key");
        assert_eq!(fs::read_to_string(folder.path().join("tls.key")).unwrap(), "mine");
        assert!(!folder.path().join("portcullis.yaml").exists());
    }

    #[test]
    fn the_next_steps_are_told() {
        let init = init(Path::new("gate"));
        let ends = jiff::civil::date(2027, 12, 25);
        let written =
            Written { files: vec!["portcullis.yaml".to_owned()], cluster: "prod".parse().unwrap(), ends };
        insta::assert_snapshot!(init.told(&written));
        let with_credential = Init { kubeconfig: Some("gate.kubeconfig".into()), ..init };
        insta::assert_snapshot!(with_credential.told(&written));
    }
}
