//! What a request is about.

use std::fmt;

use crate::{
    path,
    refusal::{Refusal, quoted},
};

/// A resource, or a path that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Below `/api/VERSION/` or `/apis/GROUP/VERSION/`.
    Resource(Resource),
    /// Everything else: discovery, OpenAPI, version, health.
    NonResource(NonResource),
}

/// A collection, an object or a subresource, by its storage coordinates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) resource: String,
    pub(crate) subresource: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
    /// Whether `name` stands in the path; a field selector can require one too.
    pub(crate) name_in_path: bool,
    /// What follows `proxy`, segment by segment.
    pub(crate) tail: Vec<String>,
}

/// A path that is no resource's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NonResource {
    path: String,
}

/// What a non-resource path serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `/api`, `/apis` and the groups and versions below them.
    Discovery,
    /// `/openapi/v2` and everything below `/openapi/v3`.
    OpenApi,
    /// `/version`.
    Version,
    /// `/healthz`, `/livez`, `/readyz` and their checks.
    Health,
    /// Anything else.
    Other,
}

impl Target {
    /// The resource, if it is one.
    #[must_use]
    pub fn resource(&self) -> Option<&Resource> {
        match self {
            Self::Resource(resource) => Some(resource),
            Self::NonResource(_) => None,
        }
    }

    /// The canonical path.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Resource(resource) => resource.path(),
            Self::NonResource(other) => other.path.clone(),
        }
    }
}

impl Resource {
    /// The object whose subresource this is.
    pub(crate) fn without_subresource(&self) -> Self {
        Self { subresource: None, tail: Vec::new(), ..self.clone() }
    }

    /// The object of this collection with this name, in this namespace if it is in one. `None` if it cannot be in the collection,
    /// or no path can name it.
    pub(crate) fn member(&self, namespace: &str, name: &str) -> Option<Self> {
        let plain = |text: &str| !text.is_empty() && path::is_name(text) && text != "." && text != "..";
        let is_namespace = self.group.is_empty() && self.resource == "namespaces";
        let covered = match &self.namespace {
            _ if is_namespace => namespace.is_empty(),
            Some(own) => own == namespace,
            None => namespace.is_empty() || plain(namespace),
        };
        let selected = self.name.as_deref().is_none_or(|selected| selected == name);
        if !covered || !selected || !plain(name) || self.name_in_path || self.subresource.is_some() {
            return None;
        }
        let namespace = if is_namespace { name } else { namespace };
        let namespace = (!namespace.is_empty()).then(|| namespace.to_owned());
        Some(Self { namespace, name: Some(name.to_owned()), name_in_path: true, ..self.clone() })
    }

    /// A resource as a self-review asks about it; `*` may stand for any.
    ///
    /// # Errors
    /// A part that no request could have.
    pub fn asked(
        group: &str,
        version: &str,
        resource: &str,
        subresource: Option<&str>,
        namespace: Option<&str>,
        name: Option<&str>,
    ) -> Result<Self, Refusal> {
        let checked = |part: &'static str, text: &str| {
            if text.len() <= 253 && path::is_name(text) {
                return Ok(text.to_owned());
            }
            Err(Refusal::Body { expected: "a self-review", problem: format!("{part} is `{}`", quoted(text)) })
        };
        let optional = |part, text: Option<&str>| text.map(|text| checked(part, text)).transpose();
        // A subresource may also be asked about as `pods/log`.
        let (resource, slashed) = resource.split_once('/').map_or((resource, None), |(r, s)| (r, Some(s)));
        Ok(Self {
            group: checked("group", group)?,
            version: checked("version", version)?,
            resource: checked("resource", resource)?,
            subresource: optional("subresource", subresource.or(slashed))?,
            namespace: optional("namespace", namespace)?,
            name: optional("name", name)?,
            name_in_path: name.is_some(),
            tail: Vec::new(),
        })
    }

    /// API group; `""` is the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group
    }

    /// API version, such as `v1`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Plural, lower case, such as `pods`.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Such as `log`; `None` for the object or collection itself.
    #[must_use]
    pub fn subresource(&self) -> Option<&str> {
        self.subresource.as_deref()
    }

    /// The namespace; for a namespace itself, its own name, as the API server has it.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The object's name: from the path, or required by a field selector on `metadata.name`.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether the path names an object, and not only a field selector.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.name_in_path
    }

    /// Whether it is core `secrets`.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.group.is_empty() && self.resource == "secrets"
    }

    /// `deployments.apps`, or `pods` in the core group.
    #[must_use]
    pub fn group_resource(&self) -> String {
        if self.group.is_empty() {
            self.resource.clone()
        } else {
            format!("{}.{}", self.resource, self.group)
        }
    }

    fn path(&self) -> String {
        let mut path = String::with_capacity(96);
        if self.group.is_empty() {
            path.push_str("/api");
        } else {
            path.push_str("/apis");
            path::push(&mut path, &self.group);
        }
        path::push(&mut path, &self.version);
        if self.resource == "namespaces" && self.group.is_empty() {
            path::push(&mut path, "namespaces");
        } else {
            if let Some(namespace) = &self.namespace {
                path::push(&mut path, "namespaces");
                path::push(&mut path, namespace);
            }
            path::push(&mut path, &self.resource);
        }
        if let Some(name) = self.name.as_ref().filter(|_| self.name_in_path) {
            path::push(&mut path, name);
        }
        for segment in self.subresource.iter().chain(&self.tail) {
            path::push(&mut path, segment);
        }
        path
    }
}

impl fmt::Display for Resource {
    /// `pods/log "web" in namespace "shop"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.group_resource())?;
        if let Some(subresource) = &self.subresource {
            write!(f, "/{subresource}")?;
        }
        if let Some(name) = &self.name {
            write!(f, " \"{name}\"")?;
        }
        match &self.namespace {
            Some(namespace) if self.resource != "namespaces" => write!(f, " in namespace \"{namespace}\""),
            _ => Ok(()),
        }
    }
}

impl NonResource {
    pub(crate) fn new(segments: &[String]) -> Self {
        let mut path = String::new();
        for segment in segments {
            path::push(&mut path, segment);
        }
        if path.is_empty() {
            path.push('/');
        }
        Self { path }
    }

    /// The canonical path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What it serves.
    #[must_use]
    pub fn class(&self) -> Class {
        let segments: Vec<&str> = self.path.split('/').skip(1).collect();
        match segments.as_slice() {
            ["api" | "apis"] | ["api" | "apis", _] | ["apis", _, _] => Class::Discovery,
            ["openapi", "v2"] | ["openapi", "v3", ..] => Class::OpenApi,
            ["version"] => Class::Version,
            ["healthz" | "livez" | "readyz"] | ["healthz" | "livez" | "readyz", _] => Class::Health,
            ["healthz" | "livez" | "readyz", "poststarthook", _] => Class::Health,
            _ => Class::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_their_class() {
        for (path, class) in [
            ("", Class::Other),
            ("api", Class::Discovery),
            ("apis/apps/v1", Class::Discovery),
            ("api/v1/x", Class::Other),
            ("openapi/v2", Class::OpenApi),
            ("openapi/v3/apis/apps/v1", Class::OpenApi),
            ("openapi", Class::Other),
            ("version", Class::Version),
            ("livez/etcd", Class::Health),
            ("readyz/poststarthook/start-apiextensions-informers", Class::Health),
            ("healthz/a/b", Class::Other),
            ("metrics", Class::Other),
            ("debug/pprof/heap", Class::Other),
        ] {
            let segments: Vec<String> =
                path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
            assert_eq!(NonResource::new(&segments).class(), class, "{path}");
        }
    }

    #[test]
    fn a_resource_is_asked_about_in_its_parts_only() {
        let asked = |resource, subresource, name| {
            Resource::asked("", "v1", resource, subresource, Some("shop"), name)
        };
        assert_eq!(
            asked("pods/log", None, Some("web")).unwrap().to_string(),
            "pods/log \"web\" in namespace \"shop\""
        );
        assert_eq!(asked("*", None, None).unwrap().resource(), "*");
        assert!(asked("pods", Some("a/b"), None).is_err());
        assert!(asked("pods", None, Some("a\n")).is_err());
        assert!(asked("secrets", None, None).unwrap().is_secret());
    }
}
