use serde_json::json;

use super::*;
use crate::body::{Body, Form};
use crate::facts::Facts;

/// Each reference as `namespace/name`, `.` for the object's own namespace, `*` for any name, `!` for one that is not told.
fn told(value: &Value, form: Form) -> Vec<String> {
    let facts = Facts::of(&Body { value, form }, false);
    let told = |secret: &Reference| {
        let namespace = secret.namespace.as_deref().unwrap_or(".");
        let name = secret.name.as_deref().unwrap_or("*");
        format!("{namespace}/{name}{}", if secret.is_plain || name == "*" { "" } else { "!" })
    };
    facts.secrets.all.iter().map(told).collect()
}

#[test]
fn a_namespace_beside_a_name_counts() {
    let table = [
        (
            json!({ "spec": { "csi": { "nodeStageSecretRef": { "name": "a", "namespace": "x" } } } }),
            vec!["x/a"],
        ),
        (json!({ "spec": { "csi": { "nodeStageSecretRef": { "name": "a" } } } }), vec!["./a"]),
        (json!({ "spec": { "cephfs": { "secretRef": { "name": "a", "namespace": "x" } } } }), vec!["x/a"]),
        (json!({ "spec": { "azureFile": { "secretName": "a", "secretNamespace": "x" } } }), vec!["x/a"]),
        (json!({ "spec": { "azureFile": { "secretName": "a", "secretNamespace": null } } }), vec!["./a"]),
        (json!({ "spec": { "azureFile": { "secretNamespace": "x" } } }), vec!["x/*"]),
        (
            json!({ "parameters": {
                "csi.storage.k8s.io/node-publish-secret-name": "a",
                "csi.storage.k8s.io/node-publish-secret-namespace": "x",
            } }),
            vec!["x/a!"],
        ),
        (json!({ "parameters": { "adminSecretName": "a", "adminSecretNamespace": "x" } }), vec!["x/a!"]),
        (json!({ "metadata": { "annotations": { "n.io/auth-secret": "x/a" } } }), vec!["x/a!"]),
        (
            json!({ "spec": { "valuesFrom": [{ "kind": "Secret", "name": "a", "namespace": "x" }] } }),
            vec!["x/a"],
        ),
        (json!({ "spec": { "secretRef": {} } }), vec!["./*"]),
        (json!({ "spec": { "secretProviderClass": "a" } }), vec!["./*"]),
        (json!({ "spec": { "secretName": "*" } }), vec!["./*"]),
        // Of two names the server drops the one whose field the kind does not have.
        (json!({ "valueFrom": { "secretKeyRef": { "name": "a", "secretName": "" } } }), vec!["./a"]),
        (json!({ "valueFrom": { "secretKeyRef": { "name": "a", "secretName": "b" } } }), vec!["./a", "./b"]),
        (json!({ "volumes": [{ "secret": { "name": "a", "secretName": "b" } }] }), vec!["./a", "./b"]),
        // What is filled in later may become any name.
        (
            json!({ "parameters": {
                "csi.storage.k8s.io/node-publish-secret-name": "${pvc.name}",
                "csi.storage.k8s.io/node-publish-secret-namespace": "x",
            } }),
            vec!["x/*"],
        ),
        (
            json!({ "parameters": {
                "csi.storage.k8s.io/node-publish-secret-name": "a",
                "csi.storage.k8s.io/node-publish-secret-namespace": "${pvc.namespace}",
            } }),
            vec!["/a!"],
        ),
    ];
    for (body, expected) in table {
        assert_eq!(told(&body, Form::Whole), expected, "{body}");
    }
    let patch = json!([{ "op": "add", "path": "/spec/azureFile/secretNamespace", "value": "x" }]);
    assert_eq!(told(&patch, Form::JsonPatch), ["x/*"]);
    let patch = json!([{ "op": "add", "path": "/spec/containers/0/env/0/valueFrom/secretKeyRef/name", "value": "a" }]);
    assert_eq!(told(&patch, Form::JsonPatch), ["./a"]);
}

/// A value may stand where others have a name.
#[test]
fn only_what_stands_where_kubernetes_has_names_may_be_told() {
    for body in [
        json!({ "spec": { "clientSecret": "canary" } }),
        json!({ "metadata": { "annotations": { "secret": "canary" } } }),
        json!({ "spec": { "template": { "metadata": { "labels": { "secretName": "canary" } } } } }),
    ] {
        assert_eq!(told(&body, Form::Whole), ["./canary!"], "{body}");
    }
    assert_eq!(told(&json!({ "spec": { "secretName": "CANARY" } }), Form::Whole), ["./*"]);
}
