//! A cluster with a gate in front of it, whose records are checked at its end.

use std::path::Path;

use anyhow::{Context, ensure};
use testkit::{Cluster, Gate, Options};

use crate::{sweep, text};

/// A cluster with a gate in front of it. At its end, whatever the test was about, its ledger must verify with the key
/// that was kept from its start, and nothing in the gate's folder may hold the canary.
#[derive(Debug)]
pub struct Lab {
    /// The cluster, as its administrator sees it.
    pub cluster: &'static Cluster,
    /// The gate.
    pub gate: Gate,
}

/// A lab with the start configuration.
///
/// # Errors
/// As [`start`].
pub fn lab() -> anyhow::Result<Lab> {
    start(&Options::default())
}

/// A lab with a gate of one's own, on the cluster that all tests of the program share.
///
/// # Errors
/// The cluster or the gate did not start.
pub fn start(options: &Options) -> anyhow::Result<Lab> {
    let cluster = Cluster::shared()?;
    let gate = Gate::start(cluster, options)?;
    std::fs::copy(gate.path("data/ledger/ledger.vkey"), gate.path(KEPT_KEY)).context("the ledger's key")?;
    Ok(Lab { cluster, gate })
}

/// Not beside the ledger: that one proves nothing to who does not trust the folder.
const KEPT_KEY: &str = "kept.vkey";

impl Lab {
    /// What every lab must pass at its end.
    fn finish(&mut self) -> anyhow::Result<()> {
        let stopped = self.gate.stop();
        let ledger = self.gate.path("data/ledger");
        let key = self.gate.path(KEPT_KEY);
        let verified = self.gate.portcullis(&["ledger", "verify", &ledger, "--key", &key])?;
        let report = text(&verified);
        ensure!(verified.status.success() && report.contains("0 problems"), "the ledger: {report}");
        if !self.gate.was_broken() {
            stopped?;
            ensure!(report.contains("0 problems, 0 to explain"), "the ledger: {report}");
        }
        let found = sweep(Path::new(&self.gate.path("")))?;
        ensure!(found.is_empty(), "records hold a secret value: {found:?}");
        Ok(())
    }
}

impl Drop for Lab {
    #[expect(
        clippy::panic,
        reason = "a lab that does not pass fails its test, which nobody can forget to ask for"
    )]
    fn drop(&mut self) {
        if let Err(error) = self.finish() {
            if std::thread::panicking() {
                eprintln!("besides, the lab did not pass: {error:#}");
            } else {
                panic!("the lab did not pass at its end: {error:#}");
            }
        }
    }
}
