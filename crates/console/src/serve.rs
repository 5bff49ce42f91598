//! The console's listeners.

use std::{
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Extension, Router, body::Body};
use door::{Slots, network};
use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use crate::Console;

/// Connections at once: those of some hundred people.
const CONNECTIONS: usize = 1_000;
/// Connections of one address, or of one network of IPv6, so that one cannot take all the room.
const OF_ONE_ADDRESS: usize = 100;
/// For the TLS handshake, and for a request's head; the first must be there by then.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// A connection ends then, between two answers: nobody holds a place for good. Pages that are told of events come back by
/// themselves.
const LONGEST: Duration = Duration::from_mins(10);
/// For pages that are being loaded, once the gate stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// The browser's address and port.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

struct Server {
    router: Router,
    tls: Option<TlsAcceptor>,
    room: Arc<Semaphore>,
    addresses: Slots,
    connections: TaskTracker,
    stop: CancellationToken,
}

/// Answers on `listeners`, with TLS if the console's address has it, until `stop` fires; then pages that are being loaded may
/// finish.
pub async fn serve(
    console: Console,
    listeners: Vec<TcpListener>,
    tls: Option<TlsAcceptor>,
    stop: CancellationToken,
) {
    let server = Arc::new(Server {
        router: console.router(),
        tls,
        room: Arc::new(Semaphore::new(CONNECTIONS)),
        addresses: Slots::new(OF_ONE_ADDRESS),
        connections: TaskTracker::new(),
        stop,
    });
    let accepting = TaskTracker::new();
    for listener in listeners {
        accepting.spawn(Arc::clone(&server).accept(listener));
    }
    accepting.close();
    accepting.wait().await;
    server.connections.close();
    server.connections.wait().await;
}

impl Server {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        while let Some(place) = tokio::select! {
            place = Arc::clone(&self.room).acquire_owned() => place.ok(),
            () = self.stop.cancelled() => None,
        } {
            let (stream, peer) = tokio::select! {
                accepted = door::next(&listener) => accepted,
                () = self.stop.cancelled() => break,
            };
            let Some(share) = self.addresses.take(&network(peer.ip())) else { continue };
            let server = Arc::clone(&self);
            self.connections.spawn(async move {
                server.connection(stream, Peer(peer)).await;
                drop((place, share));
            });
        }
    }

    async fn connection(&self, stream: TcpStream, peer: Peer) {
        let Some(tls) = &self.tls else { return self.http(stream, peer, false).await };
        // Whoever speaks no TLS here is told nothing.
        if let Ok(Ok(stream)) = timeout(HEAD_WITHIN, tls.accept(stream)).await {
            let two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            self.http(stream, peer, two).await;
        }
    }

    /// HTTP/2 if `two`, else HTTP/1.1.
    async fn http(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: Peer,
        two: bool,
    ) {
        let asked = Arc::new(AtomicBool::new(false));
        let router = self.router.clone().layer(Extension(peer));
        let service = service_fn({
            let asked = Arc::clone(&asked);
            move |request: Request<Incoming>| {
                asked.store(true, Ordering::Relaxed);
                router.clone().oneshot(request.map(Body::new))
            }
        });
        // One of them alone: which it is need not be found out, for which there is no time limit.
        let builder = auto::Builder::new(TokioExecutor::new());
        let mut builder = if two { builder.http2_only() } else { builder.http1_only() };
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
        builder.http2().timer(TokioTimer::new()).keep_alive_interval(Some(HEAD_WITHIN));
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let over = tokio::select! {
            _ended = connection.as_mut() => return,
            over = self.over(&asked) => over,
        };
        connection.as_mut().graceful_shutdown();
        let _cut_off = timeout(over, connection).await;
    }

    /// Waits until a connection is to end; for how long it may then finish.
    async fn over(&self, asked: &AtomicBool) -> Duration {
        let first = async {
            sleep(HEAD_WITHIN).await;
            if asked.load(Ordering::Relaxed) {
                sleep(LONGEST).await;
                return FAREWELL;
            }
            Duration::ZERO
        };
        tokio::select! {
            over = first => over,
            () = self.stop.cancelled() => FAREWELL,
        }
    }
}
