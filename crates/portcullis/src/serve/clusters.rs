//! The clusters behind the gate.

use std::time::Duration;

use anyhow::Context;
use ledger::{
    Ledger,
    leaf::{Event, SecretsRead},
};
use mask::{Guard, KnownValues};
use upstream::{Cluster, SECRET_READER_USER, Settings, Source};

use crate::config::{self, ClusterSource, Config};

/// Kept for bursts; an API server keeps its own side longer.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// For a credential plugin; those of clouds take a few seconds.
const CREDENTIAL_TIMEOUT: Duration = Duration::from_secs(20);

/// Reads the credential of each cluster.
///
/// # Errors
/// Every cluster that cannot be used, with its place in the configuration.
pub(super) async fn load(config: &Config) -> anyhow::Result<Vec<Cluster>> {
    let mut clusters = Vec::new();
    let mut unusable = Vec::new();
    for (index, cluster) in config.clusters.iter().enumerate() {
        match Cluster::load(settings(config, cluster)?).await {
            Ok(cluster) => clusters.push(cluster),
            Err(error) => unusable.push((index, error.to_string())),
        }
    }
    config.unusable_clusters(unusable)?;
    Ok(clusters)
}

/// Begins to read the Secrets of each cluster, so that their values are masked. Where that is off it is said loudly, with what
/// it costs. The ledger tells of each cluster before.
///
/// # Errors
/// The ledger takes no entries.
pub(super) async fn read_secrets(
    config: &Config,
    clusters: &mut [Cluster],
    ledger: &Ledger,
) -> anyhow::Result<()> {
    for cluster in &config.clusters {
        let event = Event::SecretsRead(secrets_read(cluster));
        let _receipt = ledger.append(event).await.context("which Secrets are read cannot be recorded")?;
    }
    for cluster in config.clusters.iter().filter(|cluster| cluster.masking.reading.is_none()) {
        tracing::warn!(
            cluster = %cluster.name,
            "known values are off by configuration: the value of a Secret that stands anywhere else, such as a log or a \
             ConfigMap, is shown to agents, and what they send is not searched for it"
        );
    }
    clusters.iter_mut().for_each(Cluster::read_secrets);
    Ok(())
}

fn secrets_read(cluster: &config::Cluster) -> SecretsRead {
    let scope = cluster.masking.reading.as_ref().map(|reading| &reading.scope);
    SecretsRead {
        cluster: cluster.name.as_str().into(),
        by: SECRET_READER_USER.into(),
        namespaces: scope
            .into_iter()
            .flat_map(|scope| &scope.namespaces)
            .map(|pattern| pattern.as_str().into())
            .collect(),
        except_types: scope
            .into_iter()
            .flat_map(|scope| &scope.except_types)
            .map(|kind| kind.as_str().into())
            .collect(),
    }
}

/// The cluster's guard, with a key of this start: placeholders of an earlier one bind nothing any more.
fn guard(cluster: &config::Cluster) -> anyhow::Result<Guard> {
    let mut key = [0; 16];
    aws_lc_rs::rand::fill(&mut key).ok().context("the operating system gives no randomness")?;
    Ok(Guard::new(cluster.name.as_str(), cluster.masking.catalogue.clone(), KnownValues::none(), key))
}

fn settings(config: &Config, cluster: &config::Cluster) -> anyhow::Result<Settings> {
    let source = match &cluster.source {
        ClusterSource::Kubeconfig { file, context } => {
            Source::Kubeconfig { file: file.clone(), context: context.clone() }
        }
        ClusterSource::InCluster => Source::InCluster,
    };
    Ok(Settings {
        name: cluster.name.to_string(),
        source,
        guard: guard(cluster)?,
        reading: cluster.masking.reading.clone(),
        idle_timeout: IDLE_TIMEOUT,
        credential_timeout: CREDENTIAL_TIMEOUT,
        connect_timeout: config.upstream.connect_timeout,
        response_timeout: config.upstream.response_timeout,
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::config::Files;

    #[test]
    fn the_ledger_tells_of_each_cluster_which_secrets_are_read() {
        let text = "public_url: https://gate
tls: { certificate: tls.crt, key: tls.key }
policy: { bundle: builtin:developer }
clusters:
  - { name: prod, in_cluster: true }
  - { name: stage, in_cluster: true, masking: { known_values: { namespaces: [shop, \"team-*\"], except_types: [] } } }
  - { name: test, in_cluster: true, masking: { known_values: { enabled: false } } }
agents: [{ name: claude }]
";
        let config = Config::parse(text, Path::new("portcullis.yaml"), Files::Ignore).unwrap();
        let told = config
            .clusters
            .iter()
            .map(|cluster| chronicle::story::of(&Event::SecretsRead(secrets_read(cluster))));
        insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @"
        of prod in namespaces *, but for types helm.sh/release.v1, by portcullis:secret-reader
        of stage in namespaces shop, team-*, by portcullis:secret-reader
        none of test: values are masked at their places alone
        ");
    }

    #[tokio::test]
    async fn every_cluster_that_cannot_be_used_is_told_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = |name: &str, cluster: &str| {
            let text = format!(
                "clusters: [{{name: c, cluster: {cluster}}}]
users: [{{name: u, user: {{token: t}}}}]
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
current-context: x
"
            );
            fs::write(folder.path().join(name), text).unwrap();
        };
        kubeconfig("plain", "{server: 'http://10.0.0.1'}");
        kubeconfig("unverified", "{server: 'https://10.0.0.1', insecure-skip-tls-verify: true}");
        kubeconfig("right", "{server: 'https://10.0.0.1'}");
        let text = "public_url: https://gate
tls: { certificate: tls.crt, key: tls.key }
policy: { bundle: builtin:developer }
clusters:
  - { name: a, kubeconfig: plain }
  - { name: b, kubeconfig: right }
  - { name: c, kubeconfig: unverified }
agents: [{ name: claude }]
";
        let file: &Path = &folder.path().join("portcullis.yaml");
        let config = Config::parse(text, file, Files::Ignore).unwrap();
        let told = load(&config).await.unwrap_err().to_string();
        insta::assert_snapshot!(told.replace(&folder.path().display().to_string(), "DIR"), @"
        DIR/portcullis.yaml:5:5: clusters[0]: cluster `a`: server `http://10.0.0.1/` is not https; the gate speaks TLS only
        DIR/portcullis.yaml:7:5: clusters[2]: cluster `c`: `insecure-skip-tls-verify` is set; the gate verifies the API server's certificate, so give `certificate-authority` instead
        ");
    }
}
