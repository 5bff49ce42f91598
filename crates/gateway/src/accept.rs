//! Phase 1, *accept*: who may connect, and the end of it all.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Gate,
    connection::Connection,
    listen,
    slots::{Slot, Slots},
};

/// The protocols offered by ALPN, in order of preference.
pub const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

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
        let connection = Connection { gate: Arc::clone(&gate), peer };
        let tls = tls.clone();
        connections.spawn(async move {
            connection.run(stream, tls).await;
            drop(places);
        });
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

/// What belongs to one client: an IPv4 address, or an IPv6 network of 64 bits, all of whose addresses are its own
/// (RFC 6177 section 2).
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_string(),
    }
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
        let (stream, peer) = listen::next(&self.listener).await;
        let Some(share) = self.addresses.take(&network(peer.ip())) else {
            tracing::debug!(%peer, "its address has as many connections open as it may");
            return None;
        };
        Some((stream, peer, (place, share)))
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn an_ipv6_network_is_one_client() {
        let of = |address: &str| network(address.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:0:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
