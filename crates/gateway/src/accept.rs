//! Phase 1, *accept*: who may connect, and the end of it all.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use door::{Slot, Slots, network};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Gate, connection::Connection};

/// For the outcomes of calls that were cut off to reach the ledger.
const SETTLE: Duration = Duration::from_secs(10);

/// For clients to be told that their calls were cut off.
const FAREWELL: Duration = Duration::from_secs(1);

/// How the calls came to their end that were open when the gate was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Each has its outcome in the ledger.
    Settled,
    /// Some have none.
    Unsettled,
}

/// Accepts connections until `shutdown` fires. Then streams are ended, other calls may finish for at most
/// [`Limits::drain`](crate::Limits::drain), and what is still open is cut off.
pub async fn serve(
    gate: Arc<Gate>,
    listener: TcpListener,
    tls: TlsAcceptor,
    shutdown: CancellationToken,
) -> Drained {
    let limits = gate.limits();
    let door = Door {
        listener,
        room: Arc::new(Semaphore::new(limits.connections)),
        addresses: Slots::new(limits.connections_per_address),
    };
    let connections = TaskTracker::new();
    loop {
        let entered = tokio::select! {
            () = shutdown.cancelled() => break,
            entered = door.next() => entered,
        };
        let Some((stream, peer, places)) = entered else { continue };
        let connection = Connection { gate: Arc::clone(&gate), peer, places: Arc::new(places) };
        connections.spawn(connection.run(stream, tls.clone()));
    }
    drop(door);
    drain(&gate, &connections).await
}

async fn drain(gate: &Gate, connections: &TaskTracker) -> Drained {
    gate.stopping().cancel();
    connections.close();
    gate.tasks().close();
    let finished = async {
        connections.wait().await;
        gate.tasks().wait().await;
    };
    if timeout(gate.limits().drain, finished).await.is_ok() {
        return Drained::Settled;
    }
    tracing::warn!(
        calls = gate.tasks().len(),
        "calls are still open at the end of the drain time and are cut off"
    );
    gate.cut().cancel();
    if timeout(SETTLE, gate.tasks().wait()).await.is_err() {
        tracing::error!(calls = gate.tasks().len(), "calls have no outcome in the ledger");
        return Drained::Unsettled;
    }
    let _stalled = timeout(FAREWELL, connections.wait()).await;
    Drained::Settled
}

struct Door {
    listener: TcpListener,
    room: Arc<Semaphore>,
    addresses: Slots,
}

impl Door {
    /// Waits for room first: beyond the limit the kernel's queue holds new connections, and then refuses them. One
    /// address cannot take all the room: beyond its share its connections are closed at once.
    async fn next(&self) -> Option<(TcpStream, SocketAddr, (OwnedSemaphorePermit, Slot))> {
        let place = Arc::clone(&self.room).acquire_owned().await.ok()?;
        let (stream, peer) = door::next(&self.listener).await;
        let Some(share) = self.addresses.take(&network(peer.ip())) else {
            tracing::debug!(%peer, "its address has as many connections open as it may");
            return None;
        };
        Some((stream, peer, (place, share)))
    }
}
