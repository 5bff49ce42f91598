//! The addresses the gate listens on.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;

/// A listening socket, or an error that names the setting.
pub(super) async fn bind(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on `{address}` (`{setting}`)"))
}
