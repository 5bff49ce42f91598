//! Gates whose records are checked at their end.

use std::{
    collections::BTreeSet,
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use parking_lot::Mutex;
use testkit::{Cluster, Gate, Options, Session, stand_in::StandIn};

use crate::{contains_canary, recorded::recorded_canaries, sweep, text};

/// A cluster with a gate in front of it.
#[derive(Debug)]
pub struct Lab {
    /// The cluster, as its administrator sees it.
    pub cluster: &'static Cluster,
    /// The gate.
    pub gate: AuditedGate,
}

/// A gate that is held to its promises: when it is dropped, whatever the test was about, its ledger must verify with the key
/// that was kept from its start, and nothing that it tells its operator, has in its folder or has recorded may hold a canary.
#[derive(Debug)]
pub struct AuditedGate {
    gate: Gate,
    /// Where its recordings are.
    recordings: PathBuf,
    /// The sessions whose recordings are not looked through.
    excused: Mutex<BTreeSet<String>>,
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
    Ok(Lab { cluster, gate: AuditedGate::new(Gate::start(cluster, options)?)? })
}

/// A gate in front of a stand-in for an API server.
///
/// # Errors
/// The gate did not start.
pub fn behind(server: &StandIn, options: &Options) -> anyhow::Result<AuditedGate> {
    AuditedGate::new(Gate::behind(&server.kubeconfig("{token: t}"), options)?)
}

/// Not beside the ledger: that one proves nothing to who does not trust the folder.
const KEPT_KEY: &str = "kept.vkey";

// === impl AuditedGate ===

impl AuditedGate {
    /// Keeps the key of a gate that has just started.
    ///
    /// # Errors
    /// There is no key.
    pub fn new(gate: Gate) -> anyhow::Result<Self> {
        std::fs::copy(gate.path("data/ledger/ledger.vkey"), gate.path(KEPT_KEY))
            .context("the ledger's key")?;
        let recordings = gate.path("data/recordings").into();
        Ok(Self { gate, recordings, excused: Mutex::default() })
    }

    /// Its recordings are in this folder.
    pub fn recorded_in(&mut self, folder: &Path) {
        folder.clone_into(&mut self.recordings);
    }

    /// A session that is shown a value which the gate does not know yet: what is recorded of it is no leak. For waiting until it does.
    ///
    /// # Errors
    /// As [`Gate::session`].
    pub fn unknowing(&self, name: &str) -> anyhow::Result<Session<'_>> {
        let session = self.session(name)?;
        self.excused.lock().insert(session.id.clone());
        Ok(session)
    }

    /// A session of which so much is recorded that looking through it takes minutes, all of it made by the test.
    ///
    /// # Errors
    /// As [`Gate::session`].
    pub fn noisy(&self, name: &str) -> anyhow::Result<Session<'_>> {
        self.unknowing(name)
    }

    /// What every gate must pass at its end.
    fn finish(&mut self) -> anyhow::Result<()> {
        let gate = &mut self.gate;
        if gate.pid().is_some() && !gate.was_broken() {
            for path in ["/metrics", "/readyz"] {
                let told = gate.operations(path)?;
                ensure!(told.starts_with("HTTP/1.1 "), "no {path}: {told}");
                ensure!(!contains_canary(told.as_bytes()), "{path} tells a secret value: {told}");
            }
        }
        let stopped = gate.stop();
        let verified =
            gate.portcullis(&["ledger", "verify", &gate.path("data/ledger"), "--key", &gate.path(KEPT_KEY)])?;
        let report = text(&verified);
        ensure!(verified.status.success() && report.contains("0 problems"), "the ledger: {report}");
        if !gate.was_broken() {
            stopped?;
            ensure!(report.contains("0 problems, 0 to explain"), "the ledger: {report}");
        }
        // As an auditor reads it; below, as it is stored.
        let shown = gate.portcullis(&["ledger", "show", &gate.path("data/ledger")])?;
        ensure!(
            !contains_canary(text(&shown).as_bytes()),
            "the ledger shows a secret value: {}",
            text(&shown)
        );
        let found = sweep(Path::new(&gate.path("")))?;
        ensure!(found.is_empty(), "records hold a secret value: {found:?}");
        let found = recorded_canaries(&self.recordings, &self.excused.lock())?;
        ensure!(found.is_empty(), "recordings hold a secret value: {found:?}");
        Ok(())
    }
}

impl Deref for AuditedGate {
    type Target = Gate;

    fn deref(&self) -> &Gate {
        &self.gate
    }
}

impl DerefMut for AuditedGate {
    fn deref_mut(&mut self) -> &mut Gate {
        &mut self.gate
    }
}

impl Drop for AuditedGate {
    #[expect(
        clippy::panic,
        reason = "a gate that does not pass fails its test, which nobody can forget to ask for"
    )]
    fn drop(&mut self) {
        if let Err(error) = self.finish() {
            if std::thread::panicking() {
                eprintln!("besides, the gate did not pass: {error:#}");
            } else {
                panic!("the gate did not pass at its end: {error:#}");
            }
        }
    }
}
