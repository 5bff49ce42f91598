//! Matches of detectors: where they end, at any chunk boundary.

#[expect(clippy::string_slice, reason = "what is cut is ASCII")]
mod idle;
#[expect(clippy::string_slice, reason = "what is cut is ASCII")]
mod properties;
#[expect(clippy::string_slice, reason = "what is cut is ASCII")]
mod sequences;
#[expect(clippy::string_slice, reason = "what is cut is ASCII")]
mod support;

use super::detector::{MOST_RUNNING, add_run};
use super::*;

/// `key-` and letters, as many as there are, if at least four; none after a letter.
struct Keys;

/// From `<<` through `>>`.
struct Blocks;

impl Detector for Keys {
    fn find(&self, window: &[u8], _decided: usize, matches: &mut Vec<Match>) -> usize {
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
        let begun = |length: &usize| {
            let end = &window[window.len() - length..];
            b"key-".starts_with(end)
                || end.strip_prefix(b"key-").is_some_and(|rest| rest.iter().all(u8::is_ascii_alphabetic))
        };
        (1..=window.len().min(7)).rev().find(begun).unwrap_or(0)
    }
}

impl Detector for Blocks {
    fn find(&self, window: &[u8], _decided: usize, matches: &mut Vec<Match>) -> usize {
        let mut from = 0;
        while let Some(start) = memchr::memmem::find(&window[from..], b"<<").map(|at| from + at) {
            let end = memchr::memmem::find(&window[start..], b">>").map(|at| start + at + 2);
            let runs_on = end.is_none().then_some(RunsOn::Through(b">>"));
            from = start + 1;
            matches.push(Match { range: start..end.unwrap_or(window.len()), runs_on });
        }
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

fn shapes_in_chunks(content: Content, text: &str, chunk: usize) -> String {
    let mut redactor = Redactor::new(KnownValues::none(), content);
    let mut out = Vec::new();
    for chunk in text.as_bytes().chunks(chunk) {
        out.extend_from_slice(&redactor.push(Bytes::copy_from_slice(chunk), &[]));
    }
    out.extend_from_slice(&redactor.finish());
    String::from_utf8(out).unwrap().replace(Placeholder::Text.as_str(), "#")
}

/// Of two matches that run on, the second goes on for longer.
#[test]
fn all_that_runs_on_is_masked_to_its_end() {
    let text = "ghp_0123456789abcdefABCDEF0123456789abcdICAgIGNsaWVudC1rZXktZGF0YTogVFVsSlJYQkJTVUpCUVV0RFFWRkZRUT09Cg==";
    for content in [Content::Json, Content::Text] {
        for chunk in 1..=text.len() {
            assert_eq!(shapes_in_chunks(content, text, chunk), "#", "in chunks of {chunk}");
        }
    }
}

#[test]
fn more_ways_to_run_on_than_there_are_go_to_the_line_s_end() {
    let mut runs = Vec::new();
    add_run(&mut runs, Some(7), RunsOn::Through(b">>"));
    add_run(&mut runs, Some(3), RunsOn::Through(b">>"));
    assert!(matches!(runs.as_slice(), [(Some(3), RunsOn::Through(b">>"))]));
    runs.resize(MOST_RUNNING, (None, RunsOn::Through(b"--")));
    for _ in 0..3 {
        add_run(&mut runs, Some(1), RunsOn::While(|byte| byte == b'x'));
    }
    add_run(&mut runs, Some(1), RunsOn::While(|byte| byte == b'y'));
    assert_eq!(runs.len(), MOST_RUNNING + 1);
    assert!(matches!(runs.last(), Some((None, RunsOn::While(set))) if set(b' ') && !set(b'\n')));
}

/// A token may follow a backslash, or seem to begin with what is part of an escape; however many backslashes there are and
/// wherever it is cut, what stays of them is whole.
#[test]
fn backslashes_before_a_match_stay_whole() {
    const TOKEN: &str = "npm_0123456789abcdefABCDEF0123456789abcd";
    const VALUE: &str = "nk3j9x0q2m5zt7";
    let known = KnownValues::none();
    assert_eq!(known.update([crate::SecretValue::new(VALUE.into())]).known, 1);
    for count in (0..=4).chain(60..=70).chain([127, 128, 129, 130, 200, 201]) {
        for (secret, known) in [(TOKEN, KnownValues::none()), (TOKEN, known.clone()), (VALUE, known.clone())]
        {
            let text = format!("[\"a {}{secret}\",1]", "\\".repeat(count));
            let redact = |chunk: usize| {
                let mut redactor = Redactor::new(known.clone(), Content::Json);
                let mut out = Vec::new();
                for chunk in text.as_bytes().chunks(chunk) {
                    out.extend_from_slice(&redactor.push(Bytes::copy_from_slice(chunk), &[]));
                }
                out.extend_from_slice(&redactor.finish());
                String::from_utf8(out).unwrap()
            };
            let whole = redact(text.len());
            let parsed: serde_json::Value = serde_json::from_str(&whole).unwrap();
            assert!(parsed[0].as_str().unwrap().ends_with(Placeholder::Text.as_str()), "{count}");
            for chunk in 1..text.len().min(90) {
                assert_eq!(redact(chunk), whole, "{count} backslashes in chunks of {chunk}");
            }
        }
    }
}

/// Known values and matches that run on, mixed with what ends them: however it is cut, the same comes out.
#[test]
fn any_chunking_gives_the_same() {
    const PIECES: [&str; 14] = [
        "Xk9fTq2Lm8Zr",
        "Xk9fTq2",
        "WGs5ZlRxMkxtOFpy",
        "YazlmVHEyTG04Wn",
        "key-abcd",
        "key-",
        "efg",
        "<<",
        ">>",
        "\n",
        " ",
        "\\\"",
        "\\\\",
        "\"",
    ];
    let known = KnownValues::none();
    let _updated = known.update([crate::SecretValue::new(b"Xk9fTq2Lm8Zr".to_vec())]);
    let cases = std::env::var("PORTCULLIS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(1000);
    for seed in 0..cases {
        let mut state: u64 = seed;
        let mut below = |end: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % end
        };
        let content = [Content::Json, Content::Text, Content::Opaque][below(3)];
        let text: String = (0..below(12)).map(|_| PIECES[below(PIECES.len())]).collect();
        let mut redact = |most: usize| {
            let mut redactor = Redactor::with(known.clone(), content, &[&Keys, &Blocks]);
            let mut rest = Bytes::copy_from_slice(text.as_bytes());
            let mut out = Vec::new();
            while !rest.is_empty() {
                let piece = rest.split_to((1 + below(most)).min(rest.len()));
                out.extend_from_slice(&redactor.push(piece, &[]));
            }
            out.extend_from_slice(&redactor.finish());
            (String::from_utf8(out).unwrap(), redactor.masked())
        };
        let whole = redact(usize::MAX - 1);
        for most in [1, 2, 5, 20] {
            assert_eq!(redact(most), whole, "seed {seed}: {text:?} as {content:?}");
        }
    }
}
