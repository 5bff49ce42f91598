//! Kinds that hold a pod template, and forms in which one refers to the Secret `database`.

use serde_json::{Value, json};

use crate::case;

/// Where objects of a kind are, one of them but for its spec, and what is around a pod's spec in it.
pub(super) type Template = (&'static str, Value, fn(Value) -> Value);

/// Kinds that hold a pod template.
pub(super) fn kinds() -> Vec<Template> {
    fn labelled(spec: &Value, more: Value) -> Value {
        let workload = json!({"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": spec}});
        json!({ "spec": case::with(workload, more) })
    }
    fn never(mut spec: Value) -> Value {
        spec["restartPolicy"] = json!("Never");
        spec
    }
    let kind =
        |version: &str, kind: &str| json!({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}});
    vec![
        ("/api/v1/namespaces/NS/pods", kind("v1", "Pod"), |spec| json!({ "spec": spec })),
        ("/apis/apps/v1/namespaces/NS/deployments", kind("apps/v1", "Deployment"), |spec| {
            labelled(&spec, json!({}))
        }),
        ("/apis/apps/v1/namespaces/NS/statefulsets", kind("apps/v1", "StatefulSet"), |spec| {
            labelled(&spec, json!({"serviceName": "x"}))
        }),
        ("/apis/apps/v1/namespaces/NS/daemonsets", kind("apps/v1", "DaemonSet"), |spec| {
            labelled(&spec, json!({}))
        }),
        ("/apis/apps/v1/namespaces/NS/replicasets", kind("apps/v1", "ReplicaSet"), |spec| {
            labelled(&spec, json!({}))
        }),
        (
            "/api/v1/namespaces/NS/replicationcontrollers",
            kind("v1", "ReplicationController"),
            |spec| json!({"spec": {"selector": {"a": "b"}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": spec}}}),
        ),
        (
            "/api/v1/namespaces/NS/podtemplates",
            kind("v1", "PodTemplate"),
            |spec| json!({"template": {"spec": spec}}),
        ),
        (
            "/apis/batch/v1/namespaces/NS/jobs",
            kind("batch/v1", "Job"),
            |spec| json!({"spec": {"template": {"spec": never(spec)}}}),
        ),
        (
            "/apis/batch/v1/namespaces/NS/cronjobs",
            kind("batch/v1", "CronJob"),
            |spec| json!({"spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {"spec": never(spec)}}}}}),
        ),
    ]
}

/// Forms in which a pod refers to a Secret.
pub(super) fn forms() -> Vec<Value> {
    let container = |more: Value| case::with(json!({"name": "c", "image": "busybox"}), more);
    let env = json!({"env": [{"name": "PW", "valueFrom": {"secretKeyRef": {"name": "database", "key": "password"}}}]});
    let from = json!({"envFrom": [{"secretRef": {"name": "database"}}]});
    let with = |volume: Value| {
        let mut volume = volume;
        volume["name"] = json!("v");
        json!({"containers": [container(json!({}))], "volumes": [volume]})
    };
    vec![
        json!({"containers": [container(env.clone())]}),
        json!({"containers": [container(from.clone())]}),
        json!({"containers": [container(json!({}))], "initContainers": [{"name": "i", "image": "busybox", "envFrom": from["envFrom"]}]}),
        json!({"containers": [container(json!({}))], "initContainers": [{"name": "i", "image": "busybox", "env": env["env"], "restartPolicy": "Always"}]}),
        json!({"containers": [container(json!({}))], "imagePullSecrets": [{"name": "database"}]}),
        with(json!({"secret": {"secretName": "database"}})),
        with(json!({"projected": {"sources": [{"secret": {"name": "database"}}]}})),
        with(json!({"csi": {"driver": "d", "nodePublishSecretRef": {"name": "database"}}})),
        with(json!({"flexVolume": {"driver": "a/d", "secretRef": {"name": "database"}}})),
        with(json!({"cephfs": {"monitors": ["m"], "secretRef": {"name": "database"}}})),
        with(json!({"azureFile": {"shareName": "s", "secretName": "database"}})),
        with(
            json!({"iscsi": {"targetPortal": "t", "iqn": "iqn.2001-04.com.example:a", "lun": 0, "secretRef": {"name": "database"}}}),
        ),
        // Beside the name in a field that the API server does not know, and drops.
        json!({"containers": [container(json!({"env": [{"name": "PW", "valueFrom": {"secretKeyRef": {"name": "database", "secretName": "", "key": "password"}}}]}))]}),
        json!({"containers": [container(json!({"envFrom": [{"secretRef": {"name": "database", "secretName": "harmless", "namespace": "default"}}]}))]}),
        with(json!({"secret": {"secretName": "database", "name": "harmless"}})),
        with(json!({"projected": {"sources": [{"secret": {"name": "database", "secretName": "harmless"}}]}})),
    ]
}
