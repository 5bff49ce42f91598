//! What we read from a body, and what we send of it, is what the API server reads from both, by its own JSON and YAML code.
//!
//! `PORTCULLIS_CASES` and `PORTCULLIS_SEED` choose how many cases and which; `cargo xtask fuzz` sets them.

mod texts;

use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::setting;
use kube_api::{Body, Head, generate::Random};
use serde_json::{Value, json};
use testkit::Oracle;

const CASES: usize = 5_000;
const BATCH: usize = 1_000;

/// A client's bytes, what we read in them, and what we would send.
struct Case {
    seed: u64,
    received: Vec<u8>,
    value: Value,
    sent: Vec<u8>,
}

/// How the oracle is to read, `json` or `yaml`, and which bytes.
type Check = (&'static str, fn(&Case) -> &[u8]);

/// One body of a random seed, if the gate takes it.
fn case(seed: u64, content: &str, text: fn(&mut Random) -> String) -> Option<Case> {
    let received = text(&mut Random::new(seed)).into_bytes();
    let (method, uri) = if content.contains("patch") {
        ("PATCH", "/api/v1/namespaces/shop/configmaps/web")
    } else {
        ("POST", "/api/v1/namespaces/shop/configmaps")
    };
    let request = http::Request::builder().method(method).uri(uri).header("content-type", content);
    let head = Head::parse(&request.body(()).ok()?.into_parts().0).ok()?;
    let request = head.with_body(&received).ok()?;
    let value = request.body().map(Body::value)?.clone();
    Some(Case { seed, received, value, sent: request.to_http().into_body().to_vec() })
}

/// How many of the seeds are taken, all of them read alike.
fn compare(content: &str, text: fn(&mut Random) -> String, checks: &[Check]) -> anyhow::Result<usize> {
    let first = setting("PORTCULLIS_SEED", 1)?;
    let last = first + setting("PORTCULLIS_CASES", CASES as u64)?;
    let mut oracle = Oracle::start()?;
    let mut taken = 0;
    let mut seeds = first..last;
    while !seeds.is_empty() {
        let cases: Vec<Case> =
            seeds.by_ref().take(BATCH).filter_map(|seed| case(seed, content, text)).collect();
        taken += cases.len();
        for (op, bytes) in checks {
            let asked = cases.iter().map(|case| json!({"op": op, "data": STANDARD.encode(bytes(case))}));
            for (case, answer) in cases.iter().zip(&oracle.ask_many(asked)?) {
                // What the server does not read, it takes as the JSON that was judged.
                if *op == "yaml" && case.sent != bytes(case) && answer.get("error").is_some() {
                    continue;
                }
                let theirs = answer.get("value").filter(|_| answer.get("strict").is_none());
                assert!(
                    theirs.is_some_and(|theirs| same(&case.value, theirs)),
                    "seed {}, read as {op}: {:?}\nis {} here\nand {answer} there",
                    case.seed,
                    String::from_utf8_lossy(bytes(case)),
                    case.value
                );
            }
        }
    }
    Ok(taken)
}

/// Equal, whole numbers and others being one kind: Go writes 1.0 as 1.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

#[test]
fn an_apply_patch_is_read_as_it_was_judged() -> anyhow::Result<()> {
    let checks: [Check; 2] = [("yaml", |case| &case.sent), ("json", |case| &case.sent)];
    let taken = compare("application/apply-patch+yaml", texts::json, &checks)?;
    assert!(taken > 1_000, "only {taken} bodies were taken: the test compares too little");
    Ok(())
}

#[test]
fn json_is_read_as_the_api_server_reads_it() -> anyhow::Result<()> {
    let checks: [Check; 2] = [("json", |case| &case.received), ("json", |case| &case.sent)];
    let taken = compare("application/json", texts::damaged_json, &checks)?;
    assert!(taken > 1_000, "only {taken} bodies were taken: the test compares too little");
    Ok(())
}

#[test]
fn yaml_is_read_as_the_api_server_reads_it() -> anyhow::Result<()> {
    let checks: [Check; 2] = [("yaml", |case| &case.received), ("json", |case| &case.sent)];
    let taken = compare("application/yaml", texts::yaml, &checks)?;
    assert!(taken > 500, "only {taken} bodies were taken: the test compares too little");
    Ok(())
}
