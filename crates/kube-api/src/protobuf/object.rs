//! A message, read field by field into a JSON object.

use serde_json::{Map, Value};

use super::{
    scalar,
    schema::{Field, Form, INLINE, Index, Label, Schema},
    wire::{Wire, field},
};
use crate::budget::Budget;

/// Messages inside each other, at most; the deepest that does not contain itself has 13.
const DEPTH: u8 = 32;

/// The message as the object that Go would write for it; `None` if it is not exactly what the schema says, or has more
/// values than the budget has left.
pub(super) fn read(
    schema: &Schema,
    budget: &Budget,
    message: Index,
    bytes: &[u8],
) -> Option<Map<String, Value>> {
    Reader { schema, budget, depth: DEPTH }.message(message, bytes)
}

/// Reads what stands at one depth.
#[derive(Clone, Copy)]
struct Reader<'a> {
    schema: &'a Schema,
    budget: &'a Budget,
    /// So many messages may still stand inside.
    depth: u8,
}

impl Reader<'_> {
    fn message(self, message: Index, mut bytes: &[u8]) -> Option<Map<String, Value>> {
        let mut object = Map::new();
        let mut seen = Vec::new();
        while !bytes.is_empty() {
            let (number, wire, rest) = field(bytes)?;
            bytes = rest;
            let field = self.schema.field(message, number)?;
            match field.label {
                Label::List => push(&mut object, field.name, self.value(field.form, wire)?)?,
                Label::Map => {
                    let (key, value) = self.entry(field.form, wire.delimited()?)?;
                    put(&mut object, field.name, key, value)?;
                }
                // Proto3 readers let the last one win or merge the two; protobuf's own advice is to send one.
                Label::One | Label::Optional | Label::NonZero if seen.contains(&number) => return None,
                Label::One | Label::Optional | Label::NonZero => {
                    seen.push(number);
                    set(&mut object, field, self.value(field.form, wire)?)?;
                }
            }
        }
        Some(object)
    }

    /// A map's entry; either part may be missing and is then its type's zero.
    fn entry(self, form: Form, mut bytes: &[u8]) -> Option<(String, Value)> {
        let (mut key, mut content) = (None, None);
        while !bytes.is_empty() {
            let (number, wire, rest) = field(bytes)?;
            bytes = rest;
            let twice = match number {
                1 => key.replace(wire.text()?.to_owned()).is_some(),
                2 => content.replace(self.value(form, wire)?).is_some(),
                _ => return None,
            };
            if twice {
                return None;
            }
        }
        let content = match content {
            Some(content) => content,
            None => self.value(form, form.zero())?,
        };
        Some((key.unwrap_or_default(), content))
    }

    fn value(self, form: Form, wire: Wire<'_>) -> Option<Value> {
        self.budget.take()?;
        Some(match form {
            Form::Message(message) => {
                let inner = Self { depth: self.depth.checked_sub(1)?, ..self };
                Value::Object(inner.message(message, wire.delimited()?)?)
            }
            Form::Text => Value::from(wire.text()?),
            Form::Bytes => scalar::base64(wire.delimited()?),
            Form::Bool => Value::from(wire.boolean()?),
            Form::Int32 => Value::from(wire.int32()?),
            Form::Int64 => Value::from(wire.int64()?),
            Form::Texts => scalar::texts(wire.delimited()?, self.budget)?,
            Form::Time => scalar::time(wire.delimited()?)?,
            Form::MicroTime => scalar::micro_time(wire.delimited()?)?,
            Form::Quantity => scalar::quantity(wire.delimited()?)?,
            Form::IntOrString => scalar::int_or_string(wire.delimited()?)?,
            Form::Json => scalar::json(wire.delimited()?, self.budget)?,
        })
    }
}

fn push(object: &mut Map<String, Value>, name: &str, value: Value) -> Option<()> {
    match object.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
        Value::Array(items) => items.push(value),
        _ => return None,
    }
    Some(())
}

fn put(object: &mut Map<String, Value>, name: &str, key: String, value: Value) -> Option<()> {
    match object.entry(name).or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(entries) => entries.insert(key, value).is_none().then_some(()),
        _ => None,
    }
}

fn set(object: &mut Map<String, Value>, field: &Field, value: Value) -> Option<()> {
    match value {
        Value::Object(inner) if field.name == INLINE => {
            inner.into_iter().try_for_each(|(name, value)| insert(object, name, value))
        }
        // Something that says nothing, which JSON cannot tell from nothing.
        Value::Null if field.label == Label::Optional => None,
        Value::Null => Some(()),
        value if field.label == Label::NonZero && is_zero(&value) => Some(()),
        value => insert(object, field.name.to_owned(), value),
    }
}

fn insert(object: &mut Map<String, Value>, name: String, value: Value) -> Option<()> {
    object.insert(name, value).is_none().then_some(())
}

/// What Go's `omitempty` leaves out. A struct is never empty to it.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Null => true,
        Value::Array(_) | Value::Object(_) => false,
    }
}

impl Form {
    /// What stands for nothing on the wire.
    fn zero(self) -> Wire<'static> {
        match self {
            Self::Bool | Self::Int32 | Self::Int64 => Wire::Varint(0),
            Self::Message(_)
            | Self::Text
            | Self::Bytes
            | Self::Texts
            | Self::Time
            | Self::MicroTime
            | Self::Quantity
            | Self::IntOrString
            | Self::Json => Wire::Delimited(&[]),
        }
    }
}
