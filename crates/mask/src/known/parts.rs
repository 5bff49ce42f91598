//! What of a value is looked for: the value itself, and the secrets within it.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use zeroize::Zeroizing;

use super::public::without_public_pem;
use super::rule::unguessable;

/// The most of one part that is looked for, from its beginning: what is longer (a Helm release, an archive) would take
/// some fifty times its size in memory.
pub(super) const LONGEST: usize = 16 << 10;

/// How many lines of one value, and how many of the strings in it that may be looked for, are parts of their own at most.
const MOST: usize = 256;

/// Values with more lines than this are files: a line of them is not looked for in encodings, since those of the whole
/// have it too.
const FEW_LINES: usize = 16;

/// A part of a value.
pub(super) struct Part {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) spelled: Spelled,
}

/// In which forms a part is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spelled {
    /// In all.
    Anyhow,
    /// As it is, and escaped in JSON.
    Plainly,
}

/// The parts of `value`: the whole without white space around it, its lines, what is right of `KEY=` or `key: ` in a line,
/// and the strings in it if it is JSON. Blocks of PEM that are public (certificates) are none.
pub(super) fn parts(value: &[u8]) -> Vec<Part> {
    let value = without_public_pem(value);
    let mut parts = Vec::new();
    let mut add = |bytes: &[u8], spelled| {
        let bytes = bytes.get(..LONGEST.min(bytes.len())).unwrap_or_default();
        if !bytes.is_empty() {
            parts.push(Part { bytes: Zeroizing::new(bytes.to_vec()), spelled });
        }
    };
    add(value.trim_ascii(), Spelled::Anyhow);
    let head = value.get(..LONGEST.min(value.len())).unwrap_or_default();
    let lines = || head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let few = lines().take(FEW_LINES + 1).count() <= FEW_LINES;
    for line in lines().take(MOST) {
        add(line, if few { Spelled::Anyhow } else { Spelled::Plainly });
        if let Some(side) = right_hand_side(line) {
            add(side, Spelled::Anyhow);
        }
    }
    if let Ok(document) = serde_json::from_slice(&value) {
        let mut strings = Vec::new();
        leaves(document, &mut strings);
        // Names and addresses beside the secrets take no place from them.
        let strings = strings.iter().filter(|string| unguessable(string));
        strings.take(MOST).for_each(|string| add(string, Spelled::Anyhow));
    }
    parts
}

/// What is right of `KEY=` or `key: `, without quotation marks around it and a comma after it.
fn right_hand_side(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_prefix(b"export ").unwrap_or(line);
    let at = line.iter().position(|byte| matches!(byte, b'=' | b':'))?;
    let (key, side) = line.split_at_checked(at)?;
    let name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-. \t\"'".contains(byte);
    let (sign, side) = side.split_first()?;
    if key.is_empty() || !key.iter().all(name) || (*sign == b':' && !side.starts_with(b" ")) {
        return None;
    }
    let side = side.trim_ascii();
    let side = side.strip_suffix(b",").unwrap_or(side);
    let quoted = |mark: &[u8]| side.strip_prefix(mark).and_then(|side| side.strip_suffix(mark));
    Some(quoted(b"\"").or_else(|| quoted(b"'")).unwrap_or(side))
}

/// Takes all strings out of `document`, so that each is zeroised. Of the credentials for a registry in one string, as
/// `docker` writes them (`auth`: base64 of `user:password`), the password is one of its own.
fn leaves(document: Value, strings: &mut Vec<Zeroizing<Vec<u8>>>) {
    match document {
        Value::String(text) => strings.push(Zeroizing::new(text.into_bytes())),
        Value::Array(items) => items.into_iter().for_each(|item| leaves(item, strings)),
        Value::Object(members) => members.into_iter().for_each(|(key, member)| {
            if key == "auth"
                && let Value::String(text) = &member
            {
                strings.extend(registry_password(text));
            }
            leaves(member, strings);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn registry_password(auth: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(auth.len() / 4 * 3 + 3));
    STANDARD.decode_vec(auth, &mut decoded).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    decoded.get(colon + 1..).map(|password| Zeroizing::new(password.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(value: &str) -> Vec<String> {
        let mut texts: Vec<String> = parts(value.as_bytes())
            .iter()
            .map(|part| String::from_utf8_lossy(&part.bytes).into_owned())
            .collect();
        texts.dedup();
        texts
    }

    #[test]
    fn what_is_looked_for() {
        for (value, expected) in [
            ("abc\n", &["abc"][..]),
            ("a\r\n\nb", &["a\r\n\nb", "a", "b"]),
            ("KEY=v=1", &["KEY=v=1", "v=1"]),
            ("export K=\"v\"", &["export K=\"v\"", "v"]),
            ("key: 'v'\nother:x", &["key: 'v'\nother:x", "key: 'v'", "v", "other:x"]),
            ("https://a:b@c", &["https://a:b@c"]),
            (
                r#"{"a":[1,"x",{"b":"Xk9fTq2Lm8Zr\n"}]}"#,
                &[r#"{"a":[1,"x",{"b":"Xk9fTq2Lm8Zr\n"}]}"#, "Xk9fTq2Lm8Zr\n"],
            ),
            // dXNlcjp3N1J0OXpLMnZOcTQ= is user:w7Rt9zK2vNq4
            (
                r#"{"auths":{"r.example.com":{"username":"user","auth":"dXNlcjp3N1J0OXpLMnZOcTQ="}}}"#,
                &[
                    r#"{"auths":{"r.example.com":{"username":"user","auth":"dXNlcjp3N1J0OXpLMnZOcTQ="}}}"#,
                    "w7Rt9zK2vNq4",
                    "dXNlcjp3N1J0OXpLMnZOcTQ=",
                ],
            ),
            ("-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n", &[]),
            (
                "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nREVG\n",
                &["-----BEGIN PRIVATE KEY-----\nREVG", "-----BEGIN PRIVATE KEY-----", "REVG"],
            ),
        ] {
            assert_eq!(texts(value), expected, "{value}");
        }
    }
}
