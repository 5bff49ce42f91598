//! A10, A11: answers about a part of a value, or a part of an answer.

use e2e::permissive;
use serde_json::json;

use crate::{
    case::{
        Case,
        Control::{Leaks, Says, Takes},
        Gated::{Plain, Refused},
        JSON, case, filled, rows_of,
    },
    world::World,
};

pub(crate) fn rows() -> Vec<&'static str> {
    rows_of(&cases())
}

fn cases() -> Vec<Case> {
    let log = "GET /api/v1/namespaces/NS/pods/prints/log";
    let secrets = "GET /api/v1/namespaces/NS/secrets";
    let definition = |more: &str| {
        format!(
            r#"{{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{{"name":"slices.example.com"}},"spec":{{"group":"example.com","scope":"Namespaced","names":{{"kind":"Slice","plural":"slices"}},"versions":[{{"name":"v1","served":true,"storage":true,{more},"schema":{{"openAPIV3Schema":{{"type":"object","properties":{{"spec":{{"type":"object","properties":{{"token":{{"type":"string"}}}}}}}}}}}}}}]}}}}"#
        )
    };
    let definitions = "POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All";
    vec![
        // Parts of a value that nobody could recognise.
        case(
            "A11",
            format!("{log}?limitBytes=9"),
            &[],
            "",
            Says(200, "canary-7c"),
            Refused(400, "limitBytes"),
        ),
        case("A11", format!("{log}?limitBytes=1"), &[], "", Says(200, "c"), Refused(400, "limitBytes")),
        case(
            "A11",
            format!("{log}?tailLines=1&limitBytes=20"),
            &[],
            "",
            Says(200, "canary-7c1d94e0b25f4"),
            Refused(400, "limitBytes"),
        ),
        // A Range is for parts too. The API server answers as if it were not there; the gate does not send it.
        case(
            "A11",
            format!("{secrets}/database"),
            &["Range: bytes=0-99"],
            "",
            Leaks,
            crate::case::Gated::Masked(200),
        ),
        // Whether anything comes tells whether the guess is right.
        case(
            "A10",
            format!("{secrets}?fieldSelector=type=Opaque,data.password=CANARY"),
            &[],
            "",
            Takes(400),
            Refused(400, ""),
        ),
        case(
            "A10",
            format!("{secrets}?fieldSelector=data.password=CANARY64"),
            &[],
            "",
            Takes(400),
            Refused(400, ""),
        ),
        // Who defines a kind decides what can be selected by, and what a table prints.
        case(
            "A10",
            definitions,
            &[JSON],
            definition(r#""selectableFields":[{"jsonPath":".spec.token"}]"#),
            Takes(201),
            Refused(403, ""),
        ),
        case(
            "A10",
            definitions,
            &[JSON],
            definition(
                r#""additionalPrinterColumns":[{"name":"Token","type":"string","jsonPath":".spec.token"}]"#,
            ),
            Takes(201),
            Refused(403, ""),
        ),
        case("A11", format!("{secrets}?limit=1"), &[], "", Leaks, crate::case::Gated::Masked(200)),
        case(
            "A11",
            format!("{secrets}/database"),
            &["If-None-Match: \"x\"", "If-Range: \"x\""],
            "",
            Leaks,
            crate::case::Gated::Masked(200),
        ),
        case("A11", format!("{log}?sinceSeconds=999999&tailLines=0"), &[], "", Takes(200), Plain(200)),
    ]
}

#[test]
fn no_part_of_a_value_is_to_be_had() -> anyhow::Result<()> {
    let world = World::new("slices", &permissive())?;
    let container = json!({"name": "c", "image": "busybox", "command": ["sh", "-c", "echo CANARY"]});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "prints"}, "spec": {"restartPolicy": "Never", "containers": [container]}});
    world.make("/api/v1/namespaces/NS/pods", &pod)?;
    for namespace in &world.namespaces {
        world.lab.cluster.must(&[
            "-n",
            namespace,
            "wait",
            "--for=jsonpath={.status.phase}=Succeeded",
            "pod/prints",
            "--timeout=60s",
        ])?;
    }
    world.try_all(&cases())?;
    // Put together, the parts are the value.
    let part = |bytes: usize| {
        let line = filled(
            &format!("GET /api/v1/namespaces/NS/pods/prints/log?limitBytes={bytes}"),
            &world.namespaces[0],
        );
        world.direct.ask(&line, &[], "").map(|answer| answer.body)
    };
    let mut whole = String::new();
    for bytes in 1..=e2e::CANARY.len() {
        whole.push_str(part(bytes)?.get(bytes - 1..).unwrap_or_default());
    }
    assert_eq!(whole, e2e::CANARY);
    Ok(())
}
