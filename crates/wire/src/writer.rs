//! What goes.

use std::{collections::VecDeque, fmt, io};

use bytes::{Buf, Bytes};
use futures_util::{SinkExt, stream::SplitSink};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tungstenite::{
    Message, Utf8Bytes,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use crate::{Error, Io};

const NORMAL: CloseFrame = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::from_static("") };

/// The half that writes.
pub struct Writer(Half);

enum Half {
    /// With what is still to be written of what was given up: half a frame would make nonsense of all that follows.
    Plain(Box<dyn AsyncWrite + Send + Unpin>, VecDeque<Bytes>),
    Messages(SplitSink<WebSocketStream<Box<dyn Io>>, Message>),
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

    /// Ends this half: all was said. A WebSocket is closed normally whatever has ended it, since that was said in the protocol, and
    /// kubectl passes over what was said where the close tells something else.
    ///
    /// # Errors
    /// [`Error`]: the other side may not have heard it.
    pub async fn close(mut self) -> Result<(), Error> {
        match &mut self.0 {
            Half::Plain(write, waiting) => {
                write_out(write, waiting).await?;
                Ok(write.shutdown().await?)
            }
            Half::Messages(sink) => Ok(sink.send(Message::Close(Some(NORMAL))).await?),
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

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}
