//! What goes.

use std::{collections::VecDeque, fmt, io};

use bytes::{Buf, Bytes};
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
    /// With what is still to be written of what was given up: half a frame would make nonsense of all that follows.
    Plain(Box<dyn AsyncWrite + Send + Unpin>, VecDeque<Bytes>),
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
        Self(Half::Plain(write, VecDeque::new()))
    }

    pub(crate) fn messages(sink: SplitSink<WebSocketStream<Box<dyn Io>>, Message>) -> Self {
        Self(Half::Messages(sink))
    }

    /// Sends a piece: over a WebSocket, a message. When it resolves, the system has it. Cancel safe: what is given up is sent
    /// before what comes next.
    ///
    /// # Errors
    /// [`Error`]; nothing more can be sent.
    pub async fn send(&mut self, piece: Bytes) -> Result<(), Error> {
        match &mut self.0 {
            Half::Plain(write, waiting) => {
                waiting.push_back(piece);
                Ok(write_out(write, waiting).await?)
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
            Half::Plain(write, waiting) => {
                write_out(write, waiting).await?;
                Ok(write.shutdown().await?)
            }
            Half::Messages(sink) => Ok(sink.send(Message::Close(Some(closing.frame()))).await?),
        }
    }
}

async fn write_out(
    write: &mut Box<dyn AsyncWrite + Send + Unpin>,
    waiting: &mut VecDeque<Bytes>,
) -> io::Result<()> {
    while let Some(piece) = waiting.front_mut() {
        while piece.has_remaining() {
            if write.write_buf(piece).await? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        waiting.pop_front();
    }
    write.flush().await
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
