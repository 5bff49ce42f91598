//! What holds for any bytes and any chunks.

use mask::Framing;
use proptest::{prelude::*, test_runner::RngSeed};
use serde_json::json;

use crate::support::{Places, Rng, cases, generate, mask, mask_in, mask_secret};

/// The same cases in every run, unless the environment asks for others; a failure shows what is printed here.
fn config() -> ProptestConfig {
    let seeds = cases(256);
    println!("PORTCULLIS_SEED={} PORTCULLIS_CASES={}", seeds.start, seeds.end - seeds.start);
    ProptestConfig {
        cases: u32::try_from(seeds.end - seeds.start).unwrap(),
        rng_seed: RngSeed::Fixed(seeds.start),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

#[test]
fn the_byte_that_is_not_utf8_is_told_however_the_text_is_cut() {
    let text = b"{\"\xC2\x00";
    let whole = mask(Framing::One, Places::Secrets, text);
    for chunk in 1..4 {
        assert_eq!(mask_in(Framing::One, Places::Secrets, text, || chunk), whole);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_in_any_chunks_end_alike(bytes: Vec<u8>, chunk in 1..9_usize, sequence: bool) {
        let framing = if sequence { Framing::Sequence } else { Framing::One };
        let whole = mask(framing, Places::Secrets, &bytes);
        prop_assert_eq!(mask_in(framing, Places::Secrets, &bytes, || chunk), whole);
    }

    #[test]
    fn documents_in_any_chunks_end_alike(seed: u64, chunks in prop::collection::vec(1..50_usize, 1..20)) {
        let document = generate::answer(&mut Rng(seed));
        let mut lengths = chunks.iter().cycle();
        let out = mask_in(Framing::One, Places::Secrets, document.input().as_bytes(), || *lengths.next().unwrap());
        prop_assert_eq!(out, Ok(document.expected().into_bytes()));
    }

    /// Whether two values are equal, empty or long does not show.
    #[test]
    fn values_do_not_show(one: String, other: String, key: String) {
        let masked = |value: &str| {
            let applied = json!({"stringData": {&key: value}, "data": {&key: value}}).to_string();
            let annotations = json!({"kubectl.kubernetes.io/last-applied-configuration": applied});
            let secret = json!({"data": {&key: value}, "stringData": {&key: value}, "metadata": {"annotations": annotations}});
            mask_secret(&json!({"items": [secret]}).to_string())
        };
        prop_assert_eq!(masked(&one), masked(&other));
    }
}
