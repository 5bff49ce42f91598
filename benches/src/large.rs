//! A list of 1 GB through the gate, from a stand-in API server, to a client that reads as it comes.

use std::{convert::Infallible, fs, sync::Arc, time::Instant};

use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::{body::Frame, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use testkit::{Gate, Options};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{client::Server, figures::Row};

pub(crate) const EXPLAINED: &str = "A `secrets` list of 1 GB from a stand-in API server (HTTP/2, TLS), read by a client as fast as it \
    comes. Memory is the peak of the gate's resident set above what it had before.";

const SIZE: usize = 1_000_000_000;

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).map_err(anyhow::Error::msg)?;
    let mut tls =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)?;
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let standing_in = tokio::spawn(stand_in(listener, TlsAcceptor::from(Arc::new(tls))));
    let gate = Gate::behind(&kubeconfig(port, &certified.cert.pem()), &Options::default())?;
    let session = gate.session("large")?;
    let mut connection = Server::from_kubeconfig(&session.kubeconfig)?.connect().await?;
    let before = resident(&gate, "VmRSS")?;
    let started = Instant::now();
    let mut body = connection.open("/api/v1/secrets").await?;
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        received += frame?.into_data().map_or(0, |data| data.len());
    }
    let seconds = started.elapsed().as_secs_f64();
    let peak = resident(&gate, "VmHWM")?;
    standing_in.abort();
    #[expect(clippy::cast_precision_loss, reason = "some thousand million")]
    let rate = SIZE as f64 / seconds / 1e9;
    let delivered =
        format!("{seconds:.2} s = {rate:.2} GB/s of the API server's bytes ({received} delivered)");
    Ok(vec![
        Row::new("masked and delivered", delivered, ""),
        Row::new("peak memory above idle", format!("{} MB", peak.saturating_sub(before) / 1024), "≤ 64 MB"),
    ])
}

/// A field of `/proc/PID/status`, in KiB.
fn resident(gate: &Gate, field: &str) -> anyhow::Result<u64> {
    let pid = gate.pid().context("the gate does not run")?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with(field)).context("no such field")?;
    Ok(line.split_whitespace().nth(1).context("no value")?.parse()?)
}

fn kubeconfig(port: u16, certificate: &str) -> String {
    let authority = STANDARD.encode(certificate);
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
         clusters: [{{name: c, cluster: {{server: \"https://localhost:{port}\", certificate-authority-data: {authority}}}}}]\n\
         users: [{{name: c, user: {{token: none}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: c}}}}]\n"
    )
}

async fn stand_in(listener: TcpListener, tls: TlsAcceptor) -> anyhow::Result<()> {
    loop {
        let stream = tls.accept(listener.accept().await?.0).await?;
        let service = service_fn(async |_request| Ok::<_, Infallible>(list()));
        tokio::spawn(
            http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service),
        );
    }
}

fn list() -> Response<StreamBody<impl futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>>>> {
    let item = format!(
        r#"{{"metadata":{{"name":"s","namespace":"n"}},"data":{{"value":"{}"}},"type":"Opaque"}}"#,
        "QUJD".repeat(256)
    );
    let chunk = Bytes::from(format!("{item},").repeat(32));
    let head = Bytes::from_static(br#"{"kind":"SecretList","apiVersion":"v1","metadata":{},"items":["#);
    let tail = Bytes::from(format!("{item}]}}"));
    let chunks = std::iter::once(head)
        .chain(std::iter::repeat_n(chunk.clone(), SIZE / chunk.len()))
        .chain(std::iter::once(tail));
    let mut response = Response::new(StreamBody::new(futures_util::stream::iter(
        chunks.map(|chunk| Ok(Frame::data(chunk))),
    )));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
