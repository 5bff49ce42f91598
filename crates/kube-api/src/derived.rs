//! Requests that follow from another: what the gate itself asks, or sends in place of what a client sent.
//!
//! They are made of parts that were parsed, and go through the same checks as a client's, so that there is no request that
//! is not canonical.

use http::{HeaderMap, Method};
use serde_json::Value;

use crate::{Accept, Body, ContentType, Head, Options, Refusal, Request, Verb, parameter::tables};

impl Request {
    /// A read of the object that this request changes, as a client that wants JSON would ask.
    ///
    /// # Errors
    /// It names no object.
    pub fn as_read(&self) -> Result<Self, Refusal> {
        let head = Head::of(
            Method::GET,
            Verb::Get,
            self.target().clone(),
            Options::default(),
            Accept::parse(&HeaderMap::new(), self.target())?,
        );
        Self::new(head, None)
    }

    /// The update that puts `object` in the place of the object that this request patches. Dry run, field manager and
    /// validation stay as they were asked for. What the gate put into `object` is not the client's:
    /// [`Request::is_restored`].
    ///
    /// # Errors
    /// `object` is no object, is larger than any that the API server takes, or has more values.
    pub fn as_update(&self, object: Value) -> Result<Self, Refusal> {
        let known = tables(Verb::Update, self.target());
        let options = self.options().only(|name| known.iter().copied().flatten().any(|it| it.0 == name));
        let head = Head::of(Method::PUT, Verb::Update, self.target().clone(), options, self.accept().clone());
        Ok(Self::new(head, Some(Body::of(ContentType::Json, object)?))?.restored())
    }

    /// The same request with another body of the same type, in which the gate put right what the client could not know.
    ///
    /// # Errors
    /// As [`Request::as_update`].
    pub fn with_restored_body(&self, value: Value) -> Result<Self, Refusal> {
        Ok(self.with_value(value)?.restored())
    }

    /// The same request with another body of the same type.
    ///
    /// # Errors
    /// As [`Request::as_update`].
    pub fn with_value(&self, value: Value) -> Result<Self, Refusal> {
        let content = self.body().map_or(ContentType::Json, Body::content);
        self.with_body(Body::of(content, value)?)
    }
}
