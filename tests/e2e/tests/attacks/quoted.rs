//! A2: what the API server quotes of an object of any kind in an error about it. The value is in no Secret: only its place tells.

use anyhow::ensure;
use e2e::{LITERAL, permissive};
use serde_json::{Value, json};

use crate::{
    case::{MERGE, STRATEGIC, filled, holds_placeholder, row_of},
    world::World,
};

pub(crate) fn rows() -> Vec<&'static str> {
    vec![row_of("A2", no_error_quotes_a_variable_of_a_workload)]
}

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
        read.status == 200 && holds_placeholder(&read.body) && !read.leaks(),
        "not masked at its place: {read:?}"
    );

    let mut told = Vec::new();
    for (line, header, body) in [
        (
            "PATCH /apis/batch/v1/namespaces/NS/jobs/once?dryRun=All",
            MERGE,
            json!({"spec": {"template": {"metadata": {"labels": {"x": "y"}}}}}),
        ),
        (
            "PATCH /apis/batch/v1/namespaces/NS/jobs/once",
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
        ensure!(direct.status == 422 && direct.holds(LITERAL), "the control: {line} {body}: {direct:?}");
        let gated = world.gated.ask(&filled(line, world.namespace()), &[header], &body.to_string())?;
        ensure!(gated.status == 422 && !gated.leaks(), "{line} {body}: {gated:?}");
        let status: Value = serde_json::from_str(&gated.body)?;
        told.push(format!("{line} {body}\n{}", serde_json::to_string_pretty(&status)?));
    }
    insta::assert_snapshot!(told.join("\n\n"));
    Ok(())
}
