//! `Content-Type` and `Content-Encoding` of a request.

use http::{HeaderMap, HeaderValue, header};

use crate::{
    Verb,
    refusal::{Refusal, quoted},
};

/// What a request's body is. YAML and protobuf are read and become JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// An object.
    Json,
    /// RFC 6902.
    JsonPatch,
    /// RFC 7386.
    MergePatch,
    /// Kubernetes' own.
    StrategicMergePatch,
    /// Server-side apply.
    ApplyPatch,
}

/// What a body is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    Json,
    /// YAML, or JSON.
    Yaml,
    /// An object of one of Kubernetes' own kinds.
    Protobuf,
}

impl ContentType {
    /// What goes upstream. JSON is YAML, so an apply patch keeps its name.
    #[must_use]
    pub fn header_value(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json",
            Self::JsonPatch => "application/json-patch+json",
            Self::MergePatch => "application/merge-patch+json",
            Self::StrategicMergePatch => "application/strategic-merge-patch+json",
            Self::ApplyPatch => "application/apply-patch+yaml",
        })
    }

    /// Whether it describes a change and not a whole object.
    #[must_use]
    pub fn is_patch(self) -> bool {
        self != Self::Json
    }

    /// The type of a request's body and what it is written in.
    ///
    /// # Errors
    /// A type or an encoding that is not read here.
    pub(crate) fn parse(verb: Verb, headers: &HeaderMap) -> Result<(Self, Syntax), Refusal> {
        let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
        if let Some(encoding) =
            encodings.find(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
        {
            let value = quoted(encoding.to_str().unwrap_or_default());
            let offer = "it without an encoding";
            return Err(Refusal::Unsupported { part: "Content-Encoding", value, offer });
        }
        let media = media_type(headers);
        let (found, offer) = match verb {
            Verb::Patch => (Self::of_patch(&media), "a JSON, merge, strategic merge or apply patch"),
            _ => (Self::of_object(&media), "`application/json` or `application/yaml`"),
        };
        found.ok_or_else(|| Refusal::Unsupported { part: "Content-Type", value: quoted(&media), offer })
    }

    fn of_patch(media: &str) -> Option<(Self, Syntax)> {
        match media {
            "application/json-patch+json" => Some((Self::JsonPatch, Syntax::Json)),
            "application/merge-patch+json" => Some((Self::MergePatch, Syntax::Json)),
            "application/strategic-merge-patch+json" => Some((Self::StrategicMergePatch, Syntax::Json)),
            "application/apply-patch+yaml" => Some((Self::ApplyPatch, Syntax::Yaml)),
            _ => None,
        }
    }

    fn of_object(media: &str) -> Option<(Self, Syntax)> {
        match media {
            // Without a type the server takes its first one, JSON.
            "application/json" | "" => Some((Self::Json, Syntax::Json)),
            "application/yaml" => Some((Self::Json, Syntax::Yaml)),
            "application/vnd.kubernetes.protobuf" => Some((Self::Json, Syntax::Protobuf)),
            _ => None,
        }
    }
}

/// `Content-Type` without its parameters, empty if there is none; of several, something that no type is.
fn media_type(headers: &HeaderMap) -> String {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let text = match (types.next(), types.next()) {
        (None, _) => "",
        (Some(value), None) => value.to_str().unwrap_or("(no text)"),
        (Some(_), Some(_)) => "(more than one)",
    };
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
