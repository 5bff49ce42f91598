//! A connection and what is spoken on it: one of a stream's two legs.
//!
//! Its two directions do not wait for each other: one task hears while another says. What hearing answers by itself (pings,
//! streams that are opened) goes out in between, and is not waited for while somebody else is saying something.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt;
use parking_lot::Mutex;
use streaming::Endpoint;
use tokio::sync::Notify;

use crate::{Error, Reader, Writer};

/// What is read while answers wait to be sent, in bytes; answers are not longer than what they answer.
const MOST_AHEAD: usize = 256 << 10;

/// The side that hears.
pub struct Hearing<E> {
    shared: Arc<Shared<E>>,
    reader: Reader,
    /// What is not heard yet of the last piece.
    rest: Bytes,
    /// Bytes that were read while something was to be sent, or since nothing can be.
    ahead: usize,
    /// Why nothing can be sent any more.
    broke: Option<Error>,
}

/// The side that says. Cheap to clone.
pub struct Saying<E>(Arc<Shared<E>>);

struct Shared<E> {
    /// The endpoint. Never held while something is waited for.
    end: Mutex<E>,
    /// `None` once it is closed. Whoever holds it takes the output: pieces leave in the order in which they were said.
    writer: tokio::sync::Mutex<Option<Writer>>,
    /// There is something to hear that did not come with a piece.
    heard: Notify,
}

/// Why nothing more is heard or can be said.
#[derive(Debug, thiserror::Error)]
pub enum Fault<E> {
    /// The connection's.
    #[error(transparent)]
    Wire(#[from] Error),
    /// What the other side said, or what was to be said.
    #[error(transparent)]
    Said(E),
}

/// A leg's two sides.
pub fn new<E: Endpoint>(end: E, (reader, writer): (Reader, Writer)) -> (Hearing<E>, Saying<E>) {
    let writer = tokio::sync::Mutex::new(Some(writer));
    let shared = Arc::new(Shared { end: Mutex::new(end), writer, heard: Notify::new() });
    (
        Hearing { shared: Arc::clone(&shared), reader, rest: Bytes::new(), ahead: 0, broke: None },
        Saying(shared),
    )
}

impl<E: Endpoint> Shared<E> {
    /// Sends what there is to be sent. Cancel safe.
    async fn flush(&self) -> Result<(), Error> {
        loop {
            let mut writer = self.writer.lock().await;
            let piece = self.end.lock().take_output();
            match (writer.as_mut(), piece) {
                (Some(open), Some(piece)) => open.send(piece).await?,
                (Some(open), None) if open.is_unsent() => open.flush().await?,
                (None, Some(_unsaid)) => return Err(Error::Closed),
                (Some(_) | None, None) => return Ok(()),
            }
        }
    }

    /// Whether something is to be sent that nobody is sending. Nothing once this side is closed.
    fn owes(&self) -> bool {
        let has_output = self.end.lock().has_output();
        match self.writer.try_lock() {
            Ok(writer) => writer.as_ref().is_some_and(|open| has_output || open.is_unsent()),
            // Who sends takes the output as well.
            Err(_somebody_sends) => has_output,
        }
    }
}

impl<E: Endpoint> Hearing<E> {
    /// What the other side says next; `None` once the connection has ended. Cancel safe.
    ///
    /// # Errors
    /// [`Fault`]; nothing follows.
    pub async fn next(&mut self) -> Result<Option<E::Hears>, Fault<E::Error>> {
        self.next_until(|_| false).await
    }

    /// The same, or `None` once the endpoint is as `is_so` wants it.
    ///
    /// # Errors
    /// [`Fault`]; nothing follows.
    pub async fn next_until(
        &mut self,
        is_so: impl Fn(&E) -> bool,
    ) -> Result<Option<E::Hears>, Fault<E::Error>> {
        loop {
            self.answer().await?;
            let heard = self.shared.end.lock().receive(&mut self.rest).map_err(Fault::Said)?;
            if heard.is_some() {
                return Ok(heard);
            }
            if self.with(|end| is_so(end)) {
                if self.broke.is_none() {
                    self.shared.flush().await?;
                }
                return Ok(None);
            }
            let owes = self.broke.is_none() && self.shared.owes();
            let piece = tokio::select! {
                biased;
                flushed = self.shared.flush(), if owes => {
                    self.flushed(flushed);
                    continue;
                }
                () = self.shared.heard.notified() => continue,
                piece = self.reader.next() => piece?,
            };
            let Some(piece) = piece else {
                return self.broke.take().map_or(Ok(None), |broke| Err(broke.into()));
            };
            self.ahead += piece.len();
            self.rest = piece;
        }
    }

    /// Sends what hearing answers by itself. Who says something may be waiting for the other side to take it, and the other side
    /// for us to hear it: so that is not waited for, unless much is heard meanwhile.
    async fn answer(&mut self) -> Result<(), Error> {
        let is_far = self.ahead >= MOST_AHEAD;
        if is_far && let Some(broke) = self.broke.take() {
            return Err(broke);
        }
        if self.broke.is_some() {
            return Ok(());
        }
        if !self.shared.owes() {
            self.ahead = 0;
        } else if is_far {
            let flushed = self.shared.flush().await;
            self.flushed(flushed);
        } else if let Some(flushed) = self.shared.flush().now_or_never() {
            self.flushed(flushed);
        }
        Ok(())
    }

    /// Who has said all may be gone before it was told all: what it said is heard still.
    fn flushed(&mut self, flushed: Result<(), Error>) {
        self.ahead = 0;
        self.broke = flushed.err();
    }

    /// Looks at the endpoint.
    pub fn with<T>(&self, look: impl FnOnce(&E) -> T) -> T {
        look(&self.shared.end.lock())
    }

    /// Waits for the other side to end, for so long at most; says and hears nothing more.
    pub async fn linger(self, most: Duration) {
        self.reader.linger(most).await;
    }
}

impl<E: Endpoint> Saying<E> {
    /// Says something. When it resolves, the system has it; so who says much waits for who takes it.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn say(&self, said: &E::Says) -> Result<(), Fault<E::Error>> {
        {
            let mut end = self.0.end.lock();
            end.send(said).map_err(Fault::Said)?;
            if end.has_said() {
                self.0.heard.notify_one();
            }
        }
        Ok(self.0.flush().await?)
    }

    /// Looks at the endpoint.
    pub fn with<T>(&self, look: impl FnOnce(&E) -> T) -> T {
        look(&self.0.end.lock())
    }

    /// Sends what there is to be sent without a word.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn flush(&self) -> Result<(), Fault<E::Error>> {
        Ok(self.0.flush().await?)
    }

    /// Ends this side of the connection, after what `last` has the endpoint say. What is said after that is an error.
    ///
    /// # Errors
    /// [`Fault`]: the other side may not have heard it.
    pub async fn close(&self, last: impl FnOnce(&mut E)) -> Result<(), Fault<E::Error>> {
        last(&mut self.0.end.lock());
        self.0.flush().await?;
        let writer = self.0.writer.lock().await.take();
        match writer {
            Some(writer) => Ok(writer.close().await?),
            None => Ok(()),
        }
    }
}

impl<E> Clone for Saying<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<E> fmt::Debug for Hearing<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hearing")
    }
}

impl<E> fmt::Debug for Saying<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Saying")
    }
}
