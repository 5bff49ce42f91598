//! `cargo xtask`: the one way to run anything in this repository.

mod bench;
mod ci;
mod cluster;
mod demo;
mod dependencies;
mod fuzz;
mod interrupt;
mod protobuf;
mod run;
mod screenshots;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Every developer command of Portcullis.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a Kubernetes and the gate, show what an agent can and cannot do, and stay up to be tried
    Demo(demo::Options),
    /// Run every test, the ones against a real Kubernetes included
    Test(ci::TestOptions),
    /// Run what CI runs: format, lints, dependencies, documentation, every test, then the demo
    Ci,
    /// Start or stop the test Kubernetes by itself
    #[command(subcommand)]
    Cluster(cluster::Command),
    /// Measure the gate beside direct calls and write the table in docs/performance.md
    Bench(bench::Options),
    /// Run the seeded differential tests for as many cases as told
    Fuzz(fuzz::Options),
    /// Write the table of protobuf messages that the gate reads, after a new version of Kubernetes
    Protobuf,
    /// Make the screenshots of the console in docs/img, with a headless Chromium
    Screenshots,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Test(options) => ci::test(&options),
        Command::Ci => ci::run(),
        Command::Cluster(command) => cluster::run(&command),
        Command::Bench(options) => bench::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Protobuf => protobuf::run(),
        Command::Screenshots => screenshots::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
