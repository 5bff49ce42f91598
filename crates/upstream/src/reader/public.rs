//! What Secrets hold that is no secret, and stands in many other places: masking it there would break them.

/// Keys that Kubernetes itself defines and that hold nothing secret, by type of Secret (`k8s.io/api/core/v1`,
/// `k8s.io/cluster-bootstrap/token/api`).
const KEYS: &[(&str, &[&str])] = &[
    ("kubernetes.io/service-account-token", &["ca.crt", "namespace"]),
    (
        "bootstrap.kubernetes.io/token",
        &[
            "auth-extra-groups",
            "description",
            "expiration",
            "token-id",
            "usage-bootstrap-authentication",
            "usage-bootstrap-signing",
        ],
    ),
];

/// Whether a value of this key, of a Secret of this type, is no secret.
pub(super) fn is_public(kind: &str, key: &str, value: &[u8]) -> bool {
    let defined = KEYS.iter().any(|(other, keys)| *other == kind && keys.contains(&key));
    defined || mask::is_public_pem(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubernetes_defines_as_no_secret_is_none_in_that_type_only() {
        let kind = "kubernetes.io/service-account-token";
        assert!(is_public(kind, "namespace", b"kube-system"));
        assert!(!is_public(kind, "token", b"ey"));
        assert!(!is_public("Opaque", "namespace", b"kube-system"));
        let certificate = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        assert!(is_public("kubernetes.io/tls", "tls.crt", certificate));
    }
}
