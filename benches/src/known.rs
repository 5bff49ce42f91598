//! The search for known values, beside what else there is.

use std::hint::black_box;
use std::time::Instant;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use mask::{Catalogue, Content, Framing, Guard, KnownValues, Masker, Redactor, Rules, SecretValue, View};

use crate::figures::{Row, millis};

pub(crate) const EXPLAINED: &str = "All that masks an answer, as the gate runs it (by place, by value, by shape), on one core, 64 KiB at a time, beside copying \
     it, an automaton for the main forms of the same values (raw, base64, hexadecimal), and parsing and printing it; the best of five \
     passes over some 64 MB. Values are random, of 12 to 40 characters. An update is seen by answers on their way from \
     their next chunk on. The target is each stage's: places above, values and shapes here. What passes both, one after the other, \
     takes the sum of their times, and Secrets come out longer than they went in.";

const CHUNK: usize = 64 * 1024;

/// What is masked.
pub(crate) struct Body {
    pub(crate) what: &'static str,
    pub(crate) bytes: Bytes,
    /// The places of its objects; none to mask it by value and by shape alone.
    pub(crate) rules: Option<Rules>,
    pub(crate) content: Content,
}

/// Everything about known values: `bodies` masked, the first of them also by others.
pub(crate) fn measure(bodies: &[Body]) -> anyhow::Result<Vec<Row>> {
    let first = bodies.first().context("nothing to mask")?;
    let mut rows = others(first);
    for count in [0, 10, 1000, 10_000] {
        let values = values(count);
        let known = KnownValues::none();
        let update = |more: Option<&str>| {
            let all = values.iter().map(String::as_str).chain(more);
            known.update(all.map(|value| SecretValue::new(value.into())))
        };
        let started = Instant::now();
        let updated = update(None);
        let took = started.elapsed();
        let name = format!("{count} known values");
        for body in bodies {
            let what = format!("{name}: {}", body.what);
            let target = if body.rules.is_none() { "≥ 1 GB/s" } else { "" };
            rows.push(row(&what, target, &body.bytes, || pass(&known, body)));
        }
        if count == 0 {
            continue;
        }
        let kilobytes = updated.memory / count;
        rows.push(Row::new(format!("{name}: memory"), format!("{kilobytes} bytes a value"), ""));
        rows.push(Row::new(format!("{name}: indexed"), millis(took), ""));
        let started = Instant::now();
        anyhow::ensure!(update(Some(NEW)).left_out == 0, "there is no room for one more");
        let shown = Redactor::new(known.clone(), Content::Text).push(Bytes::from_static(LINE), &[]);
        let took = started.elapsed();
        anyhow::ensure!(!shown.starts_with(NEW.as_bytes()), "the new value is shown");
        rows.push(Row::new(format!("{name}: from one more to masked"), millis(took), "≤ 1 s"));
        rows.extend(automata(&name, &values, first)?);
    }
    Ok(rows)
}

const NEW: &str = "nW7Xk9fTq2Lm8Zr4vB";
const LINE: &[u8] = b"nW7Xk9fTq2Lm8Zr4vB is new\n";

/// What does less, and what does it all in the usual way.
fn others(body: &Body) -> Vec<Row> {
    let copy = || {
        for chunk in body.bytes.chunks(CHUNK) {
            black_box(chunk.to_vec());
        }
    };
    let parse = || {
        let value = serde_json::from_slice::<serde_json::Value>(&body.bytes);
        black_box(value.map(|value| value.to_string()).ok());
    };
    let name = |what: &str| format!("{}: {what}", body.what);
    vec![
        row(&name("memcpy"), "", &body.bytes, copy),
        row(&name("serde_json, parse and print"), "", &body.bytes, parse),
    ]
}

/// As the gate masks an answer.
fn pass(known: &KnownValues, body: &Body) {
    let guard = Guard::new("bench", Catalogue::builtin(), known.clone(), [1; 16]);
    let masker = body.rules.as_ref().map(|rules| Masker::new(Framing::One, rules));
    let mut masker = masker.map(|masker| masker.bound(&guard, &View::default()));
    let mut redactor = Redactor::new(known.clone(), body.content);
    let mut rest = body.bytes.clone();
    while !rest.is_empty() {
        let chunk = rest.split_to(CHUNK.min(rest.len()));
        let by_place = match &mut masker {
            Some(masker) => masker.push(chunk).unwrap_or_default(),
            None => chunk,
        };
        black_box(redactor.push(by_place, &[]));
    }
    black_box(redactor.finish());
}

/// The deterministic automaton of 10,000 takes half a gigabyte and more.
fn automata(name: &str, values: &[String], body: &Body) -> anyhow::Result<Vec<Row>> {
    let kinds = [("DFA", AhoCorasickKind::DFA), ("NFA", AhoCorasickKind::ContiguousNFA)];
    let mut rows = Vec::new();
    for (kind_name, kind) in kinds.into_iter().skip(usize::from(values.len() > 1000)) {
        let automaton =
            AhoCorasick::builder().kind(Some(kind)).build(patterns(values)).context("too large")?;
        let what = format!("{name}: {}: aho-corasick, {kind_name}", body.what);
        rows.push(row(&what, "", &body.bytes, || {
            for chunk in body.bytes.chunks(CHUNK) {
                black_box(automaton.find_iter(chunk).count());
            }
        }));
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
