//! Where an object is, as paths say it.

use std::fmt;

use approval::Usage;
use http::{Method, header::CONTENT_TYPE};
use kube_api::{Head, Verb};
use serde_json::Value;

use crate::why::Why;

/// One object, by its path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    path: String,
    group: String,
    resource: String,
    namespace: Option<String>,
    name: String,
}

/// What a recorded call asked for: `patch /api/v1/namespaces/shop/configmaps/web?fieldManager=x`.
pub(crate) struct Act {
    pub(crate) verb: Verb,
    head: Head,
    pub(crate) text: String,
}

/// What does not change anything, of resources and of other paths.
const READS: [&str; 6] = ["get", "head", "list", "options", "proxy", "watch"];

impl Act {
    /// `None`: it changes nothing.
    pub(crate) fn of_change(text: &str) -> Option<Result<Self, Why>> {
        let (verb, target) = text.split_once(' ').unwrap_or((text, ""));
        if READS.contains(&verb) {
            return None;
        }
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        if path.contains('*') {
            return Some(Err(Why::Hidden));
        }
        match parsed(verb, target) {
            Some(head) if head.options().get("dryRun").is_some() => None,
            Some(head) => Some(Ok(Self { verb: head.verb(), head, text: text.to_owned() })),
            None => Some(Err(Why::Unknown)),
        }
    }

    pub(crate) fn subresource(&self) -> Option<&str> {
        self.head.target().resource()?.subresource()
    }

    /// The object that it changes, by its path.
    pub(crate) fn object(&self) -> Option<Place> {
        let resource = self.head.target().resource()?;
        let path = self.head.target().path();
        let path = match resource.subresource() {
            Some(subresource) => path.strip_suffix(subresource)?.strip_suffix('/')?.to_owned(),
            None => path,
        };
        Some(Place {
            path,
            group: resource.group().to_owned(),
            resource: resource.resource().to_owned(),
            namespace: resource.namespace().map(str::to_owned),
            name: resource.name()?.to_owned(),
        })
    }

    /// Whether it only asks something: reviews of tokens and of access are created, and kept nowhere (`k8s.io/api/authentication/v1`,
    /// `k8s.io/api/authorization/v1`).
    pub(crate) fn is_review(&self) -> bool {
        let reviews = [
            ("authentication.k8s.io", "selfsubjectreviews"),
            ("authentication.k8s.io", "tokenreviews"),
            ("authorization.k8s.io", "localsubjectaccessreviews"),
            ("authorization.k8s.io", "selfsubjectaccessreviews"),
            ("authorization.k8s.io", "selfsubjectrulesreviews"),
            ("authorization.k8s.io", "subjectaccessreviews"),
        ];
        let resource = self.head.target().resource();
        resource.is_some_and(|resource| reviews.contains(&(resource.group(), resource.resource())))
    }

    /// The object that it made, which the answer names.
    pub(crate) fn made(&self, object: &Value) -> Option<Place> {
        let resource = self.head.target().resource()?;
        let name = object.pointer("/metadata/name")?.as_str()?;
        // A name that is none would be another path.
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:@$+".contains(c);
        if name.is_empty() || !name.chars().all(plain) || [".", ".."].contains(&name) {
            return None;
        }
        Some(Place {
            path: format!("{}/{name}", self.head.target().path()),
            group: resource.group().to_owned(),
            resource: resource.resource().to_owned(),
            namespace: resource.namespace().map(str::to_owned),
            name: name.to_owned(),
        })
    }
}

/// As if it had come to the gate.
fn parsed(verb: &str, target: &str) -> Option<Head> {
    let (method, content) = match verb {
        "create" => (Method::POST, "application/json"),
        "update" => (Method::PUT, "application/json"),
        "patch" => (Method::PATCH, "application/merge-patch+json"),
        "delete" | "deletecollection" => (Method::DELETE, "application/json"),
        _ => return None,
    };
    let request = http::Request::builder().method(method).uri(target).header(CONTENT_TYPE, content);
    let head = Head::parse(&request.body(()).ok()?.into_parts().0).ok()?;
    (head.verb().as_str() == verb).then_some(head)
}

impl Place {
    /// Its path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path of the collection it is in.
    #[must_use]
    pub fn collection(&self) -> &str {
        self.path.rsplit_once('/').map_or(&self.path, |(collection, _)| collection)
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is of this resource: plural name and group.
    pub(crate) fn is(&self, group: &str, resource: &str) -> bool {
        self.group == group && self.resource == resource
    }
}

/// `configmaps "web" in namespace "shop"`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = (self.group.as_str(), self.resource.as_str());
        let usage = Usage::of("", kind, None, self.namespace.as_deref(), Some(&self.name));
        f.write_str(usage.to_string().trim_start())
    }
}
