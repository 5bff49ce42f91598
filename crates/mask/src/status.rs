//! Failures told anew: for Secrets, and other kinds with secret values, the API server's own words are not relayed, since they
//! can quote a value (`Invalid value: "…"`), and neither is anything else of an error's body but names from closed lists.

mod quoted;

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::kind::Kind;

pub(crate) use quoted::unquoted;

/// The most of an error's body that is read. A `Status` with many causes takes a few kilobytes.
pub(crate) const MAX_BODY: usize = 64 << 10;

/// The most causes that are told.
const MAX_CAUSES: usize = 16;

/// `k8s.io/apimachinery/pkg/apis/meta/v1`, the constants of type `StatusReason`.
const REASONS: &[&str] = &[
    "Unauthorized",
    "Forbidden",
    "NotFound",
    "AlreadyExists",
    "Conflict",
    "Gone",
    "Invalid",
    "ServerTimeout",
    "StoreReadError",
    "Timeout",
    "TooManyRequests",
    "BadRequest",
    "MethodNotAllowed",
    "NotAcceptable",
    "RequestEntityTooLarge",
    "UnsupportedMediaType",
    "InternalError",
    "Expired",
    "ServiceUnavailable",
];

/// The same, of type `CauseType`.
const CAUSES: &[&str] = &[
    "FieldValueNotFound",
    "FieldValueRequired",
    "FieldValueDuplicate",
    "FieldValueInvalid",
    "FieldValueNotSupported",
    "FieldValueForbidden",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueTypeInvalid",
    "InternalError",
    "FieldManagerConflict",
    "UnexpectedServerResponse",
    "ResourceVersionTooLarge",
];

/// What of an API server's failure may be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    code: StatusCode,
    reason: &'static str,
    retry_after_seconds: Option<u64>,
    causes: Vec<Cause>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Cause {
    reason: &'static str,
    /// `kubectl` prints it beside the field, and nothing else of an invalid object's `Status`.
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

/// `k8s.io/apimachinery/pkg/apis/meta/v1`, `Status`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: Empty,
    status: &'static str,
    message: String,
    reason: &'static str,
    details: Details<'a>,
    code: u16,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Cause]>::is_empty")]
    causes: &'a [Cause],
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
}

impl Failure {
    /// The failure that `body` tells of; what it does not tell, or not understandably, follows from the code.
    pub(crate) fn read(code: StatusCode, body: Option<&[u8]>) -> Self {
        let status: Value = body.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
        let text = |value: &Value, list: &[&'static str]| {
            value.as_str().and_then(|text| list.iter().copied().find(|known| *known == text))
        };
        let at = |pointer: &str| status.pointer(pointer).unwrap_or(&Value::Null);
        let causes = at("/details/causes").as_array().map(Vec::as_slice).unwrap_or_default();
        let cause = |cause: &Value| {
            let reason = cause.get("reason").and_then(|reason| text(reason, CAUSES))?;
            Some(Cause {
                reason,
                message: "the API server's words are withheld",
                field: cause.get("field").and_then(Value::as_str).and_then(safe_field),
            })
        };
        Self {
            code,
            reason: text(at("/reason"), REASONS).unwrap_or_else(|| reason_for(code)),
            retry_after_seconds: at("/details/retryAfterSeconds").as_u64(),
            causes: causes.iter().filter_map(cause).take(MAX_CAUSES).collect(),
        }
    }

    /// The `Status` for the client.
    pub(crate) fn to_status(&self, kind: &Kind) -> Bytes {
        let (resource, name) = match kind {
            Kind::Secrets { name, .. } => (Some("secrets"), name.as_deref()),
            Kind::Guarded { name, resource, .. } => (Some(resource.resource.as_str()), name.as_deref()),
            _ => (None, None),
        };
        let status = Status {
            kind: "Status",
            api_version: "v1",
            metadata: Empty {},
            status: "Failure",
            message: self.message(kind, resource.unwrap_or_default(), name),
            reason: self.reason,
            details: Details {
                name,
                kind: resource,
                causes: &self.causes,
                retry_after_seconds: self.retry_after_seconds,
            },
            code: self.code.as_u16(),
        };
        // Serialising text and numbers into memory cannot fail; if it ever did, the client would get no content.
        serde_json::to_vec(&status).unwrap_or_default().into()
    }

    /// What the API server would say where that is known (`k8s.io/apimachinery/pkg/api/errors`), with the name from the request.
    fn message(&self, kind: &Kind, resource: &str, name: Option<&str>) -> String {
        match (self.reason, name) {
            ("NotFound", Some(name)) => format!("{resource} \"{name}\" not found"),
            ("AlreadyExists", Some(name)) => format!("{resource} \"{name}\" already exists"),
            ("Conflict", Some(name)) if self.causes.is_empty() => format!(
                "Operation cannot be fulfilled on {resource} \"{name}\": the object has been modified; please apply your \
                 changes to the latest version and try again"
            ),
            _ => self.generic_message(kind),
        }
    }

    fn generic_message(&self, kind: &Kind) -> String {
        let why = match kind {
            Kind::Secrets { .. } => "its message is withheld because it can quote a Secret's values",
            Kind::Guarded { .. } => "its message is withheld because it can quote a masked value",
            _ => "its message is withheld because it is not in a form that can be checked",
        };
        let code = self.code.as_u16();
        let mut message = format!("portcullis: the API server answered {code} {}; {why}", self.reason);
        let fields: Vec<&str> = self.causes.iter().filter_map(|cause| cause.field.as_deref()).collect();
        if !fields.is_empty() {
            message.push_str("; look at ");
            message.push_str(&fields.join(", "));
        }
        message
    }
}

/// `reasonForError` the other way round: what the API server gives with a code when it gives nothing more special.
fn reason_for(code: StatusCode) -> &'static str {
    match code.as_u16() {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        406 => "NotAcceptable",
        409 => "Conflict",
        410 => "Gone",
        413 => "RequestEntityTooLarge",
        415 => "UnsupportedMediaType",
        422 => "Invalid",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "InternalError",
    }
}

/// A path to a field, if it is made of names alone. What is in brackets can be a value (a set's item in a conflict of
/// managers), so it is left out, but for the keys of `data` and `stringData`.
fn safe_field(path: &str) -> Option<String> {
    const LONGEST: usize = 256;
    let named = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if path.len() > LONGEST {
        return None;
    }
    let mut safe = String::new();
    let mut rest = path;
    while let Some((before, bracket)) = rest.split_once('[') {
        let (inside, after) = bracket.split_once(']')?;
        let key = safe.is_empty() && matches!(before, "data" | "stringData") && named(inside);
        safe.push_str(Some(before).filter(|before| named(before))?);
        safe.push('[');
        safe.push_str(if key { inside } else { "" });
        safe.push(']');
        rest = after;
    }
    safe.push_str(Some(rest).filter(|rest| named(rest))?);
    Some(safe)
}

#[cfg(test)]
#[path = "status/tests.rs"]
mod tests;
