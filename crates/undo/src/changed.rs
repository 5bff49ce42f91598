//! What one call made of one object, to be shown.

use kube_api::Verb;
use serde_json::Value;

use crate::{
    history::scaled,
    object::{is_same_kind, is_whole},
    place::Act,
};

/// The object before and after a call that was answered well, `null` where there was none; `None` if it changed none, or the recording
/// does not tell.
///
/// `act` is what was asked for, as [`Called`](recording::record::Called) has it; `before` what the gate saw right before
/// ([`Before`](recording::record::Before)), `null` if there was no object; `answer` the object that it was answered with.
#[must_use]
pub fn changed(act: &str, before: Option<Value>, answer: Option<Value>) -> Option<[Value; 2]> {
    let act = Act::of_change(act)?.ok()?;
    let object = answer.filter(is_whole);
    match (act.verb, act.subresource()) {
        (Verb::Create, None) if !act.is_review() => Some([Value::Null, object?]),
        (Verb::Update | Verb::Patch, None) => {
            let (before, object) = (before?, object?);
            is_same_kind(&before, &object).then_some([before, object])
        }
        (Verb::Update | Verb::Patch, Some("scale")) => {
            let before = before?;
            let after = scaled(&act.object()?, &before, &object?)?;
            Some([before, after])
        }
        (Verb::Delete, None) => {
            // What finalizers or a time of grace hold is there still.
            let before = before?;
            let held = object.filter(|object| object.pointer("/metadata/deletionTimestamp").is_some());
            let held = held.filter(|object| is_same_kind(&before, object));
            Some([before, held.unwrap_or(Value::Null)])
        }
        _ => None,
    }
}

/// Whether [`changed`] can tell of what was asked for so, if the recording has the objects.
#[must_use]
pub fn may_change(act: &str) -> bool {
    let Some(Ok(act)) = Act::of_change(act) else { return false };
    match (act.verb, act.subresource()) {
        (Verb::Create, None) => !act.is_review(),
        (Verb::Update | Verb::Patch, None | Some("scale")) | (Verb::Delete, None) => true,
        _ => false,
    }
}
