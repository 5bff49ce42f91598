//! Seeded documents against what must become of them, and the scanner's grammar against `serde_json`'s.
//!
//! `PORTCULLIS_CASES` and `PORTCULLIS_SEED` ask for more and other cases than the few of an ordinary run.

use crate::support::generate::{self, CANARY, Document};
use crate::support::{Places, Rng, cases, mask, mask_in};
use mask::{Framing, Masker};
use serde_json::Value;

fn check(seed: u64, framing: Framing, places: Places, document: &Document) {
    let input = document.input();
    let expected = document.expected();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let masked = |input: &str| match mask(framing, places, input.as_bytes()) {
        Ok(out) => text(out),
        Err(error) => panic!("seed {seed}: {error} in {input}"),
    };
    assert_eq!(masked(&input), expected, "seed {seed}");
    assert_eq!(masked(&expected), expected, "seed {seed}: masking again changes something");
    let mut rng = Rng(seed);
    let most = 1 + rng.below(40);
    let chunked = mask_in(framing, places, input.as_bytes(), || 1 + rng.below(most));
    assert_eq!(chunked.map(text), Ok(expected.clone()), "seed {seed}: chunks change the outcome");
    assert!(!expected.contains(CANARY), "seed {seed}");
    assert_eq!(mask(framing, Places::Nowhere, input.as_bytes()).map(text), Ok(input.clone()), "seed {seed}");
}

#[test]
fn answers_become_what_they_must() {
    for seed in cases(3_000) {
        check(seed, Framing::One, Places::Secrets, &generate::answer(&mut Rng(seed)));
    }
}

#[test]
fn watches_become_what_they_must() {
    for seed in cases(3_000) {
        check(seed, Framing::Sequence, Places::Secrets, &generate::watch(&mut Rng(seed)));
    }
}

#[test]
fn other_objects_become_what_they_must() {
    for seed in cases(3_000) {
        check(seed, Framing::One, Places::Pods, &generate::object(&mut Rng(seed)));
    }
}

#[test]
fn counts_what_it_replaces() {
    for seed in cases(500) {
        let document = generate::answer(&mut Rng(seed));
        let mut masker = Masker::new(Framing::One, &Places::Secrets.rules());
        assert!(masker.push(document.input().into()).is_ok());
        assert_eq!(masker.masked(), document.masked, "seed {seed}: {}", document.input());
    }
}

/// Whether `serde_json` takes `input` for exactly one object; `None` where it refuses for a reason that is not the grammar.
fn oracle(input: &[u8]) -> Option<bool> {
    match serde_json::from_slice::<Value>(input) {
        Ok(value) => Some(value.is_object()),
        Err(error) if error.to_string().contains("number out of range") => None,
        Err(_) => Some(false),
    }
}

/// `input` with a few bytes changed, mostly into ones that matter to the grammar.
fn mutate(rng: &mut Rng, input: &mut Vec<u8>) {
    const BYTES: &[u8] = b"\"\\{}[]:,u0e-+.tn \x1f\x80\xc3\xed\xa0\xf4\xffd";
    for _ in 0..1 + rng.below(3) {
        if input.is_empty() {
            return;
        }
        let at = rng.below(input.len());
        match rng.below(5) {
            0 => drop(input.remove(at)),
            1 => input.insert(at, *rng.pick(BYTES)),
            2 => input.truncate(at),
            3 => {
                let end = at + rng.below(input.len() - at + 1);
                let copy: Vec<u8> = input.drain(at..end).collect();
                let to = rng.below(input.len() + 1);
                input.splice(to..to, copy);
            }
            _ => input.splice(at..=at, [*rng.pick(BYTES)]).for_each(drop),
        }
    }
}

#[test]
fn accepts_and_refuses_what_serde_json_does() {
    for (places, make) in
        [(Places::Secrets, generate::answer as fn(&mut Rng) -> Document), (Places::Pods, generate::object)]
    {
        accepts_and_refuses(places, make);
    }
}

fn accepts_and_refuses(places: Places, make: fn(&mut Rng) -> Document) {
    let (mut accepted, mut refused) = (0_u32, 0_u32);
    for seed in cases(10_000) {
        let mut rng = Rng(seed);
        let mut input = make(&mut rng).input().into_bytes();
        mutate(&mut rng, &mut input);
        let Some(expected) = oracle(&input) else { continue };
        let whole = mask(Framing::One, places, &input);
        assert_eq!(whole.is_ok(), expected, "seed {seed}: {whole:?} for {}", input.escape_ascii());
        let chunked = mask_in(Framing::One, places, &input, || 1 + rng.below(4));
        assert_eq!(chunked.is_ok(), whole.is_ok(), "seed {seed}: chunks change the outcome");
        if let Ok(out) = whole {
            accepted += 1;
            assert_eq!(chunked.as_ref(), Ok(&out), "seed {seed}: chunks change the outcome");
            assert_eq!(oracle(&out), Some(true), "seed {seed}: not JSON any more");
            assert_eq!(mask(Framing::One, places, &out), Ok(out), "seed {seed}: not idempotent");
        } else {
            refused += 1;
        }
    }
    assert!(
        accepted * 20 > refused && refused > accepted / 20,
        "one-sided: {accepted} accepted, {refused} refused"
    );
}
