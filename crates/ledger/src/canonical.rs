//! Canonical JSON (RFC 8785) over the values that leaves use: objects, arrays, strings, booleans, null and integers
//! that every JSON reader holds exactly (up to 2^53 - 1). Other numbers are refused. No I/O.

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
    let mut out = Vec::with_capacity(1024);
    write_value(&mut out, value)?;
    Ok(out)
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
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0..0x20 => {
                out.extend_from_slice(b"\\u00");
                for nibble in [byte >> 4, byte & 15] {
                    out.extend(HEX.get(usize::from(nibble)));
                }
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// How many bytes a character takes inside a canonical string.
pub(crate) fn escaped_len(c: char) -> usize {
    match c {
        '"' | '\\' | '\u{8}' | '\t' | '\n' | '\u{c}' | '\r' => 2,
        '\0'..'\u{20}' => 6,
        _ => c.len_utf8(),
    }
}

fn write_value(out: &mut Vec<u8>, value: &Value) -> Result<(), Error> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => out.extend_from_slice(integer(number)?.to_string().as_bytes()),
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_value(out, item)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            // RFC 8785 section 3.2.3 orders keys by UTF-16 code units, which is not the order of their UTF-8 bytes.
            let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (i, (key, member)) in sorted.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_string(out, key);
                out.push(b':');
                write_value(out, member)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn integer(number: &serde_json::Number) -> Result<i64, Error> {
    let exact = number.as_i64().filter(|n| n.unsigned_abs() <= MAX_INTEGER);
    exact.ok_or_else(|| Error::Number(number.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

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

    proptest! {
        #[test]
        fn a_canonical_string_reads_back_and_its_length_is_foretold(text in any::<String>()) {
            let bytes = to_vec(&json!(text)).unwrap();
            prop_assert_eq!(bytes.len(), 2 + text.chars().map(escaped_len).sum::<usize>());
            prop_assert_eq!(from_slice(&bytes), Ok(json!(text)));
        }
    }
}
