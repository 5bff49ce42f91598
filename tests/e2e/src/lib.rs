//! What the end-to-end tests share: a gate of its own for each test in front of one cluster a program, and ways to look
//! at both.

mod asking;
mod canary;
mod compare;
mod encode;
mod going;
mod lab;
mod raw;
mod recorded;
mod watching;

use std::{
    process::Output,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use serde_json::Value;
use testkit::{Cluster, Gate};

pub use asking::{RULES, Waiting, asking, asking_with, decided, exists, shown, state};
pub use canary::{CANARY, LITERAL, MASKED_DATA, MASKED_TEXT, PLANTED, SHOWN, SPIKY, contains_canary, sweep};
pub use compare::{Comparison, normalised};
pub use encode::{decimals, gzip, hex, packed, percent, percent_but};
pub use going::{COUNTS, Going, counting};
pub use lab::{AuditedGate, Lab, behind, lab, start};
pub use raw::{Answer, Client};
pub use watching::{Watch, at_once, leaf};

/// A number from the environment: `PORTCULLIS_CASES` and `PORTCULLIS_SEED`, which `cargo xtask fuzz` sets.
///
/// # Errors
/// It is no number.
pub fn setting(name: &str, default: u64) -> anyhow::Result<u64> {
    std::env::var(name).map_or(Ok(default), |value| value.parse().with_context(|| format!("{name}={value}")))
}

/// The start configuration with a bundle that permits everything that is not denied for good: for tests of what becomes
/// of permitted writes.
#[must_use]
pub fn permissive() -> testkit::Options {
    let bundle = concat!(env!("CARGO_MANIFEST_DIR"), "/src/permissive").to_owned();
    testkit::Options { bundle, ..testkit::Options::default() }
}

/// Creates a namespace with a Secret that holds the [`CANARY`] and a Deployment; waits until its pod runs.
///
/// # Errors
/// What kubectl printed.
pub fn furnish(cluster: &Cluster, namespace: &str) -> anyhow::Result<()> {
    cluster
        .apply(&include_str!("furniture.yaml").replace("NAMESPACE", namespace).replace("CANARY", CANARY))?;
    cluster.must(&["-n", namespace, "rollout", "status", "deployment/web", "--timeout=90s"])?;
    Ok(())
}

/// Asks until there is something to give, for a minute: for what takes hold without an event that tells so, as RBAC and
/// admission policies do in the API server. A slow machine makes it take longer, and nothing else.
///
/// # Errors
/// What asking failed with, or that it did not come about, with what was seen last.
pub fn eventually<T, Seen: std::fmt::Debug>(
    what: &str,
    mut ask: impl FnMut() -> anyhow::Result<Result<T, Seen>>,
) -> anyhow::Result<T> {
    const PATIENCE: Duration = Duration::from_secs(60);
    /// How often it is asked. Nothing depends on it but how busy the machine is.
    const BETWEEN: Duration = Duration::from_millis(20);
    let begun = Instant::now();
    loop {
        match ask()? {
            Ok(came) => return Ok(came),
            Err(seen) => ensure!(begun.elapsed() < PATIENCE, "{what}: not in time: {seen:?}"),
        }
        std::thread::sleep(BETWEEN);
    }
}

/// Both streams of an ended program, as text.
#[must_use]
pub fn text(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    text
}

/// The entries of the API server's audit log for which `wanted` holds.
///
/// # Errors
/// The log cannot be read.
pub fn audited(cluster: &Cluster, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Vec<Value>> {
    let log = std::fs::read_to_string(cluster.audit_log())?;
    // The last line may still be on its way.
    let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(events.filter(wanted).collect())
}

/// What `portcullis ledger show` prints, an entry each.
///
/// # Errors
/// The ledger cannot be read.
pub fn leaves(gate: &Gate) -> anyhow::Result<Vec<Value>> {
    let output = gate.portcullis(&["ledger", "show", &gate.path("data/ledger")])?;
    ensure!(output.status.success(), "{}", text(&output));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    printed.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}
