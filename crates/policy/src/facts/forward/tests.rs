use serde_json::json;

use super::*;

#[test]
fn a_pod_is_read_as_it_is() {
    let pod = Pod::of(&json!({
        "metadata": { "labels": { "app": "web", "tier": "" } },
        "spec": { "containers": [{}], "hostNetwork": true },
    }));
    let labels = ["app=web".to_owned(), "tier=".to_owned()].into();
    assert_eq!(pod, Pod { labels, host_network: true, control_plane: false });
    assert_eq!(Pod::of(&Value::Null), Pod::default());
}

#[test]
fn what_runs_the_cluster_is_told_by_what_it_is() {
    let reaches = |metadata: Value, container: Value| {
        Pod::of(&json!({ "metadata": metadata, "spec": { "containers": [container] } })).control_plane
    };
    let labelled = |label: &str| json!({ "labels": { label: "kube-apiserver" } });
    assert!(reaches(labelled("component"), json!({})));
    assert!(reaches(labelled("app"), json!({})));
    assert!(reaches(json!({}), json!({ "command": ["/usr/local/bin/kube-apiserver", "--v=2"] })));
    for image in [
        "registry.k8s.io/kube-apiserver:v1.37.0",
        "kube-apiserver",
        "host:5000/mirror/kube-apiserver@sha256:0000",
    ] {
        assert!(reaches(json!({}), json!({ "image": image })), "{image}");
    }
    assert!(!reaches(
        json!({ "labels": { "app": "web" } }),
        json!({ "name": "exporter", "image": "kube-apiserver/exporter:1", "args": ["--job=kube-apiserver", "kube-apiserver-metrics"] })
    ));
    // OpenShift's: by its label, its container's name, its script.
    assert!(reaches(json!({ "labels": { "app": "openshift-kube-apiserver" } }), json!({})));
    assert!(reaches(json!({}), json!({ "name": "kube-apiserver" })));
    let script = "exec watch-termination -- hyperkube kube-apiserver --openshift-config=/etc/config.yaml";
    assert!(reaches(json!({}), json!({ "command": ["/bin/bash", "-ec"], "args": [script] })));
    assert!(reaches(json!({}), json!({ "command": ["hyperkube"], "args": ["kube-apiserver"] })));
}
