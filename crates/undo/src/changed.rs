//! What one call made of one object, to be shown.

use kube_api::Verb;
use serde_json::Value;

use crate::{
    history::scaled,
    object::{is_more_than_one_step, is_same_kind, is_whole},
    place::{Act, Place},
};

/// What a call asked for, if it may change an object.
#[derive(Debug)]
pub struct Change(Kind);

#[derive(Debug)]
enum Kind {
    Make,
    Set,
    /// Of what stands at this path.
    Scale(Option<Place>),
    Delete,
    /// What it changes is not in its answer, or it is not known what that is.
    Untold,
}

impl Change {
    /// `act` is what was asked for, as [`Called`](recording::record::Called) has it. `None`: it changes nothing, or is told as a stream.
    #[must_use]
    pub fn of(act: &str) -> Option<Self> {
        let Ok(act) = Act::of_change(act)? else { return Some(Self(Kind::Untold)) };
        Some(Self(match (act.verb, act.subresource()) {
            (Verb::Create, None) if act.is_review() => return None,
            (Verb::Create, Some("exec" | "attach" | "portforward")) => return None,
            (Verb::Create, None) => Kind::Make,
            (Verb::Update | Verb::Patch, None) => Kind::Set,
            (Verb::Update | Verb::Patch, Some("scale")) => Kind::Scale(act.object()),
            (Verb::Delete, None) => Kind::Delete,
            _ => Kind::Untold,
        }))
    }

    /// The object before and after the call, which was answered well; `null` where there was none. `None`: the recording does not tell, or
    /// somebody else changed it in between.
    ///
    /// `before` is what the gate saw right before ([`Before`](recording::record::Before)), `null` if there was no object; `answer` the object
    /// that it was answered with.
    #[must_use]
    pub fn images(&self, before: Option<Value>, answer: Option<Value>) -> Option<[Value; 2]> {
        let [before, after] = match &self.0 {
            Kind::Untold => return None,
            Kind::Make => [Value::Null, answer.filter(is_whole)?],
            Kind::Set => {
                let (before, object) = (before?, answer.filter(is_whole)?);
                is_same_kind(&before, &object).then_some([before, object])?
            }
            Kind::Scale(place) => {
                let before = before?;
                let after = scaled(place.as_ref()?, &before, &answer.filter(is_whole)?)?;
                [before, after]
            }
            Kind::Delete => {
                let (before, answer) = (before?, answer?);
                let after = match answer.pointer("/kind").and_then(Value::as_str) {
                    Some("Status") => Value::Null,
                    _ if !is_whole(&answer) || !is_same_kind(&before, &answer) => return None,
                    // What finalizers or a time of grace hold is there still.
                    _ if answer.pointer("/metadata/deletionTimestamp").is_some() => answer,
                    _ => Value::Null,
                };
                [before, after]
            }
        };
        (!is_more_than_one_step(&before, &after)).then_some([before, after])
    }
}
