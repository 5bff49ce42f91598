//! E1: a value that the gate puts right in a write must be masked in what the write makes of the object, too.

use anyhow::{Context, ensure};
use e2e::{Client, LITERAL, permissive};
use serde_json::{Value, json};

use crate::{
    case::{JSON, filled, holds_placeholder},
    world::World,
};

const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

fn read(client: &Client, line: &str) -> anyhow::Result<Value> {
    let answer = client.ask(line, &[], "")?;
    ensure!(answer.status == 200 && !answer.body.contains(LITERAL), "it shows without an attack: {answer:?}");
    ensure!(holds_placeholder(&answer.body), "not masked: {answer:?}");
    Ok(serde_json::from_str(&answer.body)?)
}

/// Writes what `edit` makes of the object as shown; tells what came of it if the value is shown afterwards.
fn shown_by(world: &World, path: &str, edit: impl FnOnce(&mut Value)) -> anyhow::Result<Option<String>> {
    let line = filled(path, world.namespace());
    let mut object = read(&world.gated, &format!("GET {line}"))?;
    edit(&mut object);
    let put = world.gated.ask(&format!("PUT {line}"), &[JSON], &object.to_string())?;
    let after = world.gated.ask(&format!("GET {line}"), &[], "")?;
    let shown = put.body.contains(LITERAL) || after.body.contains(LITERAL);
    Ok(shown.then(|| format!("{path}: PUT {}\n{object}\n=> {} {}", put.status, put.body, after.body)))
}

#[test]
fn what_is_put_right_is_masked_in_the_result() -> anyhow::Result<()> {
    let world = World::new("moved", &permissive())?;
    let container = json!({
        "name": "one", "image": "example.com/none:1", "env": [{"name": "DB_PASSWORD", "value": LITERAL}],
    });
    world.make(
        "/apis/apps/v1/namespaces/NS/deployments",
        &json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": {
                "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]},
            }},
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

    let mut wrong = Vec::new();
    // The note of `kubectl apply` is free text: a variable that has no `name` there is taken for the one in its position.
    wrong.extend(shown_by(&world, "/apis/apps/v1/namespaces/NS/deployments/web", |object| {
        let value = object["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"].clone();
        let variable = json!({"Name": "HOSTNAME", "value": value});
        let noted =
            json!({"spec": {"template": {"spec": {"containers": [{"name": "one", "env": [variable]}]}}}});
        object["metadata"]["annotations"] = json!({APPLIED: noted.to_string()});
    })?);
    // A manifest that no longer says it is a Secret's.
    wrong.extend(shown_by(&world, &format!("{bundles}/kind"), |object| {
        object["spec"]["manifests"][0]["kind"] = json!("Thing");
        object["spec"]["manifests"][0]["apiVersion"] = json!("v2");
    })?);
    // A variable that no longer has a telling name.
    wrong.extend(shown_by(&world, &format!("{bundles}/name"), |object| {
        let value = object["spec"]["env"][0]["value"].clone();
        object["spec"]["env"] = json!([{"Name": "HOSTNAME", "value": value}]);
        object["spec"].as_object_mut().context("no spec").unwrap().remove("manifests");
    })?);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}
