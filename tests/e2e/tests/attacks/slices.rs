//! A10, A11: answers about a part of a value, or a part of an answer.

use e2e::{CANARY, permissive};
use serde_json::json;
use testkit::Options;

use crate::{
    bypasses::guarded::NO_RULE,
    case::{
        Case,
        Control::{Leaks, Says, Takes},
        Gated::{Masked, Plain, Refused},
        JSON, case, filled, rows_of,
    },
    world::World,
};

pub(crate) fn rows() -> Vec<&'static str> {
    [rows_of(&parts()), rows_of(&selectors()), rows_of(&definitions())].concat()
}

const LOG: &str = "GET /api/v1/namespaces/NS/pods/prints/log";
const SECRETS: &str = "GET /api/v1/namespaces/NS/secrets";

/// Parts of a value that nobody could recognise.
fn parts() -> Vec<Case> {
    let cut = |options: &str, part, masked| {
        case("A11", format!("{LOG}?{options}"), &[], "", Says(200, part), Plain(200, masked))
    };
    let whole = |line: String, headers: &[&'static str]| case("A11", line, headers, "", Leaks, Masked(200));
    let database = || format!("{SECRETS}/database");
    vec![
        // Of what is shown, not of what was printed.
        cut("limitBytes=9", "canary-7c", "masked-by"),
        cut("limitBytes=1", "c", "m"),
        cut("tailLines=2&limitBytes=18", "canary-7c1d94e0b25", "masked-by-portcull"),
        whole(format!("{LOG}?limitBytes=30"), &[]),
        whole(format!("{LOG}?follow=true&limitBytes=1000"), &[]),
        // It is no number that the API server would take.
        case("A11", format!("{LOG}?limitBytes=0"), &[], "", Takes(422), Refused(400, "limitBytes")),
        case(
            "A11",
            format!("{LOG}?limitBytes=1&limitBytes=9"),
            &[],
            "",
            Says(200, "c"),
            Refused(400, "limitBytes"),
        ),
        // A Range is for parts too. The API server answers as if it were not there; the gate does not send it.
        whole(database(), &["Range: bytes=0-99"]),
        whole(database(), &["If-None-Match: \"x\"", "If-Range: \"x\""]),
        whole(format!("{SECRETS}?limit=1"), &[]),
        whole(format!("{LOG}?tailLines=2"), &[]),
        // What is cut by lines is no part of a value.
        case("A11", format!("{LOG}?tailLines=1"), &[], "", Says(200, "done"), Plain(200, "done")),
    ]
}

/// Whether anything comes would tell whether the guess is right.
fn selectors() -> Vec<Case> {
    let selected = |selector: &str, why| {
        let line = format!("{SECRETS}?fieldSelector={selector}");
        case("A10", line, &[], "", Takes(400), Refused(400, why))
    };
    vec![
        selected("type=Opaque,data.password=CANARY", "withheld"),
        selected("data.password=CANARY", "withheld"),
        // Its `=` would have to be escaped.
        selected("data.password=CANARY64", "`fieldSelector`"),
    ]
}

/// Who defines a kind decides what can be selected by, and what a table prints.
fn definitions() -> Vec<Case> {
    let defined = |more: &str| {
        let body = format!(
            r#"{{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{{"name":"slices.example.com"}},"spec":{{"group":"example.com","scope":"Namespaced","names":{{"kind":"Slice","plural":"slices"}},"versions":[{{"name":"v1","served":true,"storage":true,{more},"schema":{{"openAPIV3Schema":{{"type":"object","properties":{{"spec":{{"type":"object","properties":{{"token":{{"type":"string"}}}}}}}}}}}}}}]}}}}"#
        );
        let line = "POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All";
        case("A10", line, &[JSON], body, Says(201, "\"jsonPath\":\".spec.token\""), Refused(403, NO_RULE))
    };
    vec![
        defined(r#""selectableFields":[{"jsonPath":".spec.token"}]"#),
        defined(r#""additionalPrinterColumns":[{"name":"Token","type":"string","jsonPath":".spec.token"}]"#),
    ]
}

#[test]
fn agents_define_no_kinds() -> anyhow::Result<()> {
    World::new("defined", &Options::default())?.try_all(&definitions())
}

#[test]
fn no_part_of_a_value_is_to_be_had() -> anyhow::Result<()> {
    let world = World::new("slices", &permissive())?;
    let container =
        json!({"name": "c", "image": "busybox", "command": ["sh", "-c", "echo CANARY; echo done"]});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "prints"}, "spec": {"restartPolicy": "Never", "containers": [container]}});
    world.make("/api/v1/namespaces/NS/pods", &pod)?;
    world.wait("prints", "Succeeded")?;
    world.try_all(&[parts(), selectors()].concat())?;
    // Put together, the parts are the value.
    let mut whole = String::new();
    for bytes in [9, 20, CANARY.len()] {
        let line = filled(&format!("{LOG}?limitBytes={bytes}"), &world.namespaces[0]);
        let part = world.direct.ask(&line, &[], "")?.body;
        whole.push_str(part.get(whole.len()..).unwrap_or_default());
    }
    assert_eq!(whole, CANARY);
    Ok(())
}
