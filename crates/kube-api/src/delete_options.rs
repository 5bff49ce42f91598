//! `DeleteOptions` in a body.

use serde_json::{Map, Value, json};

use crate::{Body, Options, Refusal};

/// Those that a query can have. With a body, the server ignores every one of them
/// (`DeleteResource` in k8s.io/apiserver/pkg/endpoints/handlers/delete.go).
pub(crate) const IN_QUERY: [&str; 4] =
    ["dryRun", "gracePeriodSeconds", "propagationPolicy", "orphanDependents"];

/// The body that says what these options say.
pub(crate) fn of_query(query: &Options) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("kind".to_owned(), "DeleteOptions".into());
    body.insert("apiVersion".to_owned(), "v1".into());
    for (name, value) in query.iter().filter(|(name, _)| IN_QUERY.contains(name)) {
        let value = match name {
            "dryRun" => json!([value]),
            "gracePeriodSeconds" => {
                value.parse().map_or_else(|_| value.into(), |seconds: i64| json!(seconds))
            }
            "orphanDependents" => json!(value == "true"),
            _ => value.into(),
        };
        body.insert(name.to_owned(), value);
    }
    body
}

/// Checks the body of a delete: options in one place only, and none that the server would drop, refuse or take otherwise.
/// Source: `DeleteOptions` in k8s.io/apimachinery/pkg/apis/meta/v1/types.go; its last field,
/// `ignoreStoreReadErrorWithClusterBreakingPotential`, is not taken.
///
/// # Errors
/// Options in query and body; unknown or ill-typed fields; another kind.
pub(crate) fn check(body: &Body, query: &Options) -> Result<(), Refusal> {
    if let Some(name) = IN_QUERY.into_iter().find(|name| query.get(name).is_some()) {
        return Err(Refusal::TwoSetsOfOptions { name });
    }
    let Some(fields) = body.value().as_object() else { return Ok(()) };
    fields.iter().try_for_each(|(name, value)| field(name, value))
}

fn field(name: &str, value: &Value) -> Result<(), Refusal> {
    let (holds, problem) = match name {
        "kind" => (value == "DeleteOptions", "`kind` is not `DeleteOptions`"),
        "apiVersion" => (value.is_string(), "`apiVersion` is no string"),
        // A null is what Go takes for an absent field.
        _ if value.is_null() => return known(name),
        "gracePeriodSeconds" => (
            value.as_i64().is_some_and(|seconds| seconds >= 0),
            "`gracePeriodSeconds` is no count of seconds",
        ),
        "orphanDependents" => (value.is_boolean(), "`orphanDependents` is no boolean"),
        "propagationPolicy" => (
            ["Orphan", "Background", "Foreground"].iter().any(|policy| value == policy),
            "`propagationPolicy` is not `Orphan`, `Background` or `Foreground`",
        ),
        "dryRun" => (
            value.as_array().is_some_and(|values| values.is_empty() || *values == ["All"]),
            "`dryRun` is not `[\"All\"]`",
        ),
        "preconditions" => (
            value.as_object().is_some_and(are_preconditions),
            "`preconditions` is more than strings `uid` and `resourceVersion`",
        ),
        other => return known(other),
    };
    if holds { Ok(()) } else { Err(refused(problem)) }
}

fn known(name: &str) -> Result<(), Refusal> {
    let known = IN_QUERY.contains(&name) || name == "preconditions";
    if known {
        Ok(())
    } else {
        Err(refused(
            "it has a field other than apiVersion, kind, gracePeriodSeconds, preconditions, orphanDependents, \
             propagationPolicy and dryRun",
        ))
    }
}

fn are_preconditions(fields: &Map<String, Value>) -> bool {
    fields.iter().all(|(name, value)| {
        matches!(name.as_str(), "uid" | "resourceVersion") && (value.is_string() || value.is_null())
    })
}

fn refused(problem: &str) -> Refusal {
    Refusal::Body { expected: "DeleteOptions", problem: problem.to_owned() }
}
