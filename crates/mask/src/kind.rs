//! What kind of answer a request asks for: decided from the request, never from what the answer claims to be.

use kube_api::{Class, Request, Target, Verb};

use crate::places::{Catalogue, Rules};

/// A kind of answer, by what can be in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Secrets, in any form and by any verb.
    Secrets {
        watch: bool,
        /// The name the request gives, for the `Status` of a failure.
        name: Option<String>,
    },
    /// Objects of another kind that have secret values at places of their own.
    Guarded { watch: bool, name: Option<String>, resource: Resource },
    /// Other objects.
    Objects { watch: bool, resource: Resource },
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

/// What the request's path names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Resource {
    pub(crate) group: String,
    pub(crate) resource: String,
    pub(crate) subresource: Option<String>,
}

impl Kind {
    /// The kind of the answer to `request`.
    pub(crate) fn of(catalogue: &Catalogue, request: &Request) -> Self {
        match request.target() {
            Target::Resource(asked) => {
                let watch = request.verb() == Verb::Watch;
                // The client's own words: safe to say again.
                let name = request.object_name().map(str::to_owned);
                let resource = Resource {
                    group: asked.group().to_owned(),
                    resource: asked.resource().to_owned(),
                    subresource: asked.subresource().map(str::to_owned),
                };
                if asked.is_secret() {
                    return Self::Secrets { watch, name };
                }
                Self::of_resource(catalogue, resource, watch, name, request.is_restored())
            }
            Target::NonResource(path) => Self::of_class(path.class()),
        }
    }

    /// Whether a message in the answer may quote a secret.
    pub(crate) fn sensitive(&self) -> bool {
        matches!(self, Self::Secrets { .. } | Self::Guarded { .. })
    }

    /// Whether it is a sequence of events.
    pub(crate) fn watch(&self) -> bool {
        match self {
            Self::Secrets { watch, .. } | Self::Guarded { watch, .. } | Self::Objects { watch, .. } => *watch,
            Self::Log | Self::Documents | Self::OpenApi | Self::Health | Self::Unknown => false,
        }
    }

    /// The rules that its answers are masked by.
    pub(crate) fn rules(&self, catalogue: &Catalogue) -> Rules {
        match self {
            Self::Secrets { .. } => catalogue.rules_for("", "secrets", None),
            Self::Guarded { resource, .. } | Self::Objects { resource, .. } => {
                let Resource { group, resource, subresource } = resource;
                catalogue.rules_for(group, resource, subresource.as_deref())
            }
            Self::Log | Self::Documents | Self::OpenApi | Self::Health | Self::Unknown => Rules::nowhere(),
        }
    }

    /// Whether the answer, if it is no failure, is one Secret that the request names: the only one that can be revealed.
    pub(crate) fn one_secret(&self) -> bool {
        matches!(self, Self::Secrets { watch: false, name: Some(_) })
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
    fn of_resource(
        catalogue: &Catalogue,
        resource: Resource,
        watch: bool,
        name: Option<String>,
        restored: bool,
    ) -> Self {
        let Resource { group, resource: plural, subresource } = &resource;
        match subresource.as_deref() {
            Some("exec" | "attach" | "portforward" | "proxy") => Self::Unknown,
            Some("log") => Self::Log,
            // What the gate put right in a write is no less secret in an error about it.
            subresource if restored || catalogue.sensitive(group, plural, subresource) => {
                Self::Guarded { watch, name, resource }
            }
            _ => Self::Objects { watch, resource },
        }
    }
}

#[cfg(test)]
mod tests {
    use kube_api::Head;

    use super::*;
    use crate::places::CustomPlace;

    fn catalogue() -> Catalogue {
        let place = CustomPlace { resource: "widgets.example.com".to_owned(), path: "spec.token".to_owned() };
        Catalogue::builtin().with(&[place]).unwrap()
    }

    fn objects(group: &str, plural: &str, watch: bool) -> Kind {
        Kind::Objects { watch, resource: resource(group, plural, None) }
    }

    fn resource(group: &str, resource: &str, subresource: Option<&str>) -> Resource {
        let subresource = subresource.map(str::to_owned);
        Resource { group: group.to_owned(), resource: resource.to_owned(), subresource }
    }

    fn kind(method: &str, path: &str, body: &str) -> Kind {
        let request =
            http::Request::builder().method(method).uri(path).header("content-type", "application/json");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Kind::of(&catalogue(), &Head::parse(&parts).unwrap().with_body(body.as_bytes()).unwrap())
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
            (
                "GET",
                "/apis/example.com/v1/namespaces/a/secrets",
                "",
                objects("example.com", "secrets", false),
            ),
            ("GET", "/api/v1/pods?watch=true", "", objects("", "pods", true)),
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
        let kind = |group: &str, plural: &str, subresource: Option<&str>| {
            Kind::of_resource(&catalogue(), resource(group, plural, subresource), false, None, false)
        };
        let guarded = |resource| Kind::Guarded { watch: false, name: None, resource };
        for subresource in [None, Some("status")] {
            let widgets = resource("example.com", "widgets", subresource);
            assert_eq!(kind("example.com", "widgets", subresource), guarded(widgets));
            let pods = resource("", "pods", subresource);
            assert_eq!(kind("", "pods", subresource), Kind::Objects { watch: false, resource: pods });
        }
        let token = resource("", "serviceaccounts", Some("token"));
        assert_eq!(kind("", "serviceaccounts", Some("token")), guarded(token));
        assert!(!kind("", "serviceaccounts", None).sensitive());
        assert_eq!(kind("", "pods", Some("log")), Kind::Log);
        for stream in ["exec", "attach", "portforward", "proxy"] {
            assert_eq!(kind("", "pods", Some(stream)), Kind::Unknown);
        }
    }
}
