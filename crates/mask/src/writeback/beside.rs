//! Patches that leave a value and take away what tells that it is secret: the name of its variable, the kind of the object that
//! it is in. The value would be shown from then on, though nobody sent it.
//!
//! A whole object that is written has its values in it, or placeholders, which are held against where they stand
//! (`restore`). A patch that replaces a list or an object whole leaves nothing of what was there.

use kube_api::{Body, ContentType, Request};
use serde_json::{Map, Value};

use super::guess::{keys_of, operations};
use super::live::Live;
use super::pointer::{Pointer, name};
use super::restore::Pair;

/// What objects say they are.
const KIND: [&str; 2] = ["kind", "apiVersion"];

/// Members of a variable, by whose name lists of them are merged.
const VARIABLE: [&str; 3] = ["name", "value", "valueFrom"];

/// What an object has at a place; none: it was not looked at, and may have anything.
type There<'a> = Option<Pair<'a>>;

/// Where a patch changes what a masked value may be told by, which it leaves: whether it is, the object tells.
pub(super) fn candidate(request: &Request) -> Option<Pointer> {
    let body = request.body().filter(|_| request.resource().is_some_and(|resource| !resource.is_secret()))?;
    exposed_in(body, None)
}

impl Live {
    /// Where a patch changes what a masked value is told by, which it leaves.
    pub(super) fn exposed(&self, body: &Body) -> Option<Pointer> {
        exposed_in(body, Some(Pair { real: Some(&self.real), shown: Some(&self.shown) }))
    }
}

fn exposed_in(body: &Body, whole: There<'_>) -> Option<Pointer> {
    let merged = |lists| Walk { lists }.members(body.value().as_object()?, whole, &mut Pointer::default());
    match body.content() {
        ContentType::Json => None,
        ContentType::JsonPatch => operations(body.value()).find_map(|(path, operation)| {
            let tests = operation.get("op").and_then(Value::as_str) == Some("test");
            let keys = keys_of(path);
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            (!tests && tells(&keys) && masked(whole)).then(|| Pointer::to(&keys))
        }),
        // It replaces lists.
        ContentType::MergePatch => merged(false),
        ContentType::StrategicMergePatch | ContentType::ApplyPatch => merged(true),
    }
}

fn masked(there: There<'_>) -> bool {
    there.is_none_or(|pair| pair.real != pair.shown)
}

/// Whether a value beside what is at this path may be told by it. Earlier operations can have moved the elements of lists, so
/// it does not matter which it is.
fn tells(keys: &[&str]) -> bool {
    match keys {
        // Of the object itself: owners have a kind, and no values.
        ["metadata", ..] => false,
        [_, .., last] if is_kind(last) => true,
        [.., list, _, last] => list.eq_ignore_ascii_case("env") && last.eq_ignore_ascii_case("name"),
        _ => false,
    }
}

fn is_kind(key: &str) -> bool {
    KIND.iter().any(|kind| kind.eq_ignore_ascii_case(key))
}

/// A walk through a patch beside what the object has.
struct Walk {
    /// Whether elements of lists are merged with those there are.
    lists: bool,
}

impl Walk {
    /// The members of an object within the document, or of the document itself.
    fn members(&self, members: &Map<String, Value>, there: There<'_>, at: &mut Pointer) -> Option<Pointer> {
        members.iter().find_map(|(key, member)| {
            at.member(key, |at| {
                let has = there.and_then(|pair| pair.real?.get(key));
                // The kind of the whole cannot be changed.
                let tells = is_kind(key) && !at.is_short() && masked(there) && has != Some(member);
                if tells {
                    Some(at.clone())
                } else {
                    self.value(key, member, there.map(|pair| pair.member(key)), at)
                }
            })
        })
    }

    fn value(&self, key: &str, value: &Value, there: There<'_>, at: &mut Pointer) -> Option<Pointer> {
        match value {
            // Of the object itself: owners have a kind, and no values.
            _ if key == "metadata" && at.is_short() => None,
            Value::Object(members) => self.members(members, there, at),
            Value::Array(items) if self.lists => items.iter().enumerate().find_map(|(index, item)| {
                at.element(index, name(item).map(str::to_owned), |at| {
                    self.element(key, item, index, there, at)
                })
            }),
            _ => None,
        }
    }

    fn element(
        &self,
        list: &str,
        item: &Value,
        index: usize,
        there: There<'_>,
        at: &mut Pointer,
    ) -> Option<Pointer> {
        let members = item.as_object()?;
        // In a list that is merged by something else than names, a name can be another one's.
        if list.eq_ignore_ascii_case("env") && keyed_otherwise(members) && masked(there) {
            return Some(at.clone());
        }
        // Where it cannot be told which it is, it may be any.
        let own = there
            .map(|pair| Some(pair.element(item, index)).filter(|own| own.real.is_some()).unwrap_or(pair));
        self.members(members, own, at)
    }
}

/// Whether a variable has something that those of Kubernetes' own kinds have not, and no value.
fn keyed_otherwise(variable: &Map<String, Value>) -> bool {
    !variable.contains_key("value")
        && variable.keys().any(|key| !VARIABLE.contains(&key.as_str()) && !key.starts_with('$'))
}
