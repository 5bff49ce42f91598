//! A5: an admission policy's words are an administrator's to choose, and CEL can put a Secret's value into them.

use e2e::permissive;
use serde_json::json;

use crate::{
    case::{
        Case,
        Control::Leaks,
        Gated::{Masked, Plain, Refused},
        MERGE, METADATA, case, filled, rows_of,
    },
    world::World,
};

/// Warns of every update of a Secret in words that quote its value.
pub(super) const SPEC: &str = r#"{"matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["UPDATE"],"resources":["secrets"]}]},"validations":[{"expression":"false","messageExpression":"'the value was ' + string(oldObject.data.password)"}]}"#;

/// Copies a Secret's value into its metadata at every update.
pub(super) const COPYING: &str = r#"{"matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["UPDATE"],"resources":["secrets"]}]},"reinvocationPolicy":"Never","mutations":[{"patchType":"ApplyConfiguration","applyConfiguration":{"expression":"Object{metadata: Object.metadata{annotations: {\"copied-by-policy\": string(oldObject.data.password)}}}"}}]}"#;

pub(super) fn rows() -> Vec<&'static str> {
    rows_of(&cases())
}

fn cases() -> Vec<Case> {
    let patch = "PATCH /api/v1/namespaces/NS/secrets/database?dryRun=All";
    vec![
        case(
            "A5",
            patch,
            &[MERGE, METADATA],
            r#"{"metadata":{"annotations":null}}"#,
            Leaks,
            Plain(200, "PartialObjectMetadata"),
        ),
        case("A12", patch, &[MERGE], "{}", Leaks, Masked(200)),
        // Without the note of `kubectl apply`, so that the copy is what leaks.
        case(
            "A5",
            "PATCH /api/v1/namespaces/NS/secrets/copied?dryRun=All",
            &[MERGE, METADATA],
            r#"{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":null}}}"#,
            Leaks,
            Masked(200),
        ),
        case(
            "A2",
            "PATCH /api/v1/namespaces/NS/secrets/denied?dryRun=All",
            &[MERGE],
            r#"{"metadata":{"labels":{"a":"b"}}}"#,
            Leaks,
            Refused(422, "withheld"),
        ),
    ]
}

#[test]
fn warnings_and_denials_in_words_of_a_policy_do_not_tell_values() -> anyhow::Result<()> {
    let world = World::new("cel", &permissive())?;
    for name in ["denied", "copied"] {
        world.make("/api/v1/namespaces/NS/secrets", &crate::world::secret(name))?;
    }
    for (name, action, condition) in [("warns", "Warn", "database"), ("denies", "Deny", "denied")] {
        let mut spec: serde_json::Value = serde_json::from_str(SPEC)?;
        spec["matchConditions"] =
            json!([{"name": "one", "expression": format!("object.metadata.name == '{condition}'")}]);
        world.admission(
            "Validating",
            &format!("attacks-{name}"),
            &spec,
            &json!({"validationActions": [action]}),
        )?;
    }
    let mut spec: serde_json::Value = serde_json::from_str(COPYING)?;
    spec["matchConditions"] = json!([{"name": "one", "expression": "object.metadata.name == 'copied'"}]);
    world.admission("Mutating", "attacks-copies", &spec, &json!({}))?;
    // In force once the API server's own watches have seen it.
    for case in cases() {
        for namespace in &world.namespaces {
            let (line, body) = (filled(&case.line, namespace), filled(&case.body, namespace));
            world.until(&line, &case.headers, &body, |answer| {
                [&answer.head, &answer.body].iter().any(|text| text.contains("the value was"))
                    || answer.body.contains(r#""copied-by-policy""#)
            })?;
        }
    }
    world.try_all(&cases())
}
