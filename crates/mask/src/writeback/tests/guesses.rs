//! Writes whose answer would tell whether a guess at a value is right, or would show it.

use super::*;

#[test]
fn a_value_that_would_be_shown_is_not_put_right() {
    let mut object = deployment();
    object["spec"]["template"]["spec"]["containers"][0]["env"] =
        json!([{ "name": "DB_PASSWORD", "value": "literal" }]);
    let live = live(WEB, &object);
    let place = "/spec/template/spec/containers/0/env/0";
    let placeholder = live.shown.pointer(place).unwrap()["value"].clone();
    let noted = |manifest: Value| {
        edited(&live, |shown| {
            let noted = json!({ "kubectl.kubernetes.io/last-applied-configuration": manifest.to_string() });
            shown["metadata"]["annotations"] = noted;
        })
    };
    let put = |body: &Value| told(&live, &request("PUT", WEB, JSON, body));
    let mut out = String::new();
    for (what, told) in [
        ("as shown", put(&live.shown)),
        ("noted", put(&noted(variable("DB_PASSWORD", &placeholder)))),
        ("noted under a name that tells nothing", put(&noted(variable("HOSTNAME", &placeholder)))),
        (
            "noted without a name",
            put(&noted(json!({ "spec": { "template": { "spec": { "containers": [
            { "name": "web", "env": [{ "Name": "HOSTNAME", "value": placeholder }] }] } } } }))),
        ),
        (
            "renamed",
            put(&edited(&live, |shown| {
                shown["spec"]["template"]["spec"]["containers"][0]["env"][0]["name"] = json!("HOSTNAME");
            })),
        ),
    ] {
        writeln!(out, "{what}\n  {told}").unwrap();
    }
    let bundles = "/apis/example.com/v1/namespaces/shop/bundles/b";
    let bundle = self::live(
        bundles,
        &json!({
            "kind": "Bundle", "apiVersion": "example.com/v1",
            "metadata": { "name": "b", "namespace": "shop", "uid": "9e0a", "resourceVersion": "71" },
            "spec": { "manifest": { "apiVersion": "v1", "kind": "Secret", "stringData": { "word": "literal" } } },
        }),
    );
    assert!(!bundle.shown.to_string().contains("literal"));
    let renamed = edited(&bundle, |shown| {
        shown["spec"]["manifest"]["kind"] = json!("Thing");
        shown["spec"]["manifest"]["apiVersion"] = json!("v2");
    });
    writeln!(
        out,
        "a manifest of another kind\n  {}",
        told(&bundle, &request("PUT", bundles, JSON, &renamed))
    )
    .unwrap();
    insta::assert_snapshot!(out);
}

#[test]
fn what_would_tell_whether_a_guess_is_right_is_refused_before_it_is_sent() {
    let mut object = deployment();
    object["spec"]["template"]["spec"]["containers"][0]["env"] =
        json!([{ "name": "DB_PASSWORD", "value": "literal" }]);
    object["metadata"]["managedFields"] = json!([{ "manager": "own", "operation": "Apply", "fieldsV1": { "f:spec": {
        "f:template": { "f:spec": { "f:containers": { r#"k:{"name":"web"}"#: { "f:env": {
            r#"k:{"name":"DB_PASSWORD"}"#: { "f:value": {} } } } } } } } } }]);
    let live = live(WEB, &object);
    let guess = variable("DB_PASSWORD", &json!("guess"));
    let path = "/spec/template/spec/containers/0/env/0/value";
    let mut both = guess.clone();
    both["spec"]["template"]["spec"]["containers"][0]["env"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "name": "API_TOKEN", "value": "guess" }));
    let pin = json!({ "spec": { "pin": 1234 } });
    let widget = "/apis/example.com/v1/namespaces/shop/widgets/w";
    let widgets = self::live(
        widget,
        &json!({ "metadata": { "uid": "u", "resourceVersion": "1" }, "spec": { "pin": 1 } }),
    );
    let mut out = String::new();
    for (what, object, target, query, content, body) in [
        ("a dry run", &live, WEB, "dryRun=All", STRATEGIC, guess.clone()),
        (
            "of a JSON patch",
            &live,
            WEB,
            "dryRun=All",
            JSON_PATCH,
            json!([{ "op": "add", "path": path, "value": "guess" }]),
        ),
        ("an apply that yields", &live, WEB, "fieldManager=other", APPLY, guess.clone()),
        ("of what was applied before", &live, WEB, "fieldManager=own", APPLY, guess.clone()),
        ("of another's beside it", &live, WEB, "fieldManager=own", APPLY, both),
        ("with force", &live, WEB, "fieldManager=other&force=true", APPLY, guess.clone()),
        ("a write", &live, WEB, "fieldManager=other", STRATEGIC, guess.clone()),
        ("another field", &live, WEB, "dryRun=All", STRATEGIC, json!({ "spec": { "replicas": 3 } })),
        ("a configured place", &widgets, widget, "dryRun=All", MERGE, pin),
    ] {
        let told = told(object, &request("PATCH", &format!("{target}?{query}"), content, &body));
        writeln!(out, "{what}\n  {told}").unwrap();
    }
    insta::assert_snapshot!(out);
    let dry = request("PATCH", &format!("{WEB}?dryRun=All"), STRATEGIC, &guess);
    assert_eq!(needs_live(&guard(), &dry), Ok(true));
    // What is not there yet cannot be guessed at.
    let absent = Live::absent(&guard(), &dry);
    assert!(absent.update(&dry, "CALL").is_ok());
}

/// Of what cannot be changed the same is taken, and another value is refused: nothing is overwritten by a wrong guess.
/// What is masked by the shape of what is around it can be guessed at, too.
#[test]
fn a_value_of_some_shape_cannot_be_guessed_at() {
    let map = "/api/v1/namespaces/shop/configmaps/app";
    let config = |password: &str, immutable: bool| {
        let metadata = json!({ "name": "app", "uid": "6e0a", "resourceVersion": "41" });
        let data = json!({ "config": format!("user: a\npassword: {password}\n") });
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data, "immutable": immutable })
    };
    let guess = config("guess-by-guess", false);
    let mut out = String::new();
    for (what, immutable, method, query, content, body) in [
        ("an update", false, "PUT", "", JSON, &guess),
        ("of what is immutable", true, "PUT", "", JSON, &guess),
        ("a dry run", false, "PUT", "?dryRun=All", JSON, &guess),
        ("an apply that yields", false, "PATCH", "?fieldManager=me", APPLY, &guess),
        ("another key", true, "PATCH", "", MERGE, &json!({ "data": { "mode": "debug" } })),
    ] {
        let request = request(method, &format!("{map}{query}"), content, body);
        let live = live(map, &config("hunter2hunter2", immutable));
        writeln!(out, "{what}\n  {}", told(&live, &request)).unwrap();
    }
    insta::assert_snapshot!(out);
}

#[test]
fn what_cannot_be_changed_cannot_be_guessed_at() {
    let pod = "/api/v1/namespaces/shop/pods/web";
    let job = "/apis/batch/v1/namespaces/shop/jobs/web";
    let spec =
        json!({ "containers": [{ "name": "web", "env": [{ "name": "DB_PASSWORD", "value": "guess" }] }] });
    let metadata = json!({ "name": "web", "uid": "6e0a", "resourceVersion": "41" });
    let whole = json!({ "metadata": metadata, "spec": spec });
    let value = json!([{ "op": "replace", "path": "/spec/containers/0/env/0/value", "value": "guess" }]);
    let live = live(pod, &whole);
    let mut out = String::new();
    for (what, method, target, content, body) in [
        ("an update", "PUT", pod.to_owned(), JSON, whole.clone()),
        ("a patch", "PATCH", pod.to_owned(), STRATEGIC, json!({ "spec": spec })),
        ("a JSON patch", "PATCH", pod.to_owned(), JSON_PATCH, value),
        ("a forced apply", "PATCH", format!("{pod}?fieldManager=own&force=true"), APPLY, whole),
        ("a job", "PATCH", job.to_owned(), STRATEGIC, json!({ "spec": { "template": { "spec": spec } } })),
        ("a label", "PATCH", pod.to_owned(), MERGE, json!({ "metadata": { "labels": { "a": "b" } } })),
    ] {
        writeln!(out, "{what}\n  {}", told(&live, &request(method, &target, content, &body))).unwrap();
    }
    let resized = request("PATCH", &format!("{pod}/resize"), STRATEGIC, &json!({ "spec": spec }));
    writeln!(out, "a resize\n  {}", needs_live(&guard(), &resized).unwrap_err()).unwrap();
    let revision = "/apis/apps/v1/namespaces/shop/controllerrevisions/web-1";
    let data = json!({ "metadata": metadata, "data": { "spec": { "template": { "spec": spec } } } });
    let revised = request("PUT", revision, JSON, &data);
    writeln!(out, "a revision\n  {}", told(&self::live(revision, &data), &revised)).unwrap();
    let added = json!({ "spec": { "ephemeralContainers": spec["containers"] } });
    let debug = request("PATCH", &format!("{pod}/ephemeralcontainers"), STRATEGIC, &added);
    writeln!(out, "a container that was added\n  {}", needs_live(&guard(), &debug).unwrap_err()).unwrap();
    insta::assert_snapshot!(out);
    let added = json!({ "spec": { "ephemeralContainers": [{ "name": "debug", "image": "busybox" }] } });
    let debug = request("PATCH", &format!("{pod}/ephemeralcontainers"), STRATEGIC, &added);
    assert_eq!(needs_live(&guard(), &debug), Ok(false));
}
