//! What we judge is what the API server does: our reading of request lines beside its own `RequestInfoFactory`.
//!
//! `PORTCULLIS_CASES` and `PORTCULLIS_SEED` choose how many cases and which; `cargo xtask fuzz` sets them.

use e2e::setting;
use kube_api::generate::{Case, Generator, agrees, port_agrees};
use serde_json::{Value, json};
use testkit::Oracle;

const CASES: usize = 20_000;
/// Asked at a time, so that memory stays the same however many cases there are.
const BATCH: usize = 10_000;

fn question(method: &str, url: &str) -> Value {
    json!({"op": "requestinfo", "method": method, "url": url})
}

#[test]
fn no_request_line_is_read_otherwise_than_the_api_server_reads_it() -> anyhow::Result<()> {
    let seed = setting("PORTCULLIS_SEED", 1)?;
    let mut left = usize::try_from(setting("PORTCULLIS_CASES", CASES as u64)?)?;
    let mut generator = Generator::new(seed);
    let mut oracle = Oracle::start()?;
    let mut taken = 0;
    while left > 0 {
        let cases: Vec<Case> = generator.by_ref().take(left.min(BATCH)).collect();
        left -= cases.len();
        taken += check(&mut oracle, &cases, seed)?;
    }
    assert!(
        taken > 1_000,
        "only {taken} cases were requests that the gate takes: the test compares too little"
    );
    Ok(())
}

/// Compares the port on every case, and what the gate takes on both the original URL and the one it sends on.
fn check(oracle: &mut Oracle, cases: &[Case], seed: u64) -> anyhow::Result<usize> {
    let answers = oracle.ask_many(cases.iter().map(|case| question(&case.method, &case.url)))?;
    let mut heads = Vec::new();
    for (case, answer) in cases.iter().zip(&answers) {
        port_agrees(case, answer).map_err(|difference| found(case, seed, &difference))?;
        if let Some(Ok(head)) = case.head() {
            agrees(&head, answer).map_err(|difference| found(case, seed, &difference))?;
            heads.push((case, head));
        }
    }
    let rebuilt = heads.iter().map(|(_, head)| question(head.method().as_str(), &head.path_and_query()));
    for ((case, head), answer) in heads.iter().zip(&oracle.ask_many(rebuilt)?) {
        agrees(head, answer)
            .map_err(|difference| found(case, seed, &format!("as it is sent on: {difference}")))?;
    }
    Ok(heads.len())
}

fn found(case: &Case, seed: u64, difference: &str) -> anyhow::Error {
    anyhow::anyhow!("{} {} (seed {seed}): {difference}", case.method, case.url)
}
