//! Opening one verified TLS connection to one API server.

use std::{sync::Arc, time::Duration};

use http::Uri;
use hyper_util::rt::TokioIo;
use rustix::net::sockopt;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// After so much silence the server is asked whether it is there.
const SILENT: Duration = Duration::from_secs(30);

/// What a connection to an API server is, once the handshake has succeeded.
pub(crate) type Connection = TokioIo<TlsStream<TcpStream>>;

/// Where the API server is and how its certificate is verified.
#[derive(Clone)]
pub(crate) struct Connector {
    host: String,
    port: u16,
    server_name: ServerName<'static>,
    tls: Arc<ClientConfig>,
    protocol: Protocol,
    deadline: Duration,
}

/// What a connection speaks; offered alone by ALPN, and so agreed upon or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

/// Why no connection to the API server could be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// TCP: refused, unreachable, or the name does not resolve.
    #[error("cannot reach the API server at `{host}:{port}`: {source}")]
    Tcp {
        /// Host as configured.
        host: String,
        /// Port as configured, 443 where the URL names none.
        port: u16,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// TLS: the certificate does not verify, or the handshake failed.
    #[error("cannot verify the API server at `{host}`: {source}")]
    Tls {
        /// Host as configured.
        host: String,
        /// What the handshake said.
        source: std::io::Error,
    },
    /// The server did not choose HTTP/2 by ALPN; every kube-apiserver does.
    #[error(
        "the API server at `{host}` does not speak HTTP/2; connect to it without a layer-7 proxy in between"
    )]
    NotHttp2 {
        /// Host as configured.
        host: String,
    },
    /// TCP, TLS and HTTP/2's first settings together took longer than the connect timeout.
    #[error("connecting to the API server at `{host}` took longer than {seconds} s")]
    Deadline {
        /// Host as configured.
        host: String,
        /// The connect timeout.
        seconds: f64,
    },
    /// The HTTP/2 preface or settings exchange failed.
    #[error("the API server at `{host}` did not complete the HTTP/2 handshake: {source}")]
    Handshake {
        /// Host as configured.
        host: String,
        /// What HTTP/2 said.
        source: hyper::Error,
    },
    /// The connection ended, or the attempt at it was aborted, before it could carry a call.
    #[error("the connection to the API server at `{host}` ended before it could be used")]
    Ended {
        /// Host as configured.
        host: String,
    },
}

impl Connector {
    /// `server_name` overrides the host for SNI and verification (kubeconfig's `tls-server-name`).
    ///
    /// # Errors
    /// The URL's host or `server_name` is no valid DNS name or address, said as text for the configuration report.
    pub(crate) fn new(
        url: &Uri,
        server_name: Option<&str>,
        mut tls: ClientConfig,
        deadline: Duration,
    ) -> Result<Self, String> {
        if url.scheme_str() != Some("https") {
            return Err(format!("server `{url}` is not https; the gate speaks TLS only"));
        }
        let host = url.host().ok_or_else(|| format!("server `{url}` names no host"))?;
        let address = url.authority().map_or("", |authority| authority.as_str());
        if address.contains('@') {
            // Not quoted: it can hold a password.
            return Err("server names a user; give the address alone, as `https://HOST:PORT`".to_owned());
        }
        if address != host && url.port_u16().is_none() {
            return Err(format!(
                "server `{url}` has no port that is a number; write it as `https://HOST:PORT`"
            ));
        }
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = server_name.unwrap_or(&host).to_owned();
        let server_name = ServerName::try_from(name.clone()).map_err(|_| {
            format!("`{name}` is not a name or address a certificate can be verified against")
        })?;
        tls.alpn_protocols = vec![b"h2".to_vec()];
        tls.enable_early_data = false;
        let port = url.port_u16().unwrap_or(443);
        Ok(Self { host, port, server_name, tls: Arc::new(tls), protocol: Protocol::Http2, deadline })
    }

    /// The same for HTTP/1.1.
    pub(crate) fn http1(&self) -> Self {
        let mut tls = ClientConfig::clone(&self.tls);
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { tls: Arc::new(tls), protocol: Protocol::Http1, ..self.clone() }
    }

    /// For everything that comes before a connection can carry a call.
    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn too_slow(&self) -> ConnectError {
        ConnectError::Deadline { host: self.host.clone(), seconds: self.deadline.as_secs_f64() }
    }

    pub(crate) fn not_http2(&self, source: hyper::Error) -> ConnectError {
        ConnectError::Handshake { host: self.host.clone(), source }
    }

    pub(crate) fn ended(&self) -> ConnectError {
        ConnectError::Ended { host: self.host.clone() }
    }

    /// One connection, verified, with its protocol agreed upon. Not bounded in time: see [`Connector::deadline`].
    ///
    /// # Errors
    /// [`ConnectError`]; nothing has been sent but the handshake.
    pub(crate) async fn connect(&self) -> Result<Connection, ConnectError> {
        let tcp_error = |source| ConnectError::Tcp { host: self.host.clone(), port: self.port, source };
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(tcp_error)?;
        watch_over(&tcp).map_err(|error| tcp_error(error.into()))?;
        let stream = TlsConnector::from(Arc::clone(&self.tls))
            .connect(self.server_name.clone(), tcp)
            .await
            .map_err(|source| ConnectError::Tls { host: self.host.clone(), source })?;
        if self.protocol == Protocol::Http2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(ConnectError::NotHttp2 { host: self.host.clone() });
        }
        Ok(TokioIo::new(stream))
    }
}

/// Lets the kernel end a connection whose server is gone without a word (RFC 1122 section 4.2.3.6, RFC 5482): an answer
/// that has begun has no deadline.
fn watch_over(tcp: &TcpStream) -> rustix::io::Result<()> {
    sockopt::set_tcp_nodelay(tcp, true)?;
    sockopt::set_socket_keepalive(tcp, true)?;
    sockopt::set_tcp_keepidle(tcp, SILENT)?;
    sockopt::set_tcp_keepintvl(tcp, SILENT / 2)?;
    sockopt::set_tcp_keepcnt(tcp, 3)?;
    #[cfg(target_os = "linux")]
    sockopt::set_tcp_user_timeout(tcp, u32::try_from(SILENT.as_millis() * 2).unwrap_or(u32::MAX))?;
    Ok(())
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}
