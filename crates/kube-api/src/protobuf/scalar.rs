//! Values whose JSON is not that of their message's fields.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::Value;

use super::wire::{Wire, field};
use crate::{budget::Budget, json};

pub(super) fn base64(bytes: &[u8]) -> Value {
    Value::from(STANDARD.encode(bytes))
}

/// A message of one repeated text, as `ExtraValue` in k8s.io/api/authentication/v1.
pub(super) fn texts(mut bytes: &[u8], budget: &Budget) -> Option<Value> {
    let mut texts = Vec::new();
    while !bytes.is_empty() {
        let (number, wire, rest) = field(bytes)?;
        bytes = rest;
        if number != 1 {
            return None;
        }
        budget.take()?;
        texts.push(Value::from(wire.text()?));
    }
    Some(Value::Array(texts))
}

/// `metav1.Time`: RFC 3339 to the second; a fraction is dropped, as the server drops it. Nothing is null.
pub(super) fn time(bytes: &[u8]) -> Option<Value> {
    if bytes.is_empty() {
        return Some(Value::Null);
    }
    let [seconds, _nanoseconds] = numbers(bytes)?;
    let time = Timestamp::from_second(seconds).ok()?;
    is_four_digit(time).then(|| Value::from(format!("{time:.0}")))
}

/// `metav1.MicroTime`: RFC 3339 with six digits of a second.
pub(super) fn micro_time(bytes: &[u8]) -> Option<Value> {
    if bytes.is_empty() {
        return Some(Value::Null);
    }
    let [seconds, nanoseconds] = numbers(bytes)?;
    let nanoseconds = i32::try_from(nanoseconds).ok().filter(|nanos| (0..1_000_000_000).contains(nanos))?;
    let time = Timestamp::from_second(seconds).ok()?;
    let time = time.checked_add(jiff::SignedDuration::from_micros(i64::from(nanoseconds / 1000))).ok()?;
    is_four_digit(time).then(|| Value::from(format!("{time:.6}")))
}

/// RFC 3339 has years of four digits, and Go takes its first moment for nothing.
fn is_four_digit(time: Timestamp) -> bool {
    const FIRST: i64 = -62_135_596_800;
    const LAST: i64 = 253_402_300_799;
    (FIRST + 1..=LAST).contains(&time.as_second())
}

/// A message of up to two numbers.
fn numbers(mut bytes: &[u8]) -> Option<[i64; 2]> {
    let (mut first, mut second) = (None, None);
    while !bytes.is_empty() {
        let (number, wire, rest) = field(bytes)?;
        bytes = rest;
        let twice = match number {
            1 => first.replace(wire.int64()?).is_some(),
            2 => second.replace(i64::from(wire.int32()?)).is_some(),
            _ => return None,
        };
        if twice {
            return None;
        }
    }
    Some([first.unwrap_or(0), second.unwrap_or(0)])
}

/// `resource.Quantity`: its text, which the server reads alike in both forms. Nothing is zero.
pub(super) fn quantity(bytes: &[u8]) -> Option<Value> {
    match only(bytes)? {
        Some(wire) => Some(Value::from(wire.text()?)),
        None => Some(Value::from("0")),
    }
}

/// JSON in the one field of `RawExtension` and `FieldsV1`. Nothing is null.
pub(super) fn json(bytes: &[u8], budget: &Budget) -> Option<Value> {
    match only(bytes)? {
        Some(wire) => json::parse(wire.delimited()?, budget).ok(),
        None => Some(Value::Null),
    }
}

/// The one field of a message that has no other.
fn only(bytes: &[u8]) -> Option<Option<Wire<'_>>> {
    if bytes.is_empty() {
        return Some(None);
    }
    match field(bytes)? {
        (1, wire, []) => Some(Some(wire)),
        _ => None,
    }
}

/// `intstr.IntOrString`: type (1) 0 is the number (2), 1 the text (3).
pub(super) fn int_or_string(mut bytes: &[u8]) -> Option<Value> {
    let (mut kind, mut number, mut text) = (None, None, None);
    while !bytes.is_empty() {
        let (at, wire, rest) = field(bytes)?;
        bytes = rest;
        let twice = match at {
            1 => kind.replace(wire.int64()?).is_some(),
            2 => number.replace(wire.int32()?).is_some(),
            3 => text.replace(wire.text()?).is_some(),
            _ => return None,
        };
        if twice {
            return None;
        }
    }
    match kind.unwrap_or(0) {
        0 => Some(Value::from(number.unwrap_or(0))),
        1 => Some(Value::from(text.unwrap_or_default())),
        _ => None,
    }
}
