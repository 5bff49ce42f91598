//! What kind of answer a request asks for: decided from the request, never from what the answer claims to be.

use kube_api::{Class, Request, Target, Verb};

use crate::places::Places;

/// A kind of answer, by what can be in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Secrets, in any form and by any verb.
    Secrets {
        watch: bool,
        /// The name the request gives, for the `Status` of a failure.
        name: Option<String>,
    },
    /// Other objects.
    Objects { watch: bool },
    /// A container's log.
    Log,
    /// Discovery and the version: documents that describe the API.
    Documents,
    /// The API's schemas.
    OpenApi,
    /// Health checks.
    Health,
    /// Anything else: there is no telling what is in it.
    Unknown,
}

impl Kind {
    /// The kind of the answer to `request`.
    pub(crate) fn of(request: &Request) -> Self {
        match request.target() {
            Target::Resource(resource) => {
                let watch = request.verb() == Verb::Watch;
                // The client's own words: safe to say again.
                let name = request.object_name().map(str::to_owned);
                Self::of_resource(resource.is_secret(), resource.subresource(), watch, name)
            }
            Target::NonResource(path) => Self::of_class(path.class()),
        }
    }

    /// Whether a message in the answer may quote a secret.
    pub(crate) fn sensitive(&self) -> bool {
        matches!(self, Self::Secrets { .. })
    }

    /// Whether it is a sequence of events.
    pub(crate) fn watch(&self) -> bool {
        matches!(self, Self::Secrets { watch: true, .. } | Self::Objects { watch: true })
    }

    pub(crate) fn places(&self) -> Places {
        match self {
            Self::Secrets { .. } => Places::Secrets,
            Self::Objects { .. }
            | Self::Log
            | Self::Documents
            | Self::OpenApi
            | Self::Health
            | Self::Unknown => Places::Nowhere,
        }
    }

    fn of_class(class: Class) -> Self {
        match class {
            Class::Discovery | Class::Version => Self::Documents,
            Class::OpenApi => Self::OpenApi,
            Class::Health => Self::Health,
            Class::Other => Self::Unknown,
        }
    }

    /// The kind of a resource's answer. Streams and proxies are no documents.
    fn of_resource(secret: bool, subresource: Option<&str>, watch: bool, name: Option<String>) -> Self {
        match subresource {
            _ if secret => Self::Secrets { watch, name },
            Some("exec" | "attach" | "portforward" | "proxy") => Self::Unknown,
            Some("log") => Self::Log,
            _ => Self::Objects { watch },
        }
    }
}

#[cfg(test)]
mod tests {
    use kube_api::Head;

    use super::*;

    fn kind(method: &str, path: &str, body: &str) -> Kind {
        let request =
            http::Request::builder().method(method).uri(path).header("content-type", "application/json");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Kind::of(&Head::parse(&parts).unwrap().with_body(body.as_bytes()).unwrap())
    }

    #[test]
    fn requests() {
        let secrets = |watch, name: Option<&str>| Kind::Secrets { watch, name: name.map(str::to_owned) };
        let secret = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"new"}}"#;
        for (method, path, body, expected) in [
            ("GET", "/api/v1/secrets", "", secrets(false, None)),
            ("GET", "/api/v1/namespaces/a/secrets/db", "", secrets(false, Some("db"))),
            ("GET", "/api/v1/namespaces/a/secrets?watch=true", "", secrets(true, None)),
            ("POST", "/api/v1/namespaces/a/secrets", secret, secrets(false, Some("new"))),
            ("DELETE", "/api/v1/namespaces/a/secrets/db", "", secrets(false, Some("db"))),
            ("DELETE", "/api/v1/namespaces/a/secrets", "", secrets(false, None)),
            ("GET", "/apis/example.com/v1/namespaces/a/secrets", "", Kind::Objects { watch: false }),
            ("GET", "/api/v1/pods?watch=true", "", Kind::Objects { watch: true }),
            ("GET", "/api/v1/namespaces/a/pods/p/log?follow=true", "", Kind::Log),
            ("GET", "/api", "", Kind::Documents),
            ("GET", "/apis/apps/v1", "", Kind::Documents),
            ("GET", "/version", "", Kind::Documents),
            ("GET", "/openapi/v3/apis/apps/v1", "", Kind::OpenApi),
            ("GET", "/readyz", "", Kind::Health),
            ("GET", "/metrics", "", Kind::Unknown),
        ] {
            assert_eq!(kind(method, path, body), expected, "{method} {path}");
        }
    }

    #[test]
    fn resources() {
        let kind = |secret, subresource, watch| Kind::of_resource(secret, subresource, watch, None);
        assert_eq!(kind(true, None, true), Kind::Secrets { watch: true, name: None });
        assert_eq!(kind(true, Some("log"), false), Kind::Secrets { watch: false, name: None });
        assert_eq!(kind(false, Some("status"), false), Kind::Objects { watch: false });
        assert_eq!(kind(false, Some("log"), false), Kind::Log);
        for stream in ["exec", "attach", "portforward", "proxy"] {
            assert_eq!(kind(false, Some(stream), false), Kind::Unknown);
        }
    }
}
