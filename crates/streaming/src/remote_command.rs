//! Exec and attach as a gate speaks them: towards the client as a [`Server`], towards the API server as a [`Client`], whatever
//! carries them.
//!
//! Both take pieces of bytes (over a WebSocket: messages) and tell what they mean; what is to be sent is taken from them, piece
//! by piece. Neither holds more than one piece's worth, if what they have to send is taken before they are given more.

mod client;
mod server;

use std::fmt;

use crate::{
    channel,
    kind::{self, RemoteCommandStream},
    resize::NotASize,
    spdy,
};

pub use client::Client;
pub use server::Server;

/// What the other side may not do: end the connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A message that is none.
    #[error(transparent)]
    Channel(#[from] channel::Error),
    /// A frame that is none.
    #[error(transparent)]
    Spdy(#[from] spdy::Error),
    /// A stream for nothing that there is.
    #[error(transparent)]
    Kind(#[from] kind::Error),
    /// No size of a terminal.
    #[error(transparent)]
    Size(#[from] NotASize),
    /// What the request did not ask for.
    #[error("the request did not ask for {0}")]
    NotAsked(Named),
    /// A second one.
    #[error("there is a stream for {0} already")]
    Twice(Named),
    /// Bytes on a stream of the other direction.
    #[error("nothing may be sent on {0} in this direction")]
    Direction(Named),
    /// Bytes before every stream is there.
    #[error("nothing may be sent before all streams are open")]
    Early,
    /// The server would not have a stream.
    #[error("the server did not accept the stream for {0}")]
    NotAccepted(Named),
    /// What cannot be sent now.
    #[error(transparent)]
    Send(#[from] spdy::SendError),
}

/// A stream, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named(RemoteCommandStream);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

#[cfg(test)]
mod tests;
