//! G7: what an agent sends may be secret as well, and records must not hoard it. The API server's own audit log does.

use std::sync::Arc;

use anyhow::{Context, ensure};
use e2e::{audited, contains_canary, leaves, permissive};
use serde_json::Value;

use crate::{
    case::{
        Case,
        Control::{Leaks, Takes},
        Gated::{Masked, Plain, Refused},
        JSON, MERGE, case, filled, rows_of,
    },
    world::World,
};

pub(crate) fn rows() -> Vec<&'static str> {
    rows_of(&cases())
}

fn cases() -> Vec<Case> {
    let namespace = "/api/v1/namespaces/NS";
    let review =
        r#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"CANARY"}}"#;
    let secret =
        r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"new"},"stringData":{"password":"CANARY"}}"#;
    let listed = "CANARY".to_owned();
    vec![
        case(
            "G7",
            format!("GET {namespace}/pods/absent/exec?command=login&command=--password%3D{listed}"),
            &[],
            "",
            Takes(404),
            Refused(400, "this has to be an upgrade"),
        ),
        case(
            "G7",
            format!("GET {namespace}/pods/absent/exec?command=CANARY64"),
            &[],
            "",
            Takes(404),
            Refused(400, "this has to be an upgrade"),
        ),
        case(
            "G7",
            "POST /apis/authentication.k8s.io/v1/tokenreviews",
            &[JSON],
            review,
            Leaks,
            Refused(403, "fixed/token-reviews"),
        ),
        case("G7", format!("POST {namespace}/secrets"), &[JSON], secret, Leaks, Masked(201)),
        case(
            "G7",
            format!("PATCH {namespace}/secrets/database"),
            &[MERGE],
            r#"{"stringData":{"second":"CANARY"}}"#,
            Leaks,
            Masked(200),
        ),
        case(
            "G7",
            format!("PATCH {namespace}/secrets/database"),
            &[MERGE],
            r#"{"data":{"second":"CANARY"}}"#,
            Leaks,
            Refused(422, "withheld"),
        ),
        case(
            "G7",
            format!("GET {namespace}/secrets?fieldSelector=data.x=CANARY"),
            &[],
            "",
            Takes(400),
            Refused(400, "withheld"),
        ),
        case(
            "G7",
            format!("GET {namespace}/secrets?continue=CANARY"),
            &[],
            "",
            Takes(400),
            Refused(400, "withheld"),
        ),
        case(
            "G7",
            format!("GET {namespace}/configmaps"),
            &["Cookie: session=canary-7c1d94e0b25f4a8e-value", "User-Agent: canary-7c1d94e0b25f4a8e-value"],
            "",
            Takes(200),
            Plain(200, r#""kind":"ConfigMapList""#),
        ),
        case(
            "G7",
            format!("POST {namespace}/configmaps"),
            &[JSON],
            "{\"CANARY\":",
            Takes(400),
            Refused(400, "body"),
        ),
        case("G7", format!("GET {namespace}/secrets/database"), &[], "", Leaks, Masked(200)),
    ]
}

/// The path of a case's request.
fn path(case: &Case, namespace: &str) -> String {
    let line = filled(&case.line, namespace);
    let target = line.split_once(' ').map_or(&*line, |(_, target)| target);
    target.split('?').next().unwrap_or_default().to_owned()
}

/// The control: whoever reads the cluster's own records reads each value that was sent, or came. Only who may, may read those.
fn hoarded(world: &World) -> anyhow::Result<()> {
    let namespace = &world.namespaces[0];
    let all = audited(world.lab.cluster, |event| {
        event["impersonatedUser"].is_null() && contains_canary(event.to_string().as_bytes())
    })?;
    // What does not parse is in no record of the API server's.
    for case in cases().iter().filter(|case| !case.body.ends_with(':')) {
        let path = path(case, namespace);
        let of_it = |event: &Value| event["requestURI"].as_str().is_some_and(|uri| uri.starts_with(&path));
        ensure!(all.iter().any(of_it), "no record of it: {}", case.line);
    }
    Ok(())
}

/// The control: what was sent came to the gate, and is told of.
fn told_of(world: &World, leaves: &[Value]) -> anyhow::Result<()> {
    for case in cases() {
        let path = path(&case, world.namespace());
        let calls: Vec<&Value> = leaves
            .iter()
            .filter(|leaf| {
                // With a star for each value in the query.
                let told = leaf.pointer("/event/request/path").and_then(Value::as_str).unwrap_or_default();
                told.split('?').next() == Some(&path)
            })
            .map(|leaf| &leaf["event"]["call"])
            .collect();
        ensure!(!calls.is_empty(), "not in the ledger: {}", case.line);
        let seen = leaves
            .iter()
            .any(|leaf| leaf["type"] == "known_value_sent" && calls.contains(&&leaf["event"]["call"]));
        let sent = case.line.contains("CANARY") || case.body.contains("CANARY");
        ensure!(seen || !sent, "nothing was seen of the value: {}", case.line);
    }
    Ok(())
}

#[test]
fn what_agents_send_and_read_is_in_no_record() -> anyhow::Result<()> {
    let mut world = World::alone("records", &permissive())?;
    world.try_all(&cases())?;
    hoarded(&world)?;
    Arc::get_mut(&mut world.lab).context("shared")?.gate.stop()?;
    let told = leaves(&world.lab.gate)?;
    told_of(&world, &told)?;
    ensure!(!contains_canary(Value::from(told).to_string().as_bytes()), "the ledger tells");
    let log = world.lab.gate.log();
    ensure!(log.contains("the ledger is open") && !contains_canary(log.as_bytes()), "the log tells: {log}");
    // Ledger, log and database are looked through file by file when the lab ends.
    Ok(())
}
