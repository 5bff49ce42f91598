//! What the end-to-end tests share: one cluster and one gate a test program, and ways to look at both.

mod compare;
mod raw;

use std::{path::Path, process::Output, sync::OnceLock};

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use testkit::{Cluster, Gate, Options};

pub use compare::{Comparison, normalised};
pub use raw::{Answer, Client};

/// In every Secret of these tests. Nothing that an agent, a record or a log sees may contain it, in any encoding.
pub const CANARY: &str = "canary-7c1d94e0b25f4a8e-value";

/// A cluster with a gate in front of it, shared by the tests of one program.
#[derive(Debug)]
pub struct Lab {
    /// The cluster, as its administrator sees it.
    pub cluster: &'static Cluster,
    /// The gate.
    pub gate: Gate,
}

/// A number from the environment: `PORTCULLIS_CASES` and `PORTCULLIS_SEED`, which `cargo xtask fuzz` sets.
///
/// # Errors
/// It is no number.
pub fn setting(name: &str, default: u64) -> anyhow::Result<u64> {
    std::env::var(name).map_or(Ok(default), |value| value.parse().with_context(|| format!("{name}={value}")))
}

/// The program's lab, started by whoever asks first.
///
/// # Errors
/// The cluster or the gate did not start.
pub fn lab() -> anyhow::Result<&'static Lab> {
    static LAB: OnceLock<Result<Lab, String>> = OnceLock::new();
    let started = LAB.get_or_init(|| start(&Options::default()).map_err(|error| format!("{error:#}")));
    started.as_ref().map_err(|error| anyhow::Error::msg(error.clone()))
}

/// A lab of one's own, on the shared cluster.
///
/// # Errors
/// As [`lab`].
pub fn start(options: &Options) -> anyhow::Result<Lab> {
    let cluster = Cluster::shared()?;
    let gate = Gate::start(cluster, options)?;
    Ok(Lab { cluster, gate })
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

/// Both streams of an ended program, as text.
#[must_use]
pub fn text(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    text
}

/// Every form in which the canary could be recognised: raw, base64 at its three alignments, hex, reversed.
#[must_use]
pub fn canary_forms() -> Vec<Vec<u8>> {
    let raw = CANARY.as_bytes();
    let mut forms = vec![raw.to_vec(), raw.iter().rev().copied().collect()];
    forms.push(raw.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
    for shift in 0..3 {
        let shifted: Vec<u8> = std::iter::repeat_n(b'x', shift).chain(raw.iter().copied()).collect();
        let encoded = STANDARD.encode(shifted);
        // The first and last characters also depend on what stands beside the value.
        let inner = encoded.get(4..encoded.len() - 4).unwrap_or_default();
        forms.push(inner.as_bytes().to_vec());
    }
    forms
}

/// Whether bytes contain the canary in any of [`canary_forms`].
#[must_use]
pub fn contains_canary(bytes: &[u8]) -> bool {
    canary_forms().iter().any(|form| bytes.windows(form.len()).any(|window| window == form))
}

/// Files below a folder that contain the canary.
///
/// # Errors
/// A file cannot be read.
pub fn sweep(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sweep(&path)?);
        } else if path.is_file() && contains_canary(&std::fs::read(&path)?) {
            found.push(path.display().to_string());
        }
    }
    Ok(found)
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
