//! Bodies, decoded so that no two readers could read them in two ways.

use std::fmt;

use bytes::Bytes;
use serde_json::Value;

use crate::{
    budget::{Budget, MAX_BODY_VALUES},
    content::{ContentType, Syntax},
    json, json_patch, protobuf,
    refusal::Refusal,
    yaml,
};

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
    /// Not UTF-8 JSON or YAML, or not protobuf of a known kind; a duplicate key; deeper than 128; more values than
    /// [`MAX_BODY_VALUES`]; a lone surrogate; trailing content; anchors, tags or several documents in YAML; not of the form
    /// its content type has.
    pub(crate) fn parse(bytes: &[u8], content: ContentType, syntax: Syntax) -> Result<Self, Refusal> {
        let looks_like_json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let budget = Budget::new();
        let value = match syntax {
            Syntax::Yaml if !looks_like_json => from_yaml(bytes, &budget),
            Syntax::Json | Syntax::Yaml => from_json(bytes, &budget),
            Syntax::Protobuf => protobuf::parse(bytes, &budget),
        };
        let value = value.map_err(|refusal| match budget.is_overdrawn() {
            true => Refusal::TooManyValues { most: MAX_BODY_VALUES },
            false => refusal,
        })?;
        let body = Self { content, value };
        body.check_form()?;
        Ok(body)
    }

    fn check_form(&self) -> Result<(), Refusal> {
        let form = |holds: bool, expected, problem: &str| {
            holds.then_some(()).ok_or_else(|| Refusal::Body { expected, problem: problem.to_owned() })
        };
        match self.content {
            ContentType::Json => {
                form(self.value.is_object(), "an object", "it is another kind of JSON value")
            }
            ContentType::MergePatch | ContentType::StrategicMergePatch | ContentType::ApplyPatch => {
                form(self.value.is_object(), "a patch", "it is no object")
            }
            ContentType::JsonPatch => json_patch::check(&self.value)
                .or_else(|problem| form(false, "a JSON patch (RFC 6902)", problem)),
        }
    }

    /// What it is; what it was written in does not show.
    #[must_use]
    pub fn content(&self) -> ContentType {
        self.content
    }

    /// Its value: an object, or for a JSON patch an array; of at most [`MAX_BODY_VALUES`] values, no key twice.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Takes `metadata.resourceVersion` out.
    pub(crate) fn remove_resource_version(&mut self) {
        if let Some(metadata) = self.value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.shift_remove("resourceVersion");
        }
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

    /// As it goes upstream: our own JSON, keys in the client's order. It means the same where the server reads it as YAML,
    /// as it does an apply patch.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        Bytes::from(escape_unprintable(self.value.to_string()))
    }
}

impl fmt::Debug for Body {
    /// Says what it is, not what is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("content", &self.content).finish_non_exhaustive()
    }
}

/// JSON without what YAML 1.1 does not take for printable (`c-printable` in its chapter 5.1), or takes for a line break even
/// between quotation marks (`b-line-separator` and others in 5.4). All of it can only stand in strings.
fn escape_unprintable(json: String) -> String {
    let unprintable = |character: char| {
        matches!(
            character,
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
    };
    if !json.contains(unprintable) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len() + json.len() / 8);
    for character in json.chars() {
        if unprintable(character) {
            escaped.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn from_json(bytes: &[u8], budget: &Budget) -> Result<Value, Refusal> {
    json::parse(bytes, budget).map_err(|json::Problem { what, line, column }| Refusal::Body {
        expected: "JSON that can be read in one way only",
        problem: format!("{what} (line {line}, column {column})"),
    })
}

fn from_yaml(bytes: &[u8], budget: &Budget) -> Result<Value, Refusal> {
    let refused =
        |problem: String| Refusal::Body { expected: "YAML that can be read in one way only", problem };
    let text = std::str::from_utf8(bytes).map_err(|_| refused("it is not UTF-8".to_owned()))?;
    yaml::parse(text, budget).map_err(|yaml::Problem { what, line }| refused(format!("{what} (line {line})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match Body::parse(text.as_bytes(), ContentType::Json, Syntax::Yaml) {
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
    fn what_yaml_readers_take_for_line_breaks_or_refuse_is_escaped() {
        let spelled =
            r#"{"k\u2028":"a\u0085b\u2029\u007f\u009f\ufeff\uffff","same":"\u0080 é 中 \ud83d\udd11 \/\t"}"#;
        let raw = spelled.replace("\\u2028", "\u{2028}").replace("\\u0085", "\u{85}");
        let written = r#"{"k\u2028":"a\u0085b\u2029\u007f\u009f\ufeff\uffff","same":"\u0080 é 中 🔑 /\t"}"#;
        assert_eq!(read(spelled), written);
        assert_eq!(read(&raw), written);
    }

    #[test]
    fn more_values_than_any_object_has_are_refused_however_they_are_written() {
        let refused = Refusal::TooManyValues { most: MAX_BODY_VALUES };
        let read = |bytes: &[u8], syntax| Body::parse(bytes, ContentType::Json, syntax);
        // The object, the array, and what is in it.
        let (most, more) = (MAX_BODY_VALUES - 2, MAX_BODY_VALUES - 1);
        let json = |count| format!(r#"{{"a":[{}]}}"#, vec!["[]"; count].join(",")).into_bytes();
        let yaml = |count| format!("a: {{b: [{}]}}", vec!["{}"; count - 1].join(",")).into_bytes();
        // `metadata` (1) and its `managedFields` (17), which count; what holds them does not.
        let protobuf = |count: usize| {
            let entries = [0x8a, 1, 0].repeat(count);
            let mut metadata = vec![0x0a];
            metadata.extend(varint(entries.len()));
            metadata.extend(entries);
            let mut bytes = b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12".to_vec();
            bytes.extend(varint(metadata.len()));
            bytes.extend(metadata);
            bytes
        };
        for syntax in [Syntax::Json, Syntax::Yaml] {
            assert!(read(&json(most), syntax).is_ok());
            assert_eq!(read(&json(more), syntax), Err(refused.clone()));
        }
        assert!(read(&yaml(most), Syntax::Yaml).is_ok());
        assert_eq!(read(&yaml(more), Syntax::Yaml), Err(refused.clone()));
        assert!(read(&protobuf(MAX_BODY_VALUES - 1), Syntax::Protobuf).is_ok());
        assert_eq!(read(&protobuf(MAX_BODY_VALUES), Syntax::Protobuf), Err(refused));
    }

    fn varint(mut number: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while number > 0x7f {
            bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
            number >>= 7;
        }
        bytes.push(u8::try_from(number).unwrap());
        bytes
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
        insta::assert_snapshot!(told.join("\n"), @r#"
        {\"a\":1,\"a\":2}: the body is not JSON that can be read in one way only: a key stands twice in one object (line 1, column 10)
        {\"a\":{\"b\":1,\"\\u0062\":2}}: the body is not JSON that can be read in one way only: a key stands twice in one object (line 1, column 20)
        {\"a\":\"\\ud800\"}: the body is not JSON that can be read in one way only: it does not parse (line 1, column 13)
        {\"a\":1} {\"b\":2}: the body is not JSON that can be read in one way only: it does not parse (line 1, column 9)
        {\"a\":1: the body is not JSON that can be read in one way only: it does not parse (line 1, column 6)
        {\"a\":NaN}: the body is not JSON that can be read in one way only: it does not parse (line 1, column 6)
        a: 1\na: 2\n: the body is not YAML that can be read in one way only: a key stands twice in one mapping (line 2)
        a: &x 1\nb: *x\n: the body is not YAML that can be read in one way only: an anchor (line 1)
        a: 1\n---\nb: 2\n: the body is not YAML that can be read in one way only: a second document (line 3)
        [1,2]: the body is not an object: it is another kind of JSON value
        just text: the body is not an object: it is another kind of JSON value
        {\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[: the body is not JSON that can be read in one way only: deeper than 128 levels (line 1, column 132)
        "#);
    }
}
