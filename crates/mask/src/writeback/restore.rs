//! Placeholders, each held against what the object shows at its place.

use serde_json::{Map, Value};

use super::pointer::Pointer;
use super::update::Unwritable;
use crate::placeholder::placeholder_in;

/// The object at one place: as it is, and as it is shown. Neither is there where the object has nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pair<'a> {
    pub(super) real: Option<&'a Value>,
    pub(super) shown: Option<&'a Value>,
}

impl<'a> Pair<'a> {
    pub(super) fn member(self, key: &str) -> Self {
        Self {
            real: self.real.and_then(|real| real.get(key)),
            shown: self.shown.and_then(|shown| shown.get(key)),
        }
    }

    fn element(self, at: Option<usize>) -> Self {
        let of = |list: Option<&'a Value>| at.and_then(|at| list?.get(at));
        Self { real: of(self.real), shown: of(self.shown) }
    }
}

/// What walks through a written document.
pub(super) struct Restoring<'a> {
    /// The whole object as shown, in which a placeholder's own place is looked up for the message.
    pub(super) shown: &'a Value,
    /// Where a placeholder was put right.
    pub(super) restored: Vec<String>,
}

impl<'a> Restoring<'a> {
    pub(super) fn new(shown: &'a Value) -> Self {
        Self { shown, restored: Vec::new() }
    }

    /// Puts every placeholder in `written` right, which stands where the object has `pair`.
    pub(super) fn value(
        &mut self,
        written: &mut Value,
        pair: Pair<'_>,
        at: &mut Pointer,
    ) -> Result<(), Unwritable> {
        match written {
            Value::String(text) if placeholder_in(text) => self.placeholder(written, pair, at),
            Value::Array(items) => self.list(items, pair, at),
            Value::Object(members) => self.object(members, pair, at),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    fn placeholder(&mut self, written: &mut Value, pair: Pair<'_>, at: &Pointer) -> Result<(), Unwritable> {
        if let (Some(real), true) = (pair.real, pair.shown == Some(&*written)) {
            *written = real.clone();
            self.restored.push(at.text());
            return Ok(());
        }
        let own = find(self.shown, written, &mut Pointer::default());
        Err(match own {
            Some(own) => Unwritable::Misplaced { path: at.text(), own },
            None => Unwritable::Foreign { path: at.text() },
        })
    }

    fn object(
        &mut self,
        members: &mut Map<String, Value>,
        pair: Pair<'_>,
        at: &mut Pointer,
    ) -> Result<(), Unwritable> {
        for (key, member) in members {
            let here = pair.member(key);
            at.within(key, |at| match placeholder_in(key) {
                true => Err(Unwritable::Key { path: at.text() }),
                false => self.value(member, here, at),
            })?;
        }
        Ok(())
    }

    fn list(&mut self, items: &mut [Value], pair: Pair<'_>, at: &mut Pointer) -> Result<(), Unwritable> {
        for (index, item) in items.iter_mut().enumerate() {
            let here = pair.element(counterpart(item, index, pair.shown));
            at.within(&index.to_string(), |at| self.value(item, here, at))?;
        }
        Ok(())
    }
}

/// Which element of a list is meant: the only one of the same name, as in lists of containers and of their environment, else
/// the one in the same position.
fn counterpart(item: &Value, index: usize, shown: Option<&Value>) -> Option<usize> {
    let name = |item: &Value| item.get("name").and_then(Value::as_str).map(str::to_owned);
    let Some(wanted) = name(item) else { return Some(index) };
    let items = shown?.as_array()?;
    let mut same = items.iter().enumerate().filter(|(_, item)| name(item).as_ref() == Some(&wanted));
    let (found, _) = same.next()?;
    same.next().is_none().then_some(found)
}

/// Where in a document a text stands.
fn find(document: &Value, text: &Value, at: &mut Pointer) -> Option<String> {
    match document {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| at.within(&index.to_string(), |at| find(item, text, at))),
        Value::Object(members) => {
            members.iter().find_map(|(key, member)| at.within(key, |at| find(member, text, at)))
        }
        other => (other == text).then(|| at.text()),
    }
}
