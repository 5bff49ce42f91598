//! E1: a variable's name tells that its value is secret. A patch that gives the value another name would have it shown.

use anyhow::{Context, ensure};
use e2e::{LITERAL, permissive};
use serde_json::{Value, json};

use crate::{
    case::{
        APPLY, Case, Control::Leaks, Gated::Refused, JSON, JSON_PATCH, MERGE, STRATEGIC, case, filled,
        holds_placeholder, row_of, rows_of,
    },
    world::World,
};

pub(crate) fn rows() -> Vec<&'static str> {
    let patches = vec![row_of("E1", no_patch_takes_a_placeholder_to_another_name); patches("").len()];
    [patches, rows_of(&around())].concat()
}

/// No controller writes to it, so that its version stays.
const WEB: &str = "/api/v1/namespaces/NS/podtemplates/web";

fn template(variable: &str, value: &str) -> Value {
    let container = json!({
        "name": "one", "image": "example.com/none:1", "env": [{"name": variable, "value": value}],
    });
    json!({
        "apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "web"},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
    })
}

/// Patches that give this value the name `HOSTNAME`, and what is said of a placeholder in it.
fn patches(value: &str) -> Vec<(&'static str, Value, &'static str)> {
    let renamed = template("HOSTNAME", value);
    let part = json!({"template": renamed["template"]});
    let first = "/template/spec/containers/0/env/0";
    let variable = json!({"name": "HOSTNAME", "value": value});
    let whole = json!([{"op": "replace", "path": first, "value": variable}]);
    let parts = json!([
        {"op": "replace", "path": format!("{first}/value"), "value": value},
        {"op": "replace", "path": format!("{first}/name"), "value": "HOSTNAME"},
    ]);
    vec![
        (MERGE, part.clone(), "a patch of this kind of object cannot hold one"),
        (STRATEGIC, part, "a patch of this kind of object cannot hold one"),
        (APPLY, renamed, "what stands beside it was changed"),
        (JSON_PATCH, whole, "a JSON patch cannot hold one"),
        (JSON_PATCH, parts, "a JSON patch cannot hold one"),
    ]
}

#[test]
fn no_patch_takes_a_placeholder_to_another_name() -> anyhow::Result<()> {
    let world = World::new("renamed", &permissive())?;
    world.make("/api/v1/namespaces/NS/podtemplates", &template("DB_PASSWORD", LITERAL))?;
    let [direct, gated] = [0, 1].map(|way| filled(WEB, &world.namespaces[way]));
    let shown = world.gated.ask(&format!("GET {gated}"), &[], "")?;
    ensure!(shown.status == 200 && holds_placeholder(&shown.body) && !shown.leaks(), "{shown:?}");
    let shown: Value = serde_json::from_str(&shown.body)?;
    let placeholder = shown.pointer("/template/spec/containers/0/env/0/value").and_then(Value::as_str);
    let placeholder = placeholder.context("no placeholder")?;
    for query in ["?dryRun=All", ""] {
        let query = |header| match (header, query) {
            (APPLY, "") => "?fieldManager=x&force=true",
            (APPLY, _) => "?dryRun=All&fieldManager=x&force=true",
            (_, query) => query,
        };
        for (header, body, reason) in patches(placeholder) {
            let line = format!("PATCH {gated}{}", query(header));
            let answer = world.gated.ask(&line, &[header], &body.to_string())?;
            let told = answer.status == 422 && answer.body.contains(reason);
            ensure!(told && !answer.leaks(), "{line} {header} {body}: {answer:?}");
        }
        // The control: with the value in the placeholder's stead.
        for (header, body, _) in patches(LITERAL) {
            let line = format!("PATCH {direct}{}", query(header));
            let answer = world.direct.ask(&line, &[header], &body.to_string())?;
            ensure!(answer.status == 200 && answer.leaks(), "the control: {line} {header}: {answer:?}");
        }
    }
    let after = world.gated.ask(&format!("GET {gated}"), &[], "")?;
    let after: Value = serde_json::from_str(&after.body)?;
    assert_eq!(after["template"], shown["template"], "something was written");
    // And where it stood it goes back.
    let put = world.gated.ask(&format!("PUT {gated}"), &[JSON], &after.to_string())?;
    ensure!(put.status == 200 && holds_placeholder(&put.body) && !put.leaks(), "{put:?}");
    Ok(())
}

/// Patches without any value, after which the one that stays is at no masked place: row, path, patch.
fn around() -> Vec<Case> {
    let bundle = "/apis/renamed.example.com/v1/namespaces/NS/bundles/one";
    let set = |path: &str, value: &str| json!([{"op": "replace", "path": path, "value": value}]).to_string();
    let env = "/template/spec/containers/0/env/0/name";
    let anew =
        json!([{"op": "remove", "path": env}, {"op": "add", "path": env, "value": "HOSTNAME"}]).to_string();
    let refused = Refused(422, "portcullis: ");
    let one = |path: &str, header, body: String| {
        case("E1", format!("PATCH {path}?dryRun=All"), &[header], body, Leaks, refused)
    };
    vec![
        one(WEB, JSON_PATCH, set(env, "HOSTNAME")),
        one(WEB, JSON_PATCH, anew),
        one(bundle, JSON_PATCH, set("/spec/env/0/name", "HOSTNAME")),
        one(bundle, JSON_PATCH, set("/spec/manifest/kind", "Thing")),
        one(bundle, MERGE, json!({"spec": {"manifest": {"kind": "Thing"}}}).to_string()),
        one(bundle, MERGE, json!({"spec": {"manifest": {"kind": null, "apiVersion": null}}}).to_string()),
    ]
}

#[test]
fn what_stands_beside_a_value_is_not_taken_from_it() -> anyhow::Result<()> {
    let world = World::new("beside", &permissive())?;
    world.make("/api/v1/namespaces/NS/podtemplates", &template("DB_PASSWORD", LITERAL))?;
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    world.define(&json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "bundles.renamed.example.com"},
        "spec": {"group": "renamed.example.com", "scope": "Namespaced", "names": {"plural": "bundles", "kind": "Bundle"}, "versions": [{
            "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}
        }]},
    }))?;
    world.grant("renamed.example.com", "bundles", &["*"])?;
    let manifest = json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"word": LITERAL}});
    let spec = json!({"env": [{"name": "DB_PASSWORD", "value": LITERAL}], "manifest": manifest});
    world.make("/apis/renamed.example.com/v1/namespaces/NS/bundles", &json!({"apiVersion": "renamed.example.com/v1", "kind": "Bundle", "metadata": {"name": "one"}, "spec": spec}))?;
    // As objects, they are masked.
    for path in [WEB, "/apis/renamed.example.com/v1/namespaces/NS/bundles/one"] {
        let shown = world.gated.ask(&filled(&format!("GET {path}"), world.namespace()), &[], "")?;
        ensure!(shown.status == 200 && holds_placeholder(&shown.body) && !shown.leaks(), "{shown:?}");
    }
    world.try_all(&around())
}
