//! What looks a bit like a secret, and is none.

use serde_json::{Value, json};

/// Not secret: a certificate is for everybody.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIBdTCCARugAwIBAgIUQm9ndXMtY2VydGlmaWNhdGUtZm9yLXRlc3RzMAoGCCqG\nSM49BAMCMBAxDjAMBgNVBAMMBWJvZ3VzMB4XDTI2MDEwMTAwMDAwMFoXDTM2MDEw\n-----END CERTIFICATE-----\n";
const PUBLIC_KEYS: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcpiLrpHJJAkhk4S3uKENJK0rvW77\nzbon46oCiNekqW/dnNrlSHzDlUMxJ0UeOIcNl3LEZuAeN3ZTq3zE/DVEAQ==\n-----END PUBLIC KEY-----\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvYc3b6cV3nW8o0sXH0vX9E6jJqv1eXg2mK5b0u3Fd1 ada@example.com\n";

const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// What there is to read, in the order in which it is made.
pub(super) fn objects() -> Vec<(&'static str, Value)> {
    [files(), texts(), vec![annotated()], workloads(), services(), told()].concat()
}

fn map(name: &str, data: &Value) -> (&'static str, Value) {
    let labels = json!({"kind": if name == "ca" { "certificate" } else { "other" }});
    (
        "/api/v1/namespaces/NS/configmaps",
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}, "data": data}),
    )
}

fn files() -> Vec<(&'static str, Value)> {
    let (path, mut binary) = map("binary", &json!({}));
    binary["binaryData"] =
        json!({"image.png": "R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=="});
    vec![
        map(
            "ca",
            &json!({"ca.crt": CERTIFICATE, "chain.pem": CERTIFICATE.repeat(3), "caBundle": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJkVENDQVJ1Z0F3SUJBZ0lVUW05bmRYTXQK"}),
        ),
        map(
            "images",
            &json!({"web": format!("registry.example.com/web@{DIGEST}"), "side": "ghcr.io/example/side:v1.2.3@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"}),
        ),
        (path, binary),
        map(
            "keys",
            &json!({"public.pem": PUBLIC_KEYS, "authorized_keys": PUBLIC_KEYS, "jwks.json": r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#}),
        ),
        map(
            "settings",
            &json!({"application.yaml": "server:\n  port: 8080\n  name: \"web\"\nfeatures: [a, b]\n", "timeout": "30s", "url": "https://example.com/a?b=c&d=e%20f"}),
        ),
        map(
            "scripts",
            &json!({"run.sh": "#!/bin/sh\nset -eu\nfor i in 1 2 3; do echo \"$i\"; done\nexec \"$@\"\n"}),
        ),
    ]
}

fn texts() -> Vec<(&'static str, Value)> {
    vec![
        map(
            "numbers",
            &json!({"int64": "9223372036854775807", "float": "1e-7", "version": "0x1F", "hash": "d41d8cd98f00b204e9800998ecf8427e"}),
        ),
        map(
            "unicode",
            &json!({"greeting": "Grüße, 世界 🚀", "separators": "\u{2028}\u{2029}", "combining": "e\u{301}"}),
        ),
        map(
            "escapes",
            &json!({"all": "\"\\/\u{8}\u{c}\n\r\t<>&'", "backslashes": "\\\\u0041 \\n", "empty": ""}),
        ),
        map("empty", &json!({})),
        map(
            "digests",
            &json!({"md5": "5d41402abc4b2a76b9719d911017c592", "sha1": "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", "sri": "sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC", "git": "0d1d7fc32e5a947fbd92ee598033d85bfc445a50"}),
        ),
        map(
            "words",
            &json!({"text": "passwords are rotated by the vault; tokens expire after an hour", "path": "/etc/secrets/README", "note": "see secret/database"}),
        ),
    ]
}

fn annotated() -> (&'static str, Value) {
    let (path, mut annotated) = map("annotated", &json!({"a": "b"}));
    annotated["metadata"]["annotations"] = json!({
        "example.com/config": json!({"replicas": 3, "image": DIGEST, "nested": {"list": [1, 2.5e3, null, true]}}).to_string(),
        "example.com/checksum": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "kubectl.kubernetes.io/last-applied-configuration": json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}}).to_string(),
    });
    (path, annotated)
}

fn workloads() -> Vec<(&'static str, Value)> {
    let env = json!([
        {"name": "LOG_LEVEL", "value": "debug"}, {"name": "HOME", "value": "/home/web"}, {"name": "SHA", "value": DIGEST},
        {"name": "GREETING", "value": "bWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcms="}, {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]);
    let container = json!({
        "name": "web", "image": format!("registry.example.com/web@{DIGEST}"), "command": ["sh", "-c", "exec web --port=8080 --retries 3"],
        "env": env, "ports": [{"containerPort": 8080}],
    });
    let template =
        |labels: Value| json!({"metadata": {"labels": labels}, "spec": {"containers": [container.clone()]}});
    let selected = json!({"app": "web"});
    vec![
        (
            "/apis/apps/v1/namespaces/NS/deployments",
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": selected}, "spec": {"replicas": 0, "selector": {"matchLabels": selected}, "template": template(selected)}}),
        ),
        (
            "/apis/apps/v1/namespaces/NS/statefulsets",
            json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "store"}, "spec": {"replicas": 0, "serviceName": "store", "selector": {"matchLabels": {"app": "store"}}, "template": template(json!({"app": "store"}))}}),
        ),
        (
            "/apis/batch/v1/namespaces/NS/cronjobs",
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"}, "spec": {"suspend": true, "schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container.clone()]}}}}}}),
        ),
    ]
}

fn services() -> Vec<(&'static str, Value)> {
    let selected = json!({"app": "web"});
    let rule = json!({"host": "web.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}});
    vec![
        (
            "/api/v1/namespaces/NS/services",
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": selected, "ports": [{"port": 80, "targetPort": 8080}]}}),
        ),
        (
            "/apis/networking.k8s.io/v1/namespaces/NS/ingresses",
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web", "annotations": {"nginx.ingress.kubernetes.io/rewrite-target": "/$1"}}, "spec": {"rules": [rule], "tls": [{"hosts": ["web.example.com"], "secretName": "web-tls"}]}}),
        ),
        (
            "/apis/networking.k8s.io/v1/namespaces/NS/networkpolicies",
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "web"}, "spec": {"podSelector": {"matchLabels": selected}, "policyTypes": ["Ingress"]}}),
        ),
        (
            "/apis/policy/v1/namespaces/NS/poddisruptionbudgets",
            json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": selected}}}),
        ),
        (
            "/apis/autoscaling/v2/namespaces/NS/horizontalpodautoscalers",
            json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}, "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}}),
        ),
        (
            "/api/v1/namespaces/NS/persistentvolumeclaims",
            json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "disk"}, "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1Gi"}}}}),
        ),
    ]
}

/// What controllers and programs say.
fn told() -> Vec<(&'static str, Value)> {
    let lines = "started\\nlevel=info msg=\"listening\" port=8080\\nGET / 200 12ms id=3f2504e0-4f89-11d3-9a0c-0305e82c3301\\ndigest ";
    let log = format!("printf '{lines}{DIGEST}\\n'");
    vec![
        (
            "/api/v1/namespaces/NS/events",
            json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "told"}, "type": "Normal", "reason": "Pulled", "message": format!("Successfully pulled image \"web@{DIGEST}\" in 1.2s"), "involvedObject": {"kind": "Pod", "name": "web", "namespace": "NS", "uid": "3f2504e0-4f89-11d3-9a0c-0305e82c3301"}}),
        ),
        (
            "/api/v1/namespaces/NS/pods",
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "done"}, "spec": {"restartPolicy": "Never", "automountServiceAccountToken": false, "containers": [{"name": "c", "image": "busybox", "command": ["sh", "-c", log]}]}}),
        ),
    ]
}

/// A kind with a field that only has a telling name.
pub(super) fn definition() -> Value {
    let hook = json!({"strategy": "None"});
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer", "default": 3}, "password": {"type": "string", "description": "name of the Secret that holds the password"}}}}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gadgets.harmless.example.com"},
        "spec": {"group": "harmless.example.com", "scope": "Namespaced", "names": {"kind": "Gadget", "plural": "gadgets"}, "conversion": hook,
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]},
    })
}
