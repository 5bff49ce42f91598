//! The only bodies a client can get: the gate's own words, or a masked answer.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use kube_api::Status;

use crate::passage::{Passing, Undelivered};

/// `application/json`, as the API server writes it.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");

/// What a client is sent. Of an API server's answer nothing can get here that `mask` has not opened: a sealed body has
/// no bytes to take.
#[derive(Debug)]
pub(crate) struct Reply(Inner);

#[derive(Debug)]
enum Inner {
    Known(Full<Bytes>),
    Passing(Passing),
}

impl Reply {
    /// A `Status`, with the code it names, `Retry-After` where it says so, and the call's id if there is one.
    pub(crate) fn status(status: &Status, call: Option<&str>) -> Response<Self> {
        let mut response = Self::own(status.code(), status.to_json(), call);
        if let Some(seconds) = status.retry_after_seconds() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// A document of the gate's own, such as the answer to a review.
    pub(crate) fn own(code: StatusCode, json: Bytes, call: Option<&str>) -> Response<Self> {
        let mut response = Self(Inner::Known(Full::new(json))).with(code, call);
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        response
    }

    /// An answer of the API server's, masked, the whole of which is there and its outcome recorded.
    pub(crate) fn whole(code: StatusCode, masked: Bytes, call: &str) -> Response<Self> {
        Self(Inner::Known(Full::new(masked))).with(code, Some(call))
    }

    /// An answer of the API server's that is masked as it passes.
    pub(crate) fn passing(code: StatusCode, passing: Passing, call: &str) -> Response<Self> {
        Self(Inner::Passing(passing)).with(code, Some(call))
    }

    /// The content of an answer to HEAD, which HTTP/2 does not withhold by itself.
    pub(crate) fn nothing() -> Self {
        Self(Inner::Known(Full::default()))
    }

    fn with(self, code: StatusCode, call: Option<&str>) -> Response<Self> {
        let mut response = Response::new(self);
        *response.status_mut() = code;
        if let Some(id) = call.and_then(|id| HeaderValue::from_str(id).ok()) {
            response.headers_mut().insert(AUDIT_ID, id);
        }
        response
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Undelivered;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Undelivered>>> {
        match &mut self.0 {
            Inner::Known(body) => Pin::new(body)
                .poll_frame(cx)
                .map(|frame| frame.map(|result| result.map_err(|never| match never {}))),
            Inner::Passing(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Known(body) => body.is_end_stream(),
            Inner::Passing(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Known(body) => body.size_hint(),
            Inner::Passing(body) => body.size_hint(),
        }
    }
}
