//! Port-forward as a gate speaks it: towards the client as a [`Server`], towards the API server as a [`Client`].
//!
//! A connection to a port is two streams of SPDY, whatever carries that: see [`crate::kind::PortForwardStream`]. Clients that speak in
//! messages (`v4.channel.k8s.io`, the libraries for Python and JavaScript) have one connection for each port that the request names.
//!
//! A connection's number is given where it is opened first, and is the same on both legs. A client's connection is heard of before it
//! is accepted: nothing is sent on it until then. Who speaks in messages is not told of that, and may say something before; whoever
//! drives the [`Server`] holds that back.

mod client;
mod messages;
mod server;
mod streams;

use std::fmt;

use bytes::Bytes;
use std::num::NonZeroU16;

use crate::{kind, spdy};

pub use client::Client;
pub use server::Server;

/// How many connections to ports may be open at once; more are reset. Each has two streams, or two channels.
pub const MAX_CONNECTIONS: usize = spdy::MAX_STREAMS / 2;
const _: () = assert!(2 * MAX_CONNECTIONS <= 1 << u8::BITS, "each channel has a number of one byte");

/// How much of what a server tells of an error is kept: the rest is dropped.
pub const MAX_TEXT: usize = 8 << 10;

/// Which connection of a port-forward, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub(crate) u32);

/// The ports that a request names, in its order: each is a connection of a client that speaks in messages. A port may be named twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports(Vec<NonZeroU16>);

/// Nobody can say which connections there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "over `v4.channel.k8s.io` the request names what to connect to: write `?ports=8080`, 1 to {MAX_CONNECTIONS} ports"
)]
pub struct NotPorts;

/// What a client says of a connection.
#[derive(Clone, PartialEq, Eq)]
pub enum FromClient {
    /// It wants one, to this port.
    Open {
        /// Which.
        connection: ConnectionId,
        /// Of the pod.
        port: NonZeroU16,
    },
    /// Bytes for the port.
    Data {
        /// On which.
        connection: ConnectionId,
        /// Never nothing.
        bytes: Bytes,
    },
    /// No more of them.
    Finished(ConnectionId),
    /// It is not wanted any more, in either direction.
    Reset(ConnectionId),
}

/// What a server says of a connection.
#[derive(Clone, PartialEq, Eq)]
pub enum FromServer {
    /// It may be used.
    Accepted(ConnectionId),
    /// Bytes from the port.
    Data {
        /// On which.
        connection: ConnectionId,
        /// Never nothing.
        bytes: Bytes,
    },
    /// No more of them.
    Finished(ConnectionId),
    /// How it went, for people: empty if well. Container runtimes write it and may quote anything.
    Told {
        /// Of which.
        connection: ConnectionId,
        /// At most [`MAX_TEXT`] bytes.
        text: Bytes,
    },
    /// It is not there any more, in either direction, or never was.
    Reset(ConnectionId),
}

/// What the other side may not do: ends all connections.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A frame that is none.
    #[error(transparent)]
    Spdy(#[from] spdy::Error),
    /// A stream for nothing that there is.
    #[error(transparent)]
    Kind(#[from] kind::Error),
    /// A second stream of the same kind.
    #[error("connection `{0}` has such a stream already")]
    Twice(String),
    /// The stream for data comes alone.
    #[error("open the stream for errors of connection `{0}` before the one for data")]
    Alone(String),
    /// Its two streams name two ports.
    #[error("the streams of connection `{0}` are for different ports")]
    Ports(String),
    /// Bytes where errors are told.
    #[error("nothing may be sent where errors are told in this direction")]
    Direction,
    /// A message on none of the channels that there are.
    #[error("there is no channel {0}: each port that the request names has two, from 0 on")]
    Channel(u8),
    /// Bytes before it is accepted.
    #[error("nothing may be sent on a connection before it is accepted")]
    Early,
    /// What cannot be sent now.
    #[error(transparent)]
    Send(#[from] spdy::SendError),
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Ports {
    /// Those of a request.
    ///
    /// # Errors
    /// There are none, or more than [`MAX_CONNECTIONS`].
    pub fn new(ports: impl IntoIterator<Item = NonZeroU16>) -> Result<Self, NotPorts> {
        let ports: Vec<NonZeroU16> = ports.into_iter().take(MAX_CONNECTIONS + 1).collect();
        if (1..=MAX_CONNECTIONS).contains(&ports.len()) { Ok(Self(ports)) } else { Err(NotPorts) }
    }
}

impl FromClient {
    /// Of which connection.
    #[must_use]
    pub fn connection(&self) -> ConnectionId {
        match self {
            Self::Open { connection, .. }
            | Self::Data { connection, .. }
            | Self::Finished(connection)
            | Self::Reset(connection) => *connection,
        }
    }
}

impl FromServer {
    /// Of which connection.
    #[must_use]
    pub fn connection(&self) -> ConnectionId {
        match self {
            Self::Data { connection, .. }
            | Self::Told { connection, .. }
            | Self::Accepted(connection)
            | Self::Finished(connection)
            | Self::Reset(connection) => *connection,
        }
    }
}

// What goes through may be secret: only its length is shown.

impl fmt::Debug for FromClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { connection, port } => write!(f, "{connection} open, port {port}"),
            Self::Data { connection, bytes } => write!(f, "{connection} data, {} bytes", bytes.len()),
            Self::Finished(connection) => write!(f, "{connection} finished"),
            Self::Reset(connection) => write!(f, "{connection} reset"),
        }
    }
}

impl fmt::Debug for FromServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(connection) => write!(f, "{connection} accepted"),
            Self::Data { connection, bytes } => write!(f, "{connection} data, {} bytes", bytes.len()),
            Self::Finished(connection) => write!(f, "{connection} finished"),
            Self::Told { connection, text } => write!(f, "{connection} told, {} bytes", text.len()),
            Self::Reset(connection) => write!(f, "{connection} reset"),
        }
    }
}

#[cfg(test)]
mod tests;
