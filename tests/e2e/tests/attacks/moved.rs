//! E1: a value that the gate puts right in a write must be masked in what the write makes of the object, too.

use anyhow::{Context, ensure};
use e2e::{Client, LITERAL, permissive};
use serde_json::{Value, json};

use crate::{
    case::{Case, Control::Leaks, Gated::Refused, JSON, JSON_PATCH, case, filled, holds_placeholder, row_of},
    world::World,
};

const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

pub(crate) fn rows() -> Vec<&'static str> {
    let copied = copied().into_iter().map(|_patch| "A1");
    copied.chain(vec![row_of("E1", what_is_put_right_is_masked_in_the_result); 3]).collect()
}

/// No controller writes to it, so that its version stays.
const WEB: &str = "/api/v1/namespaces/NS/podtemplates/web";

fn read(client: &Client, line: &str) -> anyhow::Result<Value> {
    let answer = client.ask(line, &[], "")?;
    ensure!(answer.status == 200 && !answer.leaks(), "it shows without an attack: {answer:?}");
    ensure!(holds_placeholder(&answer.body), "not masked: {answer:?}");
    Ok(serde_json::from_str(&answer.body)?)
}

/// Writes what `edit` makes of the object as shown, with the value itself past the gate. There, the value is to be seen
/// afterwards in another place; here, the write is refused for this reason, and nothing is stored of it.
fn refused(world: &World, path: &str, reason: &str, edit: impl Fn(&mut Value)) -> anyhow::Result<()> {
    let [direct, gated] = [0, 1].map(|way| filled(path, &world.namespaces[way]));
    let mut object = read(&world.gated, &format!("GET {gated}"))?;
    let live = || world.direct.ask(&format!("GET {gated}"), &[], "");
    let before = live()?.body;
    edit(&mut object);
    let put = world.gated.ask(&format!("PUT {gated}"), &[JSON], &object.to_string())?;
    let told = put.status == 422 && put.body.contains(reason);
    ensure!(told && !put.leaks(), "{path}: {object}: {put:?}");
    let after = world.gated.ask(&format!("GET {gated}"), &[], "")?;
    ensure!(after.status == 200 && !after.leaks(), "{path}: {object}: {after:?}");
    ensure!(live()?.body == before, "{path}: {object} changed something");

    let mut object: Value = serde_json::from_str(&world.direct.ask(&format!("GET {direct}"), &[], "")?.body)?;
    edit(&mut object);
    let put = world.direct.ask(&format!("PUT {direct}"), &[JSON], &object.to_string())?;
    ensure!(put.status == 200 && put.leaks(), "the control: {object}: {put:?}");
    Ok(())
}

/// Patches of a workload and of a custom resource that would show the value elsewhere.
fn copied() -> Vec<Case> {
    let env = "/template/spec/containers/0/env";
    let bundle = "/apis/moved.example.com/v1/namespaces/NS/bundles/name";
    let patches = [
        (WEB, "copy", format!("{env}/0/value"), "/metadata/annotations/x".to_owned()),
        (WEB, "copy", format!("{env}/0/value"), format!("{env}/1/value")),
        (WEB, "move", format!("{env}/0/value"), "/template/spec/containers/0/image".to_owned()),
        // To where another name stands beside it.
        (WEB, "copy", format!("{env}/1/name"), format!("{env}/0/name")),
        (bundle, "copy", "/spec/env/0/value".to_owned(), "/spec/x".to_owned()),
        (bundle, "move", "/spec/env".to_owned(), "/spec/list".to_owned()),
        (bundle, "copy", "/spec".to_owned(), "/spec/x".to_owned()),
    ];
    let all = patches.into_iter().map(|(path, op, from, to)| {
        let body = json!([{"op": op, "from": from, "path": to}]).to_string();
        let line = format!("PATCH {path}?dryRun=All");
        case("A1", line, &[JSON_PATCH], body, Leaks, Refused(403, "fixed/opaque-patch"))
    });
    all.collect()
}

#[test]
fn what_is_put_right_is_masked_in_the_result() -> anyhow::Result<()> {
    let world = World::new("moved", &permissive())?;
    let container = json!({
        "name": "one", "image": "example.com/none:1",
        "env": [{"name": "DB_PASSWORD", "value": LITERAL}, {"name": "HOSTNAME", "value": "web"}],
    });
    world.make(
        "/api/v1/namespaces/NS/podtemplates",
        &json!({
            "apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "web", "annotations": {"a": "b"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
        }),
    )?;
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "bundles.moved.example.com"},
        "spec": {"group": "moved.example.com", "scope": "Namespaced", "names": {"plural": "bundles", "kind": "Bundle"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]},
    });
    world.define(&definition)?;
    world.grant("moved.example.com", "bundles", &["*"])?;
    let bundles = "/apis/moved.example.com/v1/namespaces/NS/bundles";
    let bundle = |name: &str| {
        json!({
            "apiVersion": "moved.example.com/v1", "kind": "Bundle", "metadata": {"name": name},
            "spec": {
                "manifests": [{"apiVersion": "v1", "kind": "Secret", "stringData": {"word": LITERAL}}],
                "env": [{"name": "DB_PASSWORD", "value": LITERAL}],
            },
        })
    };
    world.make(bundles, &bundle("kind"))?;
    world.make(bundles, &bundle("name"))?;

    world.try_all(&copied())?;
    // The note of `kubectl apply` is free text: a variable that has no `name` there is taken for the one in its position.
    refused(&world, WEB, "belongs at `/template/spec/containers/0/env/0/value`", |object| {
        let value = object["template"]["spec"]["containers"][0]["env"][0]["value"].clone();
        let variable = json!({"Name": "HOSTNAME", "value": value});
        let noted = json!({"template": {"spec": {"containers": [{"name": "one", "env": [variable]}]}}});
        object["metadata"]["annotations"] = json!({APPLIED: noted.to_string()});
    })?;
    // A manifest that no longer says it is a Secret's.
    let beside = "would no longer be masked there, since what stands beside it was changed";
    refused(&world, &format!("{bundles}/kind"), beside, |object| {
        object["spec"]["manifests"][0]["kind"] = json!("Thing");
        object["spec"]["manifests"][0]["apiVersion"] = json!("v2");
    })?;
    // A variable that no longer has a telling name.
    refused(&world, &format!("{bundles}/name"), beside, |object| {
        let value = object["spec"]["env"][0]["value"].clone();
        object["spec"]["env"] = json!([{"Name": "HOSTNAME", "value": value}]);
        object["spec"].as_object_mut().context("no spec").unwrap().remove("manifests");
    })?;
    Ok(())
}
