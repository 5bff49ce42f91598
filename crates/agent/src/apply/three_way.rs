//! A patch from three objects: what was applied last, what is wanted, and what is there.
//!
//! What is wanted and not so is set; what was applied and is wanted no more is deleted; what others set stays. This is what
//! `CreateThreeWayMergePatch` of k8s.io/apimachinery/pkg/util/strategicpatch comes to, and for custom resources
//! `CreateThreeWayJSONMergePatch` of its neighbour jsonmergepatch; but those write deletions also into what is new, where nothing can
//! be deleted, and API servers stumble over some of them.

use serde_json::{Map, Value, json};

use super::merge::{Merge, is_built_in, merge};

type Fields = Map<String, Value>;

/// How a patch says what it changes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way<'a> {
    /// A strategic merge patch, of a built-in kind.
    Strategic(&'a str),
    /// A merge patch (RFC 7386).
    Plain,
}

/// An item of a list cannot be told from the others, so that no patch can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an item of `{list}` has no `{key}`, which tells them apart")]
pub(crate) struct NoKey {
    list: String,
    key: &'static str,
}

impl<'a> Way<'a> {
    pub(super) fn of(group: &str, kind: &'a str) -> Self {
        if is_built_in(group) { Self::Strategic(kind) } else { Self::Plain }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Strategic(_) => "application/strategic-merge-patch+json",
            Self::Plain => "application/merge-patch+json",
        }
    }

    /// Empty if nothing would change.
    pub(super) fn patch(self, last: &Fields, wanted: &Fields, live: &Fields) -> Result<Fields, NoKey> {
        match self {
            Self::Strategic(_) => self.fields("", last, wanted, live),
            // In a merge patch a null would delete, which kubectl does only with what it applied.
            Self::Plain => self.fields("", last, &without_nulls(wanted), live),
        }
    }

    fn merge(self, around: &str, field: &str) -> Merge {
        match self {
            Self::Strategic(kind) => merge(kind, around, field),
            Self::Plain => Merge::Plain,
        }
    }

    fn fields(self, around: &str, last: &Fields, wanted: &Fields, live: &Fields) -> Result<Fields, NoKey> {
        let mut patch = Fields::new();
        for (field, value) in wanted {
            match (value, live.get(field)) {
                (Value::Object(wanted), Some(Value::Object(live))) => {
                    let last = last.get(field).and_then(Value::as_object);
                    let merge = self.merge(around, field);
                    if merge == Merge::Whole {
                        patch.insert(field.clone(), value.clone());
                        continue;
                    }
                    let inner = self.map(field, last, wanted, live, merge == Merge::Choice)?;
                    if !inner.is_empty() {
                        patch.insert(field.clone(), Value::Object(inner));
                    }
                }
                (Value::Array(wanted), Some(Value::Array(live))) => {
                    let last = last.get(field).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                    match self.merge(around, field) {
                        Merge::By { key, choice } => {
                            let list = List { way: self, name: field, key, choice };
                            list.patch(last, wanted, live, &mut patch)?;
                        }
                        Merge::Set => set(field, last, wanted, live, &mut patch),
                        Merge::Plain | Merge::Choice | Merge::Whole => {
                            plain(field, value, live == wanted, &mut patch)
                        }
                    }
                }
                (value, live) => plain(field, value, live == Some(value), &mut patch),
            }
        }
        for field in last.keys().filter(|field| !wanted.contains_key(*field)) {
            patch.insert(field.clone(), Value::Null);
        }
        Ok(patch)
    }

    /// [`Way::fields`], and if it is a choice, with what clears the other choices.
    fn map(
        self,
        around: &str,
        last: Option<&Fields>,
        wanted: &Fields,
        live: &Fields,
        choice: bool,
    ) -> Result<Fields, NoKey> {
        let none = Fields::new();
        let last = last.unwrap_or(&none);
        let mut patch = self.fields(around, last, wanted, live)?;
        let more =
            |than: &Fields| than.iter().any(|(field, value)| !value.is_null() && !wanted.contains_key(field));
        if choice && (!patch.is_empty() || more(live) || more(last)) {
            let mut kept: Vec<_> = wanted.iter().filter(|(_field, value)| !value.is_null()).collect();
            kept.sort_unstable_by_key(|(field, _value)| *field);
            let kept: Vec<_> = kept.into_iter().map(|(field, _value)| json!(field)).collect();
            patch.insert("$retainKeys".to_owned(), Value::Array(kept));
        }
        Ok(patch)
    }
}

fn plain(field: &str, value: &Value, same: bool, patch: &mut Fields) {
    if !same {
        patch.insert(field.to_owned(), value.clone());
    }
}

/// A list of maps that are known by one of their fields.
struct List<'a> {
    way: Way<'a>,
    name: &'a str,
    key: &'static str,
    choice: bool,
}

/// An item, and what it is known by: the key's value, and how many before it have the same.
type Item<'v> = ((String, usize), &'v Fields);

impl List<'_> {
    fn patch(
        &self,
        last: &[Value],
        wanted: &[Value],
        live: &[Value],
        patch: &mut Fields,
    ) -> Result<(), NoKey> {
        if live.is_empty() {
            plain(self.name, &json!(wanted), wanted.is_empty(), patch);
            return Ok(());
        }
        let (last, wanted, live) = (self.items(last)?, self.items(wanted)?, self.items(live)?);
        let of = |list: &[Item<'_>], known: &(String, usize)| {
            list.iter().position(|(other, _item)| other == known)
        };
        let mut changes = Vec::new();
        for (known, item) in &wanted {
            let Some((_known, there)) = of(&live, known).and_then(|at| live.get(at)) else {
                changes.push(json!(item));
                continue;
            };
            let last = of(&last, known).and_then(|at| last.get(at)).map(|(_known, item)| *item);
            let mut inner = self.way.map(self.name, last, item, there, self.choice)?;
            if !inner.is_empty() {
                inner.extend(self.key_of(item));
                changes.push(Value::Object(inner));
            }
        }
        for (known, item) in &last {
            if of(&wanted, known).is_none() {
                let mut deleted: Fields = self.key_of(item).collect();
                deleted.insert("$patch".to_owned(), json!("delete"));
                changes.push(Value::Object(deleted));
            }
        }
        let same_order =
            live.iter().map(|(known, _item)| known).eq(wanted.iter().map(|(known, _item)| known));
        if !wanted.is_empty() && (!changes.is_empty() || !same_order) {
            let order: Vec<Fields> =
                wanted.iter().map(|(_known, item)| self.key_of(item).collect()).collect();
            patch.insert(format!("$setElementOrder/{}", self.name), json!(order));
        }
        plain(self.name, &json!(changes), changes.is_empty(), patch);
        Ok(())
    }

    fn items<'v>(&self, list: &'v [Value]) -> Result<Vec<Item<'v>>, NoKey> {
        let mut items: Vec<Item<'v>> = Vec::new();
        for item in list {
            let no_key = || NoKey { list: self.name.to_owned(), key: self.key };
            let item = item.as_object().ok_or_else(no_key)?;
            let known = match item.get(self.key) {
                None => return Err(no_key()),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            let before = items.iter().filter(|((other, _before), _item)| *other == known).count();
            items.push(((known, before), item));
        }
        Ok(items)
    }

    /// The item's key, as a map of its own has it.
    fn key_of(&self, item: &Fields) -> impl Iterator<Item = (String, Value)> {
        item.get(self.key).map(|value| (self.key.to_owned(), value.clone())).into_iter()
    }
}

/// A list that is a set.
fn set(field: &str, last: &[Value], wanted: &[Value], live: &[Value], patch: &mut Fields) {
    if live.is_empty() {
        return plain(field, &json!(wanted), wanted.is_empty(), patch);
    }
    let lacking = |of: &[Value], from: &[Value]| -> Vec<Value> {
        of.iter().filter(|item| !from.contains(item)).cloned().collect()
    };
    let (added, deleted) = (lacking(wanted, live), lacking(last, wanted));
    // kubectl compares with what is there in order.
    let mut in_order: Vec<&Value> = live.iter().collect();
    in_order.sort_by_key(|item| item.as_str());
    if !wanted.is_empty() && (!deleted.is_empty() || !in_order.into_iter().eq(wanted)) {
        patch.insert(format!("$setElementOrder/{field}"), json!(wanted));
    }
    plain(&format!("$deleteFromPrimitiveList/{field}"), &json!(deleted), deleted.is_empty(), patch);
    plain(field, &json!(added), added.is_empty(), patch);
}

/// Without the nulls in maps; what is in lists stays.
fn without_nulls(fields: &Fields) -> Fields {
    let pruned = |value: &Value| match value {
        Value::Object(inner) => Value::Object(without_nulls(inner)),
        other => other.clone(),
    };
    let kept = fields.iter().filter(|(_field, value)| !value.is_null());
    kept.map(|(field, value)| (field.clone(), pruned(value))).collect()
}

#[cfg(test)]
mod tests;
