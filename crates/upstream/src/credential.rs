//! The gate's own credential for a cluster: a client certificate, a token, a token file, or an exec plugin.
//!
//! Kubeconfigs are read by kube-client. What changes while the gate runs is read here: a plugin that hangs must be
//! ended and keep nobody waiting, and kube-client can do neither.

mod in_cluster;
mod plugin;
mod token_file;

use std::{
    fmt,
    future::{Ready, ready},
    path::PathBuf,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Uri, header::AUTHORIZATION};
use http_body_util::Empty;
use kube::{
    Config,
    client::ConfigExt,
    config::{KubeConfigOptions, Kubeconfig},
};
use tower::{BoxError, Layer, ServiceExt};
use visible::with_causes;

use plugin::Plugin;
pub use plugin::PluginError;
use token_file::TokenFile;

/// Where the gate's credential for a cluster comes from.
#[derive(Debug, Clone)]
pub enum Source {
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

/// What a [`Source`] yields: the server's address, its trust, and who we are there.
pub(crate) struct Access {
    pub(crate) url: Uri,
    pub(crate) server_name: Option<String>,
    pub(crate) tls: rustls::ClientConfig,
    pub(crate) credential: Credential,
}

/// What says who we are.
pub(crate) enum Credential {
    /// A header that stays as it is, or none where the TLS client certificate says it.
    Fixed(Option<HeaderValue>),
    File(TokenFile),
    Plugin(Plugin),
}

impl Source {
    /// Reads files and runs a plugin once, for no longer than `patience`; a failure is told at start-up and not at the
    /// first call.
    pub(crate) async fn load(&self, patience: Duration) -> Result<Access, String> {
        access(self.config().await?, patience).await
    }

    async fn config(&self) -> Result<Config, String> {
        match self {
            Self::InCluster => {
                in_cluster::config(in_cluster::FOLDER.as_ref(), |name| std::env::var(name).ok())
            }
            Self::Kubeconfig { file, context } => {
                let kubeconfig = Kubeconfig::read_from(file).map_err(|error| with_causes(&error))?;
                let options = KubeConfigOptions { context: context.clone(), ..KubeConfigOptions::default() };
                Config::from_custom_kubeconfig(kubeconfig, &options)
                    .await
                    .map_err(|error| with_causes(&error))
            }
        }
    }
}

async fn access(mut config: Config, patience: Duration) -> Result<Access, String> {
    refuse_what_the_gate_does_not_do(&config)?;
    // Taken out, so that kube-client runs and reads nothing of its own.
    let (token_file, exec) = (config.auth_info.token_file.take(), config.auth_info.exec.take());
    let credential = if let Some(file) = token_file {
        Credential::File(TokenFile::open(file.into()).map_err(|error| error.to_string())?)
    } else if let Some(exec) = exec.filter(|_plugin| config.auth_info.token.is_none()) {
        let (plugin, identity) = Plugin::start(exec, patience).await.map_err(|error| error.to_string())?;
        if let Some(identity) = identity {
            config.auth_info.client_certificate_data = Some(identity.certificate);
            config.auth_info.client_key_data = Some(identity.key.into());
        }
        Credential::Plugin(plugin)
    } else {
        Credential::Fixed(fixed(&config).await?)
    };
    let tls = config.rustls_client_config().map_err(|error| with_causes(&error))?;
    Ok(Access { url: config.cluster_url, server_name: config.tls_server_name, tls, credential })
}

fn refuse_what_the_gate_does_not_do(config: &Config) -> Result<(), String> {
    let problem = if config.accept_invalid_certs {
        "`insecure-skip-tls-verify` is set; the gate verifies the API server's certificate, so give \
         `certificate-authority` instead"
    } else if config.root_cert.as_ref().is_some_and(Vec::is_empty) {
        "`certificate-authority` holds no certificate; give the PEM of the API server's authority"
    } else if config.proxy_url.is_some() {
        "`proxy-url` is set; the gate connects to the API server directly, so use a context without it"
    } else if config.auth_info.impersonate.is_some() {
        "the context impersonates by itself (`as`); the gate impersonates the agent, so use a context without it"
    } else if config.auth_info.auth_provider.is_some() {
        "`auth-provider` is set, which Kubernetes 1.26 removed; use an `exec` plugin or a token"
    } else {
        return Ok(());
    };
    Err(problem.to_owned())
}

/// The header of a token or password that the kubeconfig itself holds. kube-client hands those to its own layer only.
async fn fixed(config: &Config) -> Result<Option<HeaderValue>, String> {
    let Some(layer) = config.auth_layer().map_err(|error| with_causes(&error))? else { return Ok(None) };
    let asked = layer.layer(tower::service_fn(echo)).oneshot(http::Request::new(Empty::new()));
    let mut answer = asked.await.map_err(|error| error.to_string())?;
    Ok(answer.headers_mut().remove(AUTHORIZATION))
}

/// The service that kube-client's layer is put around: it answers with the header that it was given.
fn echo(request: http::Request<Empty<Bytes>>) -> Ready<Result<http::Response<()>, BoxError>> {
    let mut answer = http::Response::new(());
    answer.headers_mut().extend(request.headers().get(AUTHORIZATION).map(|v| (AUTHORIZATION, v.clone())));
    ready(Ok(answer))
}

impl Credential {
    /// The header for one call; `None` where the TLS client certificate says who we are. Waits no longer than the
    /// plugin may take.
    pub(crate) async fn authorization(&self) -> Result<Option<HeaderValue>, PluginError> {
        match self {
            Self::Fixed(header) => Ok(header.clone()),
            Self::File(file) => Ok(Some(file.authorization())),
            Self::Plugin(plugin) => plugin.authorization().await,
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential")
    }
}

/// The header of a token; `None` for what is no token.
fn bearer(token: &str) -> Option<HeaderValue> {
    let token = token.trim();
    let mut header =
        HeaderValue::from_str(&format!("Bearer {token}")).ok().filter(|_header| !token.is_empty())?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests;
