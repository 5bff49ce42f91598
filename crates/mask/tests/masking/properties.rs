//! What holds for any bytes and any chunks.

use mask::{Framing, Places};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{Rng, generate, mask, mask_in, mask_secret};

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

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
