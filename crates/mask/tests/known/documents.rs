//! Seeded documents with values in them: they stay JSON, and differ from what came in nothing but the values.

use mask::{Content, KnownValues};
use serde_json::{Value, json};

use crate::support::{PLACEHOLDER, Rng, cases, known, redact, redact_in};

/// Letters that make values hard to spell, each in several bytes, escapes, or both.
const HARD: &str = "abXYZ0189\"\\/\n\r\t<>&+ é€𝄞\u{2028}\u{7f}\u{1}";

fn values(rng: &mut Rng) -> Vec<String> {
    let count = 1 + rng.below(8);
    (0..count)
        .map(|_| {
            let length = 10 + rng.below(30);
            // So that it is not guessable, whatever is within; white space around it would not belong to it.
            format!("k3j9x0q2m5zt{}z", rng.text(length, HARD).replace('\n', " "))
        })
        .collect()
}

/// A string as it comes, and as it must be masked.
fn string(rng: &mut Rng, values: &[String], depth: usize) -> (String, String) {
    if depth > 0 && rng.below(4) == 0 {
        let (came, masked) = document(rng, values, depth - 1);
        return (came.to_string(), masked.to_string());
    }
    let (mut came, mut masked) = (String::new(), String::new());
    for _ in 0..rng.below(4) {
        if rng.below(2) == 0 {
            let value = rng.pick(values);
            came += value;
            masked += PLACEHOLDER;
        }
        // Neighbours are one, and what is before a value must not be a part of how it is spelled.
        let length = 1 + rng.below(12);
        let between = format!(" {} ", rng.text(length, HARD).replace('\\', "/"));
        came += &between;
        masked += &between;
    }
    (came, masked)
}

fn document(rng: &mut Rng, values: &[String], depth: usize) -> (Value, Value) {
    let (mut came, mut masked) = (json!({}), json!({}));
    for key in 0..rng.below(4) {
        let (one, other) = if depth > 0 && rng.below(3) == 0 {
            document(rng, values, depth - 1)
        } else {
            let (one, other) = string(rng, values, depth.min(1));
            (one.into(), other.into())
        };
        came[format!("key{key}")] = one;
        masked[format!("key{key}")] = other;
    }
    (came, masked)
}

fn check(known: &KnownValues, rng: &mut Rng, came: &str, expected: &Value, seed: u64) {
    let whole = redact(known, Content::Json, came);
    assert_eq!(serde_json::from_str::<Value>(&whole).unwrap(), *expected, "seed {seed}: {came}");
    assert_eq!(redact(known, Content::Json, &whole), whole, "masked twice, seed {seed}");
    for most in [1, 5, 40, 400] {
        let out = redact_in(known, Content::Json, came.as_bytes(), || 1 + rng.below(most));
        assert_eq!(String::from_utf8(out).unwrap(), whole, "seed {seed}");
    }
}

#[test]
fn documents_differ_in_the_values_alone() {
    for seed in cases(400) {
        let mut rng = Rng(seed);
        let values = values(&mut rng);
        let known = known(&values);
        let (came, masked) = document(&mut rng, &values, 3);
        check(&known, &mut rng, &came.to_string(), &masked, seed);
    }
}

/// Whatever is in the text, and wherever values begin and end in it: JSON stays JSON with the same keys, and no value stays.
#[test]
fn nothing_breaks_json() {
    for seed in cases(400) {
        let mut rng = Rng(seed);
        let values = [
            "nk3j9x0q2m5zt".to_owned(),
            "u00e9k3j9x0q2m5zt".to_owned(),
            "00e9k3j9x0q2m5zt".to_owned(),
            "9k3j9x0q2m5zt\\".to_owned(),
            "\",\"key\":\"k3j9x0q2m5zt".to_owned(),
            "\\\"k3j9x0q2m5zt\"".to_owned(),
        ];
        let known = known(&values);
        let mut text = String::new();
        for _ in 0..rng.below(6) {
            text +=
                *rng.pick(&["\n", "é", "\\", "\\\\", "\"", "\u{1}", "\\n", "\\u", "\\u0", "a", "\u{2028}"]);
            let value = rng.pick(&values);
            let from = rng.below(4).min(value.len());
            text += value.get(from..).unwrap_or_default();
        }
        let inner = serde_json::to_string(&json!({ "a": text, "b": 1 })).unwrap();
        for document in [json!([text, "end"]), json!([inner, "end"])] {
            let mut came = document.to_string();
            if rng.below(2) == 0 {
                came = came.replace('é', "\\u00e9");
            }
            let out = redact(&known, Content::Json, &came);
            let parsed: Value =
                serde_json::from_str(&out).unwrap_or_else(|error| panic!("{seed} {error}: {came} {out}"));
            assert_eq!(parsed[1], "end", "seed {seed}");
            for most in [1, 5, 40] {
                let again = redact_in(&known, Content::Json, came.as_bytes(), || 1 + rng.below(most));
                assert_eq!(String::from_utf8(again).unwrap(), out, "seed {seed}");
            }
        }
    }
}

/// A value can be spelled as numbers and punctuation of JSON: what is masked there must leave JSON too.
#[test]
fn numbers_are_no_strings() {
    for (value, came) in [
        ("8675309123456787", r#"{"at":8675309123456787,"b":1}"#),
        ("3141592653589793,2718281828459045", r#"{"at":[3141592653589793,2718281828459045],"b":1}"#),
    ] {
        let out = redact(&known(&[value]), Content::Json, came);
        assert!(serde_json::from_str::<Value>(&out).is_ok(), "{came} became {out}");
    }
}
