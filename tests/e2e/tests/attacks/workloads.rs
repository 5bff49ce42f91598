//! A6, A7: a workload that is given a Secret can show it, so that to refer to one is to read it: in every kind that has a pod
//! template, in every form of reference, and by every kind of patch.

mod forms;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::Options;

use self::forms::{Template, forms, kinds};
use crate::{
    bypasses::guarded::volumes,
    case::{
        Case,
        Control::{Leaks, Says, Takes},
        Gated::{Plain, Refused},
        JSON, JSON_PATCH, MERGE, STRATEGIC, case, filled, rows_of, with,
    },
    world::{World, ruled},
};

pub(crate) fn rows() -> Vec<&'static str> {
    rows_of(&[matrix(), patches(), volumes(Refused(403, USES)), nodes(), shown()].concat())
}

/// Permits everything but to use this Secret, so that a refusal has no other reason.
const NO_USE: &str = r#"
@id("everything")
@reason("the tests look at what the gate does once policy has said yes")
permit (principal, action, resource);

@id("no-use")
@reason("its log can show it")
forbid (principal, action == Action::"use", resource) when { resource.name == "database" };
"#;

/// What its refusals say, in JSON.
const USES: &str = r#"which uses Secret \"database\" of namespace"#;

/// Creates an object of this kind that refers to the Secret in this form.
fn refers((path, kind, around): &Template, form: &Value) -> Case {
    let object = with(kind.clone(), around(form.clone()));
    let line = format!("POST {path}?dryRun=All");
    case("A6", line, &[JSON], object.to_string(), Says(201, r#""database""#), Refused(403, USES))
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
    // Whatever an empty name may mean.
    let empty = json!({"containers": [{"name": "c", "image": "busybox"}], "volumes": [{"name": "v", "secret": {"secretName": "database", "name": ""}}]});
    let any = Refused(403, "which uses any Secret of namespace");
    all.push(Case { gated: any, ..refers(deployment, &empty) });
    // None of them is refused for what it is besides.
    let plain = json!({"containers": [{"name": "c", "image": "busybox"}]});
    all.extend(kinds().iter().map(|kind| Case {
        control: Takes(201),
        gated: Plain(201, r#""image":"busybox""#),
        ..refers(kind, &plain)
    }));
    all
}

/// Not by a reference: what has the node has every Secret on it, and what has an account has its rights.
fn nodes() -> Vec<Case> {
    let pod = |spec: Value| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}).to_string()
    };
    let pods = "POST /api/v1/namespaces/NS/pods?dryRun=All";
    let container = json!([{"name": "c", "image": "busybox"}]);
    let privileged = json!([{"name": "c", "image": "busybox", "securityContext": {"privileged": true}}]);
    let refused =
        |spec: Value, told, rule| case("A6", pods, &[JSON], pod(spec), Says(201, told), Refused(403, rule));
    let path = json!({"path": "/var/lib/kubelet"});
    vec![
        refused(
            json!({"containers": container, "volumes": [{"name": "v", "hostPath": path}]}),
            "hostPath",
            "no-host-paths",
        ),
        refused(json!({"containers": privileged}), r#""privileged":true"#, "no-privileged"),
        refused(
            json!({"containers": container, "hostPID": true, "nodeName": "localhost"}),
            r#""hostPID":true"#,
            "no-host-namespaces",
        ),
        refused(
            json!({"containers": container, "serviceAccountName": "powerful"}),
            r#""serviceAccountName":"powerful""#,
            "service-accounts-ask",
        ),
        case(
            "A6",
            pods,
            &[JSON],
            pod(json!({"containers": container})),
            Takes(201),
            Plain(201, r#""kind":"Pod""#),
        ),
    ]
}

/// Judged on what the object becomes, or on what the patch shows; either way, no.
fn patches() -> Vec<Case> {
    const DEPLOYMENTS: &str = "PATCH /apis/apps/v1/namespaces/NS/deployments";
    let refused = |name: &str, header, body: String| {
        let line = format!("{DEPLOYMENTS}/{name}?dryRun=All");
        case("A6", line, &[header], body, Says(200, r#""database""#), Refused(403, USES))
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
            "PATCH /api/v1/namespaces/NS/pods/idle/ephemeralcontainers?dryRun=All",
            &[STRATEGIC],
            debug,
            Says(200, r#""ephemeralContainers""#),
            Refused(403, USES),
        ),
        // What has no Secret may be changed.
        case(
            "A6",
            format!("{DEPLOYMENTS}/web?dryRun=All"),
            &[STRATEGIC],
            template(r#"{"containers":[{"name":"web","command":["sh","-c","env"]}]}"#),
            Says(200, r#""env""#),
            Plain(200, r#""env""#),
        ),
    ]
}

/// What pods that were given the Secret do with it: the leak is real.
fn shown() -> Vec<Case> {
    let pod = |name: &str, more: Value| {
        let container = json!({"name": "c", "image": "busybox", "env": [{"name": "PW", "valueFrom": {"secretKeyRef": {"name": "database", "key": "password"}}}]});
        let container = with(container, more);
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"restartPolicy": "Never", "containers": [container]}}).to_string()
    };
    let pods = "POST /api/v1/namespaces/NS/pods";
    let refused = Refused(403, r#"\"secret-references-ask\""#);
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
    let (_folder, options) = ruled(NO_USE)?;
    let world = World::new("refer", &options)?;
    let plain = json!({"name": "web", "image": "busybox", "command": ["sh"]});
    let given = json!({"name": "web", "image": "busybox", "command": ["sh"], "envFrom": [{"secretRef": {"name": "database"}}]});
    for (name, container) in [("web", &plain), ("given", &given)] {
        world.make("/apis/apps/v1/namespaces/NS/deployments", &deployment(name, container))?;
    }
    let idle = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "idle"}, "spec": {"containers": [plain]}});
    world.make("/api/v1/namespaces/NS/pods", &idle)?;
    let cases = [matrix(), patches(), volumes(Refused(403, USES))].concat();
    world.try_all(&cases)?;
    let refused = cases.iter().filter(|case| matches!(case.gated, Refused(..)));
    let told: BTreeSet<String> = refused.map(|case| message(&world, case)).collect::<Result<_, _>>()?;
    insta::assert_snapshot!(told.into_iter().collect::<Vec<_>>().join("\n"));
    Ok(())
}

/// What an agent is told of a case.
fn message(world: &World, case: &Case) -> anyhow::Result<String> {
    let (line, body) = (filled(&case.line, world.namespace()), filled(&case.body, world.namespace()));
    let answer = world.gated.ask(&line, &case.headers, &body)?;
    let status: Value = serde_json::from_str(&answer.body)?;
    Ok(status["message"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn what_has_the_node_or_an_account_is_refused() -> anyhow::Result<()> {
    let world = World::new("nodes", &Options::default())?;
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "powerful"}});
    world.make("/api/v1/namespaces/NS/serviceaccounts", &account)?;
    world.try_all(&nodes())
}

#[test]
fn pods_that_are_given_a_secret_show_it_and_agents_cannot_make_them() -> anyhow::Result<()> {
    let world = World::new("shown", &Options::default())?;
    let (made, read) = shown().into_iter().partition::<Vec<_>, _>(|case| case.line.starts_with("POST"));
    world.try_all(&made)?;
    // Of the other way there are none.
    for (pod, phase) in [("prints", "Succeeded"), ("quoted", "Failed"), ("fallback", "Failed")] {
        let phase = format!("jsonpath={{.status.phase}}={phase}");
        world.wait_in(&world.namespaces[0], &phase, &[&format!("pod/{pod}")])?;
    }
    world.try_all(&read)
}
