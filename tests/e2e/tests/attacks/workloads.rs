//! A6, A7: a workload that is given a Secret can show it, so that to refer to one is to read it: in every kind that has a pod
//! template, in every form of reference, and by every kind of patch.

use serde_json::{Value, json};
use testkit::Options;

use crate::{
    case::{
        Case,
        Control::{Leaks, Takes},
        Gated::{Plain, Refused},
        JSON, JSON_PATCH, MERGE, STRATEGIC, case, rows_of,
    },
    world::World,
};

pub(crate) fn rows() -> Vec<&'static str> {
    [rows_of(&matrix()), rows_of(&patches()), rows_of(&shown())].concat()
}

/// Where objects of a kind are, one of them but for its spec, and what is around a pod's spec in it.
type Template = (&'static str, Value, fn(Value) -> Value);

/// Kinds that hold a pod template.
fn kinds() -> Vec<Template> {
    fn labelled(spec: &Value, more: &Value) -> Value {
        let mut workload = json!({"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": spec}});
        if let (Some(workload), Some(more)) = (workload.as_object_mut(), more.as_object()) {
            workload.extend(more.clone());
        }
        json!({ "spec": workload })
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
            labelled(&spec, &json!({}))
        }),
        ("/apis/apps/v1/namespaces/NS/statefulsets", kind("apps/v1", "StatefulSet"), |spec| {
            labelled(&spec, &json!({"serviceName": "x"}))
        }),
        ("/apis/apps/v1/namespaces/NS/daemonsets", kind("apps/v1", "DaemonSet"), |spec| {
            labelled(&spec, &json!({}))
        }),
        ("/apis/apps/v1/namespaces/NS/replicasets", kind("apps/v1", "ReplicaSet"), |spec| {
            labelled(&spec, &json!({}))
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
fn forms() -> Vec<Value> {
    let container = |more: Value| {
        let mut container = json!({"name": "c", "image": "busybox"});
        if let (Some(container), Some(more)) = (container.as_object_mut(), more.as_object()) {
            container.extend(more.clone());
        }
        container
    };
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
    ]
}

/// Creates an object of this kind that refers to the Secret in this form.
fn refers((path, kind, around): &Template, form: &Value) -> Case {
    let (mut object, inner) = (kind.clone(), around(form.clone()));
    if let (Some(object), Some(inner)) = (object.as_object_mut(), inner.as_object()) {
        object.extend(inner.clone());
    }
    let line = format!("POST {path}?dryRun=All");
    case("A6", line, &[JSON], object.to_string(), Takes(201), Refused(403, "may not create"))
}

fn matrix() -> Vec<Case> {
    let mut all = Vec::new();
    // That every form counts in every kind is shown where it is judged (`policy`): here each kind in one form, and each form in
    // one kind.
    let [first, ..] = &forms()[..] else { return all };
    for kind in kinds() {
        all.push(refers(&kind, first));
    }
    let [_, deployment, ..] = &kinds()[..] else { return all };
    all.extend(forms().iter().skip(1).map(|form| refers(deployment, form)));
    // Not by a reference: what has the node has every Secret on it.
    let pod = |spec: Value| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}).to_string()
    };
    let pods = "POST /api/v1/namespaces/NS/pods?dryRun=All";
    let container = json!([{"name": "c", "image": "busybox"}]);
    let privileged = json!([{"name": "c", "image": "busybox", "securityContext": {"privileged": true}}]);
    all.extend([
        case("A6", pods, &[JSON], pod(json!({"containers": container, "volumes": [{"name": "v", "hostPath": {"path": "/var/lib/kubelet"}}]})), Takes(201), Refused(403, "no-host-paths")),
        case("A6", pods, &[JSON], pod(json!({"containers": privileged})), Takes(201), Refused(403, "no-privileged")),
        case("A6", pods, &[JSON], pod(json!({"containers": container, "hostPID": true, "nodeName": "localhost"})), Takes(201), Refused(403, "no-host-namespaces")),
        case("A6", pods, &[JSON], pod(json!({"containers": container, "serviceAccountName": "powerful"})), Takes(403), Refused(403, "service-accounts-ask")),
        case("A6", pods, &[JSON], pod(json!({"containers": container})), Takes(201), Plain(201, r#""kind":"Pod""#)),
    ]);
    all
}

/// Judged on what the object becomes, or on what the patch shows; either way, no.
fn patches() -> Vec<Case> {
    const DEPLOYMENTS: &str = "PATCH /apis/apps/v1/namespaces/NS/deployments";
    let refused = |name: &str, header, body: String| {
        let line = format!("{DEPLOYMENTS}/{name}?dryRun=All");
        case("A6", line, &[header], body, Takes(200), Refused(403, "may not patch"))
    };
    let env = r#"{"name":"PW","valueFrom":{"secretKeyRef":{"name":"database","key":"password"}}}"#;
    let template = |spec: &str| format!(r#"{{"spec":{{"template":{{"spec":{spec}}}}}}}"#);
    let add = |path: &str, value: &str| {
        format!(r#"[{{"op":"add","path":"/spec/template/spec/{path}","value":{value}}}]"#)
    };
    let from = r#"[{"secretRef":{"name":"database"}}]"#;
    let with_env = format!(r#"{{"containers":[{{"name":"web","image":"busybox","env":[{env}]}}]}}"#);
    let debug = format!(
        r#"{{"spec":{{"ephemeralContainers":[{{"name":"d","image":"busybox","envFrom":{from}}}]}}}}"#
    );
    vec![
        refused("web", STRATEGIC, template(&format!(r#"{{"containers":[{{"name":"web","env":[{env}]}}]}}"#))),
        refused("web", MERGE, template(&with_env)),
        refused("web", JSON_PATCH, add("containers/0/envFrom", from)),
        refused("web", JSON_PATCH, add("volumes", r#"[{"name":"v","secret":{"secretName":"database"}}]"#)),
        refused("web", STRATEGIC, template(r#"{"imagePullSecrets":[{"name":"database"}]}"#)),
        refused("web", JSON_PATCH, add("imagePullSecrets", r#"[{"name":"database"}]"#)),
        // The Deployment `given` has the Secret already: what it runs decides what is shown.
        refused(
            "given",
            STRATEGIC,
            template(r#"{"containers":[{"name":"web","command":["sh","-c","env"]}]}"#),
        ),
        refused("given", JSON_PATCH, add("containers/0/command", r#"["env"]"#)),
        refused("web", JSON_PATCH, add("containers/0/env", &format!("[{env}]"))),
        // `kubectl debug`.
        case(
            "A6",
            "PATCH /api/v1/namespaces/NS/pods/absent/ephemeralcontainers?dryRun=All",
            &[STRATEGIC],
            debug,
            Takes(404),
            Refused(403, "may not patch"),
        ),
    ]
}

/// What pods that were given the Secret do with it: the leak is real.
fn shown() -> Vec<Case> {
    let pod = |name: &str, more: Value| {
        let mut container = json!({"name": "c", "image": "busybox", "env": [{"name": "PW", "valueFrom": {"secretKeyRef": {"name": "database", "key": "password"}}}]});
        if let (Some(container), Some(more)) = (container.as_object_mut(), more.as_object()) {
            container.extend(more.clone());
        }
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"restartPolicy": "Never", "containers": [container]}}).to_string()
    };
    let pods = "POST /api/v1/namespaces/NS/pods";
    let refused = Refused(403, "may not create");
    let absent = Plain(404, "not found");
    vec![
        case(
            "A6",
            pods,
            &[JSON],
            pod("prints", json!({"command": ["sh", "-c", "echo $PW"]})),
            Takes(201),
            refused,
        ),
        case("A7", pods, &[JSON], pod("quoted", json!({"command": ["$(PW)"]})), Takes(201), refused),
        case(
            "A7",
            pods,
            &[JSON],
            pod(
                "fallback",
                json!({"command": ["sh", "-c", "echo $PW; exit 1"], "terminationMessagePolicy": "FallbackToLogsOnError"}),
            ),
            Takes(201),
            refused,
        ),
        case("A6", "GET /api/v1/namespaces/NS/pods/prints/log", &[], "", Leaks, absent),
        case("A7", "GET /api/v1/namespaces/NS/pods/quoted", &[], "", Leaks, absent),
        case("A7", "GET /api/v1/namespaces/NS/pods/fallback", &[], "", Leaks, absent),
    ]
}

fn deployment(name: &str, container: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"a": name}}, "template": {"metadata": {"labels": {"a": name}}, "spec": {"containers": [container]}}},
    })
}

#[test]
fn to_refer_to_a_secret_is_to_read_it() -> anyhow::Result<()> {
    let world = World::new("refer", &Options::default())?;
    let plain = json!({"name": "web", "image": "busybox", "command": ["sh"]});
    let given = json!({"name": "web", "image": "busybox", "command": ["sh"], "envFrom": [{"secretRef": {"name": "database"}}]});
    for (name, container) in [("web", plain), ("given", given)] {
        world.make("/apis/apps/v1/namespaces/NS/deployments", &deployment(name, &container))?;
    }
    world.try_all(&matrix())?;
    world.try_all(&patches())
}

#[test]
fn pods_that_are_given_a_secret_show_it_and_agents_cannot_make_them() -> anyhow::Result<()> {
    let world = World::new("shown", &Options::default())?;
    let (made, read) = shown().into_iter().partition::<Vec<_>, _>(|case| case.line.starts_with("POST"));
    world.try_all(&made)?;
    // Of the other way there are none.
    for (pod, phase) in [("prints", "Succeeded"), ("quoted", "Failed"), ("fallback", "Failed")] {
        let (pod, phase) = (format!("pod/{pod}"), format!("--for=jsonpath={{.status.phase}}={phase}"));
        world.lab.cluster.must(&["-n", &world.namespaces[0], "wait", &phase, &pod, "--timeout=60s"])?;
    }
    world.try_all(&read)
}
