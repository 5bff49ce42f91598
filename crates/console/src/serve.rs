//! The console's listener.

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Extension, Router};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::Console;

/// Connections at once: those of some hundred people.
const CONNECTIONS: usize = 1_000;
/// For the TLS handshake, and for a request's head.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// For pages that are being loaded, once the gate stops.
const FAREWELL: Duration = Duration::from_secs(5);
/// After an error of the listener, such as no file descriptors: others may be closed meanwhile.
const PAUSE: Duration = Duration::from_millis(100);

/// The browser's address and port.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

struct Server {
    router: Router,
    tls: Option<TlsAcceptor>,
    stop: CancellationToken,
}

/// Answers on `listener`, with TLS if the console's address has it, until `stop` fires; then pages that are being loaded may
/// finish.
pub async fn serve(
    console: Console,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    stop: CancellationToken,
) {
    let server = Arc::new(Server { router: console.router(), tls, stop: stop.clone() });
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = TaskTracker::new();
    while let Some(place) = tokio::select! {
        place = Arc::clone(&room).acquire_owned() => place.ok(),
        () = stop.cancelled() => None,
    } {
        let (stream, peer) = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = stop.cancelled() => break,
        };
        let server = Arc::clone(&server);
        connections.spawn(async move {
            server.connection(stream, Peer(peer)).await;
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "the console could not accept a connection");
                sleep(PAUSE).await;
            }
        }
    }
}

impl Server {
    async fn connection(&self, stream: TcpStream, peer: Peer) {
        let Some(tls) = &self.tls else { return self.http(stream, peer).await };
        // Whoever speaks no TLS here is told nothing.
        if let Ok(Ok(stream)) = timeout(HEAD_WITHIN, tls.accept(stream)).await {
            self.http(stream, peer).await;
        }
    }

    async fn http(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer) {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
        builder.http2().timer(TokioTimer::new()).keep_alive_interval(Some(HEAD_WITHIN));
        let service = TowerToHyperService::new(self.router.clone().layer(Extension(peer)));
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                timeout(FAREWELL, connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a browser's connection ended");
        }
    }
}
