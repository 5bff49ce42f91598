//! Where an object is, as paths say it.

use std::fmt;

use approval::Usage;
use http::Method;
use kube_api::{Head, Verb};
use serde_json::Value;

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

/// The annotations of a call that changes nothing.
const DRY_RUN: &str = "dryRun";

impl Act {
    /// `None`: it changes nothing, or is no such text.
    pub(crate) fn of_change(text: &str) -> Option<Self> {
        let (verb, target) = text.split_once(' ')?;
        let method = match verb {
            "create" => Method::POST,
            "update" => Method::PUT,
            "patch" => Method::PATCH,
            "delete" | "deletecollection" => Method::DELETE,
            _ => return None,
        };
        let request = http::Request::builder().method(method).uri(target).body(()).ok()?;
        let head = Head::parse(&request.into_parts().0).ok()?;
        let changes = head.verb().as_str() == verb && head.options().get(DRY_RUN).is_none();
        changes.then(|| Self { verb: head.verb(), head, text: text.to_owned() })
    }

    pub(crate) fn subresource(&self) -> Option<&str> {
        self.head.target().resource()?.subresource()
    }

    /// Whether a part of the path is withheld.
    pub(crate) fn is_hidden(&self) -> bool {
        self.head.target().path().contains('*')
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
