//! What a port-forward reaches: the port, told by its options, and the pod as it was looked at.

use std::collections::BTreeSet;

use kube_api::Options;
use serde_json::Value;

/// What runs the cluster.
const API_SERVER: &str = "kube-apiserver";
/// Where it listens on its node, or what leads there, if nothing else is said: `--secure-port`, and what distributions have on each node, k3s
/// (6444), k0s (7443), Talos (7445), minikube (8443) and MicroK8s (16443).
const API_SERVER_PORTS: [u16; 6] = [6443, 6444, 7443, 7445, 8443, 16443];

/// Empty for other calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Forward {
    /// Those that the call names; none where it opens the way for connections that will name theirs.
    pub(crate) ports: BTreeSet<u16>,
    pub(crate) pod: Pod,
    /// The port at which the cluster's API server is reached, where that is known.
    pub(crate) api_server: Option<u16>,
}

/// What matters of a pod to whom a port of it is forwarded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    /// `key=value`.
    pub(crate) labels: BTreeSet<String>,
    /// Its network is its node's: all that listens there is reached, also what takes no connections from elsewhere.
    pub(crate) host_network: bool,
    /// It runs the cluster.
    pub(crate) control_plane: bool,
}

impl Forward {
    /// The ports that `options` name.
    pub(crate) fn of(options: &Options) -> Self {
        Self { ports: options.all("ports").filter_map(|port| port.parse().ok()).collect(), ..Self::default() }
    }

    /// The port, where it names one.
    pub(crate) fn port(&self) -> Option<u16> {
        self.ports.first().copied().filter(|_| self.ports.len() == 1)
    }

    /// Whether it is a port on a node at which an API server may listen, or that leads to one.
    pub(crate) fn is_to_api_server(&self) -> bool {
        let at = |port| API_SERVER_PORTS.contains(&port) || Some(port) == self.api_server;
        self.pod.host_network && self.port().is_some_and(at)
    }
}

impl Pod {
    /// Reads a pod as the API server tells it, not masked.
    #[must_use]
    pub fn of(pod: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let labels = pod.pointer("/metadata/labels").and_then(Value::as_object).into_iter().flatten();
        let labels: Vec<(&String, String)> =
            labels.filter_map(|(key, value)| Some((key, text(value)?))).collect();
        let mut containers = ["/spec/containers", "/spec/initContainers"]
            .into_iter()
            .filter_map(|path| pod.pointer(path)?.as_array())
            .flatten();
        Self {
            control_plane: labels.iter().any(|(_, value)| value.ends_with(API_SERVER))
                || containers.any(runs_cluster),
            host_network: pod.pointer("/spec/hostNetwork") == Some(&Value::Bool(true)),
            labels: labels.into_iter().map(|(key, value)| format!("{key}={value}")).collect(),
        }
    }
}

/// By its name, by any word of what it runs (a shell's script, and programs that are many in one, begin it further on), or by the image
/// without registry, version and digest.
fn runs_cluster(container: &Value) -> bool {
    let words =
        ["command", "args"].into_iter().filter_map(|field| container.get(field)?.as_array()).flatten();
    let words = words.filter_map(Value::as_str).flat_map(str::split_whitespace);
    let mut programs = words.chain(container.get("name").and_then(Value::as_str));
    let image = container.get("image").and_then(Value::as_str);
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let name = image.map(|image| {
        let name = last(image.split('@').next().unwrap_or_default());
        name.split(':').next().unwrap_or_default().to_owned()
    });
    name.as_deref() == Some(API_SERVER) || programs.any(|program| last(program) == API_SERVER)
}

#[cfg(test)]
mod tests;
