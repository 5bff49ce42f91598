//! Measures the gate beside direct calls, in one run, and writes `docs/performance.md`.
//!
//! Run by `cargo xtask bench`. Absolute figures say little about another machine; the ratios do.

mod approvals;
mod client;
mod console;
mod contents;
mod cores;
mod decide;
mod figures;
mod get;
mod known;
mod large;
mod leaves;
mod masking;
mod recorded;
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
    let mut report = Report { sections: Vec::new(), only };
    report.section("Small reads", get::EXPLAINED, || runtime.block_on(get::measure()))?;
    report.section("A list of 1 GB", large::EXPLAINED, || runtime.block_on(large::measure()))?;
    report.section("Streams", streams::EXPLAINED, || runtime.block_on(streams::measure()))?;
    report
        .section("Streams, recorded alone", recorded::EXPLAINED, || runtime.block_on(recorded::measure()))?;
    report.section("Masking", masking::EXPLAINED, masking::measure)?;
    report.section("Masking known values", known::EXPLAINED, masking::measure_known)?;
    report
        .section("Masking a rotated value", rotation::EXPLAINED, || runtime.block_on(rotation::measure()))?;
    report.section("Ledger", leaves::EXPLAINED, || runtime.block_on(leaves::measure()))?;
    report.section("Approvals", approvals::EXPLAINED, || runtime.block_on(approvals::measure()))?;
    report.section("Console", console::EXPLAINED, || runtime.block_on(console::measure()))?;
    report.section("Policy", decide::EXPLAINED, decide::measure)?;
    report.write()
}

/// What was measured.
struct Report {
    sections: Vec<Section>,
    /// The beginning of the titles to measure, in any case; then only these sections of the file are written anew.
    only: Option<String>,
}

/// Its title, and all of it.
struct Section {
    title: String,
    text: String,
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
        let alone = self.only.as_ref().map_or_else(String::new, |_| format!(" Measured alone, {}.", today()));
        let text = format!("## {title}\n\n{explained}{alone}\n\n{}", table(&measure()?));
        println!("{text}");
        self.sections.push(Section { title: title.to_owned(), text });
        Ok(())
    }

    fn write(self) -> anyhow::Result<()> {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/performance.md");
        let text = match self.only {
            None => {
                let sections = self.sections.into_iter().map(|section| section.text);
                std::iter::once(preamble()?).chain(sections).collect::<Vec<_>>().join("\n")
            }
            Some(_) => {
                let there = std::fs::read_to_string(&file)?;
                self.sections.iter().fold(there, |there, section| replaced(&there, section))
            }
        };
        std::fs::write(&file, text)?;
        eprintln!("written to {}", file.display());
        Ok(())
    }
}

/// The report with this section in place of the one of its title, or at its end.
fn replaced(report: &str, section: &Section) -> String {
    let begins = format!("## {}\n", section.title);
    let Some((before, rest)) = report.split_once(&begins) else {
        return format!("{report}\n{}", section.text);
    };
    let after = rest.split_once("\n## ").map_or_else(String::new, |(_, after)| format!("\n## {after}"));
    format!("{before}{}{after}", section.text)
}

fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

fn preamble() -> anyhow::Result<String> {
    let cores = std::thread::available_parallelism()?;
    let cpus = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']))
        .context("no CPU model in /proc/cpuinfo")?;
    let date = today();
    Ok(format!(
        "# Performance\n\nWritten by `cargo xtask bench`; do not edit. Machine: {cores} cores of {model}, shared by the load \
         client, the gate, and a whole Kubernetes 1.37. Date: {date}. Compare ratios, not absolute figures.\n"
    ))
}
