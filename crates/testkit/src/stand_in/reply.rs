//! What a stand-in answers, and when.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use tokio::sync::watch;

pub(super) type Body = UnsyncBoxBody<Bytes, Broken>;
/// Why a body is not sent to its end. One of `h2` is the reason that the stream is reset with.
pub(super) type Broken = Box<dyn std::error::Error + Send + Sync>;

/// What is done with a request.
pub struct Reply {
    pub(super) what: What,
    pub(super) hold: Option<Hold>,
}

pub(super) enum What {
    Answer(Box<Response<Body>>),
    HangUp,
}

/// Keeps answers back until it is released.
#[derive(Debug, Clone, Default)]
pub struct Hold(Arc<watch::Sender<bool>>);

impl Reply {
    /// A whole JSON answer.
    #[must_use]
    pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let whole = Full::new(body.into()).map_err(|never| match never {}).boxed_unsync();
        Self::answer(status, whole)
    }

    /// An answer `101`, with whatever headers are added to it.
    #[must_use]
    pub fn switching() -> Self {
        let mut reply = Self::json(StatusCode::SWITCHING_PROTOCOLS, "");
        if let What::Answer(response) = &mut reply.what {
            response.headers_mut().remove(header::CONTENT_TYPE);
        }
        reply
    }

    /// A JSON answer that comes in pieces and ends when they do.
    #[must_use]
    pub fn streamed(pieces: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        let body = StreamBody::new(pieces.map(|piece| Ok(Frame::data(piece))));
        Self::answer(StatusCode::OK, body.boxed_unsync())
    }

    /// A JSON answer that never ends, as a watch's, with this beginning.
    #[must_use]
    pub fn endless(beginning: impl Into<Bytes>) -> Self {
        let beginning = beginning.into();
        Self::streamed(stream::iter([beginning]).chain(stream::pending()))
    }

    /// A JSON answer that is reset after this beginning, for no stated reason (`NO_ERROR`), once `hold` is released.
    #[must_use]
    pub fn reset(beginning: impl Into<Bytes>, hold: &Hold) -> Self {
        let (beginning, hold) = (Frame::data(beginning.into()), hold.clone());
        let reset = async move {
            hold.released().await;
            Err(Broken::from(h2::Error::from(h2::Reason::NO_ERROR)))
        };
        let frames = stream::iter([Ok(beginning)]).chain(stream::once(reset));
        Self::answer(StatusCode::OK, StreamBody::new(frames).boxed_unsync())
    }

    /// No answer: the connection that it came on is ended.
    #[must_use]
    pub fn hang_up() -> Self {
        Self { what: What::HangUp, hold: None }
    }

    /// The same with another status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        if let What::Answer(response) = &mut self.what {
            *response.status_mut() = status;
        }
        self
    }

    /// The same with this header; another of that name is replaced.
    #[must_use]
    pub fn header(self, name: HeaderName, value: &'static str) -> Self {
        self.header_value(name, HeaderValue::from_static(value))
    }

    /// The same, of a value that was made.
    #[must_use]
    pub fn header_value(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let What::Answer(response) = &mut self.what {
            response.headers_mut().insert(name, value);
        }
        self
    }

    /// The same, once `hold` is released.
    #[must_use]
    pub fn held(mut self, hold: &Hold) -> Self {
        self.hold = Some(hold.clone());
        self
    }

    fn answer(status: StatusCode, body: Body) -> Self {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self { what: What::Answer(Box::new(response)), hold: None }
    }
}

impl Hold {
    /// Lets the answers go that are kept back, and those to come.
    pub fn release(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn released(&self) {
        let mut released = self.0.subscribe();
        // Fails only when the sender is gone, which this value holds.
        let _released = released.wait_for(|released| *released).await;
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}
