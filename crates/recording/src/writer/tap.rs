//! What hands records over: a session's [`Tap`], and a [`Stream`] of it.

use super::body::{Body, Digested};
use super::queue::Queue;
use super::run::{Run, Stopped};
use super::thread::{Handed, Message};
use super::{Recorder, WITHIN};
use crate::record::{Answered, Before, Called, Channel, Kind, MAX_PIECE, Opened, Payload, Session, What};
use crate::{Digest, Text, Words, kept};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout};

/// Where a session's records go: a handle, cheap to clone.
///
/// What it takes is written in order. It waits while the recorder's queue is full, and stops the recording after ten seconds
/// of that. A future that is dropped has handed over all of its record, or none.
#[derive(Debug, Clone)]
pub struct Tap {
    queue: Queue,
    room: Arc<Semaphore>,
    run: Arc<Run>,
}

/// A stream that is being recorded.
#[derive(Debug)]
pub struct Stream {
    tap: Tap,
    number: u32,
}

/// What a stream is that begins.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "as in `Opened`")]
pub struct Opening {
    pub call: Text<128>,
    pub kind: Kind,
    pub namespace: Text<256>,
    pub pod: Text<256>,
    pub container: Option<Text<256>>,
    pub argv: Words,
    pub tty: bool,
}

// === impl Tap ===

impl Tap {
    pub(super) fn new(recorder: &Recorder, run: Arc<Run>) -> Self {
        Self { queue: recorder.queue.clone(), room: Arc::clone(&recorder.room), run }
    }

    /// Whose it is.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.run.session
    }

    /// The agent called. `act` is what it asked for, as the ledger tells it.
    ///
    /// # Errors
    /// [`Stopped`], as of everything here.
    pub async fn called(&self, call: &str, act: &str, body: Option<Body>) -> Result<(), Stopped> {
        self.write(What::Called(Called { call: call.into(), act: act.into(), body: None }), body).await
    }

    /// What the call is about to change is like this; `None`: it is not there yet. `masked`: whether values of it are not shown, and `kept`
    /// whether they are kept ([`Tap::keep`]).
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn before(
        &self,
        call: &str,
        masked: bool,
        kept: Option<Digest>,
        object: Option<Body>,
    ) -> Result<(), Stopped> {
        self.write(What::Before(Before { call: call.into(), masked, kept, body: None }), object).await
    }

    /// Keeps beside the recording what a [`Keeper`](crate::kept::Keeper) closed of the object that a call is about to change; tells its
    /// digest. It is durable then. It is erased with the recording.
    ///
    /// # Errors
    /// [`Stopped`]: it is not kept, and the call must not be sent. The recording goes on, unless the recorder cannot keep up.
    pub async fn keep(&self, call: &str, stored: Vec<u8>) -> Result<Digest, Stopped> {
        let unwritable = |why: &str| Stopped::Unwritable { why: why.to_owned() };
        let name = kept::file_name(call).ok_or_else(|| unwritable("the call's id names no file"))?;
        self.run.check()?;
        let weight = u32::try_from(stored.len()).unwrap_or(u32::MAX);
        let room = self.room(weight).await?;
        let (reply, kept) = oneshot::channel();
        let message = Message::Keep { run: Arc::clone(&self.run), name, stored, room, reply };
        self.queue.send(message).map_err(|_closed| self.gone())?;
        let kept = timeout(WITHIN, kept).await.map_err(|_elapsed| Stopped::Stalled)?;
        kept.map_err(|_gone| self.gone())?
    }

    /// The agent was answered so.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn answered(
        &self,
        call: &str,
        status: u16,
        media: Option<&str>,
        body: Option<Body>,
    ) -> Result<(), Stopped> {
        let answered = Answered { call: call.into(), status, media: media.map(Text::from), body: None };
        self.write(What::Answered(answered), body).await
    }

    /// A stream began.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn open(&self, opening: Opening) -> Result<Stream, Stopped> {
        let number = self.run.number_stream();
        let Opening { call, kind, namespace, pod, container, argv, tty } = opening;
        let opened = Opened { stream: number, call, kind, namespace, pod, container, argv, tty };
        self.write(What::Opened(opened), None).await?;
        Ok(Stream { tap: self.clone(), number })
    }

    /// Answers once all that was handed over before is durable, and the ledger has its digests: before anybody is shown
    /// an end.
    ///
    /// # Errors
    /// [`Stopped`]: it is not, or not within ten seconds.
    pub async fn flush(&self) -> Result<(), Stopped> {
        let (reply, flushed) = oneshot::channel();
        self.ask(Message::Flush { run: Arc::clone(&self.run), reply }, flushed).await
    }

    /// Ends the recording in good order, for all its taps. It can go on by [`Recorder::session`].
    ///
    /// # Errors
    /// [`Stopped`]: it could not be, or was stopped before.
    pub async fn end(&self) -> Result<(), Stopped> {
        let (reply, ended) = oneshot::channel();
        self.ask(Message::End { run: Arc::clone(&self.run), reply }, ended).await
    }

    /// Waits until the recording has stopped. Whatever goes on in the session is to be ended then.
    pub async fn until_stopped(&self) -> Stopped {
        self.run.until_stopped().await
    }

    /// Why the recording has stopped, if it has.
    #[must_use]
    pub fn stopped(&self) -> Option<Stopped> {
        self.run.stopped()
    }

    async fn ask(
        &self,
        message: Message,
        answer: oneshot::Receiver<Result<u64, Stopped>>,
    ) -> Result<(), Stopped> {
        self.queue.send(message).map_err(|_| self.gone())?;
        let answered = timeout(WITHIN, answer).await.map_err(|_elapsed| Stopped::Stalled)?;
        self.run.until_recorded(answered.map_err(|_| self.gone())??).await
    }

    pub(super) async fn write(&self, what: What, body: Option<Body>) -> Result<(), Stopped> {
        // A body is more than the reserve is for.
        let is_end = body.is_none() && what.is_end();
        let check = if is_end { Run::check_end } else { Run::check };
        self.write_if(check, what, body).await
    }

    async fn write_if(
        &self,
        check: fn(&Run) -> Result<(), Stopped>,
        what: What,
        body: Option<Body>,
    ) -> Result<(), Stopped> {
        check(&self.run)?;
        let at = self.run.now();
        let body = body.map(Body::digest);
        let weight = what.weight() + body.as_ref().map_or(0, Digested::weight);
        let room = self.room(u32::try_from(weight).unwrap_or(u32::MAX)).await?;
        check(&self.run)?;
        let since = Instant::now();
        let handed = Handed { run: Arc::clone(&self.run), at, since, what, body, room };
        self.queue.leave(Message::Record(Box::new(handed)), weight).map_err(|_closed| self.gone())
    }

    /// So much of the queue, once it is free.
    async fn room(&self, weight: u32) -> Result<OwnedSemaphorePermit, Stopped> {
        if let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(weight) {
            return Ok(room);
        }
        self.queue.hurry();
        match timeout(WITHIN, Arc::clone(&self.room).acquire_many_owned(weight)).await {
            Ok(room) => room.map_err(|_closed| self.gone()),
            Err(_elapsed) => {
                // What was not taken would be missing in the middle.
                self.run.stop(Stopped::Stalled);
                Err(Stopped::Stalled)
            }
        }
    }

    fn gone(&self) -> Stopped {
        self.run.stopped().unwrap_or(Stopped::Closed)
    }
}

// === impl Stream ===

impl Stream {
    /// Its number in the recording.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// These bytes passed. Hand them over before they are passed on.
    ///
    /// # Errors
    /// [`Stopped`]: they must not be passed on, and the stream is to be ended.
    pub async fn bytes(&self, channel: Channel, bytes: Bytes) -> Result<(), Stopped> {
        self.write_pieces(Run::check, channel, bytes).await
    }

    /// These bytes came before, and the recording does not have them yet: they were held back, or it took nothing more just then. They belong
    /// to the end, and nothing more passes.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn rest(&self, channel: Channel, bytes: Bytes) -> Result<(), Stopped> {
        self.write_pieces(Run::check_end, channel, bytes).await
    }

    async fn write_pieces(
        &self,
        check: fn(&Run) -> Result<(), Stopped>,
        channel: Channel,
        mut bytes: Bytes,
    ) -> Result<(), Stopped> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(MAX_PIECE));
            let what = What::Bytes { stream: self.number, channel, bytes: Payload(piece) };
            self.tap.write_if(check, what, None).await?;
        }
        Ok(())
    }

    /// The terminal has this size from now on.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn resized(&self, width: u16, height: u16) -> Result<(), Stopped> {
        self.tap.write(What::Resized { stream: self.number, width, height }, None).await
    }

    /// It ended. Answers once that is durable and in the ledger, so that the end can be shown.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn closed(self, how: &str) -> Result<(), Stopped> {
        self.tap.write(What::Closed { stream: self.number, how: how.into() }, None).await?;
        self.tap.flush().await
    }
}
