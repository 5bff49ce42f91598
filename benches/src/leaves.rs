//! The ledger alone: durable appends on the real file system.

use std::time::{Duration, Instant};

use ledger::{
    Config, Key, Ledger,
    leaf::{Digest, Event, Id, Outcome, Previous, Stage, Start},
};

use crate::figures::{Latencies, Row, micros};

pub(crate) const EXPLAINED: &str = "Outcome leaves appended by so many callers at once, each waiting for its receipt (the leaf is on \
    disk, `fdatasync` returned) before its next.";

const LEAVES: usize = 20_000;

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for callers in [1, 16, 128, 1024] {
        let folder = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/../target"))?;
        let ledger = open(folder.path())?;
        let each = (LEAVES / callers).max(20);
        let started = Instant::now();
        let mut tasks = Vec::new();
        for _caller in 0..callers {
            tasks.push(tokio::spawn(append(ledger.clone(), each)));
        }
        let mut samples = Vec::new();
        for task in tasks {
            samples.extend(task.await??);
        }
        let latencies = Latencies::new(samples, started.elapsed());
        ledger.close(true).await?;
        let target = if callers == 128 { "≥ 100,000 leaves/s" } else { "" };
        rows.push(Row::new(
            format!("{callers} callers: leaves/s, p50"),
            format!("{:.0}, {}", latencies.per_second(), micros(latencies.quantile(0.5))),
            target,
        ));
    }
    Ok(rows)
}

async fn append(ledger: Ledger, count: usize) -> anyhow::Result<Vec<Duration>> {
    let mut samples = Vec::with_capacity(count);
    for number in 0..count {
        let event = Event::Outcome(Outcome {
            call: Id::from_u128(number as u128),
            stage: Stage::Completed,
            status: Some(200),
            delivered: 512,
            masked: 0,
            duration_us: 700,
            error: None,
            again_as: None,
            stream: None,
        });
        let started = Instant::now();
        let _durable = ledger.append(event).await?;
        samples.push(started.elapsed());
    }
    Ok(samples)
}

fn open(folder: &std::path::Path) -> anyhow::Result<Ledger> {
    let key = Key::generate(&folder.join("key"), "bench")?;
    let config = Config {
        folder: folder.join("ledger"),
        key,
        writer_id: Id::new("bench")?,
        checkpoint_interval: Duration::from_secs(1),
        queue: 4096,
        reserve: 0,
    };
    let start = Start {
        build: "bench".into(),
        config: Digest::of(b""),
        policy: Digest::of(b""),
        clusters: std::iter::empty::<&str>().map(Into::into).collect(),
        lifted: std::iter::empty().collect(),
        previous: Previous::None,
    };
    Ok(Ledger::open(config, start, jiff::Timestamp::now)?.0)
}
