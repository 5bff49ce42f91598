//! `Accept`, rewritten so that the API server answers in what can be masked.

use http::{HeaderMap, HeaderValue, header};

use crate::{
    refusal::Refusal,
    subresource::{Shape, shape},
    target::{Class, Target},
};

/// What the API server is asked to answer in: those of the client's media types that can be masked, in its order and with
/// its qualities (RFC 9110 section 12.5.1), as k8s.io/apiserver/pkg/endpoints/handlers/negotiation reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accept {
    header: HeaderValue,
    representations: Vec<Representation>,
}

/// A form in which an answer may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Representation {
    /// The objects themselves, or whatever JSON the path serves.
    Object,
    /// `as=Table`.
    Table,
    /// `as=PartialObjectMetadata` or `as=PartialObjectMetadataList`.
    PartialObjectMetadata,
    /// `as=APIGroupDiscoveryList`.
    Discovery,
    /// Text: logs, health.
    Text,
    /// An OpenAPI document in protobuf; there is nothing secret in it.
    OpenApi,
}

/// A header longer than this is no client's.
const MAX_HEADER: usize = 4096;

const NOTHING: Refusal = Refusal::NotAcceptable { offer: "application/json" };

/// As clients name the OpenAPI documents in `Accept`.
const OPEN_API: [&str; 4] = [
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v3@v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v3.v1.0+protobuf",
];

impl Accept {
    /// Keeps of the client's header what can be masked, in its order and with its qualities.
    ///
    /// # Errors
    /// Nothing is left.
    pub(crate) fn parse(headers: &HeaderMap, target: &Target) -> Result<Self, Refusal> {
        let plan = Plan::of(target);
        if let Plan::Text = plan {
            // Errors come in JSON, the rest as text; the server negotiates no further.
            return Ok(Self::fixed("application/json, */*", &[Representation::Text, Representation::Object]));
        }
        let mut kept = Vec::new();
        let mut representations = Vec::new();
        let mut given = false;
        for value in headers.get_all(header::ACCEPT) {
            let text = value.to_str().ok().filter(|text| text.len() <= MAX_HEADER).ok_or(NOTHING)?;
            for clause in text.split(',').map(str::trim).filter(|clause| !clause.is_empty()) {
                given = true;
                if let Some((clause, representation)) = plan.keep(clause) {
                    if !kept.contains(&clause) {
                        kept.push(clause);
                    }
                    representations.push(representation);
                }
            }
        }
        if !given {
            return Ok(Self::object());
        }
        let header = HeaderValue::from_str(&kept.join(", ")).map_err(|_| NOTHING)?;
        if kept.is_empty() { Err(NOTHING) } else { Ok(Self { header, representations }) }
    }

    /// The objects themselves.
    pub(crate) fn object() -> Self {
        Self::fixed("application/json", &[Representation::Object])
    }

    /// Of a list, what tells which objects are in it; the objects themselves from servers that cannot leave out the rest.
    pub(crate) fn names() -> Self {
        const NAMES: &str =
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json";
        Self::fixed(NAMES, &[Representation::PartialObjectMetadata, Representation::Object])
    }

    fn fixed(header: &'static str, representations: &[Representation]) -> Self {
        Self { header: HeaderValue::from_static(header), representations: representations.to_vec() }
    }

    /// What goes upstream: media types joined by commas, at least one.
    #[must_use]
    pub fn header_value(&self) -> &HeaderValue {
        &self.header
    }

    /// The forms that may come back, in the client's order.
    #[must_use]
    pub fn representations(&self) -> &[Representation] {
        &self.representations
    }
}

/// What kinds of media a target has.
#[derive(Debug, Clone, Copy)]
enum Plan {
    Json,
    OpenApi,
    Text,
}

impl Plan {
    fn of(target: &Target) -> Self {
        match target {
            Target::Resource(resource) => match shape(resource) {
                Shape::Object => Self::Json,
                Shape::Log | Shape::Upgrade | Shape::Proxy => Self::Text,
            },
            Target::NonResource(other) => match other.class() {
                Class::Discovery => Self::Json,
                Class::OpenApi => Self::OpenApi,
                Class::Version | Class::Health | Class::Other => Self::Text,
            },
        }
    }

    /// A clause as it goes upstream, or `None` if it cannot.
    fn keep(self, clause: &str) -> Option<(String, Representation)> {
        let mut parts = clause.split(';').map(str::trim);
        let media = parts.next()?.to_ascii_lowercase();
        let open_api = OPEN_API.into_iter().find(|known| matches!(self, Self::OpenApi) && media == *known);
        let (media, mut representation) = match (open_api, media.as_str()) {
            (Some(known), _) => (known, Representation::OpenApi),
            (None, "application/json" | "application/*" | "*/*") => {
                ("application/json", Representation::Object)
            }
            _ => return None,
        };
        let mut kept = media.to_owned();
        for parameter in parts.filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=')?;
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"'));
            match name.as_str() {
                "as" => representation = transformed(value)?,
                "g" | "v" | "profile" => plain(value)?,
                "q" => quality(value)?,
                // None changes what comes: JSON is UTF-8, its layout is free, and whether it streams is the
                // request's matter.
                "charset" | "stream" | "pretty" => continue,
                _ => return None,
            }
            kept.push(';');
            kept.push_str(&name);
            kept.push('=');
            kept.push_str(value);
        }
        Some((kept, representation))
    }
}

/// k8s.io/apiserver/pkg/endpoints/handlers/response.go `doTransformObject`.
fn transformed(value: &str) -> Option<Representation> {
    match value {
        "Table" => Some(Representation::Table),
        "PartialObjectMetadata" | "PartialObjectMetadataList" => Some(Representation::PartialObjectMetadata),
        "APIGroupDiscoveryList" => Some(Representation::Discovery),
        _ => None,
    }
}

fn plain(value: &str) -> Option<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (value.len() <= 128 && value.bytes().all(plain)).then_some(())
}

/// RFC 9110 section 12.4.2; what is not acceptable at all (`q=0`) is not kept.
fn quality(value: &str) -> Option<()> {
    let digits = value.len() <= 5 && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let quality: f32 = value.parse().ok().filter(|_| digits)?;
    (quality > 0.0 && quality <= 1.0).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::NonResource;

    fn rewritten(accept: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
        let target = Target::NonResource(NonResource::new(&["apis".to_owned()]));
        match Accept::parse(&headers, &target) {
            Ok(accept) => accept.header_value().to_str().unwrap().to_owned(),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn only_json_is_left_and_its_parameters_stay() {
        insta::assert_snapshot!(rewritten("application/json;as=Table;v=v1;g=meta.k8s.io,application/json"), @"application/json;as=Table;v=v1;g=meta.k8s.io, application/json");
        insta::assert_snapshot!(rewritten("application/vnd.kubernetes.protobuf, application/json;q=0.9"), @"application/json;q=0.9");
        insta::assert_snapshot!(rewritten("*/*"), @"application/json");
        insta::assert_snapshot!(rewritten("application/vnd.kubernetes.protobuf"), @"none of the media types in `Accept` can be masked; accept `application/json`");
        insta::assert_snapshot!(rewritten("application/cbor"), @"none of the media types in `Accept` can be masked; accept `application/json`");
        insta::assert_snapshot!(rewritten("application/json;as=Secret"), @"none of the media types in `Accept` can be masked; accept `application/json`");
        insta::assert_snapshot!(rewritten("application/json;charset=utf-8;stream=watch;pretty=1"), @"application/json");
        insta::assert_snapshot!(rewritten("application/json;q=0, */*;q=0.1, text/html"), @"application/json;q=0.1");
        insta::assert_snapshot!(rewritten("application/json;q=nan"), @"none of the media types in `Accept` can be masked; accept `application/json`");
        insta::assert_snapshot!(rewritten(" , application/*;q=0.50 "), @"application/json;q=0.50");
        insta::assert_snapshot!(rewritten("application/json;sv=v1"), @"none of the media types in `Accept` can be masked; accept `application/json`");
        insta::assert_snapshot!(rewritten("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList;profile=nopeer,application/json"), @"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList;profile=nopeer, application/json");
    }
}
