//! Phase 1, *accept*: connections, TLS, HTTP/1.1 and HTTP/2, each with its limits.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;

use crate::{Gate, call, limits::Limits};

/// Bytes of a request body that one HTTP/2 stream may have in flight.
const STREAM_WINDOW: u32 = 256 * 1024;
const STREAMS_A_CONNECTION: u32 = 250;

/// The protocols offered by ALPN, in order of preference.
pub const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Accepts connections until `shutdown` fires, then lets open calls finish for at most
/// [`Limits::drain`] while streams are ended at once.
///
/// A failed accept (say, too many open files) is told and tried again after the next event: the gate stays up.
pub async fn serve(gate: Arc<Gate>, listener: TcpListener, tls: TlsAcceptor, shutdown: CancellationToken) {
    let connections = Arc::new(Semaphore::new(gate.limits().connections));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = next(&listener, &connections) => accepted,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        let connection = Connection { gate: Arc::clone(&gate), peer };
        let watcher = graceful.watcher();
        let tls = tls.clone();
        tokio::spawn(async move {
            connection.run(stream, tls, watcher).await;
            drop(place);
        });
    }
    drop(listener);
    gate.end_streams();
    if timeout(gate.limits().drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("calls were still open at the end of the drain time and were cut off");
    }
    gate.settle().await;
}

/// Waits for room first: beyond the limit the kernel's queue holds new connections, and then refuses them.
async fn next(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(connections).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, place)),
        Err(error) => {
            tracing::warn!(%error, "could not accept a connection");
            tokio::task::yield_now().await;
            None
        }
    }
}

struct Connection {
    gate: Arc<Gate>,
    peer: SocketAddr,
}

impl Connection {
    async fn run(self, stream: TcpStream, tls: TlsAcceptor, watcher: Watcher) {
        let limits = self.gate.limits();
        let peer = self.peer;
        let Some(stream) = handshake(stream, tls, &limits).await else { return };
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let gate = Arc::clone(&self.gate);
            async move { Ok::<_, Infallible>(call::serve(gate, peer, request).await) }
        });
        let io = TokioIo::new(stream);
        let served = if http2 {
            watcher.watch(http2_server(&limits).serve_connection(io, service)).await
        } else {
            watcher.watch(http1_server(&limits).serve_connection(io, service)).await
        };
        if let Err(error) = served {
            tracing::debug!(%peer, %error, "connection ended with an error");
        }
    }
}

async fn handshake(stream: TcpStream, tls: TlsAcceptor, limits: &Limits) -> Option<TlsStream<TcpStream>> {
    stream.set_nodelay(true).ok()?;
    timeout(limits.header_timeout, tls.accept(stream)).await.ok()?.ok()
}

fn http1_server(limits: &Limits) -> http1::Builder {
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.header_bytes.max(MIN_BUFFER))
        .max_headers(100)
        .half_close(false);
    server
}

/// hyper's own lower bound for [`http1::Builder::max_buf_size`].
const MIN_BUFFER: usize = 8 * 1024;

fn http2_server(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut server = http2::Builder::new(TokioExecutor::new());
    server
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS_A_CONNECTION)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(STREAM_WINDOW * 4)
        .keep_alive_interval(limits.keep_alive)
        .keep_alive_timeout(limits.header_timeout);
    server
}
