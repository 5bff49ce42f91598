//! What a client sends, as it may be recorded.

use bytes::Bytes;
use kube_api::{ContentType, Request};

use crate::guard::{Guard, View};
use crate::kind::Kind;
use crate::masker::masked_whole;

/// The body of a request with its secrets masked, as an object of its kind is whenever it is read. `None` where there is none, and
/// for a JSON Patch: its values stand at no places of their own.
#[must_use]
pub fn sent(guard: &Guard, request: &Request) -> Option<Bytes> {
    let body = request.body().filter(|body| body.content() != ContentType::JsonPatch)?;
    let kind = Kind::of(guard.catalogue(), request);
    masked_whole(guard, &View::default(), &kind, body.value().to_string().into()).ok()
}
