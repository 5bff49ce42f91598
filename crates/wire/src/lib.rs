//! A connection after its upgrade, to a client or to an API server: pieces of bytes one way and the other.
//!
//! What the pieces mean is [`streaming`]'s. Over SPDY they are cut anywhere; over a WebSocket each is a message, and pings are
//! answered here. [`leg`] puts an [`Endpoint`](streaming::Endpoint) on top: who drives it hears and says what is meant.
//! [`handshake`] has what a WebSocket needs beside the headers of its protocol.

pub mod handshake;
pub mod leg;
mod reader;
mod writer;

use std::io;

use bytes::Bytes;
use futures_util::StreamExt;
use streaming::protocol::Transport;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tungstenite::{
    error::CapacityError,
    protocol::{Role, WebSocketConfig},
};

pub use reader::Reader;
pub use writer::Writer;

/// Bytes of a WebSocket's message. Kubernetes' own send 32 KiB; some client libraries send what they are given as one.
pub const MAX_MESSAGE: usize = 1 << 20;

/// What reads and writes: TLS over TCP, or a pipe in a test.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Which end of the connection this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Who asked for the upgrade.
    Client,
    /// Who agreed to it.
    Server,
}

/// Why nothing more can be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// A message is too long.
    #[error("a message has more than {MAX_MESSAGE} bytes: send it in several")]
    TooLong,
    /// This side has ended the connection before.
    #[error("the connection was ended on this side")]
    Closed,
    /// What came is no WebSocket's.
    #[error("the other side broke the rules of WebSockets: {0}")]
    Protocol(String),
}

/// The two halves of an upgraded connection. `ahead`: what was read behind the head of the request or the answer.
pub async fn split<S: Io + 'static>(io: S, ahead: Bytes, transport: Transport, end: End) -> (Reader, Writer) {
    match transport {
        Transport::Spdy => {
            let (read, write) = tokio::io::split(io);
            (Reader::plain(Box::new(read), ahead), Writer::plain(Box::new(write)))
        }
        Transport::WebSocket => {
            let role = match end {
                End::Client => Role::Client,
                End::Server => Role::Server,
            };
            let io: Box<dyn Io> = Box::new(io);
            let socket = WebSocketStream::from_partially_read(io, ahead.into(), role, Some(settings())).await;
            let (sink, stream) = socket.split();
            (Reader::messages(stream), Writer::messages(sink))
        }
    }
}

/// Small buffers, since most streams are idle, and every message leaves when it is sent.
fn settings() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(8 << 10)
        .write_buffer_size(0)
        .max_write_buffer_size(2 * MAX_MESSAGE)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
}

impl From<tungstenite::Error> for Error {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Io(error) => Self::Io(error),
            tungstenite::Error::Capacity(CapacityError::MessageTooLong { .. }) => Self::TooLong,
            other => Self::Protocol(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
