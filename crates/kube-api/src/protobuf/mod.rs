//! Bodies in protobuf, which kubectl's generators and typed clients send: read as the JSON that the same client would
//! have sent, so that everything behind this module, the API server included, sees JSON only.
//!
//! The envelope is `runtime.Unknown` behind four bytes of magic (k8s.io/apimachinery/pkg/runtime/serializer/protobuf). Its
//! `typeMeta` says which message is inside. Strict where Go's reader is not: an unknown kind or field, a field that
//! stands twice, a number too large for its type or a text that is not UTF-8 is refused, since another reader could take it
//! otherwise.

mod object;
mod scalar;
mod schema;
mod wire;

use serde_json::{Map, Value};

use crate::{budget::Budget, refusal::Refusal};
use schema::{Index, Schema};
use wire::field;

const MAGIC: &[u8] = b"k8s\0";

/// The body as the JSON that says the same.
///
/// # Errors
/// Not the envelope, a kind or a field that is not known, or not protobuf; more values than the budget has left.
pub(crate) fn parse(bytes: &[u8], budget: &Budget) -> Result<Value, Refusal> {
    read(bytes, budget).map_err(|problem| Refusal::Body {
        expected: "protobuf that can be read in one way only",
        problem: problem.to_owned(),
    })
}

fn read(bytes: &[u8], budget: &Budget) -> Result<Value, &'static str> {
    let envelope = bytes.strip_prefix(MAGIC).ok_or("it lacks the magic `k8s\\0`")?;
    let envelope = Envelope::read(envelope).ok_or("its envelope does not parse")?;
    let schema = Schema::shipped().ok_or("the gate knows no messages")?;
    let message = envelope
        .message(schema)
        .ok_or("its kind is none of Kubernetes' own that the gate reads in protobuf; send JSON or YAML")?;
    let fields = object::read(schema, budget, message, envelope.raw)
        .ok_or("its message does not parse, or has a field that the gate does not know; send JSON or YAML")?;
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), Value::from(envelope.api_version));
    object.insert("kind".to_owned(), Value::from(envelope.kind));
    object.extend(fields);
    Ok(Value::Object(object))
}

/// `runtime.Unknown`: `typeMeta` (1), `raw` (2), `contentEncoding` (3) and `contentType` (4).
#[derive(Debug, Default, PartialEq, Eq)]
struct Envelope<'a> {
    api_version: &'a str,
    kind: &'a str,
    raw: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn read(mut bytes: &'a [u8]) -> Option<Self> {
        let mut envelope = Self::default();
        let mut seen = Vec::new();
        while !bytes.is_empty() {
            let (number, wire, rest) = field(bytes)?;
            bytes = rest;
            if seen.contains(&number) {
                return None;
            }
            seen.push(number);
            match number {
                1 => (envelope.api_version, envelope.kind) = type_meta(wire.delimited()?)?,
                2 => envelope.raw = wire.delimited()?,
                // The server ignores both; a client that fills them in means something that would not happen.
                3 | 4 if wire.delimited()?.is_empty() => {}
                _ => return None,
            }
        }
        Some(envelope)
    }

    /// Options of a delete are registered in every group and version, and are one message.
    fn message(&self, schema: &Schema) -> Option<Index> {
        let api_version = if self.kind == "DeleteOptions" { "v1" } else { self.api_version };
        schema.kind(api_version, self.kind)
    }
}

/// `apiVersion` (1) and `kind` (2).
fn type_meta(mut bytes: &[u8]) -> Option<(&str, &str)> {
    let (mut api_version, mut kind) = (None, None);
    while !bytes.is_empty() {
        let (number, wire, rest) = field(bytes)?;
        bytes = rest;
        let place = match number {
            1 => &mut api_version,
            2 => &mut kind,
            _ => return None,
        };
        if place.replace(wire.text()?).is_some() {
            return None;
        }
    }
    Some((api_version?, kind?))
}

#[cfg(test)]
mod tests;
