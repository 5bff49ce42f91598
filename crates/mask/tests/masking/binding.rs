//! What a placeholder is bound to, and what it does not depend on.

use std::collections::BTreeSet;

use bytes::Bytes;
use mask::{Framing, Guard, KnownValues, Masker, Placeholder, View, placeholder_in};

use crate::support::{Places, catalogue};

const FIXED: &str = Placeholder::Text.as_str();

fn guard(cluster: &str, key: u8) -> Guard {
    Guard::new(cluster, catalogue(), KnownValues::none(), [key; 16])
}

fn masked_by(guard: &Guard, session: &str, places: Places, input: &str, chunk: usize) -> String {
    let view = View { session: session.to_owned(), ..View::default() };
    let mut masker = Masker::new(Framing::One, &places.rules()).bound(guard, &view);
    let mut out = Vec::new();
    let mut rest = Bytes::copy_from_slice(input.as_bytes());
    while !rest.is_empty() {
        out.extend_from_slice(&masker.push(rest.split_to(chunk.min(rest.len()))).unwrap());
    }
    masker.finish().unwrap();
    String::from_utf8(out).unwrap()
}

fn masked(places: Places, input: &str) -> String {
    masked_by(&guard("dev", 7), "s1", places, input, usize::MAX)
}

fn secret(uid: &str, version: &str, values: &str) -> String {
    format!(
        r#"{{"kind":"Secret","metadata":{{"name":"n","uid":"{uid}","resourceVersion":"{version}"}},"stringData":{{{values}}}}}"#
    )
}

/// The first placeholder in `text`.
fn first(text: &str) -> &str {
    text.split('"').find(|part| part.starts_with("masked-by-portcullis")).unwrap()
}

#[test]
fn it_is_bound_to_all_that_it_belongs_to() {
    let (dev, one) = (guard("dev", 7), secret("u1", "5", r#""a":"x""#));
    let tag = |guard: &Guard, session: &str, input: &str| {
        first(&masked_by(guard, session, Places::Secrets, input, usize::MAX)).to_owned()
    };
    let tags = [
        tag(&dev, "s1", &one),
        tag(&dev, "s2", &one),
        tag(&guard("prod", 7), "s1", &one),
        tag(&guard("dev", 8), "s1", &one),
        tag(&dev, "s1", &secret("u2", "5", r#""a":"x""#)),
        tag(&dev, "s1", &secret("u1", "6", r#""a":"x""#)),
        tag(&dev, "s1", &secret("u1", "5", r#""b":"x""#)),
        tag(&dev, "s1", &one.replace("stringData", "message").replace(r#"{"a":"x"}"#, r#""x""#)),
        tag(&dev, "s1", &secret("u1", "5", r#""A":"x""#)),
    ];
    assert_eq!(tags.iter().collect::<BTreeSet<_>>().len(), tags.len(), "{tags:#?}");
    for tag in &tags {
        assert_eq!(tag.len(), 58);
        assert!(placeholder_in(tag) && tag != FIXED);
    }
    insta::assert_snapshot!(tags[0]);
}

#[test]
fn it_is_the_same_whatever_the_value_the_pieces_and_how_often() {
    let inputs = ["x", "", "a much longer value"]
        .map(|value| secret("u1", "5", &format!(r#""a":"{value}","b":"{value}y""#)));
    let expected = masked(Places::Secrets, &inputs[0]);
    for input in inputs.iter().chain([&expected]) {
        for chunk in [1, 2, 7, usize::MAX] {
            assert_eq!(masked_by(&guard("dev", 7), "s1", Places::Secrets, input, chunk), expected);
        }
    }
}

#[test]
fn every_place_of_an_object_has_its_own() {
    let pod = r#"{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"env\":[{\"name\":\"TOKEN\",\"value\":\"x\"}]}","banzaicloud.com/last-applied":"x"},"name":"p"},"spec":{"containers":[{"env":[{"name":"TOKEN","value":"x"},{"name":"TOKEN","value":"x"},{"name":"PASSWORD","value":"x"}]},{"env":[{"name":"TOKEN","value":"x"}]}]}}"#;
    let pod = pod.replacen(r#""metadata":{"#, r#""metadata":{"uid":"u","resourceVersion":"1","#, 1);
    for chunk in [1, 5, usize::MAX] {
        let out = masked_by(&guard("dev", 7), "s1", Places::Pods, &pod, chunk);
        let tags: Vec<&str> =
            out.split("masked-by-portcullis-").skip(1).map(|rest| rest.split('-').next().unwrap()).collect();
        assert_eq!(tags.len(), 6, "{out}");
        assert_eq!(tags.iter().collect::<BTreeSet<_>>().len(), 6, "{out}");
        assert_eq!(masked_by(&guard("dev", 7), "s1", Places::Pods, &out, chunk), out);
    }
}

#[test]
fn base64_places_get_the_same_in_base64() {
    use base64::Engine as _;
    let out = masked(Places::Secrets, &secret("u1", "5", r#""a":"x""#).replace("stringData", "data"));
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    let encoded = document["data"]["a"].as_str().unwrap();
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap();
    assert!(decoded.starts_with(b"masked-by-portcullis-") && decoded.len() == 58);
}

#[test]
fn without_an_object_that_is_known_it_is_fixed() {
    let long = "u".repeat(129);
    for metadata in [
        r#""metadata":{"uid":"u"},"#.to_owned(),
        r#""metadata":{"resourceVersion":"1"},"#.to_owned(),
        r#""metadata":{"uid":"","resourceVersion":"1"},"#.to_owned(),
        format!(r#""metadata":{{"uid":"{long}","resourceVersion":"1"}},"#),
        r#""x":{"uid":"u","resourceVersion":"1"},"#.to_owned(),
        String::new(),
    ] {
        let out = masked(Places::Secrets, &format!(r#"{{{metadata}"stringData":{{"a":"x"}}}}"#));
        assert_eq!(first(&out), FIXED, "{metadata}");
    }
    let later = r#"{"stringData":{"a":"x"},"metadata":{"uid":"u","resourceVersion":"1"}}"#;
    assert_eq!(first(&masked(Places::Secrets, later)), FIXED);
}

#[test]
fn one_object_says_nothing_about_the_next() {
    let (known, unknown) = (secret("u1", "5", r#""a":"x""#), r#"{"stringData":{"a":"x"}}"#);
    let alone = masked(Places::Secrets, &known);
    let list = masked(
        Places::Secrets,
        &format!(r#"{{"metadata":{{"resourceVersion":"9"}},"items":[{known},{unknown},{known}]}}"#),
    );
    let hidden = unknown.replace("\"x\"", &format!("\"{FIXED}\""));
    assert_eq!(
        list,
        format!(r#"{{"metadata":{{"resourceVersion":"9"}},"items":[{alone},{hidden},{alone}]}}"#)
    );
}
