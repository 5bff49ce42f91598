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

use crate::deliver::{Delivery, Undelivered};

/// `application/json`, as the API server writes it.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");

/// What a client is sent. There is no way to make one from an upstream body that `mask` has not opened.
#[derive(Debug)]
pub(crate) struct Reply(Inner);

#[derive(Debug)]
enum Inner {
    Own(Full<Bytes>),
    Masked(Box<Delivery>),
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
        let mut response = Response::new(Self(Inner::Own(Full::new(json))));
        *response.status_mut() = code;
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        name_call(&mut response, call);
        response
    }

    /// An answer of the API server's, masked, whose outcome is recorded before it ends.
    pub(crate) fn masked(code: StatusCode, delivery: Delivery, call: &str) -> Response<Self> {
        let mut response = Response::new(Self(Inner::Masked(Box::new(delivery))));
        *response.status_mut() = code;
        name_call(&mut response, Some(call));
        response
    }
}

fn name_call(response: &mut Response<Reply>, call: Option<&str>) {
    if let Some(id) = call.and_then(|id| HeaderValue::from_str(id).ok()) {
        response.headers_mut().insert(AUDIT_ID, id);
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
            Inner::Own(body) => Pin::new(body)
                .poll_frame(cx)
                .map(|frame| frame.map(|result| result.map_err(|never| match never {}))),
            Inner::Masked(delivery) => Pin::new(delivery.as_mut()).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Own(body) => body.is_end_stream(),
            // The end is known only once the outcome is recorded.
            Inner::Masked(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Own(body) => body.size_hint(),
            Inner::Masked(_) => SizeHint::default(),
        }
    }
}
