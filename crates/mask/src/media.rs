//! Which answers can be read: the explicit table of media types. What is not in it is refused.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::kind::Kind;
use crate::masker::Framing;

/// How an answer's body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// There must be no body.
    Empty,
    /// JSON, checked and masked.
    Json(Framing),
    /// Nothing secret has a place in it that could be known: passed as it is.
    Opaque,
    /// An error in JSON about an object, which it can quote.
    Quoting,
    /// An error whose body is not relayed: a `Status` is made anew.
    Rebuild,
}

/// An answer that cannot be masked, and so is not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unmaskable {
    /// No answer to such a request is known to be free of secrets.
    #[error("answers to this kind of request cannot be masked; deny the request in policy")]
    Kind,
    /// A status that is neither success nor error.
    #[error("the API server answered with status {0}, which is never passed on")]
    Status(StatusCode),
    /// Compressed, or otherwise encoded.
    #[error(
        "the API server encoded its answer although `identity` was asked for; look for a proxy in between"
    )]
    Encoding,
    /// A media type outside the table, or not exactly one.
    #[error("the API server answered with media type `{found}`, which cannot be masked here")]
    MediaType {
        /// What came, cut short and without unusual characters; empty if there was none.
        found: String,
    },
}

/// How to read the answer to a request of `kind`; `empty` if there can be no body, as in an answer to HEAD.
pub(crate) fn reading(
    kind: &Kind,
    status: StatusCode,
    headers: &HeaderMap,
    empty: bool,
) -> Result<Reading, Unmaskable> {
    let success = status.is_success() || status == StatusCode::NOT_MODIFIED;
    let error = status.is_client_error() || status.is_server_error();
    if !success && !error {
        return Err(Unmaskable::Status(status));
    }
    if error && (kind.sensitive() || *kind == Kind::Unknown) {
        return Ok(Reading::Rebuild);
    }
    if *kind == Kind::Unknown {
        return Err(Unmaskable::Kind);
    }
    if empty
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
    {
        return Ok(Reading::Empty);
    }
    let encoded = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    let media = single(headers).and_then(MediaType::parse);
    match media.and_then(|media| row(kind, error, &media)) {
        Some(_) if encoded && !error => Err(Unmaskable::Encoding),
        Some(reading) if !encoded => Ok(reading),
        _ if error => Ok(Reading::Rebuild),
        _ => Err(Unmaskable::MediaType { found: describe(headers) }),
    }
}

/// The table.
fn row(kind: &Kind, error: bool, media: &MediaType<'_>) -> Option<Reading> {
    const JSON: &str = "application/json";
    const TEXT: &str = "text/plain";
    /// `k8s.io/kube-openapi/pkg/handler` and `handler3`; servers before 1.27 write `@` for the first dot of the version.
    const OPENAPI: [&str; 4] = [
        "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
        "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
        "application/com.github.proto-openapi.spec.v3.v1.0+protobuf",
        "application/com.github.proto-openapi.spec.v3@v1.0+protobuf",
    ];
    let watch = kind.watch() && !error;
    let framing = if watch { Framing::Sequence } else { Framing::One };
    let json = media.is(JSON) && media.parameters_in(if watch { WATCH_PARAMETERS } else { JSON_PARAMETERS });
    let text = media.is(TEXT) && media.parameters_in(TEXT_PARAMETERS);
    match kind {
        Kind::Objects { .. } if json && error => Some(Reading::Quoting),
        Kind::Secrets { .. }
        | Kind::Guarded { .. }
        | Kind::Objects { .. }
        | Kind::Documents
        | Kind::OpenApi
        | Kind::Health
            if json =>
        {
            Some(Reading::Json(framing))
        }
        // The list of OpenAPI v3 documents is JSON that `handler3` writes without saying so: Go guesses text.
        Kind::OpenApi if text && !error => Some(Reading::Json(framing)),
        Kind::Log if json && error => Some(Reading::Json(framing)),
        Kind::Log | Kind::Health if text => Some(Reading::Opaque),
        Kind::OpenApi if OPENAPI.iter().any(|known| media.is(known)) && media.parameters.is_empty() => {
            Some(Reading::Opaque)
        }
        _ => None,
    }
}

/// Parameters by name and, where only one will do, by value. `g`, `v` and `as` name the transform that was asked for
/// (`k8s.io/apiserver/pkg/endpoints/handlers/negotiation`).
type Parameters = &'static [(&'static str, Option<&'static str>)];
const TEXT_PARAMETERS: Parameters = &[("charset", Some("utf-8"))];
const JSON_PARAMETERS: Parameters = &[("charset", Some("utf-8")), ("g", None), ("v", None), ("as", None)];
const WATCH_PARAMETERS: Parameters =
    &[("charset", Some("utf-8")), ("stream", Some("watch")), ("g", None), ("v", None), ("as", None)];

/// A media type (RFC 9110 section 8.3.1). Quoted values with separators in them do not come out right, and so match nothing.
struct MediaType<'a> {
    essence: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> MediaType<'a> {
    fn parse(value: &'a HeaderValue) -> Option<Self> {
        let mut parts = value.to_str().ok()?.split(';').map(str::trim);
        let essence = parts.next()?;
        let parameter =
            |part: &'a str| part.split_once('=').map(|(name, value)| (name, value.trim_matches('"')));
        Some(Self { essence, parameters: parts.map(parameter).collect::<Option<_>>()? })
    }

    fn is(&self, essence: &str) -> bool {
        self.essence.eq_ignore_ascii_case(essence)
    }

    fn parameters_in(&self, known: Parameters) -> bool {
        self.parameters.iter().all(|(name, value)| {
            known.iter().any(|(known, only)| {
                name.eq_ignore_ascii_case(known) && only.is_none_or(|only| value.eq_ignore_ascii_case(only))
            })
        })
    }
}

/// The content type, if there is exactly one.
fn single(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    values.next().filter(|_| values.next().is_none())
}

fn describe(headers: &HeaderMap) -> String {
    const LONGEST: usize = 80;
    let plain = |character: &char| character.is_ascii_alphanumeric() || "/+-.;=, ".contains(*character);
    let values: Vec<&str> =
        headers.get_all(CONTENT_TYPE).iter().filter_map(|value| value.to_str().ok()).collect();
    values.join(", ").chars().filter(plain).take(LONGEST).collect()
}

#[cfg(test)]
#[path = "media/tests.rs"]
mod tests;
