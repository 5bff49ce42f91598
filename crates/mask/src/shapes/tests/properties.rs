use proptest::{prelude::*, test_runner::RngSeed};
use serde_json::Value;

use super::super::table::SHAPES;
use super::{Content, Shapes, in_chunks, marked};
use crate::redact::Detector as _;

/// Parts of text that shapes are made of, and that end or break them.
fn part() -> impl Strategy<Value = String> {
    let examples: Vec<String> = SHAPES.iter().map(|shape| marked(shape.example).0).collect();
    let starts: Vec<String> =
        SHAPES.iter().flat_map(|shape| shape.starts).map(|&start| start.to_owned()).collect();
    let example = prop::sample::select(examples);
    prop_oneof![
        4 => example.clone(),
        2 => (example.clone(), any::<prop::sample::Index>()).prop_map(|(text, at)| text.split_at(at.index(text.len())).0.to_owned()),
        1 => (example, any::<prop::sample::Index>()).prop_map(|(text, at)| text.split_at(at.index(text.len())).1.to_owned()),
        2 => prop::sample::select(starts),
        4 => prop::sample::select(vec![
            "\\", "\\\\", "\"", "\\\"", "\\\\\"", "\\n", "\\\\n", "\n", "\r\n", " ", ":", "=", ": ", "'", "/", "@", ".", "-", "_",
            "\\u0026", "\\u003c", "%3D", "a", "0", "aB3dEfGhIjKlMnOpQr", "PRIVATE KEY-----", "-----END EC PRIVATE KEY-----",
            "-----BEGIN EC PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n", "ghp", "eyJ", "://u:", "é",
            "masked-by-portcullis--not-the-real-value",
        ]).prop_map(str::to_owned),
        1 => "[ -~]{0,12}",
        1 => "[a-zA-Z0-9+/]{0,200}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(part(), 0..10).prop_map(|parts| parts.concat())
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        Just(Value::Null),
        Just(Value::Bool(true)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::vec((text(), inner.clone()), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            // A document within a string.
            inner.prop_map(|value| Value::from(value.to_string())),
        ]
    })
}

/// Whether two documents differ in nothing but the contents of strings.
fn same_structure(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(_), Value::String(_)) => true,
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_structure(one, other))
        }
        // Keys may be masked too, and two of them then be the same one.
        (Value::Object(one), Value::Object(other)) => {
            other.len() <= one.len()
                && (one.keys().ne(other.keys())
                    || one.values().zip(other.values()).all(|(one, other)| same_structure(one, other)))
        }
        (one, other) => one == other,
    }
}

/// The same texts in every run; `cargo xtask fuzz` asks for more of them, and for others.
fn config() -> ProptestConfig {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    ProptestConfig {
        cases: number("PORTCULLIS_CASES").and_then(|cases| u32::try_from(cases).ok()).unwrap_or(256),
        rng_seed: RngSeed::Fixed(number("PORTCULLIS_SEED").unwrap_or(0)),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn chunks_do_not_matter(text in text(), mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let bytes = text.as_bytes();
        let whole = in_chunks(Content::Text, [bytes]);
        let mut at: Vec<usize> = cuts.drain(..).map(|cut| cut.index(bytes.len() + 1)).collect();
        at.sort_unstable();
        at.insert(0, 0);
        at.push(bytes.len());
        let out = in_chunks(Content::Text, at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]));
        prop_assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&whole));
    }

    #[test]
    fn single_bytes_do_not_matter(text in text()) {
        let whole = in_chunks(Content::Text, [text.as_bytes()]);
        let out = in_chunks(Content::Text, text.as_bytes().chunks(1));
        prop_assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&whole));
    }

    #[test]
    fn masking_twice_changes_nothing(text in text()) {
        let once = in_chunks(Content::Text, [text.as_bytes()]);
        let twice = in_chunks(Content::Text, [once.as_slice()]);
        prop_assert_eq!(String::from_utf8_lossy(&twice), String::from_utf8_lossy(&once));
    }

    #[test]
    fn masking_json_twice_changes_nothing(value in json()) {
        let once = in_chunks(Content::Json, [value.to_string().as_bytes()]);
        let twice = in_chunks(Content::Json, [once.as_slice()]);
        prop_assert_eq!(String::from_utf8_lossy(&twice), String::from_utf8_lossy(&once));
    }

    #[test]
    fn little_is_held_back_ever(text in text()) {
        let pending = Shapes.find(text.as_bytes(), 0, &mut Vec::new());
        let unit = text.len() - text.rfind('\n').map_or(0, |newline| newline + 1);
        prop_assert!(pending <= unit.min(4096), "{pending} bytes pending of {unit}");
    }

    #[test]
    fn json_stays_json(value in json()) {
        let document = value.to_string();
        let out = in_chunks(Content::Json, [document.as_bytes()]);
        let parsed: Result<Value, _> = serde_json::from_slice(&out);
        let parsed = parsed.map_err(|error| TestCaseError::fail(format!("{error}: {document} became {}", String::from_utf8_lossy(&out))))?;
        prop_assert!(same_structure(&value, &parsed), "{} became {}", document, parsed);
    }

    #[test]
    fn any_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(in_chunks(Content::Text, bytes.chunks(7)), in_chunks(Content::Text, [bytes.as_slice()]));
    }
}
