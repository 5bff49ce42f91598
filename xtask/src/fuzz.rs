//! `cargo xtask fuzz`: the seeded differential tests, for longer.

use clap::Args;

use crate::run::{cargo_with, step};

/// Options of `cargo xtask fuzz`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Cases for each test
    #[arg(long, default_value_t = 1_000_000)]
    cases: u64,
    /// Where the generators start; a failure names the seed that shows it again
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The programs of tests: their package and name, and what is compared.
const TESTS: &[(&str, &str, &str)] = &[
    ("e2e", "requestinfo", "our RequestInfo against the API server's own"),
    ("e2e", "options", "our options against what the API server decodes"),
    ("e2e", "bodies", "our JSON and YAML against the API server's own"),
    ("e2e", "protobuf", "our reading of protobuf against the API server's own"),
    ("mask", "masking", "our JSON scanner against serde_json"),
    ("mask", "known", "all that masks, in one piece and in many"),
    ("streaming", "spdy", "what one end of SPDY says with what the other hears, and damaged in any pieces"),
    (
        "streaming",
        "decoders",
        "what exec, attach and port-forward say with what is heard: messages, ends, sizes, what is agreed on; and damaged",
    ),
    ("wire", "handshake", "the handshake of a WebSocket with what RFC 6455 asks for"),
    (
        "mask",
        LIB,
        "our search for known values against an automaton's, and for shapes in one piece and in many",
    ),
];

/// The tests within a package.
const LIB: &str = "";

/// Runs every differential test in release mode with as many cases as told.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    testkit::tools()?;
    for (package, test, compares) in TESTS {
        let program: &[&str] = if *test == LIB { &["--lib"] } else { &["--test", test] };
        let mut command = cargo_with(["test", "--release", "--locked", "--package", package])?;
        command.args(program).args(["--", "--nocapture"]);
        command.env("PORTCULLIS_CASES", options.cases.to_string());
        command.env("PORTCULLIS_SEED", options.seed.to_string());
        step(compares, command)?;
    }
    Ok(())
}
