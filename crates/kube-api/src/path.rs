//! A path as canonical segments.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::refusal::{Refusal, quoted};

/// Written as they are; everything else is percent-encoded, which Go's `net/url` decodes back.
const KEPT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'@');
/// What a segment may hold once decoded, beside letters and digits.
const ALLOWED: &[u8] = b"-._~:@$&+,=!*'()";
/// No API path is longer.
const MAX_PATH: usize = 4096;

/// The decoded segments of a path; `/` has none.
///
/// Clients differ in what they encode of the reserved characters (Go's leaves `:`, Python's and Node's do not), so both
/// forms are taken, and what goes upstream is written anew from the decoded segments. Nobody needs to encode letters,
/// digits, `-`, `.`, `_` and `~` (RFC 3986 section 6.2.2.2), and an encoded `/` or `%` hides a separator: both are refused.
///
/// # Errors
/// Empty, dot, or otherwise ambiguous segments; encoded slashes; characters that no name has.
pub(crate) fn segments(path: &str) -> Result<Vec<String>, Refusal> {
    if path.len() > MAX_PATH {
        return Err(problem(format!("more than {MAX_PATH} bytes"), "no API path is that long"));
    }
    let Some(rest) = path.strip_prefix('/') else {
        return Err(problem("no leading slash".to_owned(), "begin it with `/`"));
    };
    if rest.is_empty() {
        return Ok(Vec::new());
    }
    rest.split('/').map(segment).collect()
}

fn segment(raw: &str) -> Result<String, Refusal> {
    if raw.is_empty() {
        return Err(problem("an empty segment".to_owned(), "leave out doubled and trailing slashes"));
    }
    let decoded = percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_| problem("percent-encoding that is not UTF-8".to_owned(), "use plain names"))?;
    check_escapes(raw)?;
    if decoded.contains(['/', '%']) {
        return Err(problem(
            format!("an encoded separator in `{}`", quoted(raw)),
            "names hold no `/` and no `%`",
        ));
    }
    if decoded == "." || decoded == ".." {
        return Err(problem("a dot segment".to_owned(), "write the path out"));
    }
    if !is_name(&decoded) {
        return Err(problem(format!("a character in `{}` that no name has", quoted(raw)), "use plain names"));
    }
    Ok(decoded.into_owned())
}

/// Whether it is of the characters that names in paths have.
pub(crate) fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || ALLOWED.contains(&byte))
}

/// Every `%` begins an escape of two hexadecimal digits (`percent_decode_str` would leave a broken one as it is), and
/// none of them stands for a character that needs none.
fn check_escapes(raw: &str) -> Result<(), Refusal> {
    for escape in raw.split('%').skip(1) {
        let byte = escape
            .get(..2)
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            None => {
                return Err(problem(
                    format!("a broken percent-encoding in `{}`", quoted(raw)),
                    "use plain names",
                ));
            }
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                let found = format!("percent-encoding in `{}` of what needs none", quoted(raw));
                return Err(problem(found, "write letters, digits, `-`, `.`, `_` and `~` as they are"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn problem(problem: String, remedy: &'static str) -> Refusal {
    Refusal::Path { problem, remedy }
}

/// Appends `/segment`, encoded.
pub(crate) fn push(path: &mut String, segment: &str) {
    path.push('/');
    path.extend(utf8_percent_encode(segment, KEPT));
}

/// A query value, encoded.
pub(crate) fn encode_value(value: &str) -> Cow<'_, str> {
    utf8_percent_encode(value, VALUE).into()
}

/// In a query, only what RFC 3986 calls unreserved is written as it is, and `:` and `,`, so that times and lists
/// stay readable.
const VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b',');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_encoding_is_decoded_and_written_anew() {
        let parts = segments("/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode").unwrap();
        assert_eq!(parts.last().unwrap(), "system:node");
        let mut path = String::new();
        push(&mut path, "system:node");
        assert_eq!(path, "/system:node");
        push(&mut path, "a+b");
        assert_eq!(path, "/system:node/a%2Bb");
    }

    #[test]
    fn ambiguous_paths_are_refused() {
        let mut told = Vec::new();
        for path in [
            "//x",
            "/a/",
            "/a//b",
            "/a/./b",
            "/a/%2e%2E/b",
            "/a/%70ods",
            "/a%2fb",
            "/a%25b",
            "/a%zz",
            "/a%4",
            "/a%00",
            "/a b",
            "/é",
            "x",
        ] {
            told.push(format!("{path}: {}", segments(path).unwrap_err()));
        }
        insta::assert_snapshot!(told.join("\n"), @"
        //x: the path has an empty segment; leave out doubled and trailing slashes
        /a/: the path has an empty segment; leave out doubled and trailing slashes
        /a//b: the path has an empty segment; leave out doubled and trailing slashes
        /a/./b: the path has a dot segment; write the path out
        /a/%2e%2E/b: the path has percent-encoding in `%2e%2E` of what needs none; write letters, digits, `-`, `.`, `_` and `~` as they are
        /a/%70ods: the path has percent-encoding in `%70ods` of what needs none; write letters, digits, `-`, `.`, `_` and `~` as they are
        /a%2fb: the path has an encoded separator in `a%2fb`; names hold no `/` and no `%`
        /a%25b: the path has an encoded separator in `a%25b`; names hold no `/` and no `%`
        /a%zz: the path has a broken percent-encoding in `a%zz`; use plain names
        /a%4: the path has a broken percent-encoding in `a%4`; use plain names
        /a%00: the path has a character in `a%00` that no name has; use plain names
        /a b: the path has a character in `a b` that no name has; use plain names
        /é: the path has a character in `é` that no name has; use plain names
        x: the path has no leading slash; begin it with `/`
        ");
    }
}
