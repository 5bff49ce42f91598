//! The subresources there are.

use crate::target::Resource;

/// Of any kind, custom ones included.
const ANY: [&str; 2] = ["status", "scale"];

/// Group, resource, subresource; Kubernetes 1.20 to 1.37. What is not here is unknown, and unknown is refused.
const KNOWN: &[(&str, &str, &str)] = &[
    ("", "pods", "log"),
    ("", "pods", "exec"),
    ("", "pods", "attach"),
    ("", "pods", "portforward"),
    ("", "pods", "proxy"),
    ("", "pods", "eviction"),
    ("", "pods", "binding"),
    ("", "pods", "ephemeralcontainers"),
    ("", "pods", "resize"),
    ("", "services", "proxy"),
    ("", "nodes", "proxy"),
    ("", "namespaces", "finalize"),
    ("", "serviceaccounts", "token"),
    ("certificates.k8s.io", "certificatesigningrequests", "approval"),
];

/// What becomes of a request's body and connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An object or a collection.
    Object,
    /// `pods/log`: text.
    Log,
    /// exec, attach, portforward: the connection is upgraded.
    Upgrade,
    /// Whatever stands behind a pod, a service or a node.
    Proxy,
}

/// What a connection is upgraded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upgrade {
    /// `pods/exec`
    Exec,
    /// `pods/attach`
    Attach,
    /// `pods/portforward`
    PortForward,
}

pub(crate) fn is_known(group: &str, resource: &str, subresource: &str) -> bool {
    ANY.contains(&subresource) || KNOWN.contains(&(group, resource, subresource))
}

pub(crate) fn shape(resource: &Resource) -> Shape {
    match resource.subresource() {
        Some("log") => Shape::Log,
        _ if upgrade(resource).is_some() => Shape::Upgrade,
        Some("proxy") => Shape::Proxy,
        _ => Shape::Object,
    }
}

/// The subresource alone decides: what is no pod's is refused, but by no reading that takes it for something harmless.
pub(crate) fn upgrade(resource: &Resource) -> Option<Upgrade> {
    match resource.subresource()? {
        "exec" => Some(Upgrade::Exec),
        "attach" => Some(Upgrade::Attach),
        "portforward" => Some(Upgrade::PortForward),
        _ => None,
    }
}

/// Whether a create by this subresource keeps nothing when `dryRun` asks for it. Its REST storage must look at the option itself:
/// that of `serviceaccounts/token` does not, and mints a token (k8s.io/kubernetes/pkg/registry/core/serviceaccount/storage/token.go).
pub(crate) fn honours_dry_run(resource: &Resource) -> bool {
    resource.subresource() != Some("token") && shape(resource) == Shape::Object
}
