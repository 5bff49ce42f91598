use std::{fmt::Write as _, sync::Arc};

use recording::{
    at_rest::Plain,
    reader::Library,
    record::{Kind, Opened, What},
};
use serde_json::{Value, json};

use super::{Session, deployment, map};
use crate::{History, Plan, Why};

const MAPS: &str = "/api/v1/namespaces/shop/configmaps";
const WEB: &str = "/apis/apps/v1/namespaces/shop/deployments/web";

fn told(plan: &Plan) -> String {
    let Plan { steps, left, gaps, streams, .. } = plan;
    let mut out = String::new();
    for step in steps {
        let masked = if step.masked { " (masked values stay)" } else { "" };
        writeln!(out, "{} {}{masked}, for {}", step.what.as_str(), step.place, step.acts.join("; ")).unwrap();
    }
    for left in left {
        writeln!(out, "left: {}: {}", left.what, left.why).unwrap();
    }
    for gap in gaps {
        writeln!(out, "gap: {gap}").unwrap();
    }
    writeln!(out, "streams: {streams}").unwrap();
    out
}

#[test]
fn what_a_session_did_is_undone_in_reverse_and_each_object_once() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two, three) = (deployment(1, "web:1", 1), deployment(2, "web:2", 1), deployment(3, "web:2", 1));
    let scale =
        json!({"kind": "Scale", "metadata": {"name": "web", "uid": "u-web"}, "spec": {"replicas": 5}});
    let service = json!({"kind": "Service", "metadata": {"name": "web", "uid": "u-s"}, "spec": {"clusterIP": "10.0.0.7"}});
    let status = json!({"kind": "Status", "status": "Success"});
    let plan = Session::new(folder.path())
        .does(&format!("create {MAPS}?fieldManager=x"), None, 201, Some(map("new", 1, &json!({"a": "1"}))))
        .does(&format!("patch {WEB}?fieldManager=x"), Some(one), 200, Some(two))
        .does(&format!("patch {WEB}/scale"), Some(three), 200, Some(scale))
        .does("delete /api/v1/namespaces/shop/services/web", Some(service), 200, Some(status.clone()))
        .does(&format!("create {MAPS}"), None, 201, Some(map("brief", 1, &json!({}))))
        .does(&format!("delete {MAPS}/brief"), Some(map("brief", 1, &json!({}))), 200, Some(status))
        // None of these changes anything.
        .does(&format!("create {MAPS}?dryRun=All"), None, 201, Some(map("dry", 1, &json!({}))))
        .does(&format!("update {MAPS}/a"), Some(map("a", 1, &json!({}))), 409, None)
        .does(&format!("get {MAPS}/a"), None, 200, Some(map("a", 1, &json!({}))))
        .does("create /apis/authentication.k8s.io/v1/tokenreviews", None, 201, Some(json!({"metadata": {}})))
        .plan(folder.path());
    insta::assert_snapshot!(told(&plan));
    assert!(plan.is_whole());
    let back = &plan.steps[1];
    assert_eq!(
        (back.before["spec"]["replicas"].as_u64(), back.after["spec"]["replicas"].as_u64()),
        (Some(1), Some(5))
    );
}

#[test]
fn what_cannot_be_undone_is_left_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let masked = "masked-by-portcullis--not-the-real-value";
    let data = |value: &str| json!({ "a": value });
    let status = json!({"kind": "Status", "status": "Success"});
    let secret = map("s", 1, &data(masked));
    let owned = json!({"metadata": {"name": "web-1", "uid": "u", "ownerReferences": [
        {"kind": "ReplicaSet", "name": "web-5d", "controller": true}]}});
    let deletes = |session: Session, path: &str, object: Option<Value>| {
        session.does(&format!("delete /api/v1/{path}"), object, 200, Some(status.clone()))
    };
    let mut session = Session::new(folder.path());
    session = deletes(session, "namespaces/shop", Some(json!({"metadata": {"name": "shop"}})));
    session = deletes(session, "namespaces/shop/secrets/s", Some(secret.clone()));
    session = deletes(session, "namespaces/shop/pods/web-1", Some(owned));
    session = deletes(session, "namespaces/shop/configmaps/unseen", None);
    session = session
        .does(&format!("update {MAPS}/s"), Some(secret.clone()), 200, Some(secret))
        .does(&format!("deletecollection {MAPS}"), None, 200, Some(status))
        .does(
            &format!("update {MAPS}/form"),
            Some(map("form", 1, &data("1"))),
            200,
            Some(json!({"kind": "Table"})),
        )
        .does(
            &format!("update {MAPS}/others"),
            Some(map("others", 1, &data("1"))),
            200,
            Some(map("others", 2, &data("2"))),
        )
        .does(
            &format!("update {MAPS}/others"),
            Some(map("others", 3, &data("3"))),
            200,
            Some(map("others", 4, &data("4"))),
        )
        .does(&format!("patch {WEB}"), Some(deployment(1, "web:1", 1)), 200, Some(deployment(3, "web:2", 2)))
        .does(&format!("patch {WEB}/status"), None, 200, Some(deployment(2, "web:1", 1)))
        .does(&format!("update {MAPS}/*"), None, 200, Some(map("x", 2, &data("2"))));
    let (mut session, _unanswered) =
        session.asks(&format!("delete {MAPS}/lost"), Some(map("lost", 1, &data("1"))));
    let opened = Opened {
        stream: 1,
        call: "c-99".into(),
        kind: Kind::Exec,
        namespace: "shop".into(),
        pod: "web".into(),
        container: None,
        argv: ["sh"].iter().collect(),
        tty: true,
    };
    session.script = session.script.at(99_000, What::Opened(opened));
    let plan = session.plan(folder.path());
    insta::assert_snapshot!(told(&plan));
    assert!(plan.is_empty() && !plan.is_whole());
}

/// What comes after what is there may have changed more: nothing says that all is undone.
#[test]
fn a_recording_without_an_end_is_no_whole() {
    let folder = tempfile::tempdir().unwrap();
    let made = map("new", 1, &json!({}));
    let session = Session::new(folder.path()).does(&format!("create {MAPS}"), None, 201, Some(made));
    let _killed = session.script.sealed().killed();
    let library = Library::new(folder.path(), Arc::new(Plain));
    let plan = Plan::of(History::of(&library.recording(&"s-1".parse().unwrap()).unwrap()));
    assert!(!plan.ended && !plan.is_whole() && plan.steps.len() == 1);
    insta::assert_snapshot!(told(&plan));
}

/// Each would be a change that nobody hears of again.
#[test]
fn nothing_that_was_answered_well_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (web, mut bound) = (deployment(1, "web:1", 1), deployment(1, "web:1", 1));
    bound["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "7".into();
    let role = json!({"metadata": {"name": "a/b", "uid": "u"}});
    let named = |name: &str| json!({"metadata": {"name": name, "uid": "u"}});
    let plan = Session::new(folder.path())
        .does(&format!("create {MAPS}"), None, 201, Some(json!({"kind": "Table", "rows": []})))
        .does("create /apis/rbac.authorization.k8s.io/v1/clusterroles", None, 201, Some(role))
        .does("create /api/v1/namespaces/shop/serviceaccounts/a/token", None, 201, Some(named("a")))
        .does("create /api/v1/namespaces", None, 201, Some(named("new")))
        .does(&format!("update {MAPS}/slow"), Some(map("slow", 1, &json!({}))), 504, None)
        .does(&format!("patch {WEB}"), Some(web), 200, Some(bound))
        .does("post /healthz/stop", None, 200, None)
        .plan(folder.path());
    insta::assert_snapshot!(told(&plan));
    assert!(plan.is_empty() && !plan.is_whole());
}

/// Nobody knows whether its masked values are as they were.
#[test]
fn an_object_with_masked_values_is_not_back_for_certain() {
    let folder = tempfile::tempdir().unwrap();
    let data = |label: &str| json!({"label": label, "password": "masked-by-portcullis--not-the-real-value"});
    let (before, after) = (map("s", 1, &data("1")), map("s", 2, &data("2")));
    let plan = Session::new(folder.path())
        .does(&format!("update {MAPS}/s"), Some(before), 200, Some(after))
        .plan(folder.path());
    assert!(plan.steps.len() == 1 && plan.left.is_empty() && !plan.is_whole());
}

/// Images are many times as large in memory as they are written.
#[test]
fn no_more_images_are_held_than_fit_though_the_answers_come_late() {
    let folder = tempfile::tempdir().unwrap();
    let (mut session, mut calls) = (Session::new(folder.path()), Vec::new());
    for number in 0..20 {
        let name = format!("m-{number}");
        let call;
        let before = map(&name, 1, &json!({"a": "x".repeat(1_000_000)}));
        (session, call) = session.asks(&format!("delete {MAPS}/{name}"), Some(before));
        session.script = session.script.sealed();
        calls.push(call);
    }
    for call in calls {
        session = session.gets(&call, 200, Some(json!({"kind": "Status", "status": "Success"})));
    }
    let plan = session.plan(folder.path());
    let left: Vec<_> = plan.left.iter().map(|left| left.why.clone()).collect();
    assert_eq!((plan.steps.len(), left), (16, vec![Why::NoImage; 4]));
}

/// Of a try of which nothing was sent, or that was refused, nothing is to be undone, nor is it said that it cannot be.
#[test]
fn what_was_not_sent_or_was_refused_has_nothing_to_undo() {
    let folder = tempfile::tempdir().unwrap();
    let before = || Some(map("a", 1, &json!({})));
    let plan = Session::new(folder.path())
        .does(&format!("update {MAPS}/a"), before(), 0, None)
        .does(&format!("delete {MAPS}/a"), before(), 0, None)
        .does(&format!("create {MAPS}"), None, 0, None)
        .does(&format!("update {MAPS}/a"), before(), 409, None)
        .plan(folder.path());
    assert!(plan.is_empty() && plan.is_whole());
}

/// What cannot be told is not what changes nothing: a name can be so long that its path is cut.
#[test]
fn a_change_that_is_not_told_is_one() {
    let long = recording::Text::<4096>::from(format!("patch {MAPS}/{}", "%2B".repeat(1_400)).as_str());
    let status = format!("patch {WEB}/status");
    for act in [
        long.as_str(),
        &*status,
        "patch /api/v1/namespaces/*/configmaps/a",
        "delete /api/v1/namespaces/shop/pods",
    ] {
        let change = crate::Change::of(act).unwrap();
        assert_eq!(
            change.images(Some(deployment(1, "web:1", 0)), Some(deployment(1, "web:1", 1))),
            None,
            "{act}"
        );
    }
    for act in [
        "get /api/v1/pods",
        "create /api/v1/namespaces/shop/pods/web/exec",
        "create /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    ] {
        assert!(crate::Change::of(act).is_none(), "{act}");
    }
}

/// Where nobody knows whether it is there still, it is not shown as gone.
#[test]
fn what_is_deleted_is_gone_when_the_answer_says_so() {
    let parked = deployment(1, "web:1", 0);
    let mut held = parked.clone();
    held["metadata"]["deletionTimestamp"] = json!("2026-06-01T12:00:00Z");
    let metadata = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": held["metadata"]});
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"});
    let after = |answer: Option<Value>| {
        let shown = crate::Change::of(&format!("delete {WEB}")).unwrap().images(Some(parked.clone()), answer);
        shown.map(|[_, after]| after)
    };
    assert_eq!(after(Some(status)), Some(Value::Null));
    assert_eq!(after(Some(parked.clone())), Some(Value::Null));
    assert_eq!(after(Some(held.clone())), Some(held));
    assert_eq!((after(Some(metadata)), after(None)), (None, None));
}

/// An agent may ask for another form of the answer, of what it changes as well.
#[test]
fn an_answer_in_another_form_is_no_object() {
    let metadata = json!({"name": "web", "namespace": "shop", "uid": "u-web", "resourceVersion": "2"});
    let parked = deployment(1, "web:1", 0);
    for kind in ["PartialObjectMetadata", "Table"] {
        let answer = json!({"kind": kind, "apiVersion": "meta.k8s.io/v1", "metadata": metadata});
        for act in [format!("patch {WEB}/scale"), format!("patch {WEB}")] {
            let folder = tempfile::tempdir().unwrap();
            let plan = Session::new(folder.path())
                .does(&act, Some(parked.clone()), 200, Some(answer.clone()))
                .plan(folder.path());
            assert!(!plan.is_whole() && plan.left.len() == 1, "{act}, {kind}: {}", told(&plan));
            let shown = crate::Change::of(&act).unwrap().images(Some(parked.clone()), Some(answer.clone()));
            assert_eq!(shown, None, "{act}, {kind}");
        }
    }
}
