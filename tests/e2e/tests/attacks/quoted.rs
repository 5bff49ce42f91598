//! A2: what the API server quotes of an object of any kind in an error about it. The value is in no Secret: only its place tells.

use anyhow::ensure;
use e2e::{LITERAL, permissive};
use serde_json::{Value, json};

use crate::{
    case::{MERGE, STRATEGIC, filled, holds_placeholder},
    world::World,
};

fn template() -> Value {
    json!({
        "metadata": {"labels": {"app": "quoted"}},
        "spec": {"restartPolicy": "Never", "containers": [{
            "name": "one", "image": "example.com/none:1",
            "env": [{"name": "DB_PASSWORD", "value": LITERAL}],
        }]},
    })
}

/// The value of a variable with a telling name is masked in an object, and so it must be where an error quotes the object.
#[test]
fn no_error_quotes_a_variable_of_a_workload() -> anyhow::Result<()> {
    let world = World::new("quoted", &permissive())?;
    world.make(
        "/apis/batch/v1/namespaces/NS/jobs",
        &json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"},
            "spec": {"suspend": false, "template": template()},
        }),
    )?;
    let mut pod = template();
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    pod["metadata"]["name"] = json!("one");
    world.make("/api/v1/namespaces/NS/pods", &pod)?;
    let read =
        world.gated.ask(&filled("GET /apis/batch/v1/namespaces/NS/jobs/once", world.namespace()), &[], "")?;
    ensure!(
        holds_placeholder(&read.body) && !read.body.contains(LITERAL),
        "not masked at its place: {read:?}"
    );

    let mut wrong = Vec::new();
    for (line, header, body) in [
        (
            "PATCH /apis/batch/v1/namespaces/NS/jobs/once?dryRun=All",
            MERGE,
            json!({"spec": {"template": {"metadata": {"labels": {"x": "y"}}}}}),
        ),
        (
            "PATCH /api/v1/namespaces/NS/pods/one?dryRun=All",
            STRATEGIC,
            json!({"spec": {"containers": [{"name": "one", "env": [{"name": "DB_PASSWORD", "value": "other"}]}]}}),
        ),
        (
            "PATCH /api/v1/namespaces/NS/pods/one?dryRun=All",
            STRATEGIC,
            json!({"spec": {"containers": [{"name": "one", "env": [{"name": "OTHER", "value": "other"}]}]}}),
        ),
    ] {
        let direct = world.direct.ask(&filled(line, &world.namespaces[0]), &[header], &body.to_string())?;
        ensure!(direct.body.contains(LITERAL), "the control: {line} {body}: {direct:?}");
        let gated = world.gated.ask(&filled(line, world.namespace()), &[header], &body.to_string())?;
        if gated.body.contains(LITERAL) || gated.head.contains(LITERAL) {
            wrong.push(format!("{line} {body}: {gated:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}
