//! What recording takes by itself: a stream's tape, sealed on disk, beside the same bytes written to a file.

use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use bytes::Bytes;
use recording::{
    Config, Opening, Recorder, Words,
    at_rest::Plain,
    reader::Library,
    record::{Channel, Kind},
};

use crate::{
    contents::{noise, words},
    figures::{Row, float, rate, told},
    get::cpu_time_of,
};

pub(crate) const EXPLAINED: &str = "A stream's tape, handed over in pieces of 32 KiB and sealed on disk, by itself: no stream, no masking, and \
    nobody's ledger to wait for. Beside it, the same bytes written to a file, which is made durable each MiB. Contents are those of the \
    streams above.";

const BULK: usize = 256 << 20;
/// A message, as `cat` has it sent.
const PIECE: usize = 32 << 10;
/// A file is durable each time it has so much more, as a recording is with each segment.
const DURABLE: usize = 1 << 20;

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (what, bytes) in
        [("zeros", vec![0; BULK].into()), ("noise", noise(BULK)), ("a log's words", words(BULK))]
    {
        let written = Costs::of(async |folder| write(&folder.join("bytes"), &bytes), |_| Ok(())).await?;
        let recorded =
            Costs::of(async |folder| record(folder, &bytes).await, |folder| is_kept(folder, &bytes)).await?;
        rows.push(Row::new(format!("{what}: written to a file"), written.told(), ""));
        rows.push(Row::new(format!("{what}: recorded"), recorded.told(), ""));
    }
    Ok(rows)
}

/// The wall's and the processor's time.
struct Costs {
    took: Duration,
    cpu: Duration,
}

impl Costs {
    /// On the disk of everything else that is measured. What is checked afterwards costs nothing.
    async fn of(
        what: impl AsyncFnOnce(&Path) -> anyhow::Result<()>,
        check: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/../target"))?;
        let (started, before) = (Instant::now(), cpu_time_of(std::process::id())?);
        what(folder.path()).await?;
        let cpu = cpu_time_of(std::process::id())?.saturating_sub(before);
        let took = started.elapsed();
        check(folder.path())?;
        Ok(Self { took, cpu })
    }

    fn told(&self) -> String {
        let each = self.cpu.as_secs_f64() / float(BULK) * 1e9;
        format!("{}, {each:.2} s of CPU a GB", told(rate(BULK, self.took)))
    }
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = File::create(path)?;
    for part in bytes.chunks(DURABLE) {
        file.write_all(part)?;
        file.sync_data()?;
    }
    Ok(())
}

/// All of it, until it is durable. A ledger would take the digests; nobody does.
async fn record(folder: &Path, bytes: &Bytes) -> anyhow::Result<()> {
    let config = Config {
        folder: folder.to_owned(),
        reserve: 0,
        quota: u64::MAX,
        queue: *Config::QUEUE.start(),
        at_rest: Arc::new(Plain),
    };
    let (recorder, mut sealed) = Recorder::open(config, jiff::Timestamp::now)?;
    let ledger = tokio::spawn(async move {
        while let Some(segment) = sealed.recv().await {
            segment.recorded();
        }
    });
    let tap = recorder.session(&"s-1".parse()?).await?;
    let opening = Opening {
        call: "c-1".into(),
        kind: Kind::Exec,
        namespace: "streams".into(),
        pod: "shell".into(),
        container: None,
        argv: ["cat"].into_iter().collect::<Words>(),
        tty: false,
    };
    let stream = tap.open(opening).await?;
    for piece in bytes.chunks(PIECE) {
        stream.bytes(Channel::Stdout, bytes.slice_ref(piece)).await?;
    }
    stream.closed("exit code 0").await?;
    recorder.close().await?;
    drop(tap);
    drop(recorder);
    ledger.await.context("the ledger ended early")?;
    Ok(())
}

/// All of it is in the recording.
fn is_kept(folder: &Path, bytes: &Bytes) -> anyhow::Result<()> {
    let recording = Library::new(folder, Arc::new(Plain)).recording(&"s-1".parse()?)?;
    let kept: usize =
        recording.stream(1).map(|record| Ok(record?.what.payload().len())).sum::<anyhow::Result<usize>>()?;
    ensure!(kept == bytes.len(), "{kept} bytes were recorded");
    Ok(())
}
