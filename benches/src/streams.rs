//! Exec through the gate beside exec directly, by the same client over WebSocket to the same API server.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use streaming::{
    channel::{Closed, FromClient, FromServer},
    exit::Exit,
    kind::Asked,
    protocol::{RemoteCommand, Transport, Version},
    remote_command::Client,
};
use testkit::{Cluster, Gate, Options};
use wire::{
    End,
    leg::{self, Hearing, Saying},
};

use crate::{
    client::Server,
    figures::{Latencies, Row, millis},
    get::cpu_time,
    large::resident,
};

pub(crate) const EXPLAINED: &str = "A command in a pod (`cat`, `head`), by WebSocket (`v5.channel.k8s.io`) unless it says otherwise, directly and through the \
    gate, which masks, records and passes on. Noise is random bytes, which no mask shortens; it has to come back as it was sent. \
    A log's words are lines as services write them.";

const ECHOES: usize = 1_000;
const LINES: usize = 500;
const BULK: usize = 256 << 20;
/// What is printed several times, to be as much.
const FILE: usize = 32 << 20;
const NOISE: usize = 100 << 20;
const IDLE: usize = 100;
/// Rounds of bulk, whose middle counts.
const ROUNDS: usize = 3;
const PROTOCOL: RemoteCommand = RemoteCommand::WebSocket(Version::V5);
const ASKED: Asked = Asked { stdin: true, stdout: true, stderr: false, tty: false };

const RULES: &str = "@id(\"all\") @reason(\"a benchmark\") permit (principal, action, resource);\n";
const POD: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: streams}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: shell, \
    namespace: streams}\nspec: {terminationGracePeriodSeconds: 0, containers: [{name: sh, image: busybox, command: [sh, -c, 'while \
    true; do sleep 1; done']}]}\n";

/// A command that runs.
struct Running {
    hearing: Hearing<Client>,
    saying: Saying<Client>,
}

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let cluster = Cluster::shared()?;
    cluster.apply(POD)?;
    cluster.must(&["-n", "streams", "wait", "--for=condition=Ready", "pod/shell", "--timeout=60s"])?;
    let rules = tempfile::tempdir()?;
    fs::write(rules.path().join("all.cedar"), RULES)?;
    // In gates of their own: what streams leave behind would be taken for what they need, or for none.
    let mut idles = Vec::new();
    for (protocol, named) in [(PROTOCOL, "WebSocket"), (RemoteCommand::Spdy, "SPDY")] {
        idles.push(idle(&start(cluster, rules.path())?, protocol, named).await?);
    }
    let gate = start(cluster, rules.path())?;
    let direct = Server::from_kubeconfig(cluster.kubeconfig())?;
    let gated = through(&gate)?;
    let mut rows = echoes(&direct, &gated).await?;
    rows.extend(bulk(&direct, &gated, &gate).await?);
    rows.extend(back(&direct, &gated).await?);
    rows.extend(logs(&direct, &gated).await?);
    rows.extend(idles);
    Ok(rows)
}

fn start(cluster: &'static Cluster, rules: &Path) -> anyhow::Result<Gate> {
    let extra = format!("sessions: {{ calls_at_once: {} }}\n", IDLE * 2);
    Gate::start(cluster, &Options { bundle: rules.display().to_string(), extra, ..Options::default() })
}

fn through(gate: &Gate) -> anyhow::Result<Server> {
    Server::from_kubeconfig(&gate.session("streams")?.kubeconfig)
}

async fn echoes(direct: &Server, gated: &Server) -> anyhow::Result<Vec<Row>> {
    let (mut one, mut other) =
        (Running::start(direct, &["cat"]).await?, Running::start(gated, &["cat"]).await?);
    let (mut directly, mut through) = (Vec::new(), Vec::new());
    for _echo in 0..ECHOES {
        directly.push(one.echo().await?);
        through.push(other.echo().await?);
    }
    let (direct, gated) = (latencies(directly), latencies(through));
    let added = gated.quantile(0.5).saturating_sub(direct.quantile(0.5));
    Ok(vec![
        Row::new("a line and its echo: direct, p50 / p99", told(&direct), ""),
        Row::new("a line and its echo: gate, p50 / p99", told(&gated), ""),
        Row::new("added at p50", millis(added), "≤ 0.3 ms"),
    ])
}

fn told(latencies: &Latencies) -> String {
    format!("{} / {}", millis(latencies.quantile(0.5)), millis(latencies.quantile(0.99)))
}

fn latencies(samples: Vec<Duration>) -> Latencies {
    let wall = samples.iter().sum();
    Latencies::new(samples, wall)
}

/// Zeros, noise and words: what compresses to nothing, not at all, and as logs do.
async fn bulk(direct: &Server, gated: &Server, gate: &Gate) -> anyhow::Result<Vec<Row>> {
    let bytes: &str = &BULK.to_string();
    put(direct, "of=/tmp/noise", noise(FILE)).await?;
    put(direct, "of=/tmp/words", words(FILE)).await?;
    let times = BULK / FILE;
    let files = |file: &'static str| [&["cat"][..], &vec![file; times]].concat();
    let all = [
        ("zeros", vec!["head", "-c", bytes, "/dev/zero"]),
        ("noise", files("/tmp/noise")),
        ("a log's words", files("/tmp/words")),
    ];
    let mut rows = Vec::new();
    for (what, command) in all {
        rows.extend(printed(what, &command, [direct, gated], gate).await?);
    }
    Ok(rows)
}

async fn printed(
    what: &str,
    command: &[&str],
    servers: [&Server; 2],
    gate: &Gate,
) -> anyhow::Result<Vec<Row>> {
    let mut rates = [Vec::new(), Vec::new()];
    let recordings = gate.path("data/recordings");
    let (before, stored) = (cpu_time(gate)?, size(Path::new(&recordings))?);
    for _round in 0..ROUNDS {
        for (server, rates) in servers.into_iter().zip(&mut rates) {
            let started = Instant::now();
            let mut running = Running::start(server, command).await?;
            let received = running.rest().await?.len();
            ensure!(received == BULK, "{received} bytes came of {what}");
            rates.push(rate(BULK, started.elapsed()));
        }
    }
    let passed = BULK * ROUNDS;
    let cpu = cpu_time(gate)?.saturating_sub(before).as_secs_f64();
    let stored = size(Path::new(&recordings))?.saturating_sub(stored);
    let [direct, gated] = rates.map(middle);
    Ok(vec![
        Row::new(format!("256 MiB of output, {what}: direct"), format!("{direct:.0} MB/s"), ""),
        Row::new(
            format!("256 MiB of output, {what}: gate"),
            format!("{gated:.0} MB/s = {:.2} × direct", gated / direct),
            "≥ 0.8 ×",
        ),
        Row::new(
            format!("CPU of the gate a GB of {what}, masked and recorded"),
            format!("{:.2} s", cpu * 1e9 / float(passed)),
            "",
        ),
        Row::new(
            format!("stored for each byte of {what} that passed"),
            format!("{:.4}", float(stored) / float(passed)),
            "",
        ),
    ])
}

/// The same bytes come back.
async fn back(direct: &Server, gated: &Server) -> anyhow::Result<Vec<Row>> {
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
        Row::new("100 MiB of noise there and back: direct", format!("{direct:.0} MB/s"), ""),
        Row::new(
            "100 MiB of noise there and back: gate",
            format!("{gated:.0} MB/s = {:.2} × direct, the same bytes", gated / direct),
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
    let back = rest(&mut hearing).await?;
    sending.await??;
    Ok(back)
}

fn random() -> impl Iterator<Item = u64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
}

fn noise(bytes: usize) -> Bytes {
    random().take(bytes / 8).flat_map(u64::to_le_bytes).collect()
}

/// Lines as services write them, of which no two are the same.
fn words(bytes: usize) -> Bytes {
    const LEVELS: [&str; 4] = ["INFO", "INFO", "DEBUG", "WARN"];
    const DOES: [&str; 6] = ["served", "queued", "retried", "cached", "rejected", "forwarded"];
    const WHAT: [&str; 6] = ["checkout", "cart", "payment", "invoice", "session", "shipment"];
    let any = |words: &'static [&'static str], random: u64| {
        words.get(usize::try_from(random).unwrap_or_default() % words.len()).copied().unwrap_or_default()
    };
    let mut text = String::with_capacity(bytes + 256);
    for (number, random) in random().enumerate() {
        if text.len() >= bytes {
            break;
        }
        text.push_str(&format!(
            "2026-06-01T12:{:02}:{:02}.{:03}Z {} {} {} request={:08x} customer={} took={}ms\n",
            number / 60_000 % 60,
            number / 1_000 % 60,
            number % 1_000,
            any(&LEVELS, random),
            any(&DOES, random >> 8),
            any(&WHAT, random >> 16),
            random >> 32,
            random >> 24 & 0xffff,
            random >> 40 & 0x3ff,
        ));
    }
    text.truncate(bytes);
    text.into()
}

/// A container writes a line; two clients follow its log.
async fn logs(direct: &Server, gated: &Server) -> anyhow::Result<Vec<Row>> {
    const LOG: &str = "/api/v1/namespaces/streams/pods/shell/log?follow=true&tailLines=0";
    let mut writer = Running::start(direct, &["tee", "/proc/1/fd/1"]).await?;
    let (mut one, mut other) = (direct.connect().await?, gated.connect().await?);
    let (mut one, mut other) = (one.open(LOG).await?, other.open(LOG).await?);
    // Whoever follows from the end has to be there before something comes.
    writer.echo().await?;
    tokio::try_join!(line(&mut one), line(&mut other))?;
    let (mut directly, mut through) = (Vec::new(), Vec::new());
    for _line in 0..LINES {
        let started = Instant::now();
        writer.echo().await?;
        let (first, second) = tokio::try_join!(line(&mut one), line(&mut other))?;
        directly.push(first.saturating_duration_since(started));
        through.push(second.saturating_duration_since(started));
    }
    let (direct, gated) = (latencies(directly), latencies(through));
    Ok(vec![
        Row::new("a line of a log that is followed, until it is there: direct, p50 / p99", told(&direct), ""),
        Row::new("the same: gate, p50 / p99", told(&gated), ""),
        Row::new(format!("the same: gate, the latest of {LINES}"), millis(gated.quantile(1.0)), "≤ 100 ms"),
    ])
}

/// When the end of a line has come.
async fn line(log: &mut Incoming) -> anyhow::Result<Instant> {
    loop {
        let frame = log.frame().await.context("it ended")??;
        if frame.data_ref().is_some_and(|data| data.ends_with(b"\n")) {
            return Ok(Instant::now());
        }
    }
}

async fn idle(gate: &Gate, protocol: RemoteCommand, named: &str) -> anyhow::Result<Row> {
    let gated = through(gate)?;
    Running::start_by(protocol, &gated, &["cat"]).await?.echo().await?;
    let before = resident(gate, "VmRSS")?;
    let mut running = Vec::new();
    for _stream in 0..IDLE {
        let mut one = Running::start_by(protocol, &gated, &["cat"]).await?;
        one.echo().await?;
        running.push(one);
    }
    let each = resident(gate, "VmRSS")?.saturating_sub(before) / u64::try_from(IDLE)?;
    Ok(Row::new(format!("memory of an idle stream, of {IDLE}, by {named}"), format!("{each} KB"), "≤ 100 KB"))
}

impl Running {
    async fn start(server: &Server, command: &[&str]) -> anyhow::Result<Self> {
        Self::start_by(PROTOCOL, server, command).await
    }

    async fn start_by(protocol: RemoteCommand, server: &Server, command: &[&str]) -> anyhow::Result<Self> {
        let command: Vec<String> =
            command.iter().map(|word| format!("&command={}", word.replace('/', "%2F"))).collect();
        let path =
            format!("/api/v1/namespaces/streams/pods/shell/exec?stdin=true&stdout=true{}", command.concat());
        let mut headers = protocol.to_headers();
        if protocol.transport() == Transport::WebSocket {
            wire::handshake::ask(&mut headers).context("no key")?;
        }
        let (io, ahead) = server.upgrade(&path, headers).await?;
        let wire = wire::split(io, ahead, protocol.transport(), End::Client).await;
        let (mut hearing, saying) = leg::new(Client::new(protocol, ASKED)?, wire);
        while !hearing.with(Client::is_ready) {
            ensure!(hearing.next_until(Client::is_ready).await?.is_none(), "something was said early");
        }
        Ok(Self { hearing, saying })
    }

    async fn echo(&mut self) -> anyhow::Result<Duration> {
        let started = Instant::now();
        let line = Bytes::from_static(b"a line of text, as one types it\n");
        self.saying.say(&FromClient::Stdin(line.clone())).await?;
        let mut came = 0;
        while came < line.len() {
            match self.hearing.next().await?.context("it ended")? {
                FromServer::Stdout(bytes) => came += bytes.len(),
                FromServer::Stderr(_) | FromServer::Error(_) => anyhow::bail!("no echo"),
            }
        }
        Ok(started.elapsed())
    }

    async fn rest(&mut self) -> anyhow::Result<Bytes> {
        self.saying.say(&FromClient::Close(Closed::Stdin)).await?;
        rest(&mut self.hearing).await
    }
}

/// All that is printed, until it ends well.
async fn rest(hearing: &mut Hearing<Client>) -> anyhow::Result<Bytes> {
    let mut all = Vec::new();
    let mut exit = Vec::new();
    while let Some(said) = hearing.next().await? {
        match said {
            FromServer::Stdout(bytes) => all.extend_from_slice(&bytes),
            FromServer::Stderr(bytes) => anyhow::bail!("{}", String::from_utf8_lossy(&bytes)),
            FromServer::Error(bytes) => exit.extend_from_slice(&bytes),
        }
    }
    ensure!(Exit::parse(&exit)? == Exit::Success, "{}", String::from_utf8_lossy(&exit));
    Ok(all.into())
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

/// Megabytes a second.
fn rate(bytes: usize, took: Duration) -> f64 {
    float(bytes) / took.as_secs_f64() / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "some thousand million")]
fn float(bytes: usize) -> f64 {
    bytes as f64
}

fn middle(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}
