//! `cargo xtask`: the one way to run anything in this repository.

use clap::Parser;

/// Every developer command of Portcullis.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", version)]
struct Cli {}

fn main() -> anyhow::Result<()> {
    let Cli {} = Cli::parse();
    Ok(())
}
