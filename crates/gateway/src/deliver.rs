//! Phases 7 and 8, *mask* and *outcome*: the masked answer on its way to the client, and the leaf that says how
//! it ended, which is durable before the client can see the end.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::StatusCode;
use http_body::{Body, Frame};
use kube_api::Status;
use mask::Masked;
use upstream::AnswerBody;

use crate::{
    call::Call,
    outcome::{Ending, Outcome, Unrecorded},
};

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The body of one answer. Data passes as it is masked; the end only after the outcome is in the ledger.
///
/// Dropped before its end (the client went away), it records that the answer was cut off.
pub(crate) struct Delivery {
    state: State,
    status: StatusCode,
    bytes: u64,
    masked: u64,
    last: Option<u8>,
}

enum State {
    /// `stopped` resolves when the session ends, or for a stream when the gate shuts down.
    Streaming {
        call: Call,
        body: Masked<AnswerBody>,
        follows: bool,
        stopped: Boxed<Ending>,
    },
    /// The farewell frame of a watch is out; the outcome is next.
    Parting {
        call: Call,
        ending: Ending,
    },
    /// The outcome is on its way into the ledger.
    Settling {
        outcome: Boxed<Result<(), Unrecorded>>,
        then: Then,
    },
    Done,
}

#[derive(Debug, Clone, Copy)]
enum Then {
    End,
    Reset(Undelivered),
}

/// Why a client's answer ends in a reset and not in an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Undelivered {
    #[error("the answer was cut off: {0}")]
    Cut(Ending),
    #[error("the outcome could not be recorded")]
    Unrecorded,
}

impl Delivery {
    pub(crate) fn new(call: Call, status: StatusCode, body: Masked<AnswerBody>, follows: bool) -> Self {
        let stopped = call.stopped(follows);
        let state = State::Streaming { call, body, follows, stopped };
        Self { state, status, bytes: 0, masked: 0, last: None }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Undelivered>>> {
        loop {
            match &mut self.state {
                State::Streaming { body, follows, stopped, .. } => {
                    if let Poll::Ready(ending) = stopped.as_mut().poll(cx) {
                        self.masked = body.masked_values();
                        let boundary = *follows && matches!(self.last, None | Some(b'\n'));
                        if let Some(frame) = self.stop(ending, boundary) {
                            return Poll::Ready(Some(Ok(frame)));
                        }
                        continue;
                    }
                    let polled = ready!(Pin::new(&mut *body).poll_frame(cx));
                    self.masked = body.masked_values();
                    match polled {
                        Some(Ok(frame)) => {
                            let Ok(data) = frame.into_data() else { continue };
                            self.bytes += data.len() as u64;
                            self.last = data.last().copied().or(self.last);
                            return Poll::Ready(Some(Ok(Frame::data(data))));
                        }
                        Some(Err(error)) => {
                            let ending = Ending::of_body(&error);
                            self.settle(ending, Then::Reset(Undelivered::Cut(ending)));
                        }
                        None => self.settle(Ending::Completed, Then::End),
                    }
                }
                State::Parting { ending, .. } => {
                    let ending = *ending;
                    self.settle(ending, Then::End);
                }
                State::Settling { outcome, then } => {
                    let then = match ready!(outcome.as_mut().poll(cx)) {
                        Ok(()) => *then,
                        Err(Unrecorded) => Then::Reset(Undelivered::Unrecorded),
                    };
                    self.state = State::Done;
                    return Poll::Ready(match then {
                        Then::End => None,
                        Then::Reset(error) => Some(Err(error)),
                    });
                }
                State::Done => return Poll::Ready(None),
            }
        }
    }

    /// Ends the answer from our side. A watch between two events gets a last `ERROR` event, which clients show
    /// to their user; anything else can only be reset, lest half an answer look like a whole one.
    fn stop(&mut self, ending: Ending, between_events: bool) -> Option<Frame<Bytes>> {
        if !between_events {
            self.settle(ending, Then::Reset(Undelivered::Cut(ending)));
            return None;
        }
        match std::mem::replace(&mut self.state, State::Done) {
            State::Streaming { call, .. } => {
                let farewell = farewell(ending);
                self.bytes += farewell.len() as u64;
                self.state = State::Parting { call, ending };
                Some(Frame::data(farewell))
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    fn settle(&mut self, ending: Ending, then: Then) {
        if let State::Streaming { call, .. } | State::Parting { call, .. } =
            std::mem::replace(&mut self.state, State::Done)
        {
            let outcome =
                Outcome { status: Some(self.status), bytes: self.bytes, masked: self.masked, ending };
            self.state = State::Settling { outcome: Box::pin(call.close(outcome)), then };
        }
    }
}

/// `WatchEvent` of type `ERROR`, newline-terminated as the API server frames them.
fn farewell(ending: Ending) -> Bytes {
    let status = Status::failure(StatusCode::UNAUTHORIZED, "Unauthorized", format!("portcullis: {ending}"));
    let mut event = b"{\"type\":\"ERROR\",\"object\":".to_vec();
    event.extend_from_slice(&status.to_json());
    event.extend_from_slice(b"}\n");
    Bytes::from(event)
}

impl Body for Delivery {
    type Data = Bytes;
    type Error = Undelivered;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Undelivered>>> {
        self.as_mut().get_mut().poll(cx)
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Streaming { call, .. } | State::Parting { call, .. } => {
                let outcome = Outcome {
                    status: Some(self.status),
                    bytes: self.bytes,
                    masked: self.masked,
                    ending: Ending::ClientLeft,
                };
                call.close_detached(outcome);
            }
            // The outcome was handed to the ledger already; a client that leaves now must not take it along.
            State::Settling { outcome, .. } => {
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    runtime.spawn(outcome);
                }
            }
            State::Done => {}
        }
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("status", &self.status)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}
