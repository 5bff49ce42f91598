//! `Status`, in which an API server says what went wrong, or that nothing did.

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;

/// How a request ended as Kubernetes tells it: `meta/v1 Status` (k8s.io/apimachinery/pkg/apis/meta/v1/types.go).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    code: StatusCode,
    reason: String,
    message: String,
    details: Details,
}

/// What it is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: Empty,
    status: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
    #[serde(skip_serializing_if = "Details::is_empty")]
    details: &'a Details,
    code: u16,
}

#[derive(Serialize)]
struct Empty {}

impl Status {
    /// A failure with an HTTP code, a `reason` of Kubernetes' (such as `Forbidden`) and a message for people.
    #[must_use]
    pub fn failure(code: StatusCode, reason: &str, message: impl Into<String>) -> Self {
        Self { code, reason: reason.to_owned(), message: message.into(), details: Details::default() }
    }

    /// That it was done: what deletes are answered with, where they are not answered with what they deleted.
    #[must_use]
    pub fn success(message: impl Into<String>) -> Self {
        Self::failure(StatusCode::OK, "", message)
    }

    /// Names the object that it is about: `kind` is the resource's plural, as Kubernetes puts it there.
    #[must_use]
    pub fn with_details(mut self, name: &str, group: &str, kind: &str) -> Self {
        name.clone_into(&mut self.details.name);
        group.clone_into(&mut self.details.group);
        kind.clone_into(&mut self.details.kind);
        self
    }

    /// The same in other words.
    #[must_use]
    pub fn with_message(self, message: impl Into<String>) -> Self {
        Self { message: message.into(), ..self }
    }

    /// Says when to come back, in seconds: `details.retryAfterSeconds`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.details.retry_after_seconds = Some(seconds);
        self
    }

    /// The HTTP code.
    #[must_use]
    pub fn code(&self) -> StatusCode {
        self.code
    }

    /// Kubernetes' reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// What people are told.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// When to come back, in seconds; `None` if that was not said.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u32> {
        self.details.retry_after_seconds
    }

    /// The document, on one line.
    #[must_use]
    pub fn to_json(&self) -> Bytes {
        let document = Document {
            kind: "Status",
            api_version: "v1",
            metadata: Empty {},
            status: if self.code.is_success() { "Success" } else { "Failure" },
            message: &self.message,
            reason: &self.reason,
            details: &self.details,
            code: self.code.as_u16(),
        };
        // Strings and integers only: there is nothing in it that cannot be written.
        serde_json::to_vec(&document).map_or_else(|_| Bytes::from_static(b"{}"), Bytes::from)
    }
}

impl Details {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
    fn is_empty(details: &&Self) -> bool {
        **details == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_what_kubectl_expects() {
        let status = Status::failure(StatusCode::FORBIDDEN, "Forbidden", "no \"way\"")
            .with_details("web", "apps", "deployments")
            .retry_after(5);
        insta::assert_snapshot!(
            String::from_utf8(status.to_json().to_vec()).unwrap(),
            @r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"no \"way\"","reason":"Forbidden","details":{"name":"web","group":"apps","kind":"deployments","retryAfterSeconds":5},"code":403}"#
        );
        let done = Status::success("done").with_details("", "", "pods");
        insta::assert_snapshot!(
            String::from_utf8(done.to_json().to_vec()).unwrap(),
            @r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","message":"done","details":{"kind":"pods"},"code":200}"#
        );
        let bare = Status::failure(StatusCode::UNAUTHORIZED, "Unauthorized", "who?");
        assert!(!String::from_utf8(bare.to_json().to_vec()).unwrap().contains("details"));
    }
}
