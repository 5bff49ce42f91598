//! A client that keeps connections busy, the same for every server it measures.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::figures::Latencies;

/// A server and the credential for it, as a kubeconfig names them.
#[derive(Clone)]
pub(crate) struct Server {
    address: String,
    tls: TlsConnector,
    /// Sent with every request: the credential, and whom it impersonates.
    headers: HeaderMap,
}

/// One open connection.
pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    headers: HeaderMap,
}

impl Server {
    /// Reads the one cluster and the one user of a kubeconfig.
    pub(crate) fn from_kubeconfig(file: &Path) -> anyhow::Result<Self> {
        let yaml = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let config: serde_json::Value = serde_saphyr::from_str(&yaml)?;
        let cluster = config.pointer("/clusters/0/cluster").context("no cluster")?;
        let user = config.pointer("/users/0/user").context("no user")?;
        let server = text(cluster, "server").context("no server")?;
        let address = server.trim_start_matches("https://").replace("localhost", "127.0.0.1");
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&data(cluster, "certificate-authority-data")?) {
            roots.add(certificate?)?;
        }
        let builder =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_root_certificates(roots);
        let tls = if text(user, "client-certificate-data").is_some() {
            let chain = CertificateDer::pem_slice_iter(&data(user, "client-certificate-data")?)
                .collect::<Result<Vec<_>, _>>()?;
            builder.with_client_auth_cert(
                chain,
                PrivateKeyDer::from_pem_slice(&data(user, "client-key-data")?)?,
            )?
        } else {
            builder.with_no_client_auth()
        };
        let mut headers = HeaderMap::new();
        if let Some(token) = text(user, "token") {
            headers.insert(header::AUTHORIZATION, format!("Bearer {token}").parse()?);
        }
        Ok(Self { address, tls: TlsConnector::from(Arc::new(tls)), headers })
    }

    /// The same with one more header.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> anyhow::Result<Self> {
        self.headers.append(name, value.parse()?);
        Ok(self)
    }

    pub(crate) async fn connect(&self) -> anyhow::Result<Connection> {
        let tcp = TcpStream::connect(&self.address).await?;
        tcp.set_nodelay(true)?;
        let stream = self.tls.connect(ServerName::try_from("localhost")?, tcp).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Connection { sender, headers: self.headers.clone() })
    }

    /// A connection that was upgraded, and what came behind the head.
    pub(crate) async fn upgrade(
        &self,
        path: &str,
        headers: HeaderMap,
    ) -> anyhow::Result<(TlsStream<TcpStream>, Bytes)> {
        let tcp = TcpStream::connect(&self.address).await?;
        tcp.set_nodelay(true)?;
        let stream = self.tls.connect(ServerName::try_from("localhost")?, tcp).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection.with_upgrades());
        let mut request =
            Request::get(path).header(header::HOST, "localhost").body(Full::new(Bytes::new()))?;
        request.headers_mut().extend(self.headers.clone());
        request.headers_mut().extend(headers);
        let response = sender.send_request(request).await?;
        ensure!(response.status() == StatusCode::SWITCHING_PROTOCOLS, "{response:?}");
        let upgraded = hyper::upgrade::on(response).await?;
        let parts =
            upgraded.downcast::<TokioIo<TlsStream<TcpStream>>>().ok().context("another connection")?;
        Ok((parts.io.into_inner(), parts.read_buf))
    }

    /// `calls` GETs over `connections`, each one after the other.
    pub(crate) async fn load(
        &self,
        path: &str,
        connections: usize,
        calls: usize,
    ) -> anyhow::Result<Latencies> {
        let left = Arc::new(AtomicUsize::new(calls));
        let mut open = Vec::new();
        for _connection in 0..connections {
            let mut connection = self.connect().await?;
            connection.get(path).await?;
            open.push(connection);
        }
        let started = Instant::now();
        let mut tasks = Vec::new();
        for mut connection in open {
            let (left, path) = (Arc::clone(&left), path.to_owned());
            tasks.push(tokio::spawn(async move {
                let mut samples = Vec::new();
                while left
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                    .is_ok()
                {
                    samples.push(connection.get(&path).await?);
                }
                anyhow::Ok(samples)
            }));
        }
        let mut samples = Vec::with_capacity(calls);
        for task in tasks {
            samples.extend(task.await??);
        }
        Ok(Latencies::new(samples, started.elapsed()))
    }
}

impl Connection {
    /// Time from sending a GET to the last byte of its answer, which must be 200.
    pub(crate) async fn get(&mut self, path: &str) -> anyhow::Result<Duration> {
        let started = Instant::now();
        let mut body = self.open(path).await?;
        while let Some(frame) = body.frame().await {
            frame?;
        }
        Ok(started.elapsed())
    }

    /// The body of a GET that answered 200.
    pub(crate) async fn open(&mut self, path: &str) -> anyhow::Result<Incoming> {
        let request = Request::get(path).header(header::ACCEPT, "application/json");
        self.send(path, request.body(Full::default())?).await
    }

    /// The whole of it as text.
    #[expect(clippy::disallowed_methods, reason = "collects a small object")]
    pub(crate) async fn text(&mut self, path: &str) -> anyhow::Result<String> {
        let body = self.open(path).await?.collect().await?.to_bytes();
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// Patches an object; the answer is taken and dropped.
    #[expect(clippy::disallowed_methods, reason = "collects a small object")]
    pub(crate) async fn patch(&mut self, path: &str, content: &str, patch: String) -> anyhow::Result<()> {
        let request = Request::patch(path).header(header::CONTENT_TYPE, content);
        self.send(path, request.body(Full::from(patch))?).await?.collect().await?;
        Ok(())
    }

    async fn send(&mut self, path: &str, mut request: Request<Full<Bytes>>) -> anyhow::Result<Incoming> {
        request.headers_mut().insert(header::HOST, http::HeaderValue::from_static("localhost"));
        request.headers_mut().extend(self.headers.clone());
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        ensure!(response.status() == StatusCode::OK, "{path}: {}", response.status());
        Ok(response.into_body())
    }
}

fn data(value: &serde_json::Value, key: &str) -> anyhow::Result<Vec<u8>> {
    Ok(STANDARD.decode(text(value, key).with_context(|| format!("no {key}"))?)?)
}

fn text<'a>(value: &'a serde_json::Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}
