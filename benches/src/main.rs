//! Measures the gate beside direct calls, in one run, and writes `docs/performance.md`.
//!
//! Run by `cargo xtask bench`. Absolute figures say little about another machine; the ratios do.

mod approvals;
mod client;
mod console;
mod decide;
mod figures;
mod get;
mod known;
mod large;
mod leaves;
mod masking;
mod rotation;
mod streams;

use std::path::PathBuf;

use anyhow::Context;
use figures::{Row, table};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let only = std::env::args().nth(1);
    let mut report = Report { text: vec![preamble()?], only: only.clone() };
    report.section("Small reads", get::EXPLAINED, || runtime.block_on(get::measure()))?;
    report.section("A list of 1 GB", large::EXPLAINED, || runtime.block_on(large::measure()))?;
    report.section("Streams", streams::EXPLAINED, || runtime.block_on(streams::measure()))?;
    report.section("Masking", masking::EXPLAINED, masking::measure)?;
    report.section("Masking known values", known::EXPLAINED, masking::measure_known)?;
    report
        .section("Masking a rotated value", rotation::EXPLAINED, || runtime.block_on(rotation::measure()))?;
    report.section("Ledger", leaves::EXPLAINED, || runtime.block_on(leaves::measure()))?;
    report.section("Approvals", approvals::EXPLAINED, || runtime.block_on(approvals::measure()))?;
    report.section("Console", console::EXPLAINED, || runtime.block_on(console::measure()))?;
    report.section("Policy", decide::EXPLAINED, decide::measure)?;
    let text = report.text.join("\n");
    println!("{text}");
    if only.is_none() {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/performance.md");
        std::fs::write(&file, text)?;
        eprintln!("written to {}", file.display());
    }
    Ok(())
}

struct Report {
    text: Vec<String>,
    /// The beginning of the titles to measure, in any case.
    only: Option<String>,
}

impl Report {
    fn section(
        &mut self,
        title: &str,
        explained: &str,
        measure: impl FnOnce() -> anyhow::Result<Vec<Row>>,
    ) -> anyhow::Result<()> {
        if self.only.as_ref().is_some_and(|only| !title.to_lowercase().starts_with(&only.to_lowercase())) {
            return Ok(());
        }
        eprintln!("==> {title}");
        self.text.push(format!("## {title}\n\n{explained}\n\n{}", table(&measure()?)));
        Ok(())
    }
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
