//! The gate's own credential for a cluster: a client certificate, a token, a token file, or an exec plugin.
//!
//! Reading a kubeconfig, running plugins and refreshing tokens is kube-client's work; only the
//! `Authorization` header is taken from it, the request itself never passes through it.

use std::{
    future::{Future, Ready, ready},
    path::PathBuf,
    pin::Pin,
};

use bytes::Bytes;
use http::{HeaderValue, Uri, header::AUTHORIZATION};
use http_body_util::Empty;
use kube::{
    Config,
    client::{ConfigExt, middleware::AuthLayer},
    config::{KubeConfigOptions, Kubeconfig},
};
use tower::{BoxError, Layer, ServiceExt};

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

/// Adds nothing (client certificate) or an `Authorization` header, refreshed when it ages.
pub(crate) struct Credential(Option<AuthLayer>);

impl Source {
    /// Reads files and runs plugins once; a failure is told at start-up and not at the first call.
    pub(crate) async fn load(&self) -> Result<Access, String> {
        let config = self.config().await?;
        if config.accept_invalid_certs {
            return Err(
                "`insecure-skip-tls-verify` is set; the gate verifies the API server's certificate, \
                        so give `certificate-authority` instead"
                    .to_owned(),
            );
        }
        if config.proxy_url.is_some() {
            return Err("`proxy-url` is set; the gate connects to the API server directly".to_owned());
        }
        if config.auth_info.impersonate.is_some() {
            return Err(
                "the context impersonates by itself (`as`); the gate impersonates the agent, so use a \
                        context without it"
                    .to_owned(),
            );
        }
        let tls = config.rustls_client_config().map_err(|error| error.to_string())?;
        let layer = config.auth_layer().map_err(|error| error.to_string())?;
        Ok(Access {
            url: config.cluster_url,
            server_name: config.tls_server_name,
            tls,
            credential: Credential(layer),
        })
    }

    async fn config(&self) -> Result<Config, String> {
        match self {
            Self::InCluster => Config::incluster().map_err(|error| error.to_string()),
            Self::Kubeconfig { file, context } => {
                let kubeconfig = Kubeconfig::read_from(file).map_err(|error| error.to_string())?;
                let options = KubeConfigOptions { context: context.clone(), ..KubeConfigOptions::default() };
                Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| error.to_string())
            }
        }
    }
}

impl Credential {
    /// The header for one call; `None` where the TLS client certificate says who we are.
    ///
    /// Boxed: unboxed, the compiler cannot see that it is `Send` whatever the lifetimes in it.
    pub(crate) fn authorization(&self) -> Pin<Box<dyn Future<Output = Authorization> + Send>> {
        let Some(layer) = &self.0 else { return Box::pin(ready(Ok(None))) };
        let told = layer.layer(tower::service_fn(echo)).map_response(|answer| answer.into_parts().0.headers);
        let told = told.map_response(|mut headers| headers.remove(AUTHORIZATION));
        Box::pin(told.oneshot(http::Request::new(Empty::new())))
    }
}

/// The service that kube-client's layer is put around: it answers with the header that it was given.
fn echo(request: http::Request<Empty<Bytes>>) -> Ready<Result<http::Response<()>, BoxError>> {
    let mut answer = http::Response::new(());
    answer.headers_mut().extend(request.headers().get(AUTHORIZATION).map(|v| (AUTHORIZATION, v.clone())));
    ready(Ok(answer))
}

type Authorization = Result<Option<HeaderValue>, BoxError>;

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential")
    }
}
