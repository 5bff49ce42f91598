//! Why a request is not one that can be judged.

use http::StatusCode;

use crate::Status;

/// A request that is unknown, ambiguous or non-canonical; its message names the part and the remedy.
///
/// Values of the client's are quoted escaped and cut short, and never from a body, a header, or a parameter that is free
/// text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A method outside GET, HEAD, POST, PUT, PATCH, DELETE, or one that the target does not have.
    #[error("method `{method}` is not one for {target}; use {remedy}")]
    Method {
        /// As sent, cut short.
        method: String,
        /// What was addressed.
        target: &'static str,
        /// The methods there are.
        remedy: &'static str,
    },
    /// Not a path and query alone (RFC 9112 section 3.2.1).
    #[error("the request target has {found}; send a path and query alone")]
    TargetForm {
        /// What it has.
        found: &'static str,
    },
    /// HTTP/1.0 or older, which has no chunks and no persistent connections to rely on.
    #[error("the request is in an HTTP version before 1.1; use HTTP/1.1 or HTTP/2")]
    Version,
    /// A path that two readers could read in two ways.
    #[error("the path has {problem}; {remedy}")]
    Path {
        /// What is wrong.
        problem: String,
        /// What to do instead.
        remedy: &'static str,
    },
    /// `/watch/` and `/proxy/` as path prefixes, deprecated since Kubernetes 1.10.
    #[error("the path prefix `/{prefix}/` is not supported; use {remedy}")]
    Prefix {
        /// `watch` or `proxy`.
        prefix: &'static str,
        /// The modern form.
        remedy: &'static str,
    },
    /// A subresource that Kubernetes 1.20 to 1.37 does not have.
    #[error(
        "`{resource}` has no subresource `{subresource}` that the gate knows; use those of Kubernetes 1.20 to 1.37"
    )]
    Subresource {
        /// Plural, with its group.
        resource: String,
        /// As sent, cut short.
        subresource: String,
    },
    /// A query that is not `name=value` pairs in percent-encoded UTF-8.
    #[error("the query has {problem}; encode parameters as `name=value`, joined by `&`")]
    Query {
        /// What is wrong.
        problem: &'static str,
    },
    /// A parameter that this request does not have.
    #[error("query parameter `{name}` is not one of {request}; leave it out")]
    UnknownParameter {
        /// As sent, cut short.
        name: String,
        /// The verb and what it is applied to.
        request: String,
    },
    /// A parameter given twice: the API server would take the first, another reader the last.
    #[error("query parameter `{name}` is given more than once; give it once")]
    DuplicateParameter {
        /// The parameter.
        name: &'static str,
    },
    /// A value that the API server reads otherwise than it looks, or not at all.
    #[error("query parameter `{name}` is `{value}`, which is not {expected}")]
    ParameterValue {
        /// The parameter.
        name: &'static str,
        /// As sent, cut short.
        value: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// The same, of a parameter whose value may be secret.
    #[error("query parameter `{name}` has a value that is not {expected}")]
    HiddenParameterValue {
        /// The parameter.
        name: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// A parameter that is refused on purpose.
    #[error("query parameter `{name}` is refused: {reason}")]
    RefusedParameter {
        /// The parameter.
        name: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// A header that would change who asks.
    #[error("header `{name}` is refused: {reason}")]
    Header {
        /// The header.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// A protocol upgrade where there is none.
    #[error("an upgrade is not possible here; only exec, attach and portforward switch protocols")]
    Upgrade,
    /// Nothing that the client accepts can be masked.
    #[error("none of the media types in `Accept` can be masked; accept `{offer}`")]
    NotAcceptable {
        /// What the gate can deliver.
        offer: &'static str,
    },
    /// A body in a form the gate does not read.
    #[error("{part} `{value}` cannot be read here; send {offer}")]
    Unsupported {
        /// `Content-Type` or `Content-Encoding`.
        part: &'static str,
        /// As sent, cut short.
        value: String,
        /// What can be read.
        offer: &'static str,
    },
    /// A body where there is none, or none where there is one.
    #[error("{verb} {problem}")]
    BodyPresence {
        /// The verb.
        verb: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// A body larger than the API server takes.
    #[error("the body has more than {most} bytes; send less")]
    TooLarge {
        /// The bound.
        most: usize,
    },
    /// A body of more values than any real object has.
    #[error("the body has more than {most} values; split it into several requests")]
    TooManyValues {
        /// The bound.
        most: usize,
    },
    /// A body that is not what it says it is, or that two readers could read in two ways.
    #[error("the body is not {expected}: {problem}")]
    Body {
        /// What it has to be.
        expected: &'static str,
        /// What is wrong; names places, not values.
        problem: String,
    },
    /// Options in the query and in the body: the API server would ignore the query's.
    #[error(
        "delete options are given in the query (`{name}`) and in the body; the API server ignores the query then, so give them in one place"
    )]
    TwoSetsOfOptions {
        /// The parameter in the query.
        name: &'static str,
    },
}

impl Refusal {
    /// As a client is told.
    #[must_use]
    pub fn status(&self) -> Status {
        let (code, reason) = match self {
            Self::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
            Self::NotAcceptable { .. } => (StatusCode::NOT_ACCEPTABLE, "NotAcceptable"),
            Self::Unsupported { .. } => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType"),
            Self::TooLarge { .. } | Self::TooManyValues { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge")
            }
            Self::TargetForm { .. }
            | Self::Version
            | Self::Path { .. }
            | Self::Prefix { .. }
            | Self::Subresource { .. }
            | Self::Query { .. }
            | Self::UnknownParameter { .. }
            | Self::DuplicateParameter { .. }
            | Self::ParameterValue { .. }
            | Self::HiddenParameterValue { .. }
            | Self::RefusedParameter { .. }
            | Self::Header { .. }
            | Self::Upgrade
            | Self::BodyPresence { .. }
            | Self::Body { .. }
            | Self::TwoSetsOfOptions { .. } => (StatusCode::BAD_REQUEST, "BadRequest"),
        };
        Status::failure(code, reason, format!("portcullis: {self}"))
    }
}

/// A client's text as a message may quote it: escaped, at most 64 characters.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted: String = text.chars().take(64).flat_map(char::escape_debug).collect();
    if text.chars().nth(64).is_some() {
        quoted.push('…');
    }
    quoted
}
