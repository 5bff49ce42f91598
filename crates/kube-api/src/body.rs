//! Bodies, decoded so that no two readers could read them in two ways.

use std::{collections::HashSet, fmt};

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use crate::{content::ContentType, refusal::Refusal};

/// What the API server takes: `MaxRequestBodyBytes` in k8s.io/apiserver/pkg/server/config.go.
pub const MAX_BODY_BYTES: usize = 3 * 1024 * 1024;

/// Whether a request has a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyRule {
    /// It has none.
    None,
    /// It may have one.
    Optional {
        /// At most so large.
        max_bytes: usize,
    },
    /// It has one.
    Required {
        /// At most so large.
        max_bytes: usize,
    },
}

/// A decoded body.
#[derive(Clone, PartialEq)]
pub struct Body {
    content: ContentType,
    value: Value,
}

impl Body {
    /// Reads a body. A document that begins like a JSON object is JSON even where YAML is allowed.
    ///
    /// # Errors
    /// Not UTF-8 JSON or YAML; a duplicate key; deeper than 128; a lone surrogate; trailing content; anchors, tags or
    /// several documents in YAML; not of the form its content type has.
    pub(crate) fn parse(bytes: &[u8], content: ContentType, yaml: bool) -> Result<Self, Refusal> {
        let looks_like_json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let value = if yaml && !looks_like_json { from_yaml(bytes)? } else { from_json(bytes)? };
        let body = Self { content, value };
        body.check_form()?;
        Ok(body)
    }

    fn check_form(&self) -> Result<(), Refusal> {
        let form = |holds: bool, expected, problem: &str| {
            holds.then_some(()).ok_or_else(|| Refusal::Body { expected, problem: problem.to_owned() })
        };
        match self.content {
            ContentType::Json => form(self.value.is_object(), "an object", "it is another kind of JSON value"),
            ContentType::MergePatch | ContentType::StrategicMergePatch | ContentType::ApplyPatch => {
                form(self.value.is_object(), "a patch", "it is no object")
            }
            ContentType::JsonPatch => {
                let operations = self.value.as_array().map(Vec::as_slice).unwrap_or_default();
                form(self.value.is_array(), "a JSON patch (RFC 6902)", "it is no array")?;
                let sound = operations.iter().all(is_operation);
                form(sound, "a JSON patch (RFC 6902)", "an operation lacks `op`, `path`, `from` or `value`, or has more")
            }
        }
    }

    /// What it is.
    #[must_use]
    pub fn content(&self) -> ContentType {
        self.content
    }

    /// Its value.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// `kind`, of an object that says it.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.value.get("kind")?.as_str()
    }

    /// `apiVersion`, of an object that says it.
    #[must_use]
    pub fn api_version(&self) -> Option<&str> {
        self.value.get("apiVersion")?.as_str()
    }

    /// As it goes upstream: our own serialisation, keys in the client's order.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        Bytes::from(self.value.to_string())
    }
}

impl fmt::Debug for Body {
    /// Says what it is, not what is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("content", &self.content).finish_non_exhaustive()
    }
}

/// RFC 6902 section 4, with nothing else in it.
fn is_operation(operation: &Value) -> bool {
    let Some(operation) = operation.as_object() else { return false };
    let text = |key: &str| operation.get(key).is_some_and(Value::is_string);
    let needed: &[&str] = match operation.get("op").and_then(Value::as_str) {
        Some("add" | "replace" | "test") => &["op", "path", "value"],
        Some("remove") => &["op", "path"],
        Some("move" | "copy") => &["op", "path", "from"],
        _ => return false,
    };
    let fields = needed.iter().all(|key| if *key == "value" { operation.contains_key(*key) } else { text(key) });
    // `value` on an operation that has none is harmless, and some clients send it as null.
    fields && operation.keys().all(|key| needed.contains(&key.as_str()) || key == "value")
}

fn from_json(bytes: &[u8]) -> Result<Value, Refusal> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let problem = |error: serde_json::Error| Refusal::Body {
        expected: "JSON that can be read in one way only",
        problem: told(&error.to_string(), error.line(), error.column()),
    };
    let value = Strict.deserialize(&mut reader).map_err(problem)?;
    reader.end().map_err(problem)?;
    Ok(value)
}

fn from_yaml(bytes: &[u8]) -> Result<Value, Refusal> {
    let expected = "YAML that can be read in one way only";
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Refusal::Body { expected, problem: "it is not UTF-8".to_owned() })?;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_aliases: 0,
            max_anchors: 0,
            max_merge_keys: 0,
            max_documents: 1,
            max_depth: 128,
        },
        strict_booleans: true,
        reject_unsupported_tags: true,
    };
    let document: Document = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location().map(|at| format!(" (line {}, column {})", at.line(), at.column()));
        Refusal::Body { expected, problem: format!("it does not parse{}", place.unwrap_or_default()) }
    })?;
    Ok(document.0)
}

/// Where and, without quoting the body, what: serde_json names a key only in our own duplicate-key error.
fn told(error: &str, line: usize, column: usize) -> String {
    let what = if error.starts_with(DUPLICATE) {
        DUPLICATE
    } else if error.starts_with("recursion limit") {
        "deeper than 128 levels"
    } else {
        "it does not parse"
    };
    format!("{what} (line {line}, column {column})")
}

const DUPLICATE: &str = "a key stands twice in one object";

struct Document(Value);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Strict.deserialize(deserializer).map(Self)
    }
}

/// Builds a [`Value`], refusing what [`serde_json`] lets pass: a key that stands twice.
#[derive(Clone, Copy)]
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(DUPLICATE));
            }
            object.insert(key, entries.next_value_seed(self)?);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match Body::parse(text.as_bytes(), ContentType::Json, true) {
            Ok(body) => String::from_utf8(body.to_bytes().to_vec()).unwrap(),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn numbers_and_order_survive() {
        let exact = r#"{"z":9007199254740993,"a":18446744073709551615,"m":-9223372036854775808,"f":0.1}"#;
        assert_eq!(read(exact), exact);
    }

    #[test]
    fn yaml_becomes_json() {
        assert_eq!(read("a: 1\nb: [x, 'yes', true]\n"), r#"{"a":1,"b":["x","yes",true]}"#);
        assert_eq!(read("a: !!binary aGk=\n"), r#"{"a":"hi"}"#);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200));
        let mut told = Vec::new();
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":{"b":1,"\u0062":2}}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":1} {"b":2}"#,
            r#"{"a":1"#,
            r#"{"a":NaN}"#,
            "a: 1\na: 2\n",
            "a: &x 1\nb: *x\n",
            "a: 1\n---\nb: 2\n",
            "[1,2]",
            "just text",
            deep.as_str(),
        ] {
            told.push(format!("{}: {}", text.escape_debug().take(40).collect::<String>(), read(text)));
        }
        insta::assert_snapshot!(told.join("\n"), @"");
    }

    #[test]
    fn a_json_patch_has_operations_and_nothing_else() {
        let check = |text: &str| Body::parse(text.as_bytes(), ContentType::JsonPatch, false).is_ok();
        assert!(check(r#"[{"op":"add","path":"/a","value":null},{"op":"copy","from":"/a","path":"/b"}]"#));
        for bad in [r#"{"op":"add"}"#, r#"[{"op":"add","path":"/a"}]"#, r#"[{"op":"x","path":"/a"}]"#, r#"[1]"#] {
            assert!(!check(bad), "{bad}");
        }
        assert!(!check(r#"[{"op":"remove","path":"/a","extra":1}]"#));
    }
}
