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

/// PEM blocks that are made to be given away (RFC 7468).
const LABELS: [&str; 4] = ["CERTIFICATE", "TRUSTED CERTIFICATE", "PUBLIC KEY", "X509 CRL"];

pub(super) fn is_public(kind: &str, key: &str, value: &[u8]) -> bool {
    let defined = KEYS.iter().any(|(other, keys)| *other == kind && keys.contains(&key));
    defined || is_public_pem(value)
}

/// Whether a value is blocks of these labels and nothing else: not even a comment, in which something else could stand.
fn is_public_pem(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else { return false };
    let mut open: Option<&str> = None;
    let mut blocks = 0_usize;
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        let label = |before| line.strip_prefix(before)?.strip_suffix("-----");
        open = match (open, label("-----BEGIN "), label("-----END ")) {
            (None, Some(label), _) if LABELS.contains(&label) => Some(label),
            (Some(begun), _, Some(label)) if begun == label => {
                blocks += 1;
                None
            }
            (Some(begun), None, None) if is_base64(line) => Some(begun),
            _ => return false,
        };
    }
    open.is_none() && blocks > 0
}

fn is_base64(line: &str) -> bool {
    line.len() <= 76
        && line.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_public_and_nothing_beside_them() {
        let block = |label: &str| format!("-----BEGIN {label}-----\nMIIB+/8=\n-----END {label}-----\n");
        let public = block("CERTIFICATE");
        let table = [
            (public.clone(), true),
            (public.replace('\n', "\r\n"), true),
            (format!("{public}\n{}", block("X509 CRL")), true),
            (block("PUBLIC KEY"), true),
            (block("PRIVATE KEY"), false),
            (format!("{public}{}", block("RSA PRIVATE KEY")), false),
            (format!("password: x\n{public}"), false),
            (format!("{public}x"), false),
            (public.replace("MIIB", "pass word"), false),
            (public.replace("-----END CERTIFICATE-----", "-----END PUBLIC KEY-----"), false),
            (public.replace("-----END CERTIFICATE-----", ""), false),
            (String::new(), false),
        ];
        for (text, expected) in table {
            assert_eq!(is_public("Opaque", "x", text.as_bytes()), expected, "{text}");
        }
        assert!(!is_public_pem(b"\xff"));
    }

    #[test]
    fn what_kubernetes_defines_as_no_secret_is_none_in_that_type_only() {
        let kind = "kubernetes.io/service-account-token";
        assert!(is_public(kind, "namespace", b"kube-system"));
        assert!(!is_public(kind, "token", b"ey"));
        assert!(!is_public("Opaque", "namespace", b"kube-system"));
    }
}
