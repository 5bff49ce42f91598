//! What the tests share.

use bytes::Bytes;
use mask::{Content, KnownValues, Placeholder, Redactor, SecretValue};

pub(crate) const PLACEHOLDER: &str = Placeholder::Text.as_str();

/// SplitMix64: small, seeded, the same everywhere.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub(crate) fn text(&mut self, length: usize, alphabet: &str) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        (0..length).map(|_| *self.pick(&alphabet)).collect()
    }
}

/// Cases and first seed: few and fixed, unless the environment asks for more.
pub(crate) fn cases(default: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first = number("PORTCULLIS_SEED").unwrap_or(0);
    first..first + number("PORTCULLIS_CASES").unwrap_or(default)
}

pub(crate) fn known<V: AsRef<[u8]>>(values: &[V]) -> KnownValues {
    let known = KnownValues::none();
    let _updated = known.update(values.iter().map(|value| SecretValue::new(value.as_ref().to_vec())));
    known
}

/// All of `text`, redacted in chunks as long as `chunk` says.
pub(crate) fn redact_in(
    known: &KnownValues,
    content: Content,
    text: &[u8],
    mut chunk: impl FnMut() -> usize,
) -> Vec<u8> {
    let mut redactor = Redactor::new(known.clone(), content);
    let mut rest = Bytes::copy_from_slice(text);
    let mut out = Vec::new();
    while !rest.is_empty() {
        let piece = rest.split_to(chunk().clamp(1, rest.len()));
        out.extend_from_slice(&redactor.push(piece, &[]));
    }
    out.extend_from_slice(&redactor.finish());
    out
}

pub(crate) fn redact(known: &KnownValues, content: Content, text: &str) -> String {
    String::from_utf8(redact_in(known, content, text.as_bytes(), || usize::MAX)).unwrap()
}

/// The same whether it comes whole, byte by byte, or in two parts cut anywhere.
pub(crate) fn redact_in_all_ways(known: &KnownValues, content: Content, text: &str) -> String {
    let whole = redact(known, content, text);
    for size in [1, 2, 3, 7, 64] {
        let out = redact_in(known, content, text.as_bytes(), || size);
        assert_eq!(String::from_utf8_lossy(&out), whole, "in chunks of {size}");
    }
    for first in 1..text.len() {
        let mut sizes = [first, usize::MAX].into_iter();
        let out = redact_in(known, content, text.as_bytes(), || sizes.next().unwrap());
        assert_eq!(String::from_utf8_lossy(&out), whole, "cut after {first}");
    }
    whole
}
