//! What goes.

use std::{collections::VecDeque, fmt, future::poll_fn, io};

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
pub struct Writer {
    half: Half,
    /// What is still to be written of what was given up: half a frame would make nonsense of all that follows.
    waiting: VecDeque<Bytes>,
    /// Whether the system does not have all yet.
    unsent: bool,
}

enum Half {
    Plain(Box<dyn AsyncWrite + Send + Unpin>),
    Messages(SplitSink<WebSocketStream<Box<dyn Io>>, Message>),
}

impl Writer {
    pub(crate) fn plain(write: Box<dyn AsyncWrite + Send + Unpin>) -> Self {
        Self::new(Half::Plain(write))
    }

    pub(crate) fn messages(sink: SplitSink<WebSocketStream<Box<dyn Io>>, Message>) -> Self {
        Self::new(Half::Messages(sink))
    }

    fn new(half: Half) -> Self {
        Self { half, waiting: VecDeque::new(), unsent: false }
    }

    /// Sends a piece: over a WebSocket, a message. When it resolves, the system has it. Cancel safe: what is given up is sent
    /// before what comes next.
    ///
    /// # Errors
    /// [`Error`]; nothing more can be sent.
    pub async fn send(&mut self, piece: Bytes) -> Result<(), Error> {
        self.waiting.push_back(piece);
        self.unsent = true;
        self.flush().await
    }

    /// Whether something was given up that is to be sent.
    pub(crate) fn is_unsent(&self) -> bool {
        self.unsent
    }

    /// Sends what was given up. Cancel safe.
    pub(crate) async fn flush(&mut self) -> Result<(), Error> {
        match &mut self.half {
            Half::Plain(write) => write_out(write, &mut self.waiting).await?,
            Half::Messages(sink) => {
                while !self.waiting.is_empty() {
                    poll_fn(|context| sink.poll_ready_unpin(context)).await?;
                    if let Some(piece) = self.waiting.pop_front() {
                        sink.start_send_unpin(Message::Binary(piece))?;
                    }
                }
                sink.flush().await?;
            }
        }
        self.unsent = false;
        Ok(())
    }

    /// Ends this half: all was said. A WebSocket is closed normally whatever has ended it, since that was said in the protocol, and
    /// kubectl passes over what was said where the close tells something else.
    ///
    /// # Errors
    /// [`Error`]: the other side may not have heard it.
    pub async fn close(mut self) -> Result<(), Error> {
        self.flush().await?;
        match &mut self.half {
            Half::Plain(write) => Ok(write.shutdown().await?),
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
