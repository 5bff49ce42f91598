//! Measures the gate beside direct calls, in one run, and writes `docs/performance.md`.
//!
//! Run by `cargo xtask bench`. Absolute figures say little about another machine; the ratios do.

mod client;
mod decide;
mod figures;
mod get;
mod large;
mod leaves;
mod masking;

use std::path::PathBuf;

use anyhow::Context;
use figures::{Row, table};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut report = vec![preamble()?];
    section(&mut report, "Small reads", get::EXPLAINED, &runtime.block_on(get::measure())?);
    section(&mut report, "A list of 1 GB", large::EXPLAINED, &runtime.block_on(large::measure())?);
    section(&mut report, "Masking", masking::EXPLAINED, &masking::measure()?);
    section(&mut report, "Ledger", leaves::EXPLAINED, &runtime.block_on(leaves::measure())?);
    section(&mut report, "Policy", decide::EXPLAINED, &decide::measure()?);
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/performance.md");
    std::fs::write(&file, report.join("\n"))?;
    println!("{}", report.join("\n"));
    eprintln!("written to {}", file.display());
    Ok(())
}

fn section(report: &mut Vec<String>, title: &str, explained: &str, rows: &[Row]) {
    eprintln!("==> {title}");
    report.push(format!("## {title}\n\n{explained}\n\n{}", table(rows)));
}

fn preamble() -> anyhow::Result<String> {
    let cores = std::thread::available_parallelism()?;
    let cpus = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']))
        .context("no CPU model in /proc/cpuinfo")?;
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d");
    Ok(format!(
        "# Performance\n\nWritten by `cargo xtask bench`; do not edit. Machine: {cores} cores of {model}, shared by the load \
         client, the gate, and a whole Kubernetes 1.37. Date: {date}. Compare ratios, not absolute figures.\n"
    ))
}
