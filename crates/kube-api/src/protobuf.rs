//! The few protobuf bodies that are read: questions about one's own rights, which kubectl sends in no other form.
//!
//! The envelope is `runtime.Unknown` behind four bytes of magic (k8s.io/apimachinery/pkg/runtime/serializer/protobuf);
//! the messages are k8s.io/api/authorization/v1/generated.proto and k8s.io/api/authentication/v1/generated.proto. They
//! become the JSON that the same client would have sent. A field that is not in the tables is refused, not skipped.

use serde_json::{Map, Value};

use crate::{refusal::Refusal, target::Resource};

const MAGIC: &[u8] = b"k8s\0";
/// Length-delimited, the one wire type that the fields below have.
const DELIMITED: u64 = 2;

/// A field of a message: number, JSON name, and what it is.
type Field = (u64, &'static str, Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Message(&'static [Field]),
    /// Known, and no part of the question: dropped, so that it is neither judged nor sent.
    Dropped,
}

const RESOURCE_ATTRIBUTES: &[Field] = &[
    (1, "namespace", Kind::Text),
    (2, "verb", Kind::Text),
    (3, "group", Kind::Text),
    (4, "version", Kind::Text),
    (5, "resource", Kind::Text),
    (6, "subresource", Kind::Text),
    (7, "name", Kind::Text),
    // Rules know no selectors: a question about some objects gets the answer about all of them.
    (8, "fieldSelector", Kind::Dropped),
    (9, "labelSelector", Kind::Dropped),
];
const NON_RESOURCE_ATTRIBUTES: &[Field] = &[(1, "path", Kind::Text), (2, "verb", Kind::Text)];
const ACCESS_SPEC: &[Field] = &[
    (1, "resourceAttributes", Kind::Message(RESOURCE_ATTRIBUTES)),
    (2, "nonResourceAttributes", Kind::Message(NON_RESOURCE_ATTRIBUTES)),
];
const RULES_SPEC: &[Field] = &[(1, "namespace", Kind::Text)];
const TYPE_META: &[Field] = &[(1, "apiVersion", Kind::Text), (2, "kind", Kind::Text)];
const UNKNOWN: &[Field] = &[
    (1, "typeMeta", Kind::Message(TYPE_META)),
    (2, "raw", Kind::Dropped),
    (3, "contentEncoding", Kind::Text),
    (4, "contentType", Kind::Text),
];

const METADATA: Field = (1, "metadata", Kind::Dropped);
const STATUS: Field = (3, "status", Kind::Dropped);

/// Group, resource, message.
const READ: &[(&str, &str, &[Field])] = &[
    (
        "authorization.k8s.io",
        "selfsubjectaccessreviews",
        &[METADATA, (2, "spec", Kind::Message(ACCESS_SPEC)), STATUS],
    ),
    (
        "authorization.k8s.io",
        "selfsubjectrulesreviews",
        &[METADATA, (2, "spec", Kind::Message(RULES_SPEC)), STATUS],
    ),
    ("authentication.k8s.io", "selfsubjectreviews", &[METADATA, (2, "status", Kind::Dropped)]),
];

/// The message of a body for this resource, if it is one that is read.
pub(crate) fn message(resource: &Resource) -> Option<Message> {
    let read =
        READ.iter().find(|(group, name, _)| resource.group() == *group && resource.resource() == *name);
    read.filter(|_| resource.version() == "v1" && resource.subresource().is_none())
        .map(|(_, _, fields)| Message(fields))
}

/// A message that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message(&'static [Field]);

impl Message {
    /// The body as the JSON that says the same.
    ///
    /// # Errors
    /// Not the envelope, a field that is not known, or not protobuf.
    pub(crate) fn read(self, bytes: &[u8]) -> Result<Value, Refusal> {
        let problem = |problem: &str| Refusal::Body {
            expected: "a self-review in protobuf",
            problem: problem.to_owned(),
        };
        let envelope = bytes.strip_prefix(MAGIC).ok_or_else(|| problem("it lacks the magic `k8s\\0`"))?;
        let mut told = object(UNKNOWN, envelope).ok_or_else(|| problem("its envelope does not parse"))?;
        if told.get("contentEncoding").is_some_and(|encoding| encoding != "") {
            return Err(problem("it has an encoding"));
        }
        let raw = raw(envelope).ok_or_else(|| problem("its envelope does not parse"))?;
        let body = object(self.0, raw)
            .ok_or_else(|| problem("its message does not parse, or has an unknown field"))?;
        let mut value = match told.remove("typeMeta") {
            Some(Value::Object(meta)) => meta,
            _ => Map::new(),
        };
        value.extend(body);
        Ok(Value::Object(value))
    }
}

/// The envelope's payload.
fn raw(envelope: &[u8]) -> Option<&[u8]> {
    let mut rest = envelope;
    let mut raw: Option<&[u8]> = Some(&[]);
    while !rest.is_empty() {
        let (number, content, after) = field(rest)?;
        if number == 2 {
            raw = Some(content);
        }
        rest = after;
    }
    raw
}

/// The fields of a message. A singular field given twice is refused: proto3 lets the last one win, others the first.
fn object(fields: &[Field], mut bytes: &[u8]) -> Option<Map<String, Value>> {
    let mut object = Map::new();
    while !bytes.is_empty() {
        let (number, content, rest) = field(bytes)?;
        bytes = rest;
        let (_, name, kind) = fields.iter().find(|(known, _, _)| *known == number)?;
        let value = match kind {
            Kind::Text => Value::from(std::str::from_utf8(content).ok()?),
            Kind::Message(fields) => Value::Object(self::object(fields, content)?),
            Kind::Dropped => continue,
        };
        if object.insert((*name).to_owned(), value).is_some() {
            return None;
        }
    }
    Some(object)
}

/// The first field: its number, its content, and what follows it.
fn field(bytes: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (key, rest) = varint(bytes)?;
    if key & 7 != DELIMITED {
        return None;
    }
    let (length, rest) = varint(rest)?;
    let (content, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((key >> 3, content, rest))
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delimited(number: u8, content: &[u8]) -> Vec<u8> {
        let mut field = vec![number << 3 | 2, u8::try_from(content.len()).unwrap()];
        field.extend_from_slice(content);
        field
    }

    fn enveloped(raw: &[u8]) -> Vec<u8> {
        let meta =
            [delimited(1, b"authorization.k8s.io/v1"), delimited(2, b"SelfSubjectAccessReview")].concat();
        [MAGIC.to_vec(), delimited(1, &meta), delimited(2, raw), delimited(3, b""), delimited(4, b"")]
            .concat()
    }

    fn access() -> Message {
        let review =
            Resource::asked("authorization.k8s.io", "v1", "selfsubjectaccessreviews", None, None, None);
        message(&review.unwrap()).unwrap()
    }

    #[test]
    fn a_question_is_read_as_its_json() {
        let attributes = [delimited(1, b"shop"), delimited(2, b"list"), delimited(5, b"pods")].concat();
        let body = [delimited(1, b""), delimited(2, &delimited(1, &attributes)), delimited(3, b"")].concat();
        insta::assert_snapshot!(access().read(&enveloped(&body)).unwrap().to_string(), @r#"{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{"resourceAttributes":{"namespace":"shop","verb":"list","resource":"pods"}}}"#);
    }

    #[test]
    fn anything_else_is_refused() {
        let twice = delimited(2, &delimited(1, &[delimited(2, b"get"), delimited(2, b"delete")].concat()));
        for body in [
            delimited(7, b"x"),
            delimited(2, &delimited(1, &delimited(30, b"x"))),
            twice,
            vec![0x10, 1],
            vec![0x12, 9],
        ] {
            assert!(access().read(&enveloped(&body)).is_err(), "{body:?}");
        }
        assert!(access().read(b"{}").is_err());
        let whole = enveloped(&delimited(2, b""));
        for end in 0..whole.len() {
            // No cut may panic; most are refused.
            let _read = access().read(&whole[..end]);
        }
        let pods = Resource::asked("", "v1", "pods", None, None, None).unwrap();
        assert!(message(&pods).is_none());
    }
}
