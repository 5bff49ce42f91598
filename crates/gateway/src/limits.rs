//! What one client may use up before others suffer.

use std::time::Duration;

/// Bounds of the data path; each has a default that suits a team of agents.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open connections, all clients together.
    pub connections: usize,
    /// Bytes of a request's head.
    pub header_bytes: usize,
    /// For the TLS handshake, and again for a request's head.
    pub header_timeout: Duration,
    /// For a request's body to arrive.
    pub body_timeout: Duration,
    /// Bytes of a request's body; never above what the API server takes (3 MiB).
    pub body_bytes: usize,
    /// Calls that one session may have open at once, streams included.
    pub calls_a_session: usize,
    /// How often an idle HTTP/2 connection is asked whether it is still there.
    pub keep_alive: Duration,
    /// How long open calls may go on once the gate is told to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            header_bytes: 64 * 1024,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            body_bytes: 3 * 1024 * 1024,
            calls_a_session: 100,
            keep_alive: Duration::from_secs(30),
            drain: Duration::from_secs(30),
        }
    }
}
