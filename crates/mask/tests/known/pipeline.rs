//! All that masks an answer, one after the other as the gate runs it: seeded answers full of secrets, of what looks like some,
//! and of what ends or breaks them.

use bytes::Bytes;
use mask::{Catalogue, Content, Framing, Guard, KnownValues, Masker, Redactor, Rules, View};
use serde_json::{Value, json};

use crate::support::{Rng, cases, known, redact_in};

/// What credentials are made of, and what ends or breaks them.
const PARTS: &[&str] = &[
    "ghp_0123456789abcdefABCDEF0123456789abcd",
    "npm_0123456789abcdefABCDEF0123456789abcd",
    "AKIAIOSFODNN7EXAMPLE",
    "glpat-0123456789abcdefABCD",
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJrdWJlcm5ldGVzL3NlcnZpY2VhY2NvdW50In0.c2lnbmF0dXJl-_x",
    "eyJhbGciOiJSUzI1NiIs",
    "postgres://app:Tr0ub4dor&3@db.payments.svc:5432/app",
    "password=hunter2hunter2",
    "password: \"hunter2hunter2\"",
    "\"token\":\"0a1b2c3d4e5f60718293a4b5\"",
    "token=0a1b2c3d4e5f60718293a4b5",
    "Authorization: Bearer 0a1b2c3d4e5f60718293a4b5",
    "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04f\n-----END EC PRIVATE KEY-----",
    "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04f",
    "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlFcEFJQkFBS0NBUUVBdTF==",
    "ICAgIGNsaWVudC1rZXktZGF0YTogVFVsSlJYQkJTVUpCUVV0RFFWRkZRUT09Cg==",
    "masked-by-portcullis--not-the-real-value",
    "bWFza2VkLWJ5LXBvcnRjdWxsaXMtLW5vdC10aGUtcmVhbC12YWx1ZQ==",
    "://",
    ":",
    "=",
    "@",
    "/",
    " ",
    "\n",
    "\\",
    "\"",
    "'",
    "\t",
    "é",
    "\u{2028}",
    "🔑",
    "-",
    "_",
    ".",
    "a",
    "0",
    "&",
    "{",
    "}",
];

const VALUES: [&str; 4] = ["Xk9fTq2Lm8Zr", "n7Rt9zK2xw8VbQm4", "u00e9k3j9x0q2m5zt", "hT7/x+9?k<2>&Lq8~m 5Zw"];

struct Gate {
    guard: Guard,
    rules: Rules,
}

impl Gate {
    fn new(known: KnownValues, resource: &str) -> Self {
        let catalogue = Catalogue::builtin();
        let rules = catalogue.rules_for("", resource, None);
        Self { guard: Guard::new("dev", catalogue, known, [7; 16]), rules }
    }

    fn mask(&self, text: &str, mut chunk: impl FnMut() -> usize) -> String {
        let mut masker = Masker::new(Framing::One, &self.rules).bound(&self.guard, &View::default());
        let mut redactor = Redactor::new(self.guard.known().clone(), Content::Json);
        let mut rest = Bytes::copy_from_slice(text.as_bytes());
        let mut out = Vec::new();
        while !rest.is_empty() {
            let by_place = masker.push(rest.split_to(chunk().clamp(1, rest.len()))).unwrap();
            out.extend_from_slice(&redactor.push(by_place, &[]));
        }
        masker.finish().unwrap();
        out.extend_from_slice(&redactor.finish());
        String::from_utf8(out).unwrap()
    }
}

fn text(rng: &mut Rng) -> String {
    (0..rng.below(9))
        .map(|_| {
            let part = if rng.below(3) == 0 { *rng.pick(&VALUES) } else { *rng.pick(PARTS) };
            // Now and then its beginning or its end alone.
            let at = (0..=rng.below(part.len() + 1)).rev().find(|at| part.is_char_boundary(*at)).unwrap();
            match rng.below(6) {
                0 => part.split_at(at).0,
                1 => part.split_at(at).1,
                _ => part,
            }
        })
        .collect()
}

/// Text, or a document in a string.
fn string(rng: &mut Rng) -> Value {
    match rng.below(4) {
        0 => {
            json!({ text(rng): text(rng), "env": [{"name": "TOKEN", "value": text(rng)}] }).to_string().into()
        }
        _ => text(rng).into(),
    }
}

fn answer(rng: &mut Rng) -> Value {
    let applied =
        json!({"data": {"a": text(rng)}, "spec": {"env": [{"name": "A", "value": text(rng)}]}}).to_string();
    json!({
        "kind": "Secret",
        "metadata": {
            "name": "n",
            "uid": "u1",
            "resourceVersion": "5",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied, "other": string(rng)},
        },
        "data": {"a": "Q0FOQVJZ", "b": text(rng)},
        "spec": {"env": [{"name": "PORT", "value": string(rng)}, {"name": "TOKEN", "value": text(rng)}]},
        "status": [string(rng), {text(rng): string(rng)}, 1, null],
    })
}

/// The text between placeholders, bound or not, as they are or in base64.
fn kept(out: &str) -> Vec<&str> {
    const FORMS: [(&str, usize, &str); 2] = [
        ("masked-by-portcullis-", 18, "-not-the-real-value"),
        ("bWFza2VkLWJ5LXBvcnRjdWxsaXMt", 24, "LW5vdC10aGUtcmVhbC12YWx1ZQ=="),
    ];
    let placeholder = |at: usize| {
        FORMS.iter().find_map(|(mark, tag, end)| {
            let rest = out.get(at..)?.strip_prefix(mark)?;
            let tag = [0, *tag]
                .into_iter()
                .find(|tag| rest.get(*tag..).is_some_and(|rest| rest.starts_with(end)))?;
            Some(mark.len() + tag + end.len())
        })
    };
    let (mut kept, mut from, mut at) = (Vec::new(), 0, 0);
    while at < out.len() {
        if let Some(length) = placeholder(at) {
            kept.push(&out[from..at]);
            at += length;
            from = at;
        } else {
            at += 1;
        }
    }
    kept.push(&out[from..]);
    kept
}

/// Whether `out` is `input` with placeholders in place of some of its parts.
fn differs_in_placeholders_alone(input: &str, out: &str) -> bool {
    let pieces = kept(out);
    let [first, .., last] = pieces.as_slice() else { return input == out };
    let Some(mut rest) = input.strip_prefix(first) else { return false };
    pieces[1..].iter().all(|piece| match rest.find(piece) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    }) && input.ends_with(last)
}

/// With `values`, `mask` knows them.
fn check(
    seed: u64,
    values: bool,
    rng: &mut Rng,
    input: &str,
    mask: impl Fn(&str, &mut dyn FnMut() -> usize) -> String,
) -> String {
    let whole = mask(input, &mut || usize::MAX);
    for most in [1, 7, 60, 600] {
        let chunked = mask(input, &mut || 1 + rng.below(most));
        assert_eq!(chunked, whole, "seed {seed}, pieces up to {most}: {input}");
    }
    let again = mask(&whole, &mut || usize::MAX);
    assert_eq!(again, whole, "seed {seed}: masking again changes something");
    assert!(differs_in_placeholders_alone(input, &whole), "seed {seed}: {input} became {whole}");
    for value in VALUES[..3].iter().filter(|_| values) {
        assert!(!whole.contains(value), "seed {seed}: {value} in {whole}");
    }
    whole
}

#[test]
fn answers_are_masked_alike_however_they_come() {
    let knowns = [KnownValues::none(), known(&VALUES)];
    for seed in cases(40) {
        let rng = &mut Rng(seed);
        let values = rng.below(2) == 1;
        let gate =
            Gate::new(knowns[usize::from(values)].clone(), ["secrets", "pods", "configmaps"][rng.below(3)]);
        let mut input = answer(rng).to_string();
        if rng.below(3) == 0 {
            input = input.replace('é', "\\u00e9").replace('/', "\\/");
        }
        let out = check(seed, values, rng, &input, |text, chunk| gate.mask(text, chunk));
        serde_json::from_str::<Value>(&out)
            .unwrap_or_else(|error| panic!("seed {seed}, {error}: {input} became {out}"));
    }
}

#[test]
fn logs_are_masked_alike_however_they_come() {
    let knowns = [KnownValues::none(), known(&VALUES)];
    for seed in cases(40) {
        let rng = &mut Rng(seed);
        let values = rng.below(2) == 1;
        let input: String = (0..rng.below(4)).map(|_| text(rng) + "\n").collect();
        check(seed, values, rng, &input, |text, chunk| {
            String::from_utf8(redact_in(&knowns[usize::from(values)], Content::Text, text.as_bytes(), chunk))
                .unwrap()
        });
    }
}
