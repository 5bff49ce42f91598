//! The way most of a document goes, held against the automaton alone: seeded documents, sound and damaged.

use std::cell::Cell;

use bytes::Bytes;

use crate::guard::{Guard, Reveal, View};
use crate::known::KnownValues;
use crate::malformed::Malformed;
use crate::masker::{Framing, Masker};
use crate::places::{Catalogue, Rules};

thread_local! {
    pub(super) static AUTOMATON_ALONE: Cell<bool> = const { Cell::new(false) };
}

/// SplitMix64.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most as u64).unwrap()
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

const KEYS: &[&str] = &[
    "metadata",
    "annotations",
    "data",
    "stringData",
    "items",
    "spec",
    "template",
    "containers",
    "env",
    "name",
    "value",
    "kind",
    "apiVersion",
    "uid",
    "resourceVersion",
    "managedFields",
    "status",
    "token",
    "rows",
    "cells",
    "object",
    "a",
    "kubectl.kubernetes.io/last-applied-configuration",
    "my-last-applied",
    "d\\u0061ta",
    "é",
];
/// Those that lead to a place from the root.
const LIKELY: &[&str] =
    &["metadata", "annotations", "data", "stringData", "items", "spec", "kind", "apiVersion", "env"];
const STRINGS: &[&str] = &[
    "",
    "x",
    "Secret",
    "v1",
    "Pod",
    "DB_PASSWORD",
    "MODE",
    "c2VjcmV0",
    "a longer text of more than sixteen bytes",
    "\\n",
    "é\\\"",
    "{\\\"data\\\":{\\\"a\\\":\\\"b\\\"}}",
    "tab\\tand \\ud83d\\ude00",
];
const OTHERS: &[&str] =
    &["0", "12", "-1", "1.5", "2e3", "01", "true", "false", "null", "nul", "-", "123456789012345678"];

fn space(rng: &mut Rng, out: &mut String) {
    if rng.below(6) == 0 {
        out.push_str(rng.of(&[" ", "\n", "\t ", "\r\n"]));
    }
}

fn value(rng: &mut Rng, depth: usize, out: &mut String) {
    space(rng, out);
    match rng.below(if depth > 6 { 3 } else { 7 }) {
        0 | 1 => out.push_str(&format!("\"{}\"", rng.of(STRINGS))),
        2 => out.push_str(rng.of(OTHERS)),
        3 | 4 => {
            out.push('[');
            for at in 0..rng.below(4) {
                if at > 0 {
                    out.push(',');
                }
                value(rng, depth + 1, out);
            }
            space(rng, out);
            out.push(']');
        }
        _ => object(rng, depth + 1, out),
    }
    space(rng, out);
}

fn object(rng: &mut Rng, depth: usize, out: &mut String) {
    out.push('{');
    space(rng, out);
    for at in 0..rng.below(6) {
        if at > 0 {
            out.push(',');
            space(rng, out);
        }
        let likely = if depth < 2 { LIKELY } else { KEYS };
        let key =
            if rng.below(40) == 0 { "k".repeat(300 + rng.below(40)) } else { rng.of(likely).to_owned() };
        out.push_str(&format!("\"{key}\""));
        space(rng, out);
        out.push(':');
        value(rng, depth, out);
    }
    space(rng, out);
    out.push('}');
}

/// A document, mostly a sound one; otherwise with a byte changed, gone, or twice.
fn document(rng: &mut Rng) -> Vec<u8> {
    let mut text = String::new();
    object(rng, 0, &mut text);
    let mut bytes = text.into_bytes();
    if rng.below(3) == 0 {
        let at = rng.below(bytes.len());
        match rng.below(4) {
            0 => bytes[at] = b"{}[],:\"\\ 0x\0\x1f\x7f\xc3"[rng.below(15)],
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, b','),
            _ => bytes.insert(at, bytes[at]),
        }
    }
    bytes
}

#[derive(Debug, PartialEq)]
struct Masked {
    out: Vec<u8>,
    shown: Vec<u8>,
    masked: u64,
    end: Result<(), Malformed>,
}

fn masked(document: &[u8], piece: usize, rules: &Rules, guard: &Guard, view: &View) -> Masked {
    let mut masker = Masker::new(Framing::Sequence, rules).bound(guard, view);
    let (mut out, mut shown) = (Vec::new(), Vec::new());
    for piece in document.chunks(piece) {
        let part = match masker.push(Bytes::copy_from_slice(piece)) {
            Ok(part) => part,
            Err(error) => return Masked { out, shown, masked: masker.masked(), end: Err(error) },
        };
        masker.revealed().iter().for_each(|range| shown.extend_from_slice(&part[range.clone()]));
        out.extend_from_slice(&part);
    }
    let end = masker.finish();
    Masked { out, shown, masked: masker.masked(), end }
}

#[test]
fn it_does_what_the_automaton_does_alone() {
    let cases: u64 = std::env::var("PORTCULLIS_CASES").ok().map_or(3_000, |cases| cases.parse().unwrap());
    let catalogue = Catalogue::builtin();
    let rules = ["secrets", "pods", "configmaps"].map(|resource| catalogue.rules_for("", resource, None));
    let guard = Guard::new("dev", catalogue, KnownValues::none(), [7; 16]);
    let reveal = Reveal { keys: vec!["a".into(), "token".into()], others: false };
    let views = [View::default(), View { session: "s".into(), reveal }];
    let (mut sound, mut values) = (0, 0);
    for seed in 0..cases {
        let mut rng = Rng(seed);
        let (document, rules, view) = (document(&mut rng), &rules[rng.below(3)], &views[rng.below(2)]);
        for piece in [document.len(), 1 + rng.below(40)] {
            let fast = masked(&document, piece, rules, &guard, view);
            AUTOMATON_ALONE.set(true);
            let alone = masked(&document, piece, rules, &guard, view);
            AUTOMATON_ALONE.set(false);
            assert_eq!(fast, alone, "seed {seed}: {}", String::from_utf8_lossy(&document));
            sound += u64::from(alone.end.is_ok());
            values += alone.masked;
        }
    }
    // Where all were damaged, or nothing was masked, there would be nothing to compare.
    assert!(sound > cases / 2 && values > cases / 5, "{sound} of {cases} sound, {values} values masked");
}
