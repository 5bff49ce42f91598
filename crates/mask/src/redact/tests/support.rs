//! What the tests of text in a terminal share.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::SecretValue;

pub(super) const VALUE: &str = "Xk9fTq2Lm8Zr";
/// One of which the first twelve bytes would be looked for by themselves.
pub(super) const LONG: &str = "w7Rt9zK2xw8VbQd4Gp6N";
/// So many of its bytes.
pub(super) const HEAD: usize = 12;
pub(super) const PLACEHOLDER: &str = Placeholder::Text.as_str();

/// What stands between letters and is not shown: of `grep`, `ls`, `tput`, editors.
pub(super) const SEQUENCES: [&str; 12] = [
    "\x1b[0m",
    "\x1b[m",
    "\x1b[1;5H",
    "\x1b[K",
    "\x1b[01;31m\x1b[K",
    "\x1b[38;5;196m",
    "\x1b[?25h",
    "\x1b[2 q",
    "\x1b(B",
    "\x1b7",
    "\x0f",
    "\x1b[1\x1b[m",
];

pub(super) fn known<V: AsRef<[u8]>>(values: &[V]) -> KnownValues {
    let known = KnownValues::none();
    let updated = known.update(values.iter().map(|value| SecretValue::new(value.as_ref().to_vec())));
    assert_eq!(updated.known, values.len(), "{updated:?}");
    known
}

/// What comes after a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lull {
    None,
    Pause,
    Idle,
}

/// What comes out for each push, and after each, what is given out in the `lull` then; and at the end.
pub(super) fn steps<'a>(
    redactor: &mut Redactor,
    chunks: impl IntoIterator<Item = &'a [u8]>,
    mut lull: impl FnMut() -> Lull,
) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in chunks {
        out.extend_from_slice(&redactor.push(Bytes::copy_from_slice(chunk), &[]));
        match lull() {
            Lull::None => {}
            Lull::Pause => out.extend_from_slice(&redactor.pause()),
            Lull::Idle => {
                out.extend_from_slice(&redactor.idle());
                assert!(!redactor.is_holding());
            }
        }
    }
    out.extend_from_slice(&redactor.finish());
    assert!(!redactor.is_holding());
    out
}

pub(super) fn push(redactor: &mut Redactor, text: &str) -> String {
    shown(&redactor.push(Bytes::copy_from_slice(text.as_bytes()), &[]))
}

pub(super) fn pause(redactor: &mut Redactor) -> String {
    shown(&redactor.pause())
}

pub(super) fn idle(redactor: &mut Redactor) -> String {
    shown(&redactor.idle())
}

/// With `#` for placeholders.
pub(super) fn shown(out: &[u8]) -> String {
    String::from_utf8_lossy(out).replace(PLACEHOLDER, "#")
}

/// All of `text` at once.
pub(super) fn whole(known: &KnownValues, text: &[u8]) -> Vec<u8> {
    steps(&mut Redactor::new(known.clone(), Content::Text), [text], || Lull::None)
}

/// The same however it is cut in two, and byte by byte.
pub(super) fn in_all_ways(known: &KnownValues, text: &[u8]) -> Vec<u8> {
    let whole = whole(known, text);
    let assert_same = |chunks: Vec<&[u8]>| {
        let mut redactor = Redactor::new(known.clone(), Content::Text);
        let first = chunks.first().map_or(0, |chunk| chunk.len());
        let out = steps(&mut redactor, chunks, || Lull::None);
        assert_eq!(shown(&out), shown(&whole), "{text:?}, first {first} bytes");
    };
    assert_same(text.chunks(1).collect());
    (1..text.len()).for_each(|at| assert_same(vec![&text[..at], &text[at..]]));
    whole
}

/// A text that holds a value in some form.
#[derive(Debug, Clone)]
pub(super) struct Spelling {
    pub(super) text: String,
    /// Where in it stands what depends on nothing else.
    pub(super) core: Range<usize>,
    /// Up to where in it the value's first [`HEAD`] bytes stand.
    pub(super) head: usize,
}

/// Texts that hold `value` in some form.
pub(super) fn forms(value: &str) -> Vec<Spelling> {
    let digits = |sign: &str| value.bytes().map(|byte| format!("{sign}{byte:02x}")).collect::<String>();
    let plain = [value.to_owned(), digits(""), digits("%")].map(|text| {
        let (core, head) = (0..text.len(), text.len() / value.len() * HEAD);
        Spelling { text, core, head }
    });
    let mut forms = plain.to_vec();
    for engine in [STANDARD, URL_SAFE] {
        for shift in 0..3 {
            let text = engine.encode(format!("{}{value}:tail", &"u:"[..shift]));
            let core = (shift * 8).div_ceil(6)..(shift + value.len()) * 8 / 6;
            forms.push(Spelling { text, core, head: ((shift + HEAD) * 8).div_ceil(6) });
        }
    }
    forms
}

/// The same texts in every run; `cargo xtask fuzz` asks for more of them, and for others.
pub(super) fn config() -> ProptestConfig {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    ProptestConfig {
        cases: number("PORTCULLIS_CASES").and_then(|cases| u32::try_from(cases).ok()).unwrap_or(256),
        rng_seed: RngSeed::Fixed(number("PORTCULLIS_SEED").unwrap_or(0)),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}
