//! What we read from protobuf is what the API server reads from it: our JSON and the client's bytes, both given to
//! Kubernetes' own code.
//!
//! `PORTCULLIS_CASES` and `PORTCULLIS_SEED` choose how many cases and which; `cargo xtask fuzz` sets them.

use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::setting;
use kube_api::{Head, Refusal, generate::Random};
use serde_json::json;
use testkit::{Oracle, protobuf_schema};

const CASES: usize = 5_000;
const BATCH: usize = 1_000;
/// So many damaged messages for each whole one.
const DAMAGED: u64 = 4;

#[test]
fn the_schema_is_that_of_this_kubernetes() -> anyhow::Result<()> {
    let shipped = include_str!("../../../crates/kube-api/src/protobuf/schema.txt");
    assert!(shipped == protobuf_schema()?, "run `cargo xtask protobuf` and commit what it writes");
    Ok(())
}

#[test]
fn protobuf_is_read_as_the_api_server_reads_it() -> anyhow::Result<()> {
    let first = setting("PORTCULLIS_SEED", 1)?;
    let last = first + setting("PORTCULLIS_CASES", CASES as u64)?;
    let mut oracle = Oracle::start()?;
    let mut taken_damaged = 0;
    let seeds: Vec<u64> = (first..last).collect();
    for seeds in seeds.chunks(BATCH) {
        let samples =
            oracle.ask_many(seeds.iter().map(|seed| json!({"op": "protobufsample", "seed": seed})))?;
        let mut bodies = Vec::new();
        for (seed, sample) in seeds.iter().zip(&samples) {
            let bytes = STANDARD.decode(sample["protobuf"].as_str().context("no sample")?)?;
            let ours =
                read(&bytes).with_context(|| format!("seed {seed}: what a client sends is refused"))?;
            let damaged = (0..DAMAGED).map(|round| damage(&bytes, seed * DAMAGED + round));
            let damaged: Vec<Body> =
                damaged.filter_map(|bytes| Some((*seed, read(&bytes).ok()?, bytes))).collect();
            taken_damaged += damaged.len();
            bodies.push((*seed, ours, bytes));
            bodies.extend(damaged);
        }
        compare(&mut oracle, &bodies)?;
    }
    assert!(taken_damaged > 100, "only {taken_damaged} damaged messages were taken: they show too little");
    Ok(())
}

/// Its seed, the JSON that would go upstream, and the protobuf that came.
type Body = (u64, Vec<u8>, Vec<u8>);

/// Both forms, read by Kubernetes.
fn compare(oracle: &mut Oracle, bodies: &[Body]) -> anyhow::Result<()> {
    let asked = |bytes: &[u8]| json!({"op": "object", "data": STANDARD.encode(bytes)});
    let ours = oracle.ask_many(bodies.iter().map(|(_, json, _)| asked(json)))?;
    let theirs = oracle.ask_many(bodies.iter().map(|(_, _, protobuf)| asked(protobuf)))?;
    for (((seed, json, _), ours), theirs) in bodies.iter().zip(&ours).zip(&theirs) {
        // What the server refuses in protobuf, it may refuse or take as the JSON that was judged.
        if theirs.get("error").is_none() {
            let json = String::from_utf8_lossy(json);
            assert_eq!(ours, theirs, "seed {seed}: the API server reads our JSON otherwise: {json}");
        }
    }
    Ok(())
}

/// The body that would go upstream.
fn read(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let request = http::Request::builder()
        .method("POST")
        .uri("/api/v1/namespaces/shop/configmaps")
        .header("content-type", "application/vnd.kubernetes.protobuf");
    let head = Head::parse(&request.body(()).map_err(|_| Refusal::Upgrade)?.into_parts().0)?;
    Ok(head.with_body(bytes)?.to_http().into_body().to_vec())
}

/// One to three bytes changed, put in, or taken out, behind the envelope's head.
fn damage(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(2) {
        let at = random.below(bytes.len().max(1));
        match random.below(3) {
            0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = any(&mut random)),
            1 => bytes.insert(at, any(&mut random)),
            _ => drop(bytes.remove(at)),
        }
    }
    bytes
}

fn any(random: &mut Random) -> u8 {
    u8::try_from(random.below(256)).unwrap_or(0)
}
