//! The objects as they are now, and the calls that undo what the session did to them.

use agent::Client;
use approval::{Diff, WantedCall};
use serde_json::{Value, json};

use crate::{
    object::{comparable, differences, is_untouched, recreated, restored},
    plan::{Inverse, Left, Plan, Step, diff},
    why::Why,
};

/// What can be done now.
#[derive(Debug, Default)]
pub struct Look {
    /// In the order in which they are to be done.
    pub ready: Vec<Ready>,
    /// What stays as it is: what the plan leaves, and what was found to have changed since.
    pub left: Vec<Left>,
    /// What is already as it was before the session.
    pub already: Vec<String>,
}

/// A step, with the call that does it.
#[derive(Debug, Clone)]
pub struct Ready {
    /// What is undone.
    pub step: Step,
    /// The object as it is now, masked for whoever undoes; `null`: there is none.
    pub now: Value,
    /// As it will be, masked in the same way; `null`: there will be none.
    pub then: Value,
    /// What is sent.
    pub call: WantedCall,
}

/// What becomes of one step.
enum Found {
    Ready(Box<Ready>),
    Already,
    Left(Why),
}

impl Ready {
    /// What is to be seen of it: the object now and then, without what is no choice of anybody's.
    #[must_use]
    pub fn diff(&self) -> Diff {
        diff(&self.now, &self.then)
    }
}

impl Look {
    /// Looks at each object of a plan, through the gate.
    pub async fn at(plan: &Plan, client: &Client) -> Self {
        let mut look = Self { left: plan.left.clone(), ..Self::default() };
        for step in &plan.steps {
            let what = step.place.to_string();
            match Found::now(step, client).await {
                Found::Ready(ready) => look.ready.push(*ready),
                Found::Already => look.already.push(what),
                Found::Left(why) => look.left.push(Left { what, why }),
            }
        }
        look
    }
}

impl Found {
    async fn now(step: &Step, client: &Client) -> Self {
        match client.object(step.place.path(), step.place.name()).await {
            Ok(now) => found(step, now.unwrap_or_default()),
            Err(failure) => Self::Left(Why::Unreadable { failure: failure.to_string() }),
        }
    }
}

/// The step with the object as it is by now, if it is still to be done.
pub(crate) async fn still(step: &Step, client: &Client) -> Option<Ready> {
    match Found::now(step, client).await {
        Found::Ready(ready) => Some(*ready),
        Found::Already | Found::Left(_) => None,
    }
}

/// Why a step that was sent has not done what it was for, if it has not. `answered`: the object that it was answered with.
pub(crate) async fn not_back(step: &Step, answered: &Value, client: &Client) -> Option<Why> {
    match Found::now(step, client).await {
        Found::Already => None,
        // Values were put back, which does not show.
        Found::Left(Why::MaskedSince { uid }) if Some(&uid) == text(answered, "/metadata/uid").as_ref() => {
            None
        }
        Found::Left(why) => Some(why),
        Found::Ready(_) => Some(Why::NotBack),
    }
}

/// Whether the object is as the session left it, and what is to be sent then.
fn found(step: &Step, now: Value) -> Found {
    let Step { place, what, before, after, restores, .. } = step;
    let seen = |object: &Value| if object.is_null() { Value::Null } else { comparable(place, object) };
    if now.pointer("/metadata/deletionTimestamp").is_some() {
        return Found::Left(Why::Deleting);
    }
    let untouched = is_untouched(after, &now);
    if seen(&now) == seen(before) {
        let values_may_differ = restores.is_some() && !untouched;
        // What differs is masked. As the session left it, it is to be put back.
        match text(&now, "/metadata/uid").filter(|_| values_may_differ) {
            Some(uid) => return Found::Left(Why::MaskedSince { uid }),
            None if restores.is_none() => return Found::Already,
            None => {}
        }
    }
    let changed = || {
        let at = differences(&seen(after), &seen(&now));
        (!at.is_empty()).then_some(Why::Changed { at })
    };
    let uid = |object: &Value| object.pointer("/metadata/uid").cloned();
    let why = match what {
        Inverse::Create => (!now.is_null()).then_some(Why::Another),
        Inverse::Delete | Inverse::Change if now.is_null() => Some(Why::Gone),
        Inverse::Delete | Inverse::Change if uid(&now) != uid(after) => Some(Why::Another),
        Inverse::Change if restores.is_some() => {
            changed().or_else(|| (!untouched).then_some(Why::MaskedTouched))
        }
        Inverse::Delete | Inverse::Change => changed(),
    };
    if let Some(why) = why {
        return Found::Left(why);
    }
    let call = |method: &str, path: &str, body: &Value| WantedCall {
        method: method.to_owned(),
        path: path.to_owned(),
        content_type: "application/json".to_owned(),
        body: body.to_string(),
        restores: restores.clone().filter(|_| *what != Inverse::Delete),
    };
    let (then, call) = match what {
        Inverse::Delete => (Value::Null, call("DELETE", place.path(), &only(&now))),
        Inverse::Create => match recreated(place, before, restores.is_some()) {
            Ok(object) => {
                let call = call("POST", place.collection(), &object);
                (object, call)
            }
            Err(why) => return Found::Left(why),
        },
        Inverse::Change => match restored(place, before, &now, restores.is_some()) {
            Ok(object) => {
                let call = call("PUT", place.path(), &object);
                (object, call)
            }
            Err(why) => return Found::Left(why),
        },
    };
    Found::Ready(Box::new(Ready { step: step.clone(), now, then, call }))
}

fn text(object: &Value, path: &str) -> Option<String> {
    object.pointer(path)?.as_str().map(str::to_owned)
}

/// Deletes this very object, as it is now (`DeleteOptions` of k8s.io/apimachinery/pkg/apis/meta/v1).
fn only(now: &Value) -> Value {
    let field = |name: &str| now.pointer(&format!("/metadata/{name}")).cloned().unwrap_or_default();
    json!({
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        // Whatever its finalizers ask for, or its kind does by itself: what it runs goes with it.
        "propagationPolicy": "Background",
        "preconditions": { "uid": field("uid"), "resourceVersion": field("resourceVersion") },
    })
}

#[cfg(test)]
pub(crate) fn line(step: &Step, now: Value) -> String {
    match found(step, now) {
        Found::Ready(ready) => format!("{} {}\n{}", ready.call.method, ready.call.path, ready.call.body),
        Found::Already => "already".to_owned(),
        Found::Left(why) => why.to_string(),
    }
}
