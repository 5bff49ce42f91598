//! The ledger: opened, and told what start-up did.

use anyhow::Context;
use ledger::{
    Clock, Config as LedgerConfig, Key, Ledger,
    leaf::{Digest, Id, Lifted, Start},
};
use policy::Judge;
use std::time::Duration;

use crate::config::Config;

/// Between checkpoints.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// Appends that may wait for the disk.
const QUEUE: usize = 4_096;
/// In each leaf; a gate that is scaled out has a writer a replica.
const WRITER: &str = "gate-1";
const BUILD: &str = concat!("portcullis ", env!("CARGO_PKG_VERSION"));

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

/// Opens the ledger, recovering what a crash left, and records the start.
pub(super) async fn open(config: &Config, judge: &Judge) -> anyhow::Result<Ledger> {
    let start = Start {
        build: BUILD.into(),
        config: Digest(config.digest),
        policy: upstream::digest(judge.bundle().digest().as_str()),
        clusters: config.clusters.iter().map(|cluster| cluster.name.as_str().into()).collect(),
        lifted: judge
            .settings()
            .lifted()
            .map(|(cluster, denial)| Lifted { cluster: cluster.into(), denial: denial.id().into() })
            .collect(),
        previous: ledger::leaf::Previous::None,
    };
    let key = config.data.ledger_key();
    let origin = format!("{}/ledger", config.public_url.trim_start_matches("https://").trim_end_matches('/'));
    let folder = config.data.ledger();
    let reserve = u64::try_from(config.limits.ledger_reserve).unwrap_or(u64::MAX);
    let opened = tokio::task::spawn_blocking(move || {
        let key = Key::load_or_generate(&key, &origin)?;
        let writer_id = Id::new(WRITER)?;
        let (checkpoint_interval, queue) = (CHECKPOINT_EVERY, QUEUE);
        let config = LedgerConfig { folder, key, writer_id, checkpoint_interval, queue, reserve };
        anyhow::Ok(Ledger::open(config, start, SystemClock)?)
    });
    let (ledger, recovery) = opened.await?.context("the ledger cannot be opened")?;
    tracing::info!(
        leaves = recovery.size,
        replayed = recovery.replayed,
        previous = ?recovery.previous,
        boot = recovery.boot_epoch,
        "the ledger is open"
    );
    Ok(ledger)
}
