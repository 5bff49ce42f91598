//! What comes.

use std::{fmt, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream::SplitStream};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::timeout,
};
use tokio_tungstenite::WebSocketStream;
use tungstenite::Message;

use crate::{Error, Io};

/// Bytes that are read at once: of a connection on which little comes, and at most.
const LEAST: usize = 4 << 10;
const MOST: usize = 64 << 10;

/// The half that reads.
pub struct Reader(Half);

enum Half {
    Plain { read: Box<dyn AsyncRead + Send + Unpin>, ahead: Bytes, next: usize },
    Messages(SplitStream<WebSocketStream<Box<dyn Io>>>),
}

impl Reader {
    pub(crate) fn plain(read: Box<dyn AsyncRead + Send + Unpin>, ahead: Bytes) -> Self {
        Self(Half::Plain { read, ahead, next: LEAST })
    }

    pub(crate) fn messages(stream: SplitStream<WebSocketStream<Box<dyn Io>>>) -> Self {
        Self(Half::Messages(stream))
    }

    /// The next piece, of one byte at least over SPDY; `None` once the other side has ended. Cancel safe.
    ///
    /// # Errors
    /// [`Error`]; nothing follows.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        match &mut self.0 {
            Half::Plain { ahead, .. } if !ahead.is_empty() => Ok(Some(std::mem::take(ahead))),
            Half::Plain { read, next, .. } => {
                let mut buffer = BytesMut::with_capacity(*next);
                let came = read.read_buf(&mut buffer).await?;
                *next =
                    if came == *next { (*next * 2).min(MOST) } else { came.next_power_of_two().max(LEAST) };
                Ok((came > 0).then(|| buffer.freeze()))
            }
            Half::Messages(stream) => loop {
                match stream.next().await.transpose()? {
                    Some(Message::Binary(bytes)) => return Ok(Some(bytes)),
                    // Client libraries send text where they are given text.
                    Some(Message::Text(text)) => return Ok(Some(text.into())),
                    Some(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                    Some(Message::Close(_)) | None => return Ok(None),
                }
            },
        }
    }

    /// Reads on until the other side has ended, for so long at most: who hangs up while something comes can take what was said last
    /// away from who has not read it (RFC 9112 section 9.6 tells why).
    pub async fn linger(mut self, most: Duration) {
        let rest = async { while let Ok(Some(_passed_over)) = self.next().await {} };
        let _late = timeout(most, rest).await;
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}
