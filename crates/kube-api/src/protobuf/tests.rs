//! The reader by itself. That it reads as Go's does is shown against the API server's own code in `tests/e2e`.

use super::*;

/// A field of the length-delimited wire type.
fn delimited(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
}

fn envelope(api_version: &str, kind: &str, message: &[u8]) -> Vec<u8> {
    let meta = [delimited(1, api_version.as_bytes()), delimited(2, kind.as_bytes())].concat();
    [MAGIC, &delimited(1, &meta), &delimited(2, message), &delimited(3, b""), &delimited(4, b"")].concat()
}

fn secret(message: &[u8]) -> Vec<u8> {
    envelope("v1", "Secret", message)
}

/// A Secret named `db` with one key.
fn database() -> Vec<u8> {
    let metadata = delimited(1, &delimited(1, b"db"));
    let data = delimited(2, &[delimited(1, b"password"), delimited(2, b"hunter2")].concat());
    [metadata, data, delimited(3, b"Opaque")].concat()
}

fn told(bytes: &[u8]) -> String {
    match parse(bytes, &Budget::new()) {
        Ok(value) => value.to_string(),
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
fn an_object_is_read_as_its_json() {
    insta::assert_snapshot!(told(&secret(&database())), @r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db"},"data":{"password":"aHVudGVyMg=="},"type":"Opaque"}"#);
    let attributes = [delimited(1, b"shop"), delimited(2, b"list"), delimited(5, b"pods")].concat();
    let review = [delimited(1, b""), delimited(2, &delimited(1, &attributes)), delimited(3, b"")].concat();
    insta::assert_snapshot!(told(&envelope("authorization.k8s.io/v1", "SelfSubjectAccessReview", &review)), @r#"{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","metadata":{},"spec":{"resourceAttributes":{"namespace":"shop","verb":"list","resource":"pods"}},"status":{}}"#);
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let meta = delimited(1, &[delimited(1, b"v1"), delimited(2, b"Secret")].concat());
    let entry = |key: &[u8]| delimited(2, &[delimited(1, key), delimited(2, b"x")].concat());
    let cases = [
        ("no magic", b"{}".to_vec()),
        ("no envelope", [MAGIC, &[0x0a, 9]].concat()),
        ("two envelopes", [secret(&database()), meta.clone()].concat()),
        ("an encoding", [MAGIC, &meta, &delimited(2, b""), &delimited(3, b"gzip")].concat()),
        (
            "another content type",
            [MAGIC, &meta, &delimited(2, b"{}"), &delimited(4, b"application/json")].concat(),
        ),
        ("no kind", [MAGIC, &delimited(2, b"")].concat()),
        ("an unknown kind", envelope("example.com/v1", "Widget", b"")),
        ("a kind of another group", envelope("apps/v1", "Secret", b"")),
        ("an unknown field", secret(&delimited(9, b"x"))),
        ("another wire type", secret(&[0x18, 1])),
        ("a field twice", secret(&[delimited(3, b"a"), delimited(3, b"b")].concat())),
        ("a key twice", secret(&[entry(b"k"), entry(b"k")].concat())),
        ("a value twice", secret(&delimited(2, &[delimited(2, b"a"), delimited(2, b"b")].concat()))),
        ("a text that is not UTF-8", secret(&delimited(3, &[0xff]))),
        ("a boolean that is not", secret(&[0x28, 2])),
    ];
    let told: Vec<String> = cases.iter().map(|(what, bytes)| format!("{what}: {}", told(bytes))).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn no_cut_panics_or_is_taken_for_a_secret_with_another_value() {
    let whole = secret(&database());
    for end in 0..whole.len() {
        if let Ok(value) = parse(&whole[..end], &Budget::new()) {
            assert!(value.get("data").is_none() || value["data"]["password"] == "aHVudGVyMg==", "{value}");
        }
    }
}

#[test]
fn messages_that_contain_themselves_are_read_to_a_depth() {
    let workload = |depth: usize| {
        let templates = (0..depth).fold(Vec::new(), |inner, _| delimited(9, &inner));
        parse(
            &envelope("scheduling.k8s.io/v1beta1", "Workload", &delimited(2, &delimited(3, &templates))),
            &Budget::new(),
        )
    };
    assert!(workload(20).is_ok());
    assert!(workload(32).is_err());
}
