use serde_json::json;

use super::*;

fn touched(value: &Value, form: Form) -> bool {
    super::touched(&Body { value, form }, false)
}

/// A patch of the first container of a Deployment.
fn container(fields: &Value) -> Value {
    let mut container = json!({ "name": "web" });
    container.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({ "spec": { "template": { "spec": { "containers": [container] } } } })
}

#[test]
fn what_decides_what_runs_is_found_in_every_kind_of_patch() {
    for fields in [
        json!({ "command": ["env"] }),
        json!({ "command": null }),
        json!({ "args": ["-c", "env"] }),
        json!({ "env": [{ "name": "LD_PRELOAD", "value": "/x" }] }),
        json!({ "envFrom": [] }),
        json!({ "volumeMounts": [{ "name": "v", "mountPath": "/v" }] }),
        json!({ "lifecycle": { "postStart": { "exec": { "command": ["env"] } } } }),
        json!({ "livenessProbe": { "exec": { "command": ["env"] } } }),
        json!({ "workingDir": "/v" }),
        json!({ "$deleteFromPrimitiveList/args": ["--safe"] }),
    ] {
        for form in [Form::Strategic, Form::Merge, Form::Fragment] {
            assert!(touched(&container(&fields), form), "{form:?} {fields}");
        }
        let patch = json!([{ "op": "add", "path": "/spec/template/spec/containers/0", "value": fields }]);
        assert!(touched(&patch, Form::JsonPatch), "{patch}");
        for (key, value) in fields.as_object().unwrap() {
            let path =
                format!("/spec/template/spec/containers/0/{key}").replace("$deleteFromPrimitiveList/", "");
            let patch = json!([{ "op": "replace", "path": path, "value": value }]);
            assert!(touched(&patch, Form::JsonPatch), "{patch}");
            let patch = json!([{ "op": "remove", "path": path }]);
            assert_eq!(touched(&patch, Form::JsonPatch), key != "livenessProbe", "{patch}");
        }
    }
    for spec in [
        json!({ "initContainers": [{ "name": "i", "image": "a" }] }),
        json!({ "ephemeralContainers": [{ "name": "e", "image": "a" }] }),
        json!({ "volumes": [{ "name": "v", "emptyDir": {} }] }),
        json!({ "shareProcessNamespace": true }),
    ] {
        for kind in [
            json!({ "spec": spec }),
            json!({ "spec": { "jobTemplate": { "spec": { "template": { "spec": spec } } } } }),
        ] {
            assert!(touched(&kind, Form::Strategic), "{kind}");
        }
    }
}

#[test]
fn a_container_that_is_replaced_counts_and_a_whole_template_tells_all_itself() {
    let patch = |path: &str, value: Value| json!([{ "op": "replace", "path": path, "value": value }]);
    let containers = json!([{ "name": "web", "image": "a" }]);
    let with_command =
        json!({ "spec": { "containers": [{ "name": "web", "image": "a", "command": ["env"] }] } });
    assert!(touched(&patch("/spec/template/spec/containers", containers), Form::JsonPatch));
    assert!(touched(&patch("/spec/template/spec/containers/0", json!({ "image": "a" })), Form::JsonPatch));
    assert!(!touched(&patch("/spec/template", with_command.clone()), Form::JsonPatch));
    assert!(!touched(&patch("/spec", json!({ "template": with_command })), Form::JsonPatch));
    // Then something is added to what was replaced.
    let mut more = patch("/spec/template", with_command.clone());
    let last = json!({ "op": "add", "path": "/spec/template/spec/containers/0/command", "value": ["env"] });
    more.as_array_mut().unwrap().push(last);
    assert!(touched(&more, Form::JsonPatch));

    let mut replaced = json!({ "spec": { "template": with_command } });
    replaced["spec"]["template"]["$patch"] = json!("replace");
    assert!(!touched(&replaced, Form::Strategic));
    // A merge patch merges it.
    assert!(touched(&replaced, Form::Merge));
    assert!(touched(&replaced, Form::Fragment));
    assert!(touched(&container(&json!({ "image": "a", "$patch": "replace" })), Form::Strategic));
    assert!(touched(&container(&json!({ "image": "a" })), Form::Merge), "a merge patch replaces lists");
}

#[test]
fn everyday_patches_do_not_count() {
    let strategic = [
        container(&json!({ "image": "nginx:2" })),
        container(&json!({ "resources": { "limits": { "cpu": "1", "env": 1 } } })),
        container(&json!({ "readinessProbe": { "httpGet": { "path": "/", "port": 80 } } })),
        json!({ "spec": { "template": { "spec": { "$setElementOrder/containers": [{ "name": "web" }], "containers": [{ "image": "a", "name": "web" }] } } } }),
        json!({ "spec": { "replicas": 3, "strategy": { "$retainKeys": ["type"], "type": "Recreate" } } }),
        json!({ "metadata": { "labels": { "env": "prod", "command": null }, "annotations": { "args": "x" } } }),
        json!({ "spec": { "template": { "metadata": { "annotations": { "kubectl.kubernetes.io/restartedAt": "now" } } } } }),
        json!({ "spec": { "selector": { "env": "prod" }, "template": { "spec": { "nodeSelector": { "env": "prod" } } } } }),
    ];
    for body in &strategic {
        assert!(!touched(body, Form::Strategic), "{body}");
    }
    let patch = json!([
        { "op": "replace", "path": "/spec/replicas", "value": 2 },
        { "op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "a" },
        { "op": "add", "path": "/metadata/labels/env", "value": "prod" },
        { "op": "remove", "path": "/metadata/annotations/command" },
        { "op": "test", "path": "/spec/template/spec/containers/0/command/0", "value": "sh" },
    ]);
    assert!(!touched(&patch, Form::JsonPatch));
    let configmap = json!({ "data": { "command": "x", "env": "y" } });
    assert!(!super::touched(&Body { value: &configmap, form: Form::Merge }, true));
    assert!(touched(&configmap, Form::Merge));
}
