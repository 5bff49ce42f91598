//! Bodies, decoded so that no two readers could read them in two ways.

use std::fmt;

use bytes::Bytes;
use serde_json::Value;

use crate::{
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
    /// Not UTF-8 JSON or YAML, or not protobuf of a known kind; a duplicate key; deeper than 128; a lone surrogate; trailing content; anchors, tags or
    /// several documents in YAML; not of the form its content type has.
    pub(crate) fn parse(bytes: &[u8], content: ContentType, syntax: Syntax) -> Result<Self, Refusal> {
        let looks_like_json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let value = match syntax {
            Syntax::Yaml if !looks_like_json => from_yaml(bytes)?,
            Syntax::Json | Syntax::Yaml => from_json(bytes)?,
            Syntax::Protobuf => protobuf::parse(bytes)?,
        };
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

fn from_json(bytes: &[u8]) -> Result<Value, Refusal> {
    json::parse(bytes).map_err(|json::Problem { what, line, column }| Refusal::Body {
        expected: "JSON that can be read in one way only",
        problem: format!("{what} (line {line}, column {column})"),
    })
}

fn from_yaml(bytes: &[u8]) -> Result<Value, Refusal> {
    let refused =
        |problem: String| Refusal::Body { expected: "YAML that can be read in one way only", problem };
    let text = std::str::from_utf8(bytes).map_err(|_| refused("it is not UTF-8".to_owned()))?;
    yaml::parse(text).map_err(|yaml::Problem { what, line }| refused(format!("{what} (line {line})")))
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
