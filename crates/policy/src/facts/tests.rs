use proptest::prelude::*;
use serde_json::json;

use super::*;

fn facts(value: &Value, form: Form) -> Facts {
    Facts::of(&Body { value, form }, false)
}

fn whole(value: &Value) -> Facts {
    facts(value, Form::Whole)
}

fn list(set: &BTreeSet<String>) -> Vec<&str> {
    set.iter().map(String::as_str).collect()
}

/// Every kind that holds a pod template, around a pod's spec.
fn kinds(spec: &Value) -> Vec<(&'static str, Value)> {
    let template = json!({ "template": { "spec": spec } });
    vec![
        ("Pod", json!({ "kind": "Pod", "spec": spec })),
        ("PodTemplate", json!({ "kind": "PodTemplate", "template": { "spec": spec } })),
        ("Deployment", json!({ "kind": "Deployment", "spec": template })),
        ("DaemonSet", json!({ "kind": "DaemonSet", "spec": template })),
        ("StatefulSet", json!({ "kind": "StatefulSet", "spec": template })),
        ("ReplicaSet", json!({ "kind": "ReplicaSet", "spec": template })),
        ("ReplicationController", json!({ "kind": "ReplicationController", "spec": template })),
        ("Job", json!({ "kind": "Job", "spec": template })),
        ("CronJob", json!({ "kind": "CronJob", "spec": { "jobTemplate": { "spec": template } } })),
    ]
}

/// Every form in which a pod's spec refers to the Secret `db`.
fn secret_forms() -> Vec<(&'static str, Value)> {
    let env = json!([{ "name": "A", "valueFrom": { "secretKeyRef": { "name": "db", "key": "pw" } } }]);
    let volume = |source: Value| json!({ "volumes": [source] });
    vec![
        ("env", json!({ "containers": [{ "env": env }] })),
        ("envFrom", json!({ "containers": [{ "envFrom": [{ "secretRef": { "name": "db" } }] }] })),
        ("init", json!({ "initContainers": [{ "env": env }] })),
        ("ephemeral", json!({ "ephemeralContainers": [{ "env": env }] })),
        ("volume", volume(json!({ "name": "v", "secret": { "secretName": "db" } }))),
        ("projected", volume(json!({ "projected": { "sources": [{ "secret": { "name": "db" } }] } }))),
        ("csi", volume(json!({ "csi": { "nodePublishSecretRef": { "name": "db" } } }))),
        ("azureFile", volume(json!({ "azureFile": { "secretName": "db" } }))),
        ("flexVolume", volume(json!({ "flexVolume": { "secretRef": { "name": "db" } } }))),
        ("cephfs", volume(json!({ "cephfs": { "secretRef": { "name": "db" } } }))),
        ("pull", json!({ "imagePullSecrets": [{ "name": "db" }] })),
    ]
}

#[test]
fn a_secret_is_found_in_every_kind_and_form() {
    for (form, spec) in secret_forms() {
        for (kind, body) in kinds(&spec) {
            assert_eq!(list(&whole(&body).secrets.names), ["db"], "{kind} {form}");
            let fragment = facts(&body, Form::Fragment);
            assert_eq!(list(&fragment.secrets.names), ["db"], "{kind} {form} as a fragment");
            assert!(!fragment.body_complete);
            let patch = json!([{ "op": "add", "path": "/spec", "value": body }]);
            assert_eq!(
                list(&facts(&patch, Form::JsonPatch).secrets.names),
                ["db"],
                "{kind} {form} as JSON Patch"
            );
        }
    }
}

#[test]
fn a_secret_is_found_where_only_the_path_tells() {
    let table = [
        ("/spec/containers/0/env/0/valueFrom/secretKeyRef/name", json!("db"), vec!["db"]),
        ("/spec/containers/0/env/0/valueFrom/secretKeyRef/key", json!("pw"), vec!["*"]),
        (
            "/spec/containers/0/env/-",
            json!({ "valueFrom": { "secretKeyRef": { "name": "db" } } }),
            vec!["db"],
        ),
        ("/spec/volumes/0/secret/secretName", json!("db"), vec!["db"]),
        ("/spec/volumes/0/secret", json!({ "secretName": "db" }), vec!["db"]),
        ("/spec/imagePullSecrets/-", json!({ "name": "db" }), vec!["db"]),
        ("/metadata/annotations/nginx.ingress.kubernetes.io~1auth-tls-secret", json!("ns/db"), vec!["ns/db"]),
        ("/spec/valuesFrom/0/kind", json!("Secret"), vec!["*"]),
        ("/metadata/labels/a", json!("db"), vec![]),
    ];
    for (path, value, expected) in table {
        let patch = json!([{ "op": "replace", "path": path, "value": value }]);
        assert_eq!(list(&facts(&patch, Form::JsonPatch).secrets.names), expected, "{path}");
    }
}

#[test]
fn other_objects_refer_to_secrets_too() {
    let table = [
        (
            json!({ "kind": "ServiceAccount", "secrets": [{ "name": "a" }], "imagePullSecrets": [{ "name": "b" }] }),
            vec!["a", "b"],
        ),
        (json!({ "kind": "Ingress", "spec": { "tls": [{ "secretName": "a" }] } }), vec!["a"]),
        (
            json!({ "kind": "HelmRelease", "spec": { "valuesFrom": [{ "kind": "Secret", "name": "a" }] } }),
            vec!["a"],
        ),
        (
            json!({ "kind": "PersistentVolume", "spec": { "csi": { "controllerExpandSecretRef": { "name": "a" } } } }),
            vec!["a"],
        ),
        (
            json!({ "spec": { "volumes": [{ "csi": { "volumeAttributes": { "secretProviderClass": "a" } } }] } }),
            vec!["a"],
        ),
        (
            json!({ "spec": { "containers": [{ "env": [{ "valueFrom": { "secretKeyRef": { "key": "k" } } }] }] } }),
            vec!["*"],
        ),
        (json!({ "spec": { "volumes": [{ "secret": { "defaultMode": 420 } }] } }), vec!["*"]),
        (json!({ "spec": { "volumes": [{ "secret": null }] } }), vec![]),
        (json!({ "kind": "Secret", "metadata": { "name": "self" } }), vec![]),
        (json!({ "metadata": { "managedFields": [{ "fieldsV1": { "f:secretName": {} } }] } }), vec![]),
        (json!({ "$setElementOrder/imagePullSecrets": [{ "name": "a" }] }), vec![]),
    ];
    for (body, expected) in table {
        assert_eq!(list(&whole(&body).secrets.names), expected, "{body}");
    }
}

#[test]
fn payloads_of_configmaps_and_secrets_are_not_walked() {
    let body = json!({ "data": { "client-secret": "CANARY", "image": "CANARY" }, "stringData": { "secret": "CANARY" } });
    assert_eq!(Facts::of(&Body { value: &body, form: Form::Whole }, true), Facts::none());
    let patch = json!([{ "op": "add", "path": "/data/secret", "value": "CANARY" }]);
    let facts = Facts::of(&Body { value: &patch, form: Form::JsonPatch }, true);
    assert!(facts.secrets.names.is_empty());
}

#[test]
fn what_reaches_for_the_node_is_found() {
    let container = |context: Value| json!({ "spec": { "containers": [{ "securityContext": context }] } });
    let pod = |field: &str| json!({ "spec": { "template": { "spec": { field: true } } } });
    let privileged = [
        container(json!({ "privileged": true })),
        container(json!({ "procMount": "Unmasked" })),
        container(json!({ "capabilities": { "add": ["CHOWN", "SYS_ADMIN"] } })),
        container(json!({ "capabilities": { "add": ["ALL"] } })),
        container(json!({ "capabilities": { "add": ["sys_admin"] } })),
        container(json!({ "capabilities": { "add": "SYS_ADMIN" } })),
        container(json!({ "privileged": "true" })),
        container(json!({ "privileged": 1 })),
        container(json!({ "windowsOptions": { "hostProcess": true } })),
    ];
    for body in &privileged {
        assert!(whole(body).privileged, "{body}");
    }
    let harmless = [
        container(
            json!({ "privileged": false, "procMount": "Default", "capabilities": { "drop": ["ALL"], "add": ["NET_BIND_SERVICE"] } }),
        ),
        json!({ "data": "x" }),
    ];
    for body in &harmless {
        assert!(!whole(body).privileged && !whole(body).host_namespaces, "{body}");
    }
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        assert!(whole(&pod(field)).host_namespaces, "{field}");
    }
    for (path, value) in [
        ("add/-", json!("SYS_PTRACE")),
        ("add/0", json!("SYS_PTRACE")),
        ("add/-1", json!("SYS_PTRACE")),
        ("add/+0", json!("SYS_PTRACE")),
        ("add/00", json!("SYS_PTRACE")),
        ("add/x", json!("CHOWN")),
        ("add", json!("CHOWN")),
        ("add", json!({ "0": "CHOWN" })),
    ] {
        let path = format!("/spec/containers/0/securityContext/capabilities/{path}");
        let patch = json!([{ "op": "add", "path": path, "value": value }]);
        assert!(facts(&patch, Form::JsonPatch).privileged, "{path}");
    }
    let volumes = json!({ "spec": { "volumes": [{ "hostPath": { "path": "/etc" } }, { "hostPath": { "type": "File" } }], "local": { "path": "/mnt" } } });
    assert_eq!(list(&whole(&volumes).host_paths), ["*", "/etc", "/mnt"]);
}

#[test]
fn images_accounts_and_replicas_are_found() {
    let body = json!({ "spec": { "replicas": 3, "template": { "spec": {
        "serviceAccountName": "robot", "containers": [{ "image": "a:1" }], "initContainers": [{ "image": "b:1" }],
        "volumes": [{ "image": { "reference": "c:1" } }] } } } });
    let found = whole(&body);
    assert_eq!(list(&found.images), ["a:1", "b:1", "c:1"]);
    assert_eq!(list(&found.service_accounts), ["robot"]);
    assert_eq!(found.replicas, BTreeSet::from([3]));
    let patch = json!([
        { "op": "test", "path": "/spec/replicas", "value": 9 },
        { "op": "replace", "path": "/spec/replicas", "value": 0 },
        { "op": "add", "path": "/spec", "value": { "replicas": 5 } },
        { "op": "remove", "path": "/spec/replicas" },
    ]);
    assert_eq!(facts(&patch, Form::JsonPatch).replicas, BTreeSet::from([0, 5]));
    assert_eq!(whole(&json!({ "spec": { "replicas": 2.0 } })).replicas, BTreeSet::from([2]));
    assert!(whole(&json!({ "spec": { "replicas": 1e300 } })).replicas.is_empty());
}

#[test]
fn service_accounts_and_their_tokens_are_found() {
    let volume =
        |source: Value| json!({ "volumes": [{ "name": "v", "projected": { "sources": [source] } }] });
    let table = [
        (json!({ "serviceAccountName": "robot" }), vec!["robot"], false),
        (json!({ "serviceAccount": "robot" }), vec!["robot"], false),
        (json!({ "serviceAccountName": "a", "serviceAccount": "b" }), vec!["a", "b"], false),
        (json!({ "serviceAccountName": "" }), vec![], false),
        (json!({ "serviceAccountName": null }), vec![], false),
        (json!({ "serviceAccountName": ["robot"] }), vec!["*"], false),
        (volume(json!({ "serviceAccountToken": { "path": "token" } })), vec![], true),
        (volume(json!({ "podCertificate": { "signerName": "a/b" } })), vec![], true),
        (volume(json!({ "serviceAccountToken": null })), vec![], false),
        (volume(json!({ "configMap": { "name": "a" } })), vec![], false),
    ];
    for (spec, accounts, token) in table {
        for (kind, body) in kinds(&spec) {
            let found = whole(&body);
            assert_eq!(list(&found.service_accounts), accounts, "{kind} {spec}");
            assert_eq!(found.token_projections, token, "{kind} {spec}");
        }
    }
    let patch = json!([
        { "op": "add", "path": "/spec/template/spec/serviceAccountName", "value": "robot" },
        { "op": "add", "path": "/spec/template/spec/volumes/0/projected/sources/-", "value": { "serviceAccountToken": {} } },
    ]);
    let found = facts(&patch, Form::JsonPatch);
    assert_eq!((list(&found.service_accounts), found.token_projections), (vec!["robot"], true));
}

#[test]
fn addresses_outside_and_deputies_are_found() {
    let table = [
        (json!({ "externalIPs": ["10.0.0.1"] }), vec!["10.0.0.1"]),
        (json!({ "externalIPs": "10.0.0.1" }), vec!["10.0.0.1"]),
        (json!({ "externalIPs": [{}] }), vec!["*"]),
        (json!({ "externalIPs": [] }), vec![]),
        (json!({ "type": "ExternalName", "externalName": "a.example" }), vec!["*", "a.example"]),
        (json!({ "type": "LoadBalancer", "loadBalancerIP": "10.0.0.2" }), vec!["10.0.0.2"]),
        (json!({ "type": "ClusterIP", "externalName": null }), vec![]),
    ];
    for (spec, expected) in table {
        assert_eq!(list(&whole(&json!({ "spec": spec })).external_addresses), expected, "{spec}");
    }
    let patch = json!([
        { "op": "add", "path": "/spec/externalIPs/-", "value": "10.0.0.1" },
        { "op": "add", "path": "/metadata/annotations/eks.amazonaws.com~1role-arn", "value": "arn" },
    ]);
    let found = facts(&patch, Form::JsonPatch);
    assert_eq!(list(&found.external_addresses), ["10.0.0.1"]);
    assert_eq!(list(&found.deputy_annotations), ["eks.amazonaws.com/role-arn"]);
    for (annotation, expected) in [
        ("nginx.ingress.kubernetes.io/configuration-snippet", true),
        ("nginx.org/server-snippets", true),
        ("iam.gke.io/gcp-service-account", true),
        ("vault.hashicorp.com/agent-inject-secret-db", true),
        ("nginx.ingress.kubernetes.io/rewrite-target", false),
        ("kubectl.kubernetes.io/restartedAt", false),
        ("my-snippet", false),
    ] {
        let body = json!({ "metadata": { "annotations": { annotation: "x" } } });
        assert_eq!(!whole(&body).deputy_annotations.is_empty(), expected, "{annotation}");
        let removed = json!({ "metadata": { "annotations": { annotation: null } } });
        assert!(facts(&removed, Form::Merge).deputy_annotations.is_empty());
    }
}

/// Any JSON, of the words that matter.
fn hostile() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just("secretRef".to_owned()),
        Just("op".to_owned()),
        Just("path".to_owned()),
        Just("value".to_owned()),
        Just("hostPath".to_owned()),
        Just("capabilities".to_owned()),
        ".{0,8}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(|n| json!(n)),
        prop_oneof![Just("add".to_owned()), Just("/spec/~01//".to_owned()), ".{0,12}"].prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(key.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(value in hostile()) {
        for form in [Form::Whole, Form::Fragment, Form::Merge, Form::Strategic, Form::JsonPatch] {
            let body = Body { value: &value, form };
            _ = Facts::of(&body, false);
            _ = body.touches(&["spec", "conversion"]);
            _ = body.assigned(&["type"]);
        }
    }

    /// Wrapping a reference ever deeper hides it nowhere.
    #[test]
    fn depth_hides_nothing(path in proptest::collection::vec("[a-z]{1,6}", 0..40)) {
        let inner = json!({ "secretKeyRef": { "name": "db" } });
        let body = path.iter().fold(inner.clone(), |value, key| json!({ key.as_str(): value }));
        prop_assert!(whole(&body).secrets.names.contains("db"));
        let pointer = format!("/{}", path.join("/"));
        let patch = json!([{ "op": "add", "path": pointer, "value": inner }]);
        prop_assert!(facts(&patch, Form::JsonPatch).secrets.names.contains("db"));
    }
}

/// Whose processes a debug container sees, in whatever form it is put there.
#[test]
fn the_target_of_a_debug_container_is_a_fact() {
    let debug = |name: Value| json!({ "spec": { "ephemeralContainers": [{ "name": "d", "targetContainerName": name }] } });
    for (name, told) in [
        (json!("web"), vec!["web"]),
        (json!(""), vec![]),
        (json!(null), vec![]),
        (json!(["web"]), vec![UNKNOWN]),
    ] {
        assert_eq!(list(&facts(&debug(name), Form::Strategic).target_containers), told);
    }
    let operation =
        json!([{ "op": "add", "path": "/spec/ephemeralContainers/0/targetContainerName", "value": "web" }]);
    assert_eq!(list(&facts(&operation, Form::JsonPatch).target_containers), ["web"]);
}
