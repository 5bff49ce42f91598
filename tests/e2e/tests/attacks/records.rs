//! G7: what an agent sends may be secret as well, and records must not hoard it. The API server's own audit log does.

use std::sync::Arc;

use anyhow::Context;
use e2e::{CANARY, audited, contains_canary, leaves, permissive};

use crate::{
    case::{
        Case,
        Control::{Leaks, Takes},
        Gated::{Masked, Plain, Refused},
        JSON, MERGE, case, rows_of,
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
            Refused(403, "fixed/streams"),
        ),
        case(
            "G7",
            format!("GET {namespace}/pods/absent/exec?command=CANARY64"),
            &[],
            "",
            Takes(404),
            Refused(403, "fixed/streams"),
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

#[test]
fn what_agents_send_and_read_is_in_no_record() -> anyhow::Result<()> {
    let mut world = World::alone("records", &permissive())?;
    world.try_all(&cases())?;
    // The control: whoever reads the cluster's own records reads the values. Only who may, may read those.
    let hoarded = audited(world.lab.cluster, |event| {
        event["objectRef"]["namespace"] == "records-direct" && event.to_string().contains(CANARY)
    })?;
    assert!(!hoarded.is_empty());
    Arc::get_mut(&mut world.lab).context("shared")?.gate.stop()?;
    let told = leaves(&world.lab.gate)?;
    assert!(told.len() > cases().len(), "every call is in the ledger");
    assert!(
        !contains_canary(format!("{told:?}").as_bytes()) && !contains_canary(world.lab.gate.log().as_bytes())
    );
    // Ledger, log and database are looked through file by file when the lab ends.
    Ok(())
}
