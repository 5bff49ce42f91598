//! Annotations by which an object has a controller or a cloud act for it with rights of its own: a catalogue, a line
//! each. What is written as `prefix/*` stands for every annotation with that prefix, `*ending` for every such ending.

const DEPUTIES: &[&str] = &[
    // A cloud's identity for whoever runs as the service account or in the pod.
    "eks.amazonaws.com/role-arn",
    "iam.amazonaws.com/role",
    "iam.gke.io/gcp-service-account",
    "azure.workload.identity/client-id",
    "azure.workload.identity/tenant-id",
    "pod-identity.alibabacloud.com/role-name",
    // Configuration of the ingress controller itself, which can read every Secret that it serves.
    "*-snippet",
    "*-snippets",
    "haproxy-ingress.github.io/*",
    "nginx.ingress.kubernetes.io/auth-signin",
    "nginx.ingress.kubernetes.io/auth-url",
    "nginx.ingress.kubernetes.io/auth-tls-match-cn",
    "nginx.ingress.kubernetes.io/mirror-host",
    "nginx.ingress.kubernetes.io/mirror-target",
    "nginx.ingress.kubernetes.io/permanent-redirect",
    "nginx.ingress.kubernetes.io/upstream-vhost",
    // Names in a DNS zone outside of the cluster.
    "external-dns.alpha.kubernetes.io/*",
    // Certificates, issued and stored by the issuer's rights.
    "cert-manager.io/*",
    // Secrets that are fetched or copied.
    "vault.hashicorp.com/*",
    "reflector.v1.k8s.emberstack.com/*",
    "replicator.v1.mittwald.de/*",
    // Sidecars and volumes put into the pod.
    "sidecar.istio.io/*",
    "inject.istio.io/*",
    // Networks of the node.
    "k8s.v1.cni.cncf.io/networks",
];

/// Whether an annotation of this name is in the catalogue.
pub(super) fn is_deputy(key: &str) -> bool {
    let matches = |entry: &&str| match (entry.strip_suffix('*'), entry.strip_prefix('*')) {
        (Some(prefix), _) => key.starts_with(prefix),
        (None, Some(ending)) => key.contains('/') && key.ends_with(ending),
        (None, None) => key == *entry,
    };
    DEPUTIES.iter().any(matches)
}
