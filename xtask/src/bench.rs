//! `cargo xtask bench`: what the gate costs, measured in one run.

use clap::Args;

use crate::run::{build_gate, cargo_with, step};

/// Options of `cargo xtask bench`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Measure the sections whose title begins so, as in `mask`, and put them in their place in the report
    section: Option<String>,
}

/// Builds in release mode and writes `docs/performance.md`.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    testkit::tools()?;
    build_gate("release")?;
    let mut command = cargo_with(["run", "--release", "--locked", "--package", "benches", "--"])?;
    command.args(&options.section);
    step("measuring", command)
}
