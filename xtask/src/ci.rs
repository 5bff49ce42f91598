//! What CI runs, and the tests alone.

use anyhow::Context;
use clap::Args;

use crate::{
    demo, dependencies,
    run::{build_gate, cargo_with, step},
};

/// Options of `cargo xtask test`.
#[derive(Debug, Args)]
pub(crate) struct TestOptions {
    /// Only tests of this crate
    #[arg(short, long)]
    package: Option<String>,
    /// Passed on to the test programs, after `--`
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Format, lints, dependencies, documentation, tests, demo; stops at the first that fails.
pub(crate) fn run() -> anyhow::Result<()> {
    step("format", cargo_with(["fmt", "--all", "--check"])?)?;
    dependencies::check_direction()?;
    step(
        "lints",
        cargo_with([
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--locked",
            "--",
            "-D",
            "warnings",
        ])?,
    )?;
    dependencies::deny()?;
    let mut documentation =
        cargo_with(["doc", "--workspace", "--no-deps", "--locked", "--document-private-items"])?;
    documentation.env("RUSTDOCFLAGS", "-D warnings");
    step("documentation", documentation)?;
    test(&TestOptions { package: None, arguments: Vec::new() })?;
    eprintln!("==> demo");
    demo::run(&demo::Options::once()).context("the demo")
}

/// Builds the Kubernetes and the gate that the end-to-end tests start, then runs every test.
pub(crate) fn test(options: &TestOptions) -> anyhow::Result<()> {
    testkit::tools().context("the test Kubernetes could not be built")?;
    build_gate("dev")?;
    let mut command = cargo_with(["test", "--locked", "--no-fail-fast"])?;
    match &options.package {
        Some(package) => command.args(["--package", package]),
        None => command.arg("--workspace"),
    };
    command.arg("--").args(&options.arguments);
    step("tests", command)
}
