//! What goes.

use std::fmt;

use bytes::Bytes;
use futures_util::{SinkExt, stream::SplitSink};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use crate::{Error, Io};

/// Bytes of a reason that fit a close frame (RFC 6455 section 5.5).
const REASON: usize = 123;

/// The half that writes.
pub struct Writer(Half);

enum Half {
    Plain(Box<dyn AsyncWrite + Send + Unpin>),
    Messages(SplitSink<WebSocketStream<Box<dyn Io>>, Message>),
}

/// How it ends, for a WebSocket (RFC 6455 section 7.4.1); SPDY has said so by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closing {
    /// All was said.
    Normal,
    /// It is ended, for this reason.
    Ended(String),
    /// The other side broke the rules.
    Refused(String),
}

impl Writer {
    pub(crate) fn plain(write: Box<dyn AsyncWrite + Send + Unpin>) -> Self {
        Self(Half::Plain(write))
    }

    pub(crate) fn messages(sink: SplitSink<WebSocketStream<Box<dyn Io>>, Message>) -> Self {
        Self(Half::Messages(sink))
    }

    /// Sends a piece: over a WebSocket, a message. When it resolves, the system has it.
    ///
    /// # Errors
    /// [`Error`]; nothing more can be sent.
    pub async fn send(&mut self, piece: Bytes) -> Result<(), Error> {
        match &mut self.0 {
            Half::Plain(write) => {
                write.write_all(&piece).await?;
                Ok(write.flush().await?)
            }
            Half::Messages(sink) => Ok(sink.send(Message::Binary(piece)).await?),
        }
    }

    /// Ends this half.
    ///
    /// # Errors
    /// [`Error`]: the other side may not have heard it.
    pub async fn close(mut self, closing: Closing) -> Result<(), Error> {
        match &mut self.0 {
            Half::Plain(write) => Ok(write.shutdown().await?),
            Half::Messages(sink) => Ok(sink.send(Message::Close(Some(closing.frame()))).await?),
        }
    }
}

impl Closing {
    fn frame(self) -> CloseFrame {
        let (code, mut reason) = match self {
            Self::Normal => (CloseCode::Normal, String::new()),
            Self::Ended(why) => (CloseCode::Away, why),
            Self::Refused(why) => (CloseCode::Policy, why),
        };
        reason.truncate(reason.floor_char_boundary(REASON));
        CloseFrame { code, reason: reason.into() }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}
