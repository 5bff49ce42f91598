//! Placeholders, each held against what the object shows at its place.

use serde_json::{Map, Value};

use super::Unwritable;
use super::pointer::{Found, Pointer, first, name};
use crate::placeholder::{is_fixed_in, placeholder_in, unbound};

/// The object at one place: as it is, and as it is shown. Neither is there where the object has nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pair<'a> {
    pub(super) real: Option<&'a Value>,
    pub(super) shown: Option<&'a Value>,
}

/// What a placeholder at one place can stand for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sources<'a> {
    /// The object as it is now.
    pub(super) live: Pair<'a>,
    /// As it was kept; `None`: nothing is put back.
    pub(super) kept: Option<Pair<'a>>,
}

/// A place where a placeholder was put right, and what stands there now.
pub(super) struct Restored {
    pub(super) at: Pointer,
    /// Within the manifest that is there, if it is in one.
    pub(super) inside: Option<Pointer>,
    pub(super) real: Value,
    /// As it is shown in what was kept, if it is from that.
    pub(super) kept: Option<Value>,
}

/// What walks through a written document.
pub(super) struct Restoring<'a> {
    /// The whole object as shown, in which a placeholder's own place is looked up for the message.
    shown: &'a Value,
    /// Whether the document says that it is of the object and version that was looked at: a placeholder that is bound to
    /// nothing is not put right otherwise.
    identified: bool,
    pub(super) restored: Vec<Restored>,
}

impl<'a> Pair<'a> {
    pub(super) fn member(self, key: &str) -> Self {
        Self {
            real: self.real.and_then(|real| real.get(key)),
            shown: self.shown.and_then(|shown| shown.get(key)),
        }
    }

    /// The element that is meant by `item`: the only one of the same name, as in lists of containers and of their
    /// environment; if it has none, and that one neither, the one in the same position.
    pub(super) fn element(self, item: &Value, index: usize) -> Self {
        let items = self.shown.and_then(Value::as_array);
        let meant = match (name(item), items) {
            (_, None) => None,
            (None, Some(items)) => items.get(index).filter(|shown| name(shown).is_none()).map(|_| index),
            (Some(wanted), Some(items)) => {
                let mut same = items.iter().enumerate().filter(|(_, item)| name(item) == Some(wanted));
                same.next().filter(|_| same.next().is_none()).map(|(index, _)| index)
            }
        };
        let of = |list: Option<&'a Value>| meant.and_then(|at| list?.get(at));
        Self { real: of(self.real), shown: of(self.shown) }
    }

    /// The same of what was kept. Between then and now another may have come to stand in the same position: an element without a name
    /// must be as it was shown.
    fn same_element(self, item: &Value, index: usize) -> Self {
        let meant = self.element(item, index);
        let same = name(item).is_some() || meant.shown.is_some_and(|shown| same_unbound(shown, item));
        if same { meant } else { Self::default() }
    }
}

/// Whether two documents are the same but for what their placeholders are bound to.
pub(super) fn same_unbound(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => unbound(one) == unbound(other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_unbound(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let same = |(key, value)| other.get(key).is_some_and(|other| same_unbound(value, other));
            one.len() == other.len() && one.iter().all(same)
        }
        (one, other) => one == other,
    }
}

impl Sources<'_> {
    pub(super) fn member(self, key: &str) -> Self {
        Self { live: self.live.member(key), kept: self.kept.map(|kept| kept.member(key)) }
    }

    fn element(self, item: &Value, index: usize) -> Self {
        let kept = self.kept.map(|kept| kept.same_element(item, index));
        Self { live: self.live.element(item, index), kept }
    }
}

impl<'a> Restoring<'a> {
    pub(super) fn new(shown: &'a Value, identified: bool) -> Self {
        Self { shown, identified, restored: Vec::new() }
    }

    /// Puts every placeholder in `written` right, which stands where the object has `from`.
    pub(super) fn value(
        &mut self,
        written: &mut Value,
        from: Sources<'_>,
        at: &mut Pointer,
    ) -> Result<(), Unwritable> {
        match written {
            Value::String(text) if placeholder_in(text) => self.placeholder(written, from, at),
            Value::Array(items) => self.list(items, from, at),
            Value::Object(members) => self.object(members, from, at),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    fn placeholder(
        &mut self,
        written: &mut Value,
        from: Sources<'_>,
        at: &Pointer,
    ) -> Result<(), Unwritable> {
        let shows = |pair: Pair<'_>| pair.real.filter(|_| pair.shown == Some(&*written)).cloned();
        let fixed = written.as_str().is_some_and(is_fixed_in);
        // What is put back comes first: one that is bound to nothing may be shown by both. What is made has no version.
        let told = !fixed || self.identified || self.shown.is_null();
        if let Some(real) = from.kept.and_then(shows).filter(|_| told) {
            self.put(written, real, at, true);
            return Ok(());
        }
        let known = shows(from.live).filter(|_| !fixed || self.identified);
        if let Some(real) = known {
            self.put(written, real, at, false);
            return Ok(());
        }
        if !told {
            return Err(Unwritable::Unidentified { path: at.text() });
        }
        if from.kept.is_some() {
            return Err(Unwritable::NotKept { path: at.text() });
        }
        // One that is bound to nothing may stand in many places.
        let mut same =
            |found: Found<'_>, _: &Pointer| matches!(found, Found::Value(value) if value == written);
        let own = if fixed { None } else { first(self.shown, &mut Pointer::default(), &mut same) };
        Err(match own.map(|own| own.text()) {
            Some(own) if own != at.text() => Unwritable::Misplaced { path: at.text(), own },
            // Another element stands there now.
            Some(_) => Unwritable::Exposed { path: at.text() },
            None => Unwritable::Foreign { path: at.text() },
        })
    }

    fn put(&mut self, written: &mut Value, real: Value, at: &Pointer, kept: bool) {
        let shown = std::mem::replace(written, real.clone());
        self.restored.push(Restored { at: at.clone(), inside: None, real, kept: kept.then_some(shown) });
    }

    fn object(
        &mut self,
        members: &mut Map<String, Value>,
        from: Sources<'_>,
        at: &mut Pointer,
    ) -> Result<(), Unwritable> {
        for (key, member) in members {
            let here = from.member(key);
            at.member(key, |at| match placeholder_in(key) {
                true => Err(Unwritable::Key { path: at.text() }),
                false => self.value(member, here, at),
            })?;
        }
        Ok(())
    }

    fn list(&mut self, items: &mut [Value], from: Sources<'_>, at: &mut Pointer) -> Result<(), Unwritable> {
        for (index, item) in items.iter_mut().enumerate() {
            let here = from.element(item, index);
            at.element(index, name(item).map(str::to_owned), |at| self.value(item, here, at))?;
        }
        Ok(())
    }
}
