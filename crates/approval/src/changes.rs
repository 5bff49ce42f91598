//! Several changes, decided at once.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Digest, Target,
    access::named,
    diff::{NOISE, sorted},
};

/// Several changes to objects, each of which may be made once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// Each, in the order of resource, namespace and name.
    pub members: Vec<Change>,
    /// What they are for, as the agent said.
    pub reason: String,
}

/// What becomes of one object, however the call says it that makes it so: as it is created, or as it is changed or deleted from one
/// version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Keyed digest of its `kubectl.kubernetes.io/last-applied-configuration`, if it gets another: the bookkeeping of `kubectl apply`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<String>,
    /// Keyed digest of the request, where values of the object are masked: then no other makes it. Whether another had the same outcome would
    /// tell whether a guess at such a value is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// Whether it is deleted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub gone: bool,
    /// The object's name.
    pub name: String,
    /// Its namespace; empty if it is in none.
    pub namespace: String,
    /// Plural name and group, with the subresource if there is one: `deployments.apps`.
    pub resource: String,
    /// Keyed digest of what the API server said it would be, as [`Outcome::of`] has it; of what is deleted, of how.
    pub result: String,
    /// The object as it is; `None`: there is none, and it is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
}

/// What becomes of an object, without what another dry run of the same would say differently, and in one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The object.
    pub object: Value,
    /// What `kubectl apply` notes in it, if that is there: what was applied.
    pub applied: Option<Value>,
}

/// Where `kubectl apply` keeps what was applied (`LastAppliedConfigAnnotation` in k8s.io/api/core/v1).
pub const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl Changes {
    pub(crate) fn name_each_once(&self) -> bool {
        self.members.is_sorted_by(|one, next| one.object() < next.object())
    }
}

impl Change {
    /// Which object it is about.
    #[must_use]
    pub fn object(&self) -> (&str, &str, &str) {
        (&self.resource, &self.namespace, &self.name)
    }

    /// What tells it from any other.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self)
    }
}

/// `create configmaps "a" in namespace "shop"`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.target {
            None => "create ",
            Some(_) if self.gone => "delete ",
            Some(_) => "change ",
        })?;
        named(f, self.object())
    }
}

impl Outcome {
    /// That of an object, as a dry run answered it. Fields that the server sets by itself are not in it. If it is `new`, its uid is
    /// nowhere in it: a dry run of a create makes one up, and kinds as `Job` repeat it in labels.
    #[must_use]
    pub fn of(object: &Value, new: bool) -> Self {
        let mut object = object.clone();
        let uid = object.pointer("/metadata/uid").and_then(Value::as_str).filter(|_| new).map(str::to_owned);
        let mut applied = None;
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|key, _| !NOISE.contains(&key.as_str()));
            applied = take_applied(metadata);
        }
        if let Some(uid) = uid.filter(|uid| !uid.is_empty()) {
            forget(&mut object, &uid);
        }
        Self { object: sorted(object), applied: applied.map(sorted) }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Parsed, since its text may be written in more than one way.
fn take_applied(metadata: &mut Map<String, Value>) -> Option<Value> {
    let annotations = metadata.get_mut("annotations")?.as_object_mut()?;
    let text = annotations.remove(APPLIED)?;
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
    let parsed = text.as_str().and_then(|text| serde_json::from_str(text).ok());
    Some(parsed.unwrap_or(text))
}

/// An object is as deep as the parser that read it lets it be.
fn forget(value: &mut Value, uid: &str) {
    match value {
        Value::String(text) if text == uid => text.clear(),
        Value::Array(items) => items.iter_mut().for_each(|item| forget(item, uid)),
        Value::Object(members) => members.values_mut().for_each(|member| forget(member, uid)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_outcome_is_the_same_however_it_came_about() {
        let dry_run = |uid: &str, at: &str, applied: Option<&str>| {
            let mut object = json!({
                "kind": "Job",
                "metadata": {"name": "a", "uid": uid, "creationTimestamp": at, "managedFields": [at], "labels": {"controller-uid": uid}},
                "spec": {"selector": {"matchLabels": {"controller-uid": uid}}},
            });
            if let Some(applied) = applied {
                object["metadata"]["annotations"] = json!({ APPLIED: applied });
            }
            Outcome::of(&object, true)
        };
        let (one, other) = (dry_run("u-1", "2026", None), dry_run("u-2", "2027", Some(r#"{"a": 1,"b":2}"#)));
        assert_eq!(one.object, other.object);
        assert_eq!((one.applied, other.applied), (None, Some(json!({"b": 2, "a": 1}))));
        assert_eq!(dry_run("u", "", Some("no JSON")).applied, Some(json!("no JSON")));
    }

    #[test]
    fn an_outcome_keeps_all_that_anybody_chose() {
        let object = json!({
            "kind": "ConfigMap", "data": {"uid": "x", "managedFields": "y"}, "status": {"phase": "z"},
            "metadata": {"name": "a", "annotations": {"a": "b"}, "finalizers": ["f"]},
        });
        assert_eq!(Outcome::of(&object, false), Outcome { object, applied: None });
        let named = json!({"metadata": {"uid": "u-1"}, "data": {"owner": "u-1"}});
        assert_eq!(Outcome::of(&named, false).object["data"]["owner"], "u-1", "it was known before");
    }
}
