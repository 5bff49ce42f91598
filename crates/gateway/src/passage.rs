//! From the task that masks an answer to the connection that writes it: a part at a time, and an end that must be said.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::mpsc;

use crate::outcome::Ending;

/// A way for one answer. One part may wait: what the client does not take is not read from the API server.
pub(crate) fn new() -> (Passing, Passage) {
    let (parts, passing) = mpsc::channel(1);
    let stalled = Arc::new(AtomicBool::new(false));
    let passage = Passage { parts, stalled: Arc::clone(&stalled) };
    (Passing { parts: Some(passing), part: VecDeque::new(), stalled }, passage)
}

/// The masking side. Dropped before [`Passage::end`], it breaks the answer off.
#[derive(Debug)]
pub(crate) struct Passage {
    parts: mpsc::Sender<Part>,
    stalled: Arc<AtomicBool>,
}

/// The connection's side: a body.
#[derive(Debug)]
pub(crate) struct Passing {
    parts: Option<mpsc::Receiver<Part>>,
    /// What is left of the last one.
    part: VecDeque<Bytes>,
    /// The client took nothing for so long that its connection is ended.
    stalled: Arc<AtomicBool>,
}

/// Room for one part.
pub(crate) struct Room<'a>(mpsc::Permit<'a, Part>);

#[derive(Debug)]
enum Part {
    Data(VecDeque<Bytes>),
    End,
}

/// The answer is cut off: the connection must be reset, not ended. Why is in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer was cut off")]
pub(crate) struct Undelivered;

impl Passage {
    /// Waits until the connection has taken every part; `None` when it is gone. Cancel safe.
    pub(crate) async fn room(&self) -> Option<Room<'_>> {
        self.parts.reserve().await.ok().map(Room)
    }

    /// Of a connection that is gone: why.
    pub(crate) fn ending(&self) -> Ending {
        if self.stalled.load(Ordering::Relaxed) { Ending::ClientStalled } else { Ending::ClientLeft }
    }

    /// Sends a part if the connection has taken the one before; tells whether.
    pub(crate) fn offer(&self, data: Bytes) -> bool {
        self.parts.try_send(Part::Data([data].into())).is_ok()
    }

    /// Resolves when the connection is gone.
    pub(crate) async fn left(&self) {
        self.parts.closed().await;
    }

    /// Ends the answer well, once everything was taken.
    pub(crate) async fn end(self) {
        let _gone = self.parts.send(Part::End).await;
    }
}

impl Room<'_> {
    pub(crate) fn send(self, part: VecDeque<Bytes>) {
        self.0.send(Part::Data(part));
    }
}

impl Passing {
    /// The connection will be ended since its client takes nothing.
    pub(crate) fn stalled(&self) {
        self.stalled.store(true, Ordering::Relaxed);
    }
}

impl Body for Passing {
    type Data = Bytes;
    type Error = Undelivered;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Undelivered>>> {
        loop {
            if let Some(data) = self.part.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
            let Some(parts) = &mut self.parts else { return Poll::Ready(None) };
            match ready!(parts.poll_recv(cx)) {
                Some(Part::Data(part)) => self.part = part,
                Some(Part::End) => self.parts = None,
                None => return Poll::Ready(Some(Err(Undelivered))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_none()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn parts_pass_one_at_a_time_and_end_when_told() {
        let (mut passing, passage) = new();
        assert!(passage.offer(Bytes::from_static(b"a")));
        assert!(!passage.offer(Bytes::from_static(b"b")), "one waits");
        let taken = passing.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(taken, "a");
        passage.room().await.unwrap().send(["c", "d"].map(Bytes::from).into());
        assert_eq!(passing.frame().await.unwrap().unwrap().into_data().unwrap(), "c");
        assert_eq!(passing.frame().await.unwrap().unwrap().into_data().unwrap(), "d");
        passage.end().await;
        assert!(!passing.is_end_stream());
        assert!(passing.frame().await.is_none());
        assert!(passing.is_end_stream());
        assert!(passing.frame().await.is_none());
    }

    #[tokio::test]
    async fn without_an_end_it_breaks_off() {
        let (mut passing, passage) = new();
        assert!(passage.offer(Bytes::from_static(b"a")));
        drop(passage);
        assert!(passing.frame().await.unwrap().is_ok());
        assert_eq!(passing.frame().await.unwrap().unwrap_err(), Undelivered);
        assert_eq!(passing.frame().await.unwrap().unwrap_err(), Undelivered);
    }

    #[tokio::test]
    async fn a_connection_that_is_gone_is_seen() {
        for (stalled, ending) in [(false, Ending::ClientLeft), (true, Ending::ClientStalled)] {
            let (passing, passage) = new();
            if stalled {
                passing.stalled();
            }
            drop(passing);
            passage.left().await;
            assert!(passage.room().await.is_none());
            assert_eq!(passage.ending(), ending);
        }
    }
}
