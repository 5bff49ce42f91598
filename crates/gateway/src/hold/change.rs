//! What becomes of an object, for a yes that is given ahead of the call that makes it so.

use approval::{Change, Outcome, Target, Usage};
use ledger::leaf::Purpose;
use mask::Live;
use policy::Ask;
use serde_json::Value;

use crate::call::Call;

/// A write of an object, as it was looked at.
pub(super) struct Looked<'a> {
    pub(super) ask: &'a Ask,
    /// What the request is found by as its client sent it.
    pub(super) key: &'a str,
    pub(super) target: Option<&'a Target>,
    pub(super) before: Option<&'a Live>,
    /// `None`: no dry run says it.
    pub(super) after: Option<&'a Live>,
}

impl Call {
    /// What becomes of the object; `None`: that is no change of an object that has a name.
    pub(super) fn change(&self, looked: &Looked<'_>) -> Option<Change> {
        let Looked { ask, key, target, before, after } = looked;
        let usage = ask.usage().filter(|usage| usage.changes() && !ask.request().dry_run())?;
        if usage.deletes() {
            return self.deletion(ask, usage, target.cloned()?);
        }
        let after = (*after)?;
        if !after.ask(|object| is_of(object, &usage)) {
            return None;
        }
        // What a write by its name would yet make has no uid.
        let target = target.filter(|target| !target.uid.is_empty());
        let outcome = after.ask(|object| Outcome::of(object, target.is_none()));
        let was = before.map(|before| before.ask(|object| Outcome::of(object, false)));
        let noted = (outcome.applied.as_ref() != was.as_ref().and_then(|was| was.applied.as_ref()))
            .then(|| self.keyed(&outcome.applied.unwrap_or_default()));
        let masked = after.is_masked() || before.is_some_and(Live::is_masked);
        Some(Change {
            applied: noted,
            call: masked.then(|| (*key).to_owned()),
            gone: false,
            name: usage.name.filter(|name| !name.is_empty())?,
            namespace: usage.namespace.unwrap_or_default(),
            resource: usage.resource,
            result: self.keyed(&outcome.object),
            target: target.cloned(),
        })
    }

    /// Of an object that is deleted; of subresources nobody knows what that does.
    fn deletion(&self, ask: &Ask, usage: Usage, target: Target) -> Option<Change> {
        let plain = ask.request().resource()?.subresource().is_none() && !target.uid.is_empty();
        let how: Vec<String> = super::options(ask.request());
        Some(Change {
            applied: None,
            call: None,
            gone: true,
            name: usage.name.filter(|name| plain && !name.is_empty())?,
            namespace: usage.namespace.unwrap_or_default(),
            resource: usage.resource,
            result: self.keyed(&how.into()),
            target: Some(target),
        })
    }

    /// Digest of a value under the gate's own key.
    pub(super) fn keyed(&self, value: &Value) -> String {
        self.gate().ledger().keyed_digest(Purpose::Asked, value.to_string().as_bytes())
    }
}

/// Whether an answer is the object that is written. Some writes answer something else, which says nothing of what they do.
fn is_of(object: &Value, usage: &Usage) -> bool {
    let metadata = |name: &str| object.pointer(&format!("/metadata/{name}")).and_then(Value::as_str);
    object.get("kind").and_then(Value::as_str).is_some_and(|kind| kind != "Status")
        && metadata("name") == usage.name.as_deref()
        && metadata("namespace") == usage.namespace.as_deref()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_that_is_another_object_says_nothing_of_the_write() {
        let usage = Usage::of("create", ("", "pods"), None, Some("shop"), Some("web"));
        let object = |kind: &str, name: &str, namespace: &str| json!({"kind": kind, "metadata": {"name": name, "namespace": namespace}});
        assert!(is_of(&object("Pod", "web", "shop"), &usage));
        for other in [
            object("Pod", "api", "shop"),
            object("Pod", "web", "blog"),
            object("Status", "web", "shop"),
            json!({"kind": "Status", "status": "Success"}),
            json!({"metadata": {"name": "web", "namespace": "shop"}}),
            json!(null),
        ] {
            assert!(!is_of(&other, &usage), "{other}");
        }
        let namespace = Usage::of("patch", ("", "namespaces"), None, Some("shop"), Some("shop"));
        assert!(is_of(&json!({"kind": "Namespace", "metadata": {"name": "shop"}}), &namespace));
    }
}
