//! A connection through a port-forward cannot be opened by an intent that the ledger does not hold.

use streaming::port_forward::ConnectionId;
use upstream::{Intent, PortForward};

async fn connect(forward: &PortForward, intent: Intent, connection: ConnectionId) {
    let _opened = forward.connect(intent, connection).await;
}
