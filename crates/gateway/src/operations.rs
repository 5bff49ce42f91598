//! Health, readiness and metrics, on an address of their own that agents do not reach.

use std::{collections::BTreeMap, convert::Infallible, fmt::Write, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;
use upstream::reader::Standing;

use crate::Gate;

/// Scrapers and probes are few; more connections than this wait.
const CONNECTIONS: usize = 32;
/// A kubelet's probe gives up after 1 s. An attempt to connect goes on, so a later probe finds its result.
const REACHED_WITHIN: Duration = Duration::from_millis(700);

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const OPENMETRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Serves `/healthz`, `/readyz` and `/metrics` in plain HTTP until `shutdown` fires.
pub async fn serve(gate: Arc<Gate>, listener: TcpListener, shutdown: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            () = shutdown.cancelled() => return,
            accepted = door::next(&listener) => accepted,
        };
        let (stream, _peer) = accepted;
        let gate = Arc::clone(&gate);
        let shutdown = shutdown.clone();
        tokio::spawn(async move {
            let timeout = gate.limits().header_timeout;
            let service = service_fn(move |request: Request<Incoming>| {
                let gate = Arc::clone(&gate);
                async move { Ok::<_, Infallible>(answer(&gate, &request).await) }
            });
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(timeout);
            let connection = server.serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                () = shutdown.cancelled() => {}
                _ended = connection => {}
            }
            drop(place);
        });
    }
}

async fn answer(gate: &Arc<Gate>, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned());
    }
    match request.uri().path() {
        "/healthz" => text(StatusCode::OK, "ok\n".to_owned()),
        "/readyz" => ready(gate).await,
        "/metrics" => metrics(gate),
        _ => text(StatusCode::NOT_FOUND, "try /healthz, /readyz or /metrics\n".to_owned()),
    }
}

/// Ready means: the gate is not told to stop, the ledger takes entries, and at least one cluster can be reached and the values
/// of its Secrets are known. One cluster that is down must not take the gate to the others out of service; it is named all the
/// same.
async fn ready(gate: &Arc<Gate>) -> Response<Full<Bytes>> {
    let mut report = String::new();
    let ledger = gate.ledger().stats();
    let ledger_ok = ledger.refusing.is_none();
    let _infallible = match (&ledger.refusing, &ledger.unsealed) {
        (None, None) => writeln!(report, "ledger: ok"),
        (None, Some(error)) => writeln!(report, "ledger: takes entries, but {error}"),
        (Some(error), _) => writeln!(report, "ledger: {error}"),
    };
    let stopping = gate.stopping().is_cancelled();
    if stopping {
        report.push_str("gate: stopping\n");
    }
    let mut reached = 0_usize;
    for (cluster, answer) in reach(gate).await {
        let _infallible = match answer {
            Ok(how) => {
                reached += 1;
                writeln!(report, "cluster {cluster}: {how}")
            }
            Err(error) => writeln!(report, "cluster {cluster}: {error}"),
        };
    }
    let code =
        if ledger_ok && reached > 0 && !stopping { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    text(code, report)
}

/// Asks every cluster at once, so that one which does not answer cannot hide the others from a probe.
async fn reach(gate: &Arc<Gate>) -> BTreeMap<String, Result<String, String>> {
    let mut asked = JoinSet::new();
    for cluster in gate.clusters().map(Arc::clone) {
        asked.spawn(async move {
            let answer = match timeout(REACHED_WITHIN, cluster.reach()).await {
                Ok(Ok(())) => usable(cluster.standing().unwrap_or_default()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_elapsed) => Err("no connection yet".to_owned()),
            };
            (cluster.name().to_owned(), answer)
        });
    }
    asked.join_all().await.into_iter().collect()
}

/// Whether calls to a cluster that is reached pass, and why not.
fn usable(Standing { blind, problem, over_share, .. }: Standing) -> Result<String, String> {
    match (blind, problem) {
        (Some(blind), _) => Err(format!("no call passes: {blind}")),
        (None, Some(problem)) => Ok(format!("ok, but its Secrets are not followed: {problem}")),
        (None, None) if !over_share.is_empty() => {
            let namespaces: Vec<_> = over_share.into_keys().collect();
            let which = namespaces.join(", ");
            Ok(format!("ok, but no call about these namespaces passes, whose Secrets hold too much: {which}"))
        }
        (None, None) => Ok("ok".to_owned()),
    }
}

fn metrics(gate: &Gate) -> Response<Full<Bytes>> {
    let clusters = gate.clusters();
    let standings = clusters.filter_map(|cluster| Some((cluster.name(), cluster.standing()?)));
    match gate.metrics().text(&gate.ledger().stats(), standings) {
        Ok(figures) => {
            let mut response = text(StatusCode::OK, figures);
            response.headers_mut().insert(header::CONTENT_TYPE, OPENMETRICS);
            response
        }
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

fn text(code: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = code;
    response.headers_mut().insert(header::CONTENT_TYPE, TEXT);
    response
}
