//! What one call made of one object, to be shown.

use kube_api::Verb;
use serde_json::Value;

use crate::{
    history::scaled,
    object::{is_more_than_one_step, is_same_kind, is_whole},
    place::Act,
};

/// What a call asked for, if it may change an object of which the recording can have both images.
#[derive(Debug)]
pub struct Change {
    act: Act,
    what: What,
}

#[derive(Debug)]
enum What {
    Make,
    Set,
    Scale,
    Delete,
}

impl Change {
    /// `act` is what was asked for, as [`Called`](recording::record::Called) has it.
    #[must_use]
    pub fn of(act: &str) -> Option<Self> {
        let act = Act::of_change(act)?.ok()?;
        let what = match (act.verb, act.subresource()) {
            (Verb::Create, None) if !act.is_review() => What::Make,
            (Verb::Update | Verb::Patch, None) => What::Set,
            (Verb::Update | Verb::Patch, Some("scale")) => What::Scale,
            (Verb::Delete, None) => What::Delete,
            _ => return None,
        };
        Some(Self { act, what })
    }

    /// The object before and after the call, which was answered well; `null` where there was none. `None`: the recording does not tell, or
    /// somebody else changed it in between.
    ///
    /// `before` is what the gate saw right before ([`Before`](recording::record::Before)), `null` if there was no object; `answer` the object
    /// that it was answered with.
    #[must_use]
    pub fn images(&self, before: Option<Value>, answer: Option<Value>) -> Option<[Value; 2]> {
        let object = answer.filter(is_whole);
        let [before, after] = match self.what {
            What::Make => [Value::Null, object?],
            What::Set => {
                let (before, object) = (before?, object?);
                is_same_kind(&before, &object).then_some([before, object])?
            }
            What::Scale => {
                let before = before?;
                let after = scaled(&self.act.object()?, &before, &object?)?;
                [before, after]
            }
            What::Delete => {
                // What finalizers or a time of grace hold is there still.
                let before = before?;
                let held = object.filter(|object| object.pointer("/metadata/deletionTimestamp").is_some());
                let held = held.filter(|object| is_same_kind(&before, object));
                [before, held.unwrap_or(Value::Null)]
            }
        };
        (!is_more_than_one_step(&before, &after)).then_some([before, after])
    }
}
