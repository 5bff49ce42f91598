//! Taking connections, whatever happens.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// Until files may have been closed again: an accept that failed for want of one fails again at once.
const PAUSE: Duration = Duration::from_millis(100);

/// The next connection. A failure is told and tried again after a pause: the gate stays up, and idle. Cancel safe.
pub async fn next(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // That client left before it was its turn.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                sleep(PAUSE).await;
            }
        }
    }
}
