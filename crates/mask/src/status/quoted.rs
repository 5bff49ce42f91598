//! Objects quoted in errors about them.
//!
//! A value that does not fit is quoted by the API server (`Invalid value: …`). A text or a number is what its client sent. A
//! structure (`core.PodTemplateSpec{…}`, JSON, a diff of two of them: `k8s.io/kubernetes/pkg/apis/core/validation`) holds whatever the
//! object held before, in a form of which no place is known.

use http::StatusCode;
use serde_json::Value;

/// Stands in place of what is quoted.
const WITHHELD: &str = "(portcullis: the rest is withheld, since it quotes the object)";

/// How such messages end, and what their clients look for (`k8s.io/apimachinery/pkg/api/validation`, `FieldImmutableErrorMsg`).
const ENDINGS: [&str; 2] = [": field is immutable", ": field is immutable]"];

/// An error's body without the objects that it quotes; itself if it quotes none. `None` if it is not JSON.
///
/// What could not be read at all (400), and a patch that does not fit, is quoted as its client sent it.
pub(crate) fn unquoted(code: StatusCode, content: Vec<u8>) -> Option<Vec<u8>> {
    let mut status: Value = serde_json::from_slice(&content).ok()?;
    let causes = status.pointer("/details/causes").and_then(Value::as_array);
    let of_patch = |cause: &Value| cause.get("field").and_then(Value::as_str) == Some("patch");
    if code == StatusCode::BAD_REQUEST
        || causes.is_some_and(|causes| !causes.is_empty() && causes.iter().all(of_patch))
    {
        return Some(content);
    }
    let mut quotes = cut(status.get_mut("message"));
    let causes = status.pointer_mut("/details/causes").and_then(Value::as_array_mut);
    for cause in causes.into_iter().flatten() {
        quotes |= cut(cause.get_mut("message"));
    }
    Some(if quotes { serde_json::to_vec(&status).ok()? } else { content })
}

/// Whether there was anything to cut.
fn cut(message: Option<&mut Value>) -> bool {
    let Some(Value::String(message)) = message else { return false };
    let Some((before, _)) = message.split_once('{') else { return false };
    // The name of the structure goes, too, and how it begins as JSON.
    let begins = |character: char| character.is_alphanumeric() || "._*&[]\"\\".contains(character);
    let ending = ENDINGS.iter().find(|ending| message.ends_with(**ending)).copied().unwrap_or_default();
    *message = format!("{}{WITHHELD}{ending}", before.trim_end_matches(begins));
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn structures_are_cut_and_plain_values_stay() {
        let told = |message: &str| {
            let status = json!({"message": message, "details": {"causes": [{"message": message}]}});
            let out: Value = serde_json::from_slice(
                &unquoted(StatusCode::UNPROCESSABLE_ENTITY, status.to_string().into_bytes()).unwrap(),
            )
            .unwrap();
            assert_eq!(out["message"], out["details"]["causes"][0]["message"]);
            out["message"].as_str().unwrap().to_owned()
        };
        let table = [
            r#"Job.batch "a" is invalid: spec.template: Invalid value: core.PodTemplateSpec{Env:"CANARY"}: field is immutable"#,
            r#"Job.batch "a" is invalid: spec.template: Invalid value: {"env":"CANARY}: field is immutable"}: field is immutable"#,
            "Pod \"a\" is invalid: spec: Forbidden: pod updates may not change fields other than `x`\n  core.PodSpec{\n- CANARY\n",
            r#"x: Invalid value: "{\"a\":\"CANARY\"}": no"#,
            r#"x: Invalid value: []core.EnvVar{core.EnvVar{Value:"CANARY"}}: no"#,
            r#"a: Invalid value: "b": must be no more than 63 characters"#,
        ];
        let told: Vec<String> = table.iter().map(|message| told(message)).collect();
        assert!(told.iter().all(|told| !told.contains("CANARY")));
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn what_quotes_nothing_stays_as_it_is_and_what_is_no_json_is_none() {
        let plain = br#"{"kind": "Status",  "message":"no \u003ca\u003e"}"#.to_vec();
        assert_eq!(unquoted(StatusCode::UNPROCESSABLE_ENTITY, plain.clone()), Some(plain));
        let sent = br#"{"message":"unable to decode {\"a\":1}"}"#.to_vec();
        assert_eq!(unquoted(StatusCode::BAD_REQUEST, sent.clone()), Some(sent));
        assert_eq!(unquoted(StatusCode::BAD_REQUEST, b"no".to_vec()), None);
        let patch = json!({"message": "map[a:{b}]", "details": {"causes": [{"field": "patch"}]}});
        let patch = patch.to_string().into_bytes();
        assert_eq!(unquoted(StatusCode::UNPROCESSABLE_ENTITY, patch.clone()), Some(patch));
    }
}
