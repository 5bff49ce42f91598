//! The only bodies a client can get: the gate's own words, or a masked answer.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use kube_api::Status;

use crate::passage::{Passing, Undelivered};
use door::Slot;

/// `application/json`, as the API server writes it.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");

/// What a client is sent. Of an API server's answer nothing can get here that `mask` has not opened: a sealed body has
/// no bytes to take.
#[derive(Debug)]
pub(crate) struct Reply {
    content: Content,
    /// The call's, until the client's connection has taken the content or is gone.
    _slot: Option<Arc<Slot>>,
}

#[derive(Debug)]
enum Content {
    Known(Full<Bytes>),
    Passing(Passing),
}

impl Reply {
    /// The head after which the connection is another's.
    pub(crate) fn switching(headers: HeaderMap, call: &str) -> Response<Self> {
        let mut response =
            Self::of(Content::Known(Full::default()), None).with(StatusCode::SWITCHING_PROTOCOLS, Some(call));
        response.headers_mut().extend(headers);
        response
    }

    /// A `Status`, with the code it names, `Retry-After` where it says so, and the call's id if there is one.
    pub(crate) fn status(status: &Status, call: Option<&str>) -> Response<Self> {
        let mut response = Self::error(status.code(), status.to_json(), call);
        if let Some(seconds) = status.retry_after_seconds() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    /// The gate's own answer to a review of an agent's rights.
    pub(crate) fn review(json: Bytes, call: &str, slot: Arc<Slot>) -> Response<Self> {
        Self::own(StatusCode::CREATED, json, call, slot)
    }

    /// The gate's own answer about what it asks humans.
    pub(crate) fn own(code: StatusCode, json: Bytes, call: &str, slot: Arc<Slot>) -> Response<Self> {
        Self::json(code, json, Some(call), Some(slot))
    }

    /// An error in words, the gate's own or the API server's, masked.
    pub(crate) fn error(code: StatusCode, json: Bytes, call: Option<&str>) -> Response<Self> {
        Self::json(code, json, call, None)
    }

    fn json(code: StatusCode, json: Bytes, call: Option<&str>, slot: Option<Arc<Slot>>) -> Response<Self> {
        let mut response = Self::of(Content::Known(Full::new(json)), slot).with(code, call);
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        response
    }

    /// An answer of the API server's, masked, the whole of which is there and its outcome recorded.
    pub(crate) fn whole(code: StatusCode, masked: Bytes, call: &str, slot: Arc<Slot>) -> Response<Self> {
        Self::of(Content::Known(Full::new(masked)), Some(slot)).with(code, Some(call))
    }

    /// An answer of the API server's that is masked as it passes.
    pub(crate) fn passing(code: StatusCode, passing: Passing, call: &str, slot: Arc<Slot>) -> Response<Self> {
        Self::of(Content::Passing(passing), Some(slot)).with(code, Some(call))
    }

    /// What answers HEAD; HTTP/2 does not withhold the content by itself.
    pub(crate) fn without_content(self) -> Self {
        Self { content: Content::Known(Full::default()), ..self }
    }

    /// The client takes nothing, and its connection will be ended.
    pub(crate) fn stalled(&self) {
        if let Content::Passing(passing) = &self.content {
            passing.stalled();
        }
    }

    fn of(content: Content, slot: Option<Arc<Slot>>) -> Self {
        Self { content, _slot: slot }
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
        match &mut self.content {
            Content::Known(body) => Pin::new(body)
                .poll_frame(cx)
                .map(|frame| frame.map(|result| result.map_err(|never| match never {}))),
            Content::Passing(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Known(body) => body.is_end_stream(),
            Content::Passing(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Known(body) => body.size_hint(),
            Content::Passing(body) => body.size_hint(),
        }
    }
}
