//! Patches of what tells that a value is masked.

use super::*;

const BUNDLE: &str = "/apis/example.com/v1/namespaces/shop/bundles/one";

/// Of a kind that is not known: with a variable, a Secret in it, and what holds nothing.
fn bundle() -> Value {
    json!({
        "kind": "Bundle", "apiVersion": "example.com/v1",
        "metadata": { "name": "one", "namespace": "shop", "uid": "8e0a", "resourceVersion": "61" },
        "spec": {
            "env": [{ "name": "DB_PASSWORD", "value": "literal" }],
            "manifest": { "apiVersion": "v1", "kind": "Secret", "stringData": { "word": "literal" } },
            "target": { "kind": "Deployment", "name": "web" },
            "metadata": { "kind": "Secret", "stringData": { "word": "literal" } },
        },
    })
}

#[test]
fn what_tells_of_a_masked_value_is_not_taken_from_it() {
    let mut web = deployment();
    web["spec"]["template"]["spec"]["containers"][0]["env"] =
        json!([{ "name": "DB_PASSWORD", "value": "literal" }]);
    let (web, bundle) = (live(WEB, &web), live(BUNDLE, &bundle()));
    assert!(!web.shown.to_string().contains("literal") && !bundle.shown.to_string().contains("literal"));
    let name = "/spec/template/spec/containers/0/env/0/name";
    let set = |path: &str| json!([{ "op": "replace", "path": path, "value": "OTHER" }]);
    let forced = format!("{BUNDLE}?fieldManager=me&force=true");
    let mut out = String::new();
    for (what, live, target, content, body) in [
        ("a variable", &web, WEB, JSON_PATCH, set(name)),
        ("taken away", &web, WEB, JSON_PATCH, json!([{ "op": "remove", "path": name }])),
        (
            "in any case",
            &web,
            WEB,
            JSON_PATCH,
            json!([{ "op": "add", "path": name.replace("name", "NAME"), "value": "X" }]),
        ),
        (
            "asked about",
            &web,
            WEB,
            JSON_PATCH,
            json!([{ "op": "test", "path": name, "value": "DB_PASSWORD" }]),
        ),
        ("a container", &web, WEB, JSON_PATCH, set("/spec/template/spec/containers/0/name")),
        ("a new variable", &web, WEB, STRATEGIC, variable("MODE", &json!("x"))),
        ("an owner", &web, WEB, MERGE, json!({ "metadata": { "ownerReferences": [{ "kind": "X" }] } })),
        ("of an unknown kind", &bundle, BUNDLE, JSON_PATCH, set("/spec/env/0/name")),
        ("a kind", &bundle, BUNDLE, JSON_PATCH, set("/spec/manifest/kind")),
        ("merged", &bundle, BUNDLE, MERGE, json!({ "spec": { "manifest": { "kind": "Thing" } } })),
        ("merged away", &bundle, BUNDLE, MERGE, json!({ "spec": { "manifest": { "apiVersion": null } } })),
        ("applied", &bundle, &forced, APPLY, json!({ "spec": { "manifest": { "Kind": "Thing" } } })),
        (
            "keyed by something else",
            &bundle,
            &forced,
            APPLY,
            json!({ "spec": { "env": [{ "id": 1, "name": "MODE" }] } }),
        ),
        (
            "under a name of ours",
            &bundle,
            BUNDLE,
            MERGE,
            json!({ "spec": { "metadata": { "kind": "Thing" } } }),
        ),
        ("the same kind", &bundle, BUNDLE, MERGE, json!({ "spec": { "manifest": { "kind": "Secret" } } })),
        (
            "of what holds nothing",
            &bundle,
            BUNDLE,
            MERGE,
            json!({ "spec": { "target": { "kind": "StatefulSet" } } }),
        ),
        (
            "a list anew",
            &bundle,
            BUNDLE,
            MERGE,
            json!({ "spec": { "env": [{ "name": "MODE", "value": "x" }] } }),
        ),
    ] {
        let request = request("PATCH", target, content, &body);
        let looked = if needs_live(&guard(), &request) == Ok(true) { "looked at" } else { "sent as it is" };
        writeln!(out, "{what}: {looked}\n  {}", told(live, &request)).unwrap();
    }
    insta::assert_snapshot!(out);
}

#[test]
fn in_a_part_of_an_object_it_is_refused_unseen() {
    let set = json!([{ "op": "replace", "path": "/status/env/0/name", "value": "OTHER" }]);
    let part = request("PATCH", &format!("{BUNDLE}/status"), JSON_PATCH, &set);
    insta::assert_snapshot!(needs_live(&guard(), &part).unwrap_err(), @"`/status/env/0/name` tells that a value beside it is masked, and the value would be shown once that is changed; leave it as it is, or replace what it is in as a whole, with a value of yours");
    let set = json!([{ "op": "replace", "path": "/status/phase", "value": "Ready" }]);
    let part = request("PATCH", &format!("{BUNDLE}/status"), JSON_PATCH, &set);
    assert_eq!(needs_live(&guard(), &part), Ok(false));
}
