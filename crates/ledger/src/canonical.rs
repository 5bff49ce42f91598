//! Canonical JSON (RFC 8785) over the values that leaves use: objects, arrays, strings, booleans, null and integers
//! that every JSON reader holds exactly (up to 2^53 - 1). Other numbers are refused. No I/O.

mod ser;

pub use ser::serialize;

use serde_json::Value;

/// The largest integer that RFC 8785's number type holds exactly, 2^53 - 1.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Why a value has no canonical form here, or bytes are not in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A fraction, an exponent, or an integer beyond 2^53 - 1.
    #[error("the number `{0}` is not an integer up to 2^53 - 1: write it as a string")]
    Number(String),
    /// Bytes that are not JSON at all.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// JSON in another than the canonical form: spaces, key order, escapes, repeated keys.
    #[error("JSON, but not in the canonical form of RFC 8785")]
    Form,
    /// A type that JSON cannot say.
    #[error("no JSON form: {0}")]
    Unspeakable(String),
}

/// The canonical bytes of a value.
///
/// # Errors
/// [`Error::Number`] for a number other than an exact integer.
pub fn to_vec(value: &Value) -> Result<Vec<u8>, Error> {
    serialize(value)
}

/// Parses bytes that must be in canonical form.
///
/// # Errors
/// When they are not JSON, hold a number that [`to_vec`] refuses, or are in another form.
pub fn from_slice(bytes: &[u8]) -> Result<Value, Error> {
    let value: Value = serde_json::from_slice(bytes).map_err(|e| Error::Syntax(e.to_string()))?;
    if to_vec(&value)? == bytes { Ok(value) } else { Err(Error::Form) }
}

/// Appends a string with its quotes.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, after)) = special.split_first() else { break };
        write_escape(out, *byte);
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        0x08 => out.extend_from_slice(b"\\b"),
        b'\t' => out.extend_from_slice(b"\\t"),
        b'\n' => out.extend_from_slice(b"\\n"),
        0x0c => out.extend_from_slice(b"\\f"),
        b'\r' => out.extend_from_slice(b"\\r"),
        0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        _ => out.extend_from_slice(&[b'\\', byte]),
    }
}

/// How many bytes a character takes inside a canonical string.
pub(crate) fn escaped_len(c: char) -> usize {
    match c {
        '"' | '\\' | '\u{8}' | '\t' | '\n' | '\u{c}' | '\r' => 2,
        '\0'..'\u{20}' => 6,
        _ => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn canonical(text: &str) -> String {
        String::from_utf8(to_vec(&serde_json::from_str(text).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn the_examples_of_rfc_8785_come_out_as_printed() {
        // Section 3.2.2, without its fractions.
        let strings =
            r#"{"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#;
        assert_eq!(
            canonical(strings),
            "{\"literals\":[null,true,false],\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        );
        // Section 3.2.3: the order of keys. U+1F600 is a surrogate pair, which sorts before U+FB33.
        let keys = r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
            "\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#;
        let sorted: Vec<String> =
            canonical(keys).split("\":\"").skip(1).map(|s| s.chars().take(4).collect()).collect();
        assert_eq!(sorted, ["Carr", "One\"", "Cont", "Lati", "Euro", "Emoj", "Hebr"]);
    }

    #[test]
    fn numbers_that_readers_round_are_refused() {
        for text in ["1.5", "1e3", "-0.0", "9007199254740992", "-9007199254740992", "18446744073709551615"] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert!(matches!(to_vec(&value), Err(Error::Number(_))), "{text}");
        }
        assert_eq!(to_vec(&json!([9_007_199_254_740_991_u64, -5, 0])).unwrap(), b"[9007199254740991,-5,0]");
    }

    #[test]
    fn another_form_of_the_same_value_is_refused() {
        assert_eq!(from_slice(br#"{"a":1,"b":[]}"#), Ok(json!({"a": 1, "b": []})));
        for other in [r#"{"b":[],"a":1}"#, r#"{"a": 1}"#, r#"{"a":1,"a":1}"#, r#""\u0041""#, "1 ", "-0"] {
            assert!(matches!(from_slice(other.as_bytes()), Err(Error::Form | Error::Number(_))), "{other}");
        }
        insta::assert_snapshot!(from_slice(b"{").unwrap_err(), @"not JSON: EOF while parsing an object at line 1 column 1");
    }

    #[test]
    fn types_without_a_canonical_form_are_refused() {
        for unspeakable in
            [serialize(&(1, 0.5)), serialize(&Some(f32::NAN)), serialize(&u64::MAX), serialize(&i64::MIN)]
        {
            assert!(matches!(unspeakable, Err(Error::Number(_))));
        }
        assert!(matches!(serialize(&BTreeMap::from([(1, 2)])), Err(Error::Unspeakable(_))));
        assert_eq!(serialize(&('a', (), Ok::<u8, ()>(1))).unwrap(), br#"["a",null,{"Ok":1}]"#);
    }

    /// JSON of the kind that has a canonical form.
    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_reads_back_from_its_canonical_form(value in values()) {
            let bytes = to_vec(&value).unwrap();
            prop_assert_eq!(from_slice(&bytes), Ok(value));
        }

        #[test]
        fn a_canonical_string_reads_back_and_its_length_is_foretold(text in any::<String>()) {
            let bytes = to_vec(&json!(text)).unwrap();
            prop_assert_eq!(bytes.len(), 2 + text.chars().map(escaped_len).sum::<usize>());
            prop_assert_eq!(from_slice(&bytes), Ok(json!(text)));
        }
    }
}
