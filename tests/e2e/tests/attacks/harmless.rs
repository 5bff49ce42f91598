//! The inverse of the attacks: what only looks like a secret, or like nothing at all, comes through the gate byte for byte as
//! it comes to the agent's own user without it.

use anyhow::{Context, ensure};
use e2e::Client;
use serde_json::{Value, json};
use testkit::Options;

use crate::{
    case::{METADATA, METADATA_LIST, TABLE, each, filled, holds_placeholder},
    world::World,
};

const DISCOVERY: &str = "Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const OPENAPI: &str = "Accept: application/com.github.proto-openapi.spec.v3.v1.0+protobuf";
const ANY: &str = "Accept: */*";

/// `RV` stands for the version of the cluster at which lists are read, and from which watches go on.
const REQUESTS: &[(&str, &str)] = &[
    // What describes the API.
    ("/version", ANY),
    ("/api", ANY),
    ("/apis", ANY),
    ("/api/v1", ANY),
    ("/apis/apps/v1", ANY),
    ("/apis/apps", ANY),
    ("/apis/batch/v1", ANY),
    ("/apis/rbac.authorization.k8s.io/v1", ANY),
    ("/api", DISCOVERY),
    ("/openapi/v3", ANY),
    ("/openapi/v3/api/v1", ANY),
    ("/openapi/v3/apis/apps/v1", ANY),
    ("/openapi/v3/apis/batch/v1", ANY),
    ("/openapi/v3/apis/apps/v1", OPENAPI),
    ("/openapi/v3/version", ANY),
    ("/healthz", ANY),
    ("/livez", ANY),
    ("/readyz/ping", ANY),
    // Objects that look a bit like secrets, one by one.
    ("/api/v1/namespaces/NS/configmaps/ca", ANY),
    ("/api/v1/namespaces/NS/configmaps/images", ANY),
    ("/api/v1/namespaces/NS/configmaps/binary", ANY),
    ("/api/v1/namespaces/NS/configmaps/keys", ANY),
    ("/api/v1/namespaces/NS/configmaps/settings", ANY),
    ("/api/v1/namespaces/NS/configmaps/scripts", ANY),
    ("/api/v1/namespaces/NS/configmaps/numbers", ANY),
    ("/api/v1/namespaces/NS/configmaps/unicode", ANY),
    ("/api/v1/namespaces/NS/configmaps/escapes", ANY),
    ("/api/v1/namespaces/NS/configmaps/empty", ANY),
    ("/api/v1/namespaces/NS/configmaps/digests", ANY),
    ("/api/v1/namespaces/NS/configmaps/words", ANY),
    ("/api/v1/namespaces/NS/configmaps/kube-root-ca.crt", ANY),
    ("/api/v1/namespaces/NS/configmaps/annotated", ANY),
    ("/apis/apps/v1/namespaces/NS/deployments/web", ANY),
    ("/apis/apps/v1/namespaces/NS/deployments/web/status", ANY),
    ("/apis/apps/v1/namespaces/NS/deployments/web/scale", ANY),
    ("/apis/apps/v1/namespaces/NS/statefulsets/store", ANY),
    ("/apis/batch/v1/namespaces/NS/cronjobs/nightly", ANY),
    ("/api/v1/namespaces/NS/services/web", ANY),
    ("/api/v1/namespaces/NS/serviceaccounts/default", ANY),
    ("/api/v1/namespaces/NS/pods/done", ANY),
    ("/api/v1/namespaces/NS/pods/done/status", ANY),
    ("/apis/networking.k8s.io/v1/namespaces/NS/ingresses/web", ANY),
    ("/apis/networking.k8s.io/v1/namespaces/NS/networkpolicies/web", ANY),
    ("/apis/policy/v1/namespaces/NS/poddisruptionbudgets/web", ANY),
    ("/apis/autoscaling/v2/namespaces/NS/horizontalpodautoscalers/web", ANY),
    ("/api/v1/namespaces/NS/persistentvolumeclaims/disk", ANY),
    ("/api/v1/namespaces/NS/events/told", ANY),
    ("/apis/events.k8s.io/v1/namespaces/NS/events/told", ANY),
    ("/api/v1/namespaces/NS", ANY),
    ("/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication", ANY),
    ("/apis/rbac.authorization.k8s.io/v1/clusterroles/view", ANY),
    ("/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin", ANY),
    ("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/cluster-admin", ANY),
    ("/apis/apiregistration.k8s.io/v1/apiservices/v1.apps", ANY),
    ("/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical", ANY),
    ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.harmless.example.com", ANY),
    // In other forms.
    ("/api/v1/namespaces/NS/configmaps/ca", TABLE),
    ("/api/v1/namespaces/NS/configmaps/ca", METADATA),
    ("/api/v1/namespaces/NS/configmaps/annotated", METADATA),
    ("/api/v1/namespaces/NS/configmaps/annotated?includeObject=Object", TABLE),
    ("/apis/apps/v1/namespaces/NS/deployments/web", TABLE),
    ("/apis/apps/v1/namespaces/NS/deployments/web", METADATA),
    ("/apis/apps/v1/namespaces/NS/deployments/web?includeObject=Object", TABLE),
    ("/api/v1/namespaces/NS/pods/done", TABLE),
    ("/api/v1/namespaces/NS/pods/done", METADATA),
    ("/api/v1/namespaces/NS/configmaps/ca?pretty=true", ANY),
    ("/api/v1/namespaces/NS/configmaps/ca?resourceVersion=0", ANY),
    // Lists as they were.
    ("/api/v1/namespaces/NS/configmaps?AT", ANY),
    ("/api/v1/namespaces/NS/configmaps?AT", TABLE),
    ("/api/v1/namespaces/NS/configmaps?AT", METADATA_LIST),
    ("/api/v1/namespaces/NS/configmaps?AT&includeObject=Object", TABLE),
    ("/api/v1/namespaces/NS/configmaps?AT&labelSelector=kind%3Dcertificate", ANY),
    ("/api/v1/namespaces/NS/configmaps?AT&fieldSelector=metadata.name%3Dca", ANY),
    ("/api/v1/namespaces/NS/configmaps?labelSelector=none%3Dthere&AT", ANY),
    ("/apis/apps/v1/namespaces/NS/deployments?AT", ANY),
    ("/apis/apps/v1/namespaces/NS/deployments?AT", TABLE),
    ("/apis/apps/v1/namespaces/NS/statefulsets?AT", ANY),
    ("/apis/batch/v1/namespaces/NS/cronjobs?AT", ANY),
    ("/api/v1/namespaces/NS/services?AT", ANY),
    ("/api/v1/namespaces/NS/serviceaccounts?AT", ANY),
    ("/api/v1/namespaces/NS/pods?AT", ANY),
    ("/api/v1/namespaces/NS/pods?AT", TABLE),
    ("/api/v1/namespaces/NS/pods?AT&fieldSelector=status.phase%3DSucceeded", ANY),
    ("/apis/networking.k8s.io/v1/namespaces/NS/ingresses?AT", ANY),
    ("/api/v1/namespaces/NS/events?AT", ANY),
    ("/apis/rbac.authorization.k8s.io/v1/clusterroles?AT", ANY),
    ("/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/roles?AT", ANY),
    (
        "/apis/apiregistration.k8s.io/v1/apiservices?AT&labelSelector=kube-aggregator.kubernetes.io/automanaged%3Donstart",
        ANY,
    ),
    ("/apis/scheduling.k8s.io/v1/priorityclasses?AT", ANY),
    ("/apis/storage.k8s.io/v1/storageclasses?AT", ANY),
    ("/apis/node.k8s.io/v1/runtimeclasses?AT", ANY),
    // What follows, for a second.
    ("/api/v1/namespaces/NS/configmaps?FROM", ANY),
    ("/api/v1/namespaces/NS/configmaps?FROM", METADATA),
    ("/apis/apps/v1/namespaces/NS/statefulsets?FROM", ANY),
    ("/apis/networking.k8s.io/v1/namespaces/NS/ingresses?FROM", ANY),
    // Logs.
    ("/api/v1/namespaces/NS/pods/done/log", ANY),
    ("/api/v1/namespaces/NS/pods/done/log?timestamps=true", ANY),
    ("/api/v1/namespaces/NS/pods/done/log?tailLines=3", ANY),
    ("/api/v1/namespaces/NS/pods/done/log?follow=true", ANY),
    // What is not there.
    ("/api/v1/namespaces/NS/configmaps/absent", ANY),
    ("/apis/apps/v1/namespaces/NS/deployments/absent", ANY),
    ("/api/v1/namespaces/NS/pods/absent/log", ANY),
    ("/api/v1/namespaces/NS/configmaps?limit=1&continue=nonsense", ANY),
];

/// Not secret: a certificate is for everybody.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIBdTCCARugAwIBAgIUQm9ndXMtY2VydGlmaWNhdGUtZm9yLXRlc3RzMAoGCCqG\nSM49BAMCMBAxDjAMBgNVBAMMBWJvZ3VzMB4XDTI2MDEwMTAwMDAwMFoXDTM2MDEw\n-----END CERTIFICATE-----\n";
const PUBLIC_KEYS: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcpiLrpHJJAkhk4S3uKENJK0rvW77\nzbon46oCiNekqW/dnNrlSHzDlUMxJ0UeOIcNl3LEZuAeN3ZTq3zE/DVEAQ==\n-----END PUBLIC KEY-----\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvYc3b6cV3nW8o0sXH0vX9E6jJqv1eXg2mK5b0u3Fd1 ada@example.com\n";

/// What there is to read, in the order in which it is made.
fn objects() -> Vec<(&'static str, Value)> {
    let map = |name: &str, data: Value| {
        let labels = json!({"kind": if name == "ca" { "certificate" } else { "other" }});
        (
            "/api/v1/namespaces/NS/configmaps",
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}, "data": data}),
        )
    };
    let digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let env = json!([
        {"name": "LOG_LEVEL", "value": "debug"}, {"name": "HOME", "value": "/home/web"}, {"name": "SHA", "value": digest},
        {"name": "GREETING", "value": "bWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcms="}, {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]);
    let container = json!({
        "name": "web", "image": format!("registry.example.com/web@{digest}"), "command": ["sh", "-c", "exec web --port=8080 --retries 3"],
        "env": env, "ports": [{"containerPort": 8080}],
    });
    let template =
        |labels: Value| json!({"metadata": {"labels": labels}, "spec": {"containers": [container.clone()]}});
    let selected = json!({"app": "web"});
    let rule = json!({"host": "web.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}});
    let lines = "started\\nlevel=info msg=\\\"listening\\\" port=8080\\nGET / 200 12ms id=3f2504e0-4f89-11d3-9a0c-0305e82c3301\\ndigest sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\\n";
    let log = format!("printf '{}'", lines.replace("\\\"", "\""));
    let mut annotated = map("annotated", json!({"a": "b"}));
    annotated.1["metadata"]["annotations"] = json!({
        "example.com/config": json!({"replicas": 3, "image": digest, "nested": {"list": [1, 2.5e3, null, true]}}).to_string(),
        "example.com/checksum": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "kubectl.kubernetes.io/last-applied-configuration": json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}}).to_string(),
    });
    let mut binary = map("binary", json!({}));
    binary.1["binaryData"] =
        json!({"image.png": "R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=="});
    vec![
        map(
            "ca",
            json!({"ca.crt": CERTIFICATE, "chain.pem": CERTIFICATE.repeat(3), "caBundle": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJkVENDQVJ1Z0F3SUJBZ0lVUW05bmRYTXQK"}),
        ),
        map(
            "images",
            json!({"web": format!("registry.example.com/web@{digest}"), "side": "ghcr.io/example/side:v1.2.3@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"}),
        ),
        binary,
        map(
            "keys",
            json!({"public.pem": PUBLIC_KEYS, "authorized_keys": PUBLIC_KEYS, "jwks.json": r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#}),
        ),
        map(
            "settings",
            json!({"application.yaml": "server:\n  port: 8080\n  name: \"web\"\nfeatures: [a, b]\n", "timeout": "30s", "url": "https://example.com/a?b=c&d=e%20f"}),
        ),
        map(
            "scripts",
            json!({"run.sh": "#!/bin/sh\nset -eu\nfor i in 1 2 3; do echo \"$i\"; done\nexec \"$@\"\n"}),
        ),
        map(
            "numbers",
            json!({"int64": "9223372036854775807", "float": "1e-7", "version": "0x1F", "hash": "d41d8cd98f00b204e9800998ecf8427e"}),
        ),
        map(
            "unicode",
            json!({"greeting": "Grüße, 世界 🚀", "separators": "\u{2028}\u{2029}", "combining": "e\u{301}"}),
        ),
        map(
            "escapes",
            json!({"all": "\"\\/\u{8}\u{c}\n\r\t<>&'", "backslashes": "\\\\u0041 \\n", "empty": ""}),
        ),
        map("empty", json!({})),
        map(
            "digests",
            json!({"md5": "5d41402abc4b2a76b9719d911017c592", "sha1": "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", "sri": "sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC", "git": "0d1d7fc32e5a947fbd92ee598033d85bfc445a50"}),
        ),
        map(
            "words",
            json!({"text": "passwords are rotated by the vault; tokens expire after an hour", "path": "/etc/secrets/README", "note": "see secret/database"}),
        ),
        annotated,
        (
            "/apis/apps/v1/namespaces/NS/deployments",
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": selected}, "spec": {"replicas": 0, "selector": {"matchLabels": selected}, "template": template(selected.clone())}}),
        ),
        (
            "/apis/apps/v1/namespaces/NS/statefulsets",
            json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "store"}, "spec": {"replicas": 0, "serviceName": "store", "selector": {"matchLabels": {"app": "store"}}, "template": template(json!({"app": "store"}))}}),
        ),
        (
            "/apis/batch/v1/namespaces/NS/cronjobs",
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"}, "spec": {"suspend": true, "schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container.clone()]}}}}}}),
        ),
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
        (
            "/api/v1/namespaces/NS/events",
            json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "told"}, "type": "Normal", "reason": "Pulled", "message": format!("Successfully pulled image \"web@{digest}\" in 1.2s"), "involvedObject": {"kind": "Pod", "name": "web", "namespace": "NS", "uid": "3f2504e0-4f89-11d3-9a0c-0305e82c3301"}}),
        ),
        (
            "/api/v1/namespaces/NS/pods",
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "done"}, "spec": {"restartPolicy": "Never", "automountServiceAccountToken": false, "containers": [{"name": "c", "image": "busybox", "command": ["sh", "-c", log]}]}}),
        ),
    ]
}

fn definition() -> Value {
    let hook = json!({"strategy": "None"});
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer", "default": 3}, "password": {"type": "string", "description": "name of the Secret that holds the password"}}}}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gadgets.harmless.example.com"},
        "spec": {"group": "harmless.example.com", "scope": "Namespaced", "names": {"kind": "Gadget", "plural": "gadgets"}, "conversion": hook,
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]},
    })
}

/// How often what is read may change in between: ages, and documents that describe kinds which other tests define.
const TRIES: usize = 12;

#[test]
fn what_is_harmless_comes_through_byte_for_byte() -> anyhow::Result<()> {
    assert!(REQUESTS.len() >= 100, "{}", REQUESTS.len());
    let world = World::new("harmless", &Options::default())?;
    let admin = &world.direct;
    let create = |path: &str, object: &Value| {
        let (line, body) = (
            filled(&format!("POST {path}"), world.namespace()),
            filled(&object.to_string(), world.namespace()),
        );
        let answer = admin.ask(&line, &[crate::case::JSON], &body)?;
        ensure!(answer.status == 201, "{line}: {answer:?}");
        version(&answer.body).context("no version")
    };
    create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition())?;
    let from = version(&admin.ask(&filled("GET /api/v1/namespaces/NS", world.namespace()), &[], "")?.body)
        .context("no version")?;
    for (path, object) in objects() {
        create(path, &object)?;
    }
    let kubectl =
        |arguments: &[&str]| world.lab.cluster.must(&[&["-n", world.namespace()], arguments].concat());
    kubectl(&["wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/done", "--timeout=60s"])?;
    kubectl(&["wait", "--for=condition=Established", "crd/gadgets.harmless.example.com", "--timeout=60s"])?;
    kubectl(&[
        "wait",
        "--for=jsonpath={.status.observedGeneration}=1",
        "deployment/web",
        "statefulset/store",
        "pdb/web",
        "--timeout=60s",
    ])?;
    // What controllers add to a namespace and to the objects is there by now; this is made after it.
    let at = create(
        "/api/v1/namespaces/NS/configmaps",
        &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "last"}}),
    )?;
    let reader = world.reader()?;
    each(REQUESTS, |(path, accept)| {
        let line = filled(path, world.namespace())
            .replace("AT", &format!("resourceVersion={at}&resourceVersionMatch=Exact"))
            .replace("FROM", &format!("watch=true&timeoutSeconds=1&resourceVersion={from}"));
        same(&reader, &world.gated, &format!("GET {line}"), accept)
    })
}

/// The same answer both ways, at a time at which it is the same before and after.
fn same(direct: &Client, gated: &Client, line: &str, accept: &'static str) -> anyhow::Result<()> {
    let ask = |client: &Client| client.ask(line, &[accept], "");
    let mut before = ask(direct)?;
    for _ in 0..TRIES {
        let through = ask(gated)?;
        let after = ask(direct)?;
        if before.body == after.body {
            let (told, wanted) = (&through.body, &before.body);
            ensure!(
                through.status == before.status && told == wanted,
                "{line} {accept}\n--- directly {}\n{wanted}\n--- through the gate {}\n{told}",
                before.status,
                through.status
            );
            ensure!(
                through.header("content-type").map(media) == before.header("content-type").map(media),
                "{line}: {} {}",
                before.head,
                through.head
            );
            ensure!(through.whole && !holds_placeholder(told), "{line}");
            return Ok(());
        }
        before = after;
    }
    anyhow::bail!("{line}: it changes all the time")
}

/// Without parameters: whether it streams is told in one.
fn media(header: &str) -> &str {
    header.split(';').next().unwrap_or_default().trim()
}

fn version(body: &str) -> Option<String> {
    let object: Value = serde_json::from_str(body).ok()?;
    object.pointer("/metadata/resourceVersion")?.as_str().map(str::to_owned)
}
