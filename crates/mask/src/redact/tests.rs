//! Matches of detectors: where they end, at any chunk boundary.

use super::*;

/// `key-` and letters, as many as there are, if at least four; none after a letter.
struct Keys;

/// From `<<` through `>>`.
struct Blocks;

impl Detector for Keys {
    fn find(&self, window: &[u8], matches: &mut Vec<Match>) {
        for start in memchr::memmem::find_iter(window, b"key-") {
            let letters = window[start + 4..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            let within = start > 0 && window[start - 1].is_ascii_alphabetic();
            if letters >= 4 && !within {
                let end = start + 4 + letters;
                let runs_on =
                    (end == window.len()).then_some(RunsOn::While(|byte: u8| byte.is_ascii_alphabetic()));
                matches.push(Match { range: start..end, runs_on });
            }
        }
    }

    fn pending(&self, window: &[u8]) -> usize {
        let begun = |length: &usize| {
            let end = &window[window.len() - length..];
            b"key-".starts_with(end)
                || end.strip_prefix(b"key-").is_some_and(|rest| rest.iter().all(u8::is_ascii_alphabetic))
        };
        (1..=window.len().min(7)).rev().find(begun).unwrap_or(0)
    }
}

impl Detector for Blocks {
    fn find(&self, window: &[u8], matches: &mut Vec<Match>) {
        let mut from = 0;
        while let Some(start) = memchr::memmem::find(&window[from..], b"<<").map(|at| from + at) {
            let end = memchr::memmem::find(&window[start..], b">>").map(|at| start + at + 2);
            let runs_on = end.is_none().then_some(RunsOn::Through(b">>"));
            from = end.unwrap_or(window.len());
            matches.push(Match { range: start..from, runs_on });
        }
    }

    fn pending(&self, window: &[u8]) -> usize {
        usize::from(window.last() == Some(&b'<'))
    }
}

fn redact(content: Content, text: &str, chunk: usize) -> String {
    let mut redactor = Redactor::with(KnownValues::none(), content, &[&Keys, &Blocks]);
    let mut out = Vec::new();
    for chunk in text.as_bytes().chunks(chunk.max(1)) {
        out.extend_from_slice(&redactor.push(Bytes::copy_from_slice(chunk), &[]));
    }
    out.extend_from_slice(&redactor.finish());
    String::from_utf8(out).unwrap().replace(Placeholder::Text.as_str(), "#")
}

#[test]
fn matches_end_where_they_end() {
    use Content::{Json, Opaque, Text};
    for (content, text, expected) in [
        (Text, "a key-abcdefgh, key-abc, key-abcd.", "a #, key-abc, #."),
        (Text, "monkey-abcdef key-abcd\nkey-abcdef", "monkey-abcdef #\n#"),
        (Text, "a << b\nc\n >> d <<e>><<f>>g", "a # d #g"),
        (Text, "<< key-abcdef >>key-abcdef and << no end\n\n", "# and #"),
        (Opaque, "a key-abcdefgh.", "a ************."),
        (Json, r#"{"a":"<< b","c":"d >> e"}"#, r##"{"a":"#","c":"d >> e"}"##),
        (Json, r#"{"a":"<< \"\\\" b\\","c":"d"}"#, r##"{"a":"#","c":"d"}"##),
        (Json, "{\"a\":\"<< b >> c\"}\n<<1\n2", "{\"a\":\"# c\"}\n#\n2"),
    ] {
        for chunk in 1..=text.len() {
            assert_eq!(redact(content, text, chunk), expected, "{text} in chunks of {chunk}");
        }
    }
}
