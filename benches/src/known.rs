//! The search for known values, beside what else there is.

use std::hint::black_box;
use std::time::Instant;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use mask::{Content, KnownValues, Redactor, SecretValue};

use crate::figures::{Row, millis};

pub(crate) const EXPLAINED: &str = "Known values searched for in a list of pods on one core, 64 KiB at a time, beside copying it, an automaton for the main forms of the same \
     values (raw, base64, hexadecimal), and parsing and printing it; the best of five passes over some 64 MB. Values are \
     random, of 12 to 40 characters.";

const CHUNK: usize = 64 * 1024;

pub(crate) fn measure(body: &Bytes) -> anyhow::Result<Vec<Row>> {
    let mut rows = vec![
        row("memcpy", "", body, || {
            for chunk in body.chunks(CHUNK) {
                black_box(chunk.to_vec());
            }
        }),
        row("serde_json, parse and print", "", body, || {
            black_box(serde_json::from_slice::<serde_json::Value>(body).map(|value| value.to_string()).ok());
        }),
    ];
    for count in [0, 10, 1000, 10_000] {
        let values = values(count);
        let known = KnownValues::none();
        let started = Instant::now();
        let updated = known.update(values.iter().map(|value| SecretValue::new(value.clone().into_bytes())));
        let took = started.elapsed();
        let what = format!("{count} known values");
        rows.push(row(&what, "≥ 1 GB/s", body, || {
            let mut redactor = Redactor::new(known.clone(), Content::Json);
            let mut rest = body.clone();
            while !rest.is_empty() {
                black_box(redactor.push(rest.split_to(CHUNK.min(rest.len())), &[]));
            }
            black_box(redactor.finish());
        }));
        if count == 0 {
            continue;
        }
        let kilobytes = updated.memory / count;
        rows.push(Row::new(format!("{what}: memory"), format!("{kilobytes} bytes a value"), ""));
        rows.push(Row::new(format!("{what}: time of an update"), millis(took), ""));
        // The deterministic automaton of 10,000 takes half a gigabyte and more.
        let kinds = [("DFA", AhoCorasickKind::DFA), ("NFA", AhoCorasickKind::ContiguousNFA)];
        for (name, kind) in kinds.into_iter().skip(usize::from(count > 1000)) {
            let automaton =
                AhoCorasick::builder().kind(Some(kind)).build(patterns(&values)).context("too large")?;
            rows.push(row(&format!("{what}: aho-corasick, {name}"), "", body, || {
                for chunk in body.chunks(CHUNK) {
                    black_box(automaton.find_iter(chunk).count());
                }
            }));
        }
    }
    Ok(rows)
}

fn row(what: &str, target: &'static str, body: &Bytes, mut pass: impl FnMut()) -> Row {
    let mut best = f64::INFINITY;
    for _pass in 0..5 {
        let started = Instant::now();
        pass();
        best = best.min(started.elapsed().as_secs_f64());
    }
    #[expect(clippy::cast_precision_loss, reason = "some 64 million")]
    let rate = body.len() as f64 / best / 1e9;
    Row::new(what, format!("{rate:.2} GB/s"), target)
}

/// Random values, the same in every run.
fn values(count: usize) -> Vec<String> {
    const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
    let mut state = 1_u64;
    let mut below = |end: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((state >> 33) % end).unwrap_or(0)
    };
    (0..count)
        .map(|_| {
            let length = 12 + below(29);
            (0..length).filter_map(|_| ALPHABET.get(below(64)).copied().map(char::from)).collect()
        })
        .collect()
}

/// The main forms: fewer than the index has.
fn patterns(values: &[String]) -> Vec<String> {
    let mut patterns = Vec::new();
    for value in values {
        for shift in 0..3 {
            let shifted = format!("{}{value}", "x".repeat(shift));
            for encoded in [STANDARD.encode(&shifted), URL_SAFE.encode(&shifted)] {
                patterns.push(encoded.chars().skip(shift + 1).take(value.len()).collect());
            }
        }
        patterns.push(value.bytes().map(|byte| format!("{byte:02x}")).collect());
        patterns.push(value.clone());
    }
    patterns
}
