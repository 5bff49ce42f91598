use aho_corasick::AhoCorasick;

use super::*;
use crate::known::forms::{Ends, Form};

struct Rng(u64);

impl Rng {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn bytes(&mut self, length: usize, alphabet: usize) -> Vec<u8> {
        (0..length).map(|_| b'a' + u8::try_from(self.below(alphabet)).unwrap()).collect()
    }
}

fn form(bytes: &[u8]) -> Form {
    Form { bytes: Zeroizing::new(bytes.to_vec()), flags: Flags::JSON, ends: Ends::default() }
}

fn covered(length: usize, ranges: impl Iterator<Item = Range<usize>>) -> Vec<bool> {
    let mut covered = vec![false; length];
    ranges.for_each(|range| covered[range].fill(true));
    covered
}

/// The same bytes are found as by an automaton, with few letters (so that patterns begin with, overlap and repeat each other)
/// and with many.
#[test]
fn finds_what_an_automaton_finds() {
    let cases = std::env::var("PORTCULLIS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    for seed in 0..cases {
        let mut rng = Rng(seed);
        let alphabet = [2, 3, 26][rng.below(3)];
        let count = 1 + rng.below(40);
        let mut patterns: Vec<Vec<u8>> = Vec::new();
        for _ in 0..count {
            let mut pattern = if let Some(other) = patterns.last().filter(|_| rng.below(3) == 0) {
                other[..other.len().min(244)].to_vec()
            } else {
                Vec::new()
            };
            let most = if rng.below(4) == 0 { 100 } else { 8 };
            let length = 12 + rng.below(most);
            pattern.extend(rng.bytes(length, alphabet));
            pattern.truncate(256);
            patterns.push(pattern);
        }
        let forms: Vec<(Form, u32)> =
            (0..).zip(&patterns).map(|(value, bytes)| (form(bytes), value)).collect();
        let index = Index::of_any(forms);
        let mut text = Vec::new();
        for _ in 0..rng.below(30) {
            if rng.below(2) == 0 {
                let pattern = &patterns[rng.below(count)];
                let from = if rng.below(3) == 0 { rng.below(pattern.len()) } else { 0 };
                let to = if rng.below(3) == 0 { rng.below(pattern.len()).max(from) } else { pattern.len() };
                text.extend_from_slice(&pattern[from..to]);
            } else {
                let length = rng.below(30);
                text.extend(rng.bytes(length, alphabet));
            }
        }
        let oracle = AhoCorasick::new(&patterns).unwrap();
        let expected = covered(text.len(), oracle.find_overlapping_iter(&text).map(|found| found.range()));
        let mut found = Vec::new();
        index.scan(&text, true, |range, _| found.push(range));
        assert_eq!(covered(text.len(), found.into_iter()), expected, "seed {seed}");
    }
}

/// What begins a pattern and would be looked for by itself is one's whatever comes after it, and in whatever order patterns are given.
#[test]
fn heads_of_patterns_at_the_end() {
    let told = |bytes: &str, telling| {
        (
            Form {
                ends: Ends { first: Some(telling).filter(|length| *length > 0), last: None },
                ..form(bytes.as_bytes())
            },
            0,
        )
    };
    let forms = [
        ("Xk9fTq2Lm8Zrw7Rt", 14),
        // Of these, the shortest counts.
        ("Xk9fTq2Lm8ZrAAAA", 12),
        ("Xk9fTq2Lm8ZrBBBB", 0),
        ("Zr9zK2xw8VbQ", 0),
    ];
    let orders = [forms, [forms[1], forms[0], forms[3], forms[2]], [forms[3], forms[2], forms[1], forms[0]]];
    for order in orders {
        let index = Index::of_any(order.into_iter().map(|(bytes, telling)| told(bytes, telling)).collect());
        for (text, expected) in [
            ("", None),
            ("a Xk9fTq2Lm8Z", None),
            ("a Xk9fTq2Lm8Zr", Some(2..14)),
            ("a Xk9fTq2Lm8Zrw7Rt", Some(2..14)),
            ("a Xk9fTq2Lm8Zr no", Some(2..14)),
            ("a Xk9fTq2Lm8Zr\u{7f}", Some(2..14)),
            // It is further away than any pattern is long.
            ("Xk9fTq2Lm8Zr 12345", None),
            ("Zr9zK2xw8VbQ", None),
        ] {
            let mut heads = Vec::new();
            index.heads(text.as_bytes(), |range| heads.push(range));
            assert_eq!(heads, Vec::from_iter(expected), "{text}");
        }
    }
    Index::default().heads(b"Xk9fTq2Lm8Zr", |range| assert_eq!(range, 0..0, "nothing is known"));
}

/// The end of a pattern that would be looked for by itself, after whatever.
#[test]
fn tails_of_patterns_at_the_beginning() {
    let told = |bytes: &str, last| (Form { ends: Ends { first: None, last }, ..form(bytes.as_bytes()) }, 0);
    let index = Index::of_any(vec![
        told("Xk9fTq2Lm8Zrw7Rt", Some(13)),
        // Of these, the shortest counts.
        told("AAAAATq2Lm8Zrw7Rt", Some(12)),
        told("Zr9zK2xw8VbQ", None),
    ]);
    for (text, expected) in [
        ("", None),
        ("q2Lm8Zrw7Rt", None),
        ("Tq2Lm8Zrw7Rt", Some(0..12)),
        ("fTq2Lm8Zrw7Rt b", Some(1..13)),
        ("no Tq2Lm8Zrw7Rt b", Some(3..15)),
        ("no Tq2Lm8Zrw7R", None),
        // It is further away than any pattern is long.
        ("123456 Tq2Lm8Zrw7Rt", None),
        ("Zr9zK2xw8VbQ", None),
    ] {
        let mut tails = Vec::new();
        index.tails(text.as_bytes(), |range| tails.push(range));
        assert_eq!(tails, Vec::from_iter(expected), "{text}");
    }
    Index::default().tails(b"Tq2Lm8Zrw7Rt", |range| assert_eq!(range, 0..0, "nothing is known"));
}

/// Ten thousand values that differ at their ends only are found, none of them is slower than another.
#[test]
fn values_that_begin_alike() {
    let values: Vec<Vec<u8>> = (0..10_000)
        .map(|n| format!("postgres://app:Zk9Qx7Lm2Vt4@db.prod.example.com/{n:05}").into_bytes())
        .collect();
    let forms = (0..).zip(&values).map(|(value, bytes)| (form(bytes), value)).collect();
    let index = Index::of_any(forms);
    let text = values.concat();
    let mut found = 0;
    index.scan(&text, true, |range, _| {
        assert_eq!(range.len(), values[0].len());
        found += 1;
    });
    assert_eq!(found, values.len());
}

/// Distinct values that are looked for, of this shape.
fn values(count: usize, shape: impl Fn(&str) -> String) -> Vec<Zeroizing<Vec<u8>>> {
    let mut rng = Rng(7);
    let mut random = || {
        let letters = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
        (0..20).map(|_| char::from(letters[rng.below(letters.len())])).collect::<String>()
    };
    (0..count).map(|_| Zeroizing::new(shape(&random()).into_bytes())).collect()
}

#[test]
fn where_there_is_no_room_for_all_it_is_the_last_ones_that_are_left_out_and_told() {
    let mut all = values(40, str::to_owned);
    // The least of all by its bytes comes last.
    all.push(Zeroizing::new(b"!0Xk9fTq2Lm8ZrVw".to_vec()));
    let (index, fates) = Index::build(&all, 4 << 10);
    let known = fates.iter().filter(|fate| **fate == Fate::Known).count();
    assert!(known > 1 && known < all.len() - 1, "{fates:?}");
    for (at, (value, fate)) in all.iter().zip(&fates).enumerate() {
        let mut found = false;
        index.scan(value, false, |range, _| found |= range.len() == value.len());
        assert_eq!(found, at < known, "{at} of {fates:?}");
        assert_eq!(found, *fate == Fate::Known);
    }
}

/// What the configuration allows by default (`masking.known_values.bytes`), counted as the reader does, has room here
/// whatever shape it has. Prints how much memory it takes.
#[test]
fn what_may_be_held_by_default_has_room() {
    type Shape = fn(&str) -> String;
    const HELD: usize = 8 << 20;
    const OVERHEAD: usize = 64;
    let shapes: [(&str, Shape); 8] = [
        ("a password", str::to_owned),
        ("an address with a password", |random| {
            format!("postgres://app:{random}@db.prod.example.com:5432/app")
        }),
        ("a file of settings", |random| (0..10).map(|n| format!("KEY_{n}={n}{random}\n")).collect()),
        ("short settings", |random| {
            (0..15).map(|n| format!("K={}{n:02}\n", random.get(..11).unwrap_or_default())).collect()
        }),
        ("short JSON", |random| {
            let strings: Vec<_> =
                (0..200).map(|n| format!("\"{}{n:03}\"", random.get(..10).unwrap_or_default())).collect();
            format!("[{}]", strings.join(","))
        }),
        ("JSON", |random| format!(r#"{{"user":"app","password":"{random}","token":"t{random}{random}"}}"#)),
        ("a key", |random| random.repeat(80)),
        ("lines of secrets", |random| (0..200).map(|n| format!("{random}{n}\n")).collect()),
    ];
    for (name, shape) in shapes {
        let sample = values(20, shape);
        let cost: usize = sample.iter().map(|value| value.len() + OVERHEAD).sum();
        let (index, _) = Index::build(&sample, MOST_BYTES);
        let times = index.memory().div_ceil(cost);
        let of_bytes = index.bytes.len() / cost;
        println!("{name}: {times} times what is held, of which patterns {of_bytes}");
        assert!(index.bytes.len() * (HELD / cost) < MOST_BYTES, "{name}: {} bytes", index.bytes.len());
        assert!(index.patterns.len() * (HELD / cost) < 1 << 23, "{name}: {}", index.patterns.len());
    }
}
