//! Answers on their way: what is held back, what is shown, and what becomes known meanwhile.

use bytes::Bytes;
use mask::{Content, KnownValues, Redactor, SecretValue};

use crate::support::{PLACEHOLDER, known, redact, redact_in};

const VALUE: &str = "Xk9fTq2Lm8Zr";
const OTHER: &str = "w7Rt9zK2xw8Vb";

fn push(redactor: &mut Redactor, text: &str) -> String {
    String::from_utf8(redactor.push(Bytes::copy_from_slice(text.as_bytes()), &[]).to_vec()).unwrap()
}

fn finish(redactor: &mut Redactor) -> String {
    String::from_utf8(redactor.finish().to_vec()).unwrap()
}

#[test]
fn events_and_lines_are_not_delayed() {
    for content in [Content::Json, Content::Text] {
        let mut redactor = Redactor::new(known(&[VALUE]), content);
        for event in ["{\"type\":\"ADDED\"}\n", "Xk9fTq2\n", "{\"a\":\"Xk9fTq2Lm8Zr\"}\n", "\n"] {
            assert_eq!(push(&mut redactor, event), event.replace(VALUE, PLACEHOLDER));
        }
        assert_eq!(finish(&mut redactor), "");
        assert_eq!(redactor.masked(), 1);
    }
}

#[test]
fn little_is_held_back() {
    let mut redactor = Redactor::new(known(&[VALUE]), Content::Text);
    let out = push(&mut redactor, &"a".repeat(1 << 20));
    assert!(out.len() > (1 << 20) - 400);
    assert_eq!(out.len() + finish(&mut redactor).len(), 1 << 20);
    // Nothing is known, and nothing looks like a beginning: nothing is held back.
    let mut redactor = Redactor::new(KnownValues::none(), Content::Text);
    assert_eq!(push(&mut redactor, "abc. "), "abc. ");
}

#[test]
fn a_value_in_three_chunks() {
    let mut redactor = Redactor::new(known(&[VALUE]), Content::Text);
    let parts = ["before Xk9f", "Tq2L", "m8Zr after\n"].map(|part| push(&mut redactor, part));
    assert_eq!(parts.concat(), format!("before {PLACEHOLDER} after\n"));
}

#[test]
fn neighbours_are_one() {
    let known = known(&[VALUE, OTHER, "Lm8Zrw7Rt9zK"]);
    let text = format!("{VALUE}{OTHER}{VALUE} {VALUE}");
    assert_eq!(redact(&known, Content::Text, &text), format!("{PLACEHOLDER} {PLACEHOLDER}"));
    for size in 1..text.len() {
        let out = redact_in(&known, Content::Text, text.as_bytes(), || size);
        assert_eq!(out, format!("{PLACEHOLDER} {PLACEHOLDER}").into_bytes());
    }
}

#[test]
fn an_update_is_seen_by_answers_on_their_way() {
    let values = known(&[VALUE]);
    let mut redactor = Redactor::new(values.clone(), Content::Text);
    let line = format!("{VALUE} {OTHER}\n");
    assert_eq!(push(&mut redactor, &line), format!("{PLACEHOLDER} {OTHER}\n"));
    let updated = values.update([SecretValue::new(OTHER.into()), SecretValue::new("true".into())]);
    assert_eq!((updated.known, updated.guessable, updated.left_out), (1, 1, 0));
    assert_eq!(push(&mut redactor, &line), format!("{VALUE} {PLACEHOLDER}\n"));
    let _updated = values.update([]);
    assert_eq!(push(&mut redactor, &line), line);
}

#[test]
fn what_is_revealed_passes_and_no_match_spans_it() {
    let values = known(&[VALUE]);
    let text = format!("{VALUE} {VALUE} Xk9fTq2Lm8Zr");
    let shown = [13..25, 30..31];
    let expected = format!("{PLACEHOLDER} {VALUE} Xk9fTq2Lm8Zr");
    for size in 1..=text.len() {
        let mut redactor = Redactor::new(values.clone(), Content::Text);
        let mut out = Vec::new();
        for (n, chunk) in text.as_bytes().chunks(size).enumerate() {
            let within = |at: usize| at.saturating_sub(n * size).min(chunk.len());
            let shown: Vec<_> = shown.iter().map(|range| within(range.start)..within(range.end)).collect();
            out.extend_from_slice(&redactor.push(Bytes::copy_from_slice(chunk), &shown));
        }
        out.extend_from_slice(&redactor.finish());
        assert_eq!(String::from_utf8(out).unwrap(), expected, "in chunks of {size}");
    }
}

/// Texts of the same length, with and without values, come out in the same chunks' sizes but for the placeholders.
#[test]
fn what_comes_when_does_not_depend_on_the_value() {
    let values = known(&[VALUE, "Qm8Lz2Vt9Kp4"]);
    let sizes = |value: &str| -> Vec<usize> {
        let mut redactor = Redactor::new(values.clone(), Content::Text);
        let text = format!("{} {value} {}", "x".repeat(700), "y".repeat(700));
        text.as_bytes()
            .chunks(100)
            .map(|chunk| redactor.push(Bytes::copy_from_slice(chunk), &[]).len())
            .collect()
    };
    assert_eq!(sizes(VALUE), sizes("Qm8Lz2Vt9Kp4"));
}

#[test]
fn long_strings_and_long_escapes() {
    let values = known(&[VALUE]);
    let long = format!("[\"{}{VALUE}{}\"]", "\\\\".repeat(1 << 19), "é".repeat(1 << 19));
    let out = redact_in(&values, Content::Json, long.as_bytes(), || 65_536);
    let out: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert!(out[0].as_str().unwrap().contains(PLACEHOLDER));
    assert!(!out.to_string().contains(VALUE));
}
