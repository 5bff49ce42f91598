//! The addresses the gate listens on.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use rustls::{ServerConfig, sign::SingleCertAndKey};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::config::Tls;

/// A listening socket, or an error that names the setting.
pub(super) async fn bind(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on `{address}` (`{setting}`)"))
}

/// TLS 1.2 and 1.3 with the configured certificate; HTTP/2 and HTTP/1.1 by ALPN.
pub(super) fn tls(tls: &Tls) -> anyhow::Result<TlsAcceptor> {
    let key = Arc::unwrap_or_clone(tls.certified_key()?);
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    config.alpn_protocols = gateway::accept::ALPN.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(TlsAcceptor::from(Arc::new(config)))
}
