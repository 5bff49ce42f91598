//! An answer that nobody has looked at, and the one way to look at it.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, WARNING};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body::Body;
use kube_api::Request;

use crate::guard::{Guard, Reveal, View};
use crate::kind::Kind;
use crate::known::KnownValues;
use crate::masked::Masked;
use crate::masker::{Framing, Masker};
use crate::media::{Reading, Unmaskable, reading};
use crate::redact::{Content, Redactor};
use crate::status::{Failure, MAX_BODY, unquoted};

/// Said instead of an API server's warnings about a Secret (RFC 9110 no longer has the header; Kubernetes does:
/// `k8s.io/apimachinery/pkg/util/net`, `NewWarningHeader`).
const WARNED: HeaderValue = HeaderValue::from_static(
    r#"299 - "portcullis: the API server warned about this request; the text is withheld because it can quote a Secret's values""#,
);

/// The body of an API server's answer, unread.
///
/// It is no [`Body`], has no accessor, and does not show itself: only [`Sealed::open`] leads on.
pub struct Sealed<B> {
    guard: Guard,
    view: View,
    kind: Kind,
    status: StatusCode,
    /// The content type and the warnings, as they came.
    headers: HeaderMap,
    /// How to read it, decided when it came.
    reading: Result<Reading, Unmaskable>,
    /// How many bytes of a log are wanted at most.
    wanted: Option<u64>,
    body: B,
}

/// An opened answer: what may be shown, and the headers that say what it is.
#[derive(Debug)]
pub struct Opened<B> {
    /// What may be shown.
    pub body: Masked<B>,
    /// `Content-Type`, and `Warning` where there are any. No other header of the API server's is judged here.
    pub headers: HeaderMap,
}

impl<B> Sealed<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    /// Seals the answer to `request` as it came, with its `status` and all its `headers`, for `view` alone.
    #[must_use]
    pub fn new(
        guard: &Guard,
        view: View,
        request: &Request,
        status: StatusCode,
        headers: &HeaderMap,
        body: B,
    ) -> Self {
        let empty = request.method() == Method::HEAD || body.is_end_stream();
        let kind = Kind::of(guard.catalogue(), request);
        Self { wanted: request.limit_bytes(), ..Self::of(guard, view, kind, status, headers, empty, body) }
    }

    fn of(
        guard: &Guard,
        view: View,
        kind: Kind,
        status: StatusCode,
        headers: &HeaderMap,
        empty: bool,
        body: B,
    ) -> Self {
        let reading = reading(&kind, status, headers, empty);
        let mut kept = HeaderMap::new();
        for name in [CONTENT_TYPE, WARNING] {
            for value in headers.get_all(&name) {
                kept.append(name.clone(), value.clone());
            }
        }
        Self { guard: guard.clone(), view, kind, status, headers: kept, reading, wanted: None, body }
    }

    /// Opens it for masking. The body of a failure is read here, up to 64 KiB: what quotes an object is cut from it, and what
    /// must not be relayed (about Secrets, or not JSON) is replaced by a `Status` made from what is safe in it. Nothing else is read before the body is polled.
    /// Cancel safe in that nothing leaks: dropped, it drops the body.
    ///
    /// # Errors
    /// The answer's kind, status, encoding or media type is not in the table: nothing of it may be delivered.
    pub async fn open(self) -> Result<Opened<B>, Unmaskable> {
        let reading = self.reading?;
        let mut headers = told_headers(&self.kind, &self.headers, self.guard.known());
        let body = match reading {
            Reading::Empty => Masked::empty(self.body),
            Reading::Json(framing) => {
                let rules = self.kind.rules(self.guard.catalogue());
                // Policy reveals only in such answers; whatever it says, nothing is revealed in others.
                let reveal = if self.kind.one_secret() { self.view.reveal } else { Reveal::default() };
                let view = View { reveal, ..self.view };
                let masker = Masker::new(framing, &rules).bound(&self.guard, &view);
                Masked::json(self.body, masker, Redactor::new(self.guard.known().clone(), Content::Json))
            }
            Reading::Opaque => {
                // What is opaque and no text is OpenAPI in protobuf, which counts its bytes.
                let content = if self.kind == Kind::OpenApi { Content::Opaque } else { Content::Text };
                let redactor = Redactor::new(self.guard.known().clone(), content);
                // A runtime keeps a long line in parts, and what is asked for may begin with any of them.
                let redactor = if self.kind == Kind::Log { redactor.cut() } else { redactor };
                Masked::opaque(self.body, redactor).up_to(self.wanted.unwrap_or(u64::MAX))
            }
            Reading::Quoting | Reading::Rebuild => {
                let content = read_bounded(self.body, MAX_BODY).await;
                let relayed = match (reading, content.clone()) {
                    (Reading::Quoting, Some(content)) => unquoted(self.status, content),
                    _ => None,
                };
                let told = relayed.map(Bytes::from).unwrap_or_else(|| {
                    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                    Failure::read(self.status, content.as_deref()).to_status(&self.kind)
                });
                let (told, masked) = Redactor::whole(self.guard.known(), Content::Json, told, &[]);
                Masked::own(told, masked)
            }
        };
        Ok(Opened { body, headers })
    }
}

impl<B> Sealed<B> {
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// Its parts, if it is one JSON document.
    pub(crate) fn into_document(self) -> Option<(Guard, View, Kind, B)> {
        matches!(self.reading, Ok(Reading::Json(Framing::One)))
            .then_some((self.guard, self.view, self.kind, self.body))
    }
}

impl<B> fmt::Debug for Sealed<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("status", &self.status).finish_non_exhaustive()
    }
}

/// The headers that may be told: warnings about Secrets are replaced by one that says so, others are masked by value and by
/// shape.
fn told_headers(kind: &Kind, headers: &HeaderMap, known: &KnownValues) -> HeaderMap {
    let mut told = headers.clone();
    if kind.sensitive() && told.remove(WARNING).is_some() {
        told.insert(WARNING, WARNED);
    }
    for warning in told.iter_mut().filter_map(|(name, value)| (name == WARNING).then_some(value)) {
        // The text is a quoted string, which escapes quotation marks as JSON does.
        let text = Bytes::copy_from_slice(warning.as_bytes());
        let (text, masked) = Redactor::whole(known, Content::Json, text, &[]);
        if masked != 0 {
            *warning = HeaderValue::from_maybe_shared(text).unwrap_or(WARNED);
        }
    }
    told
}

/// The whole body, if it is no longer than `most` and comes to its end.
pub(crate) async fn read_bounded<B: Body<Data = Bytes> + Unpin>(mut body: B, most: usize) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(data) = frame.ok()?.into_data() {
            if content.len() + data.len() > most {
                return None;
            }
            content.extend_from_slice(&data);
        }
    }
    Some(content)
}

#[cfg(test)]
mod tests;
