//! A10: fields of custom resources that the operator named. The value is in no Secret and like no credential: only its place
//! tells.

use anyhow::ensure;
use e2e::{LITERAL, permissive};
use serde_json::{Value, json};
use testkit::Options;

use crate::{
    case::{
        Case,
        Control::Says,
        Gated::{Masked, Refused},
        JSON, MERGE, TABLE, Ways, case, filled, holds_placeholder, rows_of,
    },
    world::World,
};

pub(crate) fn rows() -> Vec<&'static str> {
    rows_of(&cases())
}

const VAULTS: &str = "/apis/places.example.com/v1/namespaces/NS/vaults";

fn cases() -> Vec<Case> {
    let shown = |line: String, headers: &[&'static str]| {
        case("A10", line, headers, "", Says(200, LITERAL), Masked(200))
    };
    let labelled = r#"{"metadata":{"labels":{"seen":"yes"}}}"#;
    let patch = format!("PATCH {VAULTS}/one?dryRun=All");
    let guess = format!("GET {VAULTS}?fieldSelector=spec.word%3D{LITERAL}");
    vec![
        shown(format!("GET {VAULTS}/one"), &[]),
        shown(format!("GET {VAULTS}"), &[]),
        shown(format!("GET {VAULTS}?watch=true&timeoutSeconds=1"), &[]),
        // A column prints the field, and so may the object beside the cells.
        shown(format!("GET {VAULTS}/one"), &[TABLE]),
        shown(format!("GET {VAULTS}"), &[TABLE]),
        shown(format!("GET {VAULTS}?includeObject=Object"), &[TABLE]),
        case("A10", patch, &[MERGE], labelled, Says(200, LITERAL), Masked(200)),
        // Whether anything comes tells whether the guess is right.
        case("A10", guess, &[], "", Says(200, r#""name":"one""#), Refused(403, "fixed/selectors")),
    ]
}

fn definition() -> Value {
    let logins = json!({"type": "array", "items": {"type": "object", "properties": {"user": {"type": "string"}, "word": {"type": "string"}}}});
    let spec = json!({"type": "object", "properties": {"word": {"type": "string"}, "size": {"type": "integer"}, "logins": logins}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "vaults.places.example.com"},
        "spec": {"group": "places.example.com", "scope": "Namespaced", "names": {"kind": "Vault", "plural": "vaults"}, "versions": [{
            "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
            "selectableFields": [{"jsonPath": ".spec.word"}],
            "additionalPrinterColumns": [{"name": "Word", "type": "string", "jsonPath": ".spec.word"}],
        }]},
    })
}

#[test]
fn a_field_that_the_operator_named_is_masked_in_every_form() -> anyhow::Result<()> {
    let masking =
        r#"{ places: [{ resource: vaults.places.example.com, paths: [spec.word, "spec.logins[].word"] }] }"#;
    let world = World::new("placed", &Options { masking: Some(masking.to_owned()), ..permissive() })?;
    world.define(&definition())?;
    world.grant("places.example.com", "vaults", &["*"])?;
    let reader = world.reader()?;
    let spec = json!({"word": LITERAL, "size": 3, "logins": [{"user": "ada", "word": LITERAL}]});
    let vault = json!({"apiVersion": "places.example.com/v1", "kind": "Vault", "metadata": {"name": "one"}, "spec": spec});
    world.make(VAULTS, &vault)?;

    let ways = Ways { direct: reader, gated: world.gated.clone(), namespaces: world.namespaces.clone() };
    ways.try_all(&cases())?;
    // It is no canary, so that this looks for it.
    for case in cases() {
        let line = filled(&case.line, world.namespace());
        let answer = world.gated.ask(&line, &case.headers, &case.body)?;
        ensure!(
            !answer.body.contains(LITERAL) && !answer.head.contains(LITERAL),
            "it leaks: {line}: {answer:?}"
        );
        let told =
            case.headers.contains(&TABLE) || answer.status != 200 || answer.body.contains(r#""user":"ada""#);
        ensure!(told, "more is masked than was named: {line}: {answer:?}");
    }
    // What was read can be written back.
    let line = filled(&format!("{VAULTS}/one"), world.namespace());
    let mut shown: Value = serde_json::from_str(&world.gated.ask(&format!("GET {line}"), &[], "")?.body)?;
    shown["spec"]["size"] = json!(4);
    let put = world.gated.ask(&format!("PUT {line}"), &[JSON], &shown.to_string())?;
    ensure!(put.status == 200 && holds_placeholder(&put.body) && !put.body.contains(LITERAL), "{put:?}");
    let live: Value = serde_json::from_str(&world.direct.ask(&format!("GET {line}"), &[], "")?.body)?;
    let wanted = json!({"word": LITERAL, "size": 4, "logins": [{"user": "ada", "word": LITERAL}]});
    assert_eq!(live["spec"], wanted);
    Ok(())
}
