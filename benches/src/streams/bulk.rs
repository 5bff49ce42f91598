//! Much at once: what a command prints, and what comes back of what it is told.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use bytes::Bytes;
use streaming::{
    channel::{Closed, FromClient},
    protocol::RemoteCommand,
};
use testkit::Gate;

use super::{PROTOCOL, Running, rest};
use crate::{
    client::Server,
    contents::{noise, words},
    cores::Apart,
    figures::{Row, float, rate, told},
    get::cpu_time,
};

const BULK: usize = 256 << 20;
/// What is printed several times, to be as much.
const FILE: usize = 32 << 20;
const NOISE: usize = 100 << 20;
/// Rounds of bulk: a stream goes at one of two speeds, directly as well, and stays with it to its end.
const ROUNDS: usize = 8;
/// Rounds by SPDY, which is told beside the others.
const FEW: usize = 4;

/// How long each round took.
struct Took {
    direct: Vec<Duration>,
    gated: Vec<Duration>,
}

/// What passed, of one kind.
struct Passed {
    what: &'static str,
    /// All on two cores.
    together: Took,
    /// The cluster on one, and the client, with the gate where it is asked, on the other.
    apart: Took,
    /// Seconds of CPU of the gate for each byte, and bytes that were stored for it.
    cpu: f64,
    stored: f64,
}

/// Zeros, noise and words: what compresses to nothing, not at all, and as logs do.
///
/// Of files, since `cat` writes much at once. What comes in small writes goes in small messages, the smaller the faster they are taken.
pub(super) async fn measure(direct: &Server, gated: &Server, gate: &Gate) -> anyhow::Result<Vec<Row>> {
    put(direct, "of=/tmp/zeros", vec![0; FILE].into()).await?;
    put(direct, "of=/tmp/noise", noise(FILE)).await?;
    put(direct, "of=/tmp/words", words(FILE)).await?;
    let mut rows = Vec::new();
    for (what, file) in [("zeros", "/tmp/zeros"), ("noise", "/tmp/noise"), ("a log's words", "/tmp/words")] {
        rows.extend(printed(what, file, [direct, gated], gate).await?.rows());
    }
    let cores = Apart::new(gate)?;
    let spdy = times((RemoteCommand::Spdy, "/tmp/words"), FEW, [direct, gated]).await?;
    cores.end()?;
    rows.extend(spdy.rows("256 MiB of a log's words by SPDY, the cluster on a core of its own", "≥ 0.8 ×"));
    Ok(rows)
}

impl Took {
    /// Directly, and through the gate beside that.
    fn rows(&self, what: &str, target: &'static str) -> [Row; 2] {
        let [direct, gated] = [&self.direct, &self.gated].map(|rounds| Rates::of(rounds));
        let Rates { all, slowest, fastest } = &gated;
        let beside = format!(
            "{} = {:.2} × direct (slowest {:.2} ×, fastest {:.2} ×)",
            gated.told(),
            all / direct.all,
            slowest / direct.slowest,
            fastest / direct.fastest
        );
        [
            Row::new(format!("{what}: direct, all rounds (slowest, fastest)"), direct.told(), ""),
            Row::new(format!("{what}: gate"), beside, target),
        ]
    }
}

/// Megabytes a second.
struct Rates {
    all: f64,
    slowest: f64,
    fastest: f64,
}

impl Rates {
    fn of(rounds: &[Duration]) -> Self {
        let each = rounds.iter().map(|took| rate(BULK, *took));
        Self {
            all: rate(BULK * rounds.len(), rounds.iter().sum()),
            slowest: each.clone().fold(f64::INFINITY, f64::min),
            fastest: each.fold(0.0, f64::max),
        }
    }

    fn told(&self) -> String {
        format!("{} ({:.0}, {:.0})", told(self.all), self.slowest, self.fastest)
    }
}

impl Passed {
    fn rows(&self) -> Vec<Row> {
        let what = self.what;
        let apart = format!("256 MiB of {what}, the cluster on a core of its own");
        let mut rows = Vec::from(self.apart.rows(&apart, "≥ 0.8 ×"));
        rows.extend(self.together.rows(&format!("256 MiB of {what}, all on two cores"), ""));
        rows.push(Row::new(
            format!("CPU of the gate a GB of {what}, masked and recorded"),
            format!("{:.2} s", self.cpu * 1e9),
            "",
        ));
        rows.push(Row::new(
            format!("stored for each byte of {what} that passed"),
            format!("{:.4}", self.stored),
            "",
        ));
        rows
    }
}

/// How fast it comes, directly and through the gate, in turns. What the gate takes meanwhile is told beside it.
async fn printed(
    what: &'static str,
    file: &'static str,
    servers: [&Server; 2],
    gate: &Gate,
) -> anyhow::Result<Passed> {
    let recordings = gate.path("data/recordings");
    let (before, stored) = (cpu_time(gate)?, size(Path::new(&recordings))?);
    let together = times((PROTOCOL, file), ROUNDS, servers).await?;
    let cores = Apart::new(gate)?;
    let apart = times((PROTOCOL, file), ROUNDS, servers).await?;
    cores.end()?;
    let passed = float(2 * BULK * ROUNDS);
    let cpu = cpu_time(gate)?.saturating_sub(before).as_secs_f64() / passed;
    let stored = float(size(Path::new(&recordings))?.saturating_sub(stored)) / passed;
    Ok(Passed { what, together, apart, cpu, stored })
}

/// How long printing the file takes directly and through the gate.
async fn times(
    (protocol, file): (RemoteCommand, &str),
    rounds: usize,
    servers: [&Server; 2],
) -> anyhow::Result<Took> {
    let command = [&["cat"][..], &[file; BULK / FILE]].concat();
    let mut took = Took { direct: Vec::new(), gated: Vec::new() };
    for _round in 0..rounds {
        for (server, times) in servers.into_iter().zip([&mut took.direct, &mut took.gated]) {
            let started = Instant::now();
            let mut running = Running::start_by(protocol, server, &command).await?;
            let mut received = 0;
            running.rest(|bytes| received += bytes.len()).await?;
            ensure!(received == BULK, "{received} bytes came of {file}");
            times.push(started.elapsed());
        }
    }
    Ok(took)
}

/// The same bytes come back.
pub(super) async fn there_and_back(direct: &Server, gated: &Server) -> anyhow::Result<Vec<Row>> {
    let noise = noise(NOISE);
    let mut rates = Vec::new();
    for server in [direct, gated] {
        let started = Instant::now();
        let came = said(server, &["cat"], noise.clone()).await?;
        ensure!(came == noise, "the noise is not what was sent: {} bytes", came.len());
        rates.push(rate(2 * NOISE, started.elapsed()));
    }
    let [direct, gated] = rates.try_into().ok().context("two rates")?;
    Ok(vec![
        Row::new("100 MiB of noise there and back, once, on two cores: direct", told(direct), ""),
        Row::new(
            "100 MiB of noise there and back, once, on two cores: gate",
            format!("{} = {:.2} × direct, the same bytes", told(gated), gated / direct),
            "the same",
        ),
    ])
}

/// Makes a file in the pod, past the gate.
async fn put(direct: &Server, file: &str, bytes: Bytes) -> anyhow::Result<()> {
    said(direct, &["dd", "bs=65536", file], bytes).await.map(drop)
}

/// What a command prints that is told this.
async fn said(server: &Server, command: &[&str], bytes: Bytes) -> anyhow::Result<Bytes> {
    let Running { mut hearing, saying } = Running::start(server, command).await?;
    let sending = tokio::spawn(async move {
        for piece in bytes.chunks(32 << 10) {
            saying.say(&FromClient::Stdin(bytes.slice_ref(piece))).await?;
        }
        saying.say(&FromClient::Close(Closed::Stdin)).await?;
        anyhow::Ok(saying)
    });
    let mut back = Vec::new();
    rest(&mut hearing, |bytes| back.extend_from_slice(&bytes)).await?;
    sending.await??;
    Ok(back.into())
}

/// Bytes of the files in a folder and below.
fn size(folder: &Path) -> anyhow::Result<usize> {
    let mut size = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        size += if metadata.is_dir() { self::size(&entry.path())? } else { usize::try_from(metadata.len())? };
    }
    Ok(size)
}
