//! What came back: a status, the headers a client may see, and a body that nobody has looked at yet.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use mask::{Guard, Sealed};
use tokio::time::{Sleep, sleep};

use crate::{failure::Failure, intent::Intent, line::Line, pool::Held};

/// An API server's answer to a judged and recorded request.
#[derive(Debug)]
pub struct Answer {
    /// Never 1xx or 3xx.
    pub status: StatusCode,
    /// Those of [`PASSED_ON`] that came.
    pub headers: HeaderMap,
    /// Only `mask` can open it.
    pub body: Sealed<AnswerBody>,
}

/// Response headers a client may see. Not `Warning`: it can quote an object, so `mask` decides.
/// Not `Content-Length`, `ETag`, `Last-Modified`: masking changes the body they describe.
pub const PASSED_ON: [HeaderName; 5] = [
    header::CACHE_CONTROL,
    header::RETRY_AFTER,
    HeaderName::from_static("x-kubernetes-pf-flowschema-uid"),
    HeaderName::from_static("x-kubernetes-pf-prioritylevel-uid"),
    HeaderName::from_static("deprecation"),
];

/// The body as it arrives; holds its place on the connection until it ends or is dropped.
#[derive(Debug)]
pub struct AnswerBody {
    incoming: Incoming,
    carrier: Carrier,
    /// Only for an error: it is short, and read here before anything of it is passed on.
    deadline: Option<Pin<Box<Sleep>>>,
}

/// What an answer comes on.
#[derive(Debug)]
pub(crate) enum Carrier {
    /// A stream of an HTTP/2 connection.
    Lane(#[expect(dead_code, reason = "counts the stream until it is dropped")] Held),
    /// An HTTP/1.1 connection, until the answer has come to its end.
    Line(Option<Line>),
}

/// Why a body broke off.
#[derive(Debug, thiserror::Error)]
pub enum Interrupted {
    /// The connection did.
    #[error(transparent)]
    Broken(hyper::Error),
    /// The server did, before its end.
    #[error("the API server broke its answer off")]
    Reset,
    /// An error whose text did not come to its end in time.
    #[error("the API server did not end its error message in time")]
    Deadline,
}

impl Answer {
    pub(crate) fn new(
        guard: &Guard,
        intent: &Intent,
        response: http::Response<Incoming>,
        carrier: Carrier,
        patience: Duration,
    ) -> Result<Self, Failure> {
        let (head, incoming) = response.into_parts();
        if head.status.is_informational() {
            return Err(Failure::Switched);
        }
        if head.status.is_redirection() {
            return Err(Failure::Redirect);
        }
        let mut headers = HeaderMap::new();
        for name in PASSED_ON {
            for value in head.headers.get_all(&name) {
                headers.append(name.clone(), value.clone());
            }
        }
        let failed = head.status.is_client_error() || head.status.is_server_error();
        let deadline = failed.then(|| Box::pin(sleep(patience)));
        let body = AnswerBody { incoming, carrier, deadline };
        let body = Sealed::new(guard, intent.view(), intent.request(), head.status, &head.headers, body);
        Ok(Self { status: head.status, headers, body })
    }
}

impl AnswerBody {
    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Interrupted>>> {
        let mut polled = Pin::new(&mut self.incoming).poll_frame(cx);
        if let (Poll::Pending, Carrier::Line(Some(line))) = (&polled, &mut self.carrier) {
            line.drive(cx);
            polled = Pin::new(&mut self.incoming).poll_frame(cx);
        }
        match (ready!(polled), &mut self.carrier) {
            (Some(frame), _) => Poll::Ready(Some(frame.map_err(Interrupted::Broken))),
            // A reset that says `NO_ERROR` is no end, though hyper takes it for one (RFC 9113 section 8.1).
            (None, Carrier::Lane(_)) if !self.incoming.is_end_stream() => {
                Poll::Ready(Some(Err(Interrupted::Reset)))
            }
            (None, Carrier::Lane(_)) => Poll::Ready(None),
            (None, Carrier::Line(line)) => {
                if let Some(line) = line.take() {
                    line.hang_up();
                }
                Poll::Ready(None)
            }
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Interrupted;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Interrupted>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = this.poll_incoming(cx) {
            return Poll::Ready(frame);
        }
        match this.deadline.as_mut().map(|deadline| deadline.as_mut().poll(cx)) {
            Some(Poll::Ready(())) => Poll::Ready(Some(Err(Interrupted::Deadline))),
            Some(Poll::Pending) | None => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
