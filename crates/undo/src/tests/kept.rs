//! Masked values that the gate kept.

use serde_json::{Value, json};

use super::{Session, deployment};
use crate::{History, Inverse, Plan, Step, look::line};

const SECRET: &str = "/api/v1/namespaces/shop/secrets/db";
const WEB: &str = "/apis/apps/v1/namespaces/shop/deployments/web";
const BEFORE: &str = "masked-by-portcullis-abcdefghijklmno234-not-the-real-value";
const AFTER: &str = "masked-by-portcullis-zzzzzzzzzzzzzzzzzz-not-the-real-value";
const NOW: &str = "masked-by-portcullis-nnnnnnnnnnnnnnnnnn-not-the-real-value";

/// As a session is shown it; each write leaves a mark.
fn secret(version: u32, password: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "data": {"password": password},
        "metadata": {
            "name": "db", "namespace": "shop", "uid": "u-db", "resourceVersion": version.to_string(),
            "annotations": {"portcullis.dev/call": format!("c-{version}")},
        },
    })
}

/// With a masked variable, and what kubectl noted of it.
fn web(version: u32, generation: u32, image: &str, value: &str) -> Value {
    let mut web = deployment(generation, image, 1);
    web["metadata"]["resourceVersion"] = version.to_string().into();
    web["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
        json!({"spec": {"token": value}}).to_string().into();
    web["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{"name": "TOKEN", "value": value}]);
    web
}

fn plan(of: impl FnOnce(Session) -> Session) -> Plan {
    let folder = tempfile::tempdir().unwrap();
    of(Session::keeping(folder.path())).plan(folder.path())
}

fn step(act: &str, before: Value, after: Option<Value>) -> Step {
    let plan = plan(|session| session.does(act, Some(before), 200, after));
    assert!(plan.is_whole(), "{plan:?}");
    plan.steps.into_iter().next().unwrap()
}

fn body(line: &str) -> Value {
    let (_, body) = line.split_once('\n').unwrap_or_else(|| panic!("{line}"));
    serde_json::from_str(body).unwrap()
}

#[test]
fn a_value_that_changed_unseen_is_put_back_where_nobody_wrote_since() {
    let back = step(&format!("patch {SECRET}"), secret(1, BEFORE), Some(secret(2, AFTER)));
    assert_eq!((back.what, back.restores.as_deref()), (Inverse::Change, Some("s-1/c-1")));
    let sent = body(&line(&back, secret(2, NOW)));
    // As the session's recording has it, at the version of now.
    assert_eq!(sent["data"]["password"], BEFORE);
    assert_eq!(sent["metadata"]["resourceVersion"], "2");
    let mut another = secret(9, NOW);
    another["metadata"]["uid"] = "u-other".into();
    let mut labelled = secret(3, NOW);
    labelled["metadata"]["labels"] = json!({"a": "b"});
    let lines = [
        ("written since", line(&back, secret(3, NOW))),
        ("changed since", line(&back, labelled)),
        ("another", line(&back, another)),
        ("gone", line(&back, Value::Null)),
    ];
    insta::assert_snapshot!(lines.map(|(what, line)| format!("{what}: {line}")).join("\n"));
}

#[test]
fn what_was_deleted_is_made_with_its_values() {
    let back = step(&format!("delete {SECRET}"), secret(1, BEFORE), Some(json!({"kind": "Status"})));
    let line_now = line(&back, Value::Null);
    assert!(line_now.starts_with("POST /api/v1/namespaces/shop/secrets\n"), "{line_now}");
    let sent = body(&line_now);
    assert_eq!((&sent["data"]["password"], sent["metadata"].get("annotations")), (&json!(BEFORE), None));
    // Whoever made it anew knows what is in it.
    assert!(line(&back, secret(9, NOW)).contains("cannot be told"));

    let mut token = secret(1, BEFORE);
    token["type"] = "kubernetes.io/service-account-token".into();
    let status = Some(json!({"kind": "Status"}));
    let minted = plan(|session| session.does(&format!("delete {SECRET}"), Some(token), 200, status));
    insta::assert_snapshot!(&minted.left[0].why, @"it is a token that the cluster makes, and that the gate lets nobody write: have the cluster make another");
}

#[test]
fn status_moves_a_version_on_and_leaves_a_spec_as_it_was() {
    let (before, after) = (web(1, 1, "web:1", BEFORE), web(2, 2, "web:2", AFTER));
    let back = step(&format!("patch {WEB}"), before, Some(after));
    let sent = body(&line(&back, web(7, 2, "web:2", NOW)));
    assert_eq!(sent["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"], BEFORE);
    assert_eq!(
        line(&back, web(8, 3, "web:2", NOW)),
        "somebody wrote it since, perhaps its masked values: what the gate kept is not put back over that"
    );
    // The same version is not enough, where a generation says otherwise.
    assert!(line(&back, web(2, 3, "web:2", NOW)).contains("somebody wrote it since"));
    // Elsewhere than in its spec, no generation tells of a change.
    let mut labelled = web(7, 2, "web:2", NOW);
    labelled["metadata"]["labels"] = json!({"a": BEFORE});
    assert!(line(&back, labelled).contains("/metadata/labels"));

    let scale = json!({"kind": "Scale", "metadata": {"name": "web", "uid": "u-web", "resourceVersion": "2"}, "spec": {"replicas": 5}});
    let scaled = step(&format!("patch {WEB}/scale"), web(1, 1, "web:1", BEFORE), Some(scale));
    let mut now = web(7, 2, "web:1", NOW);
    now["spec"]["replicas"] = 5.into();
    assert_eq!(body(&line(&scaled, now))["spec"]["replicas"], 1);
}

#[test]
fn values_are_those_of_before_the_first_call_and_nobody_elses_are_overwritten() {
    let patch = format!("patch {SECRET}");
    let twice = |second: Value| {
        plan(|session| {
            session.does(&patch, Some(secret(1, BEFORE)), 200, Some(secret(2, AFTER))).does(
                &patch,
                Some(second),
                200,
                Some(secret(4, AFTER)),
            )
        })
    };
    let joined = twice(secret(2, AFTER));
    assert_eq!(joined.steps[0].restores.as_deref(), Some("s-1/c-1"));
    let between = twice(secret(3, AFTER));
    assert!(between.steps.is_empty() && !between.is_whole());
    insta::assert_snapshot!(&between.left[0].why, @"somebody else wrote it between two changes of the session, perhaps its masked values: what the gate kept is not put back over that");
}

#[test]
fn what_cannot_be_put_back_stays_and_is_no_whole() {
    let pod = |version: u32, label: &str, value: &str| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "web", "namespace": "shop", "uid": "u-p", "resourceVersion": version.to_string(), "labels": {"a": label}},
            "spec": {"containers": [{"name": "web", "env": [{"name": "TOKEN", "value": value}]}]},
        })
    };
    let plan = plan(|session| {
        session.does(
            "patch /api/v1/namespaces/shop/pods/web",
            Some(pod(1, "1", BEFORE)),
            200,
            Some(pod(2, "2", AFTER)),
        )
    });
    assert!(plan.steps[0].restores.is_none() && plan.steps[0].leaves_values() && !plan.is_whole());
    let sent = body(&line(&plan.steps[0], pod(7, "2", NOW)));
    assert!(sent.to_string().contains(NOW) && !sent.to_string().contains(BEFORE));
}

#[test]
fn values_can_be_left_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::keeping(folder.path()).does(
        &format!("delete {SECRET}"),
        Some(secret(1, BEFORE)),
        200,
        Some(json!({"kind": "Status"})),
    );
    let _segments = session.script.stopped();
    let library =
        recording::reader::Library::new(folder.path(), std::sync::Arc::new(recording::at_rest::Plain));
    let history = History::of(&library.recording(&"s-1".parse().unwrap()).unwrap());
    let plan = Plan::of(history.without_values());
    assert!(plan.steps.is_empty(), "{plan:?}");
    insta::assert_snapshot!(&plan.left[0].why, @"it held masked values, and the gate kept none that are put back (`recordings.values` keeps them): create it anew from where they come from");
}
