//! The addresses the gate listens on.

use std::{
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use anyhow::Context;
use rustix::io::Errno;
use tokio::net::TcpListener;

/// A listening socket, or an error that names the setting.
pub(super) async fn bind(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on `{address}` (`{setting}`)"))
}

/// As [`bind`]; and at both of the addresses that are called `localhost`, if that is the host: else the page that a browser finds
/// there could be that of whoever else on this machine listens at the other.
pub(super) async fn bind_localhost(
    address: SocketAddr,
    host: &str,
    setting: &str,
) -> anyhow::Result<Vec<TcpListener>> {
    let first = bind(address, setting).await?;
    let other: IpAddr = match address.ip() {
        _ if host != "localhost" => return Ok(vec![first]),
        IpAddr::V4(Ipv4Addr::LOCALHOST) => Ipv6Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::LOCALHOST) => Ipv4Addr::LOCALHOST.into(),
        // All of them, or one that has no name.
        _ => return Ok(vec![first]),
    };
    let other = SocketAddr::new(other, address.port());
    match TcpListener::bind(other).await {
        Ok(second) => Ok(vec![first, second]),
        // A machine without IPv6.
        Err(error)
            if error.kind() == ErrorKind::AddrNotAvailable
                || error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error()) =>
        {
            Ok(vec![first])
        }
        Err(error) => Err(error).with_context(|| {
            format!("cannot listen on `{other}` (`{setting}`), which browsers may take for `localhost` too")
        }),
    }
}
