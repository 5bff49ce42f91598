//! `Content-Type` and `Content-Encoding` of a request.

use http::{HeaderMap, HeaderValue, header};

use crate::{
    Verb, protobuf,
    refusal::{Refusal, quoted},
    target::Target,
};

/// What a request's body is. YAML is read and becomes JSON.
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

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// What a body is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    Json,
    /// YAML, or JSON.
    Yaml,
    /// One of the few messages that are read.
    Protobuf(protobuf::Message),
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
    pub(crate) fn parse(verb: Verb, target: &Target, headers: &HeaderMap) -> Result<(Self, Syntax), Refusal> {
        let encoding = headers.get(header::CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| encoding != "identity") {
            return Err(unsupported("Content-Encoding", encoding, "it without an encoding"));
        }
        let mut types = headers.get_all(header::CONTENT_TYPE).iter();
        let given = types.next();
        let media = match (given, types.next()) {
            (None, _) => "application/json",
            (Some(value), None) => value.to_str().unwrap_or_default(),
            (Some(_), Some(_)) => "",
        };
        let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let (found, offer) = if verb == Verb::Patch {
            let found = match media.as_str() {
                "application/json-patch+json" => Some((Self::JsonPatch, Syntax::Json)),
                "application/merge-patch+json" => Some((Self::MergePatch, Syntax::Json)),
                "application/strategic-merge-patch+json" => Some((Self::StrategicMergePatch, Syntax::Json)),
                "application/apply-patch+yaml" => Some((Self::ApplyPatch, Syntax::Yaml)),
                _ => None,
            };
            (found, "a JSON, merge, strategic merge or apply patch")
        } else {
            let found = match media.as_str() {
                "application/json" => Some((Self::Json, Syntax::Json)),
                "application/yaml" => Some((Self::Json, Syntax::Yaml)),
                PROTOBUF if verb == Verb::Create => {
                    let message = target.resource().and_then(protobuf::message);
                    message.map(|message| (Self::Json, Syntax::Protobuf(message)))
                }
                _ => None,
            };
            let offer = if media == PROTOBUF {
                "`application/json` or `application/yaml`; with kubectl, pipe `kubectl create … --dry-run=client -o yaml` \
                 into `kubectl create -f -`"
            } else {
                "`application/json` or `application/yaml`"
            };
            (found, offer)
        };
        found.ok_or_else(|| unsupported("Content-Type", given, offer))
    }
}

fn unsupported(part: &'static str, value: Option<&HeaderValue>, offer: &'static str) -> Refusal {
    let value = value.map_or("(none)", |value| value.to_str().unwrap_or("(no text)"));
    Refusal::Unsupported { part, value: quoted(value), offer }
}
