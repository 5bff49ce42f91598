//! A path as canonical segments.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::refusal::{Refusal, quoted};

/// Written as they are; everything else is percent-encoded, which Go's `net/url` decodes back.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'@');
/// What a segment may hold once decoded, beside letters and digits.
const ALLOWED: &[u8] = b"-._~:@$&+,=!*'()";
/// No API path is longer.
const MAX_PATH: usize = 4096;

/// The decoded segments of a path; `/` has none.
///
/// Percent-encoding is accepted where it changes nothing (Python's client encodes `:`), since what goes upstream is
/// written anew from the decoded segments; it is refused where it hides a separator.
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
    if has_broken_escape(raw) {
        return Err(problem(format!("a broken percent-encoding in `{}`", quoted(raw)), "use plain names"));
    }
    if decoded.contains(['/', '%']) {
        return Err(problem(format!("an encoded separator in `{}`", quoted(raw)), "names hold no `/` and no `%`"));
    }
    if decoded == "." || decoded == ".." {
        return Err(problem("a dot segment".to_owned(), "write the path out"));
    }
    if !decoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || ALLOWED.contains(&byte)) {
        return Err(problem(format!("a character in `{}` that no name has", quoted(raw)), "use plain names"));
    }
    Ok(decoded.into_owned())
}

/// A `%` that no two hexadecimal digits follow; `percent_decode` would leave it as it is.
fn has_broken_escape(raw: &str) -> bool {
    raw.split('%').skip(1).any(|rest| {
        let mut digits = rest.bytes().take(2).filter(u8::is_ascii_hexdigit);
        !(digits.next().is_some() && digits.next().is_some())
    })
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
        for path in
            ["//x", "/a/", "/a//b", "/a/./b", "/a/%2e%2E/b", "/a%2fb", "/a%25b", "/a%zz", "/a%4", "/a%00", "/a b", "/é", "x"]
        {
            told.push(format!("{path}: {}", segments(path).unwrap_err()));
        }
        insta::assert_snapshot!(told.join("\n"), @"");
    }
}
