use serde_json::{Value, json};

use super::{Session, deployment, map};
use crate::{Plan, Step, look::line};

const MAP: &str = "/api/v1/namespaces/shop/configmaps/a";
const BOUND: &str = "masked-by-portcullis-abcdefghijklmno234-not-the-real-value";
const OTHER: &str = "masked-by-portcullis-zzzzzzzzzzzzzzzzzz-not-the-real-value";

fn step(act: &str, before: Value, after: Option<Value>) -> Step {
    let folder = tempfile::tempdir().unwrap();
    let plan: Plan = Session::new(folder.path()).does(act, Some(before), 200, after).plan(folder.path());
    plan.steps.into_iter().next().unwrap_or_else(|| panic!("{:?}", plan.left))
}

fn changed(before: &Value, after: &Value) -> Step {
    let (before, after) = (map("a", 1, before), map("a", 2, after));
    step(&format!("update {MAP}"), before, Some(after))
}

fn data(value: &str) -> Value {
    json!({ "a": value })
}

#[test]
fn a_change_is_taken_back_only_where_nobody_else_made_one() {
    let back = changed(&data("1"), &data("2"));
    let mut replaced = map("a", 7, &data("2"));
    replaced["metadata"]["uid"] = "u-other".into();
    let mut deleting = map("a", 7, &data("2"));
    deleting["metadata"]["deletionTimestamp"] = "2026-06-01T12:00:00Z".into();
    let lines = [
        ("as it was left", line(&back, map("a", 7, &data("2")))),
        ("back already", line(&back, map("a", 7, &data("1")))),
        ("changed", line(&back, map("a", 7, &json!({"a": "2", "b/c": "3"})))),
        ("gone", line(&back, Value::Null)),
        ("another", line(&back, replaced)),
        ("being deleted", line(&back, deleting)),
    ];
    insta::assert_snapshot!(told(&lines));
}

#[test]
fn what_was_made_is_deleted_and_what_was_deleted_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let maps = "/api/v1/namespaces/shop/configmaps";
    let made = Session::new(folder.path())
        .does(&format!("create {maps}"), None, 201, Some(map("a", 1, &data("1"))))
        .plan(folder.path());
    let made = &made.steps[0];
    let status = json!({"kind": "Status"});
    let gone = step(&format!("delete {MAP}"), map("a", 1, &data("1")), Some(status.clone()));
    let job = json!({
        "kind": "Job", "apiVersion": "batch/v1",
        "metadata": {"name": "j", "uid": "u", "resourceVersion": "3", "labels": {"controller-uid": "u", "app": "x"}},
        "spec": {"selector": {"matchLabels": {"controller-uid": "u"}}, "template": {"metadata": {"labels": {"job-name": "j", "app": "x"}}}},
        "status": {"succeeded": 1},
    });
    let job = step("delete /apis/batch/v1/namespaces/shop/jobs/j", job, Some(status));
    let lines = [
        ("made", line(made, map("a", 4, &data("1")))),
        ("made, and changed since", line(made, map("a", 4, &data("9")))),
        ("made, and gone", line(made, Value::Null)),
        ("deleted", line(&gone, Value::Null)),
        ("deleted, and there again", line(&gone, map("a", 4, &data("1")))),
        ("deleted, and there is another", line(&gone, map("a", 4, &data("9")))),
        ("a job", line(&job, Value::Null)),
    ];
    insta::assert_snapshot!(told(&lines));
}

#[test]
fn what_controllers_do_is_no_change_and_stays() {
    let back = step(
        "patch /apis/apps/v1/namespaces/shop/deployments/web",
        deployment(1, "web:1", 1),
        Some(deployment(2, "web:2", 1)),
    );
    let body = line(&back, deployment(9, "web:2", 1));
    let (head, body) = body.split_once('\n').unwrap();
    assert_eq!(head, "PUT /apis/apps/v1/namespaces/shop/deployments/web");
    let mut expected = deployment(9, "web:1", 1);
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), expected);
    expected["spec"]["replicas"] = 3.into();
    assert_eq!(
        line(&back, expected),
        "it was changed since, at /spec/replicas, /spec/template/spec/containers"
    );
}

/// Placeholders of two sessions differ. What they stand for stays where it is, and is never taken elsewhere.
#[test]
fn masked_values_stay_where_they_are() {
    let beside = |secret: &str, value: &str| json!({"secret": secret, "a": value});
    let back = changed(&beside(BOUND, "1"), &beside(BOUND, "2"));
    assert!(back.masked);
    let body = line(&back, map("a", 7, &beside(OTHER, "2")));
    assert!(body.contains(OTHER) && !body.contains(BOUND) && body.contains("\"a\":\"1\""), "{body}");

    let env = |items: &[(&str, &str)]| {
        let items: Vec<_> = items.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        json!({ "env": items })
    };
    let lines = [
        ("a list with another item", {
            let back = changed(&env(&[("A", BOUND), ("B", BOUND)]), &env(&[("B", BOUND)]));
            line(&back, map("a", 7, &env(&[("B", OTHER)])))
        }),
        ("taken out", {
            let back = changed(&beside(BOUND, "1"), &data("1"));
            line(&back, map("a", 7, &data("1")))
        }),
        ("put in", {
            let back = changed(&data("1"), &beside(BOUND, "1"));
            line(&back, map("a", 7, &beside(OTHER, "1")))
        }),
        ("text around it", {
            let url = |tag: &str, host: &str| data(&format!("pg://u:{tag}@{host}"));
            let back = changed(&url(BOUND, "old"), &url(BOUND, "new"));
            line(&back, map("a", 7, &url(OTHER, "new")))
        }),
    ];
    insta::assert_snapshot!(told(&lines));
}

fn told(lines: &[(&str, String)]) -> String {
    lines.iter().map(|(what, line)| format!("{what}: {line}\n")).collect()
}
