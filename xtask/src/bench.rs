//! `cargo xtask bench`: what the gate costs, measured in one run.

use clap::Args;

use crate::run::{cargo_with, step};

/// Options of `cargo xtask bench`.
#[derive(Debug, Args)]
pub(crate) struct Options {}

/// Builds in release mode and writes `docs/performance.md`.
pub(crate) fn run(_options: &Options) -> anyhow::Result<()> {
    testkit::tools()?;
    step("measuring", cargo_with(["run", "--release", "--locked", "--package", "benches"])?)
}
