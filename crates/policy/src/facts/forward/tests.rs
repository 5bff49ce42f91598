use serde_json::json;

use super::*;

fn forward(pod: &Value, port: u16) -> Forward {
    Forward { ports: [port].into(), pod: Pod::of(pod) }
}

#[test]
fn a_pod_is_read_as_it_is() {
    let pod = Pod::of(&json!({
        "metadata": { "labels": { "app": "web", "tier": "" } },
        "spec": {
            "containers": [{ "ports": [{ "containerPort": 8080 }, { "containerPort": 70000 }] }, {}],
            "initContainers": [{ "ports": [{ "containerPort": 9000 }] }],
        },
    }));
    let labels = ["app=web".to_owned(), "tier=".to_owned()].into();
    assert_eq!(pod, Pod { labels, declared: [8080, 9000].into(), host_network: false, control_plane: false });
    assert_eq!(Pod::of(&Value::Null), Pod::default());
}

#[test]
fn what_runs_the_cluster_is_told_by_what_it_is() {
    let reaches = |metadata: Value, container: Value| {
        forward(&json!({ "metadata": metadata, "spec": { "containers": [container] } }), 80).reaches_cluster()
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
        json!({ "image": "kube-apiserver/exporter:1", "command": ["sh", "-c", "kube-apiserver"] })
    ));
}

#[test]
fn of_a_nodes_network_only_what_a_pod_declares_is_its_own() {
    let pod = |host: bool| {
        let ports = json!([{ "containerPort": 9100 }, { "containerPort": 10250 }]);
        json!({ "spec": { "hostNetwork": host, "containers": [{ "ports": ports }] } })
    };
    let reached =
        |host: bool| [9100, 10250, 6443, 22].map(|port| forward(&pod(host), port).reaches_cluster());
    assert_eq!(reached(true), [false, true, true, true]);
    assert_eq!(reached(false), [false; 4]);
}
