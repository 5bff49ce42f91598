//! Exec through the gate beside exec directly, by the same client over WebSocket to the same API server.

mod bulk;

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
    large::resident,
};

pub(crate) const EXPLAINED: &str = "A command in a pod (`cat`), by WebSocket (`v5.channel.k8s.io`) unless it says otherwise, \
    directly and through the gate, which masks, records and passes on. Client, API server, kubelet and command keep two cores \
    busy between them without a gate: what it takes of these is missing there. So the target is for a cluster that has a core \
    of its own, as it has machines of its own elsewhere: the client has the other, alone or together with the gate. Both are \
    told. Directly, two cores are slower then than one for all, which has nobody to wake; so the target tells what the gate adds \
    where nothing else is different, and not what one machine for all gives. A stream goes at one of two speeds, some 1.5 × \
    apart, from its beginning to its end, directly and through the gate, and which one is chance: all rounds of each, eight, or four by SPDY, \
    count together, direct and gate in turns, and the slowest and the fastest round stand beside them, to be held against each \
    other. More than 1 × of all is that chance. \
    Commands that write some KiB at a time are not measured: the faster they are read, the smaller their messages are. \
    Noise is random bytes, which no mask shortens; it has to come back as it was sent. A log's words are lines as services write \
    them. \
    Idle streams have echoed one line, in a gate that did nothing before.";

const ECHOES: usize = 1_000;
const LINES: usize = 500;
const IDLE: usize = 100;
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
    cluster.ready("streams", "shell")?;
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
    rows.extend(bulk::measure(&direct, &gated, &gate).await?);
    rows.extend(bulk::there_and_back(&direct, &gated).await?);
    rows.extend(logs(&direct, &gated).await?);
    rows.extend(idles);
    Ok(rows)
}

fn start(cluster: &'static Cluster, rules: &Path) -> anyhow::Result<Gate> {
    let extra = format!("sessions: {{ calls_at_once: {} }}\nrecordings: {{ quota: 64GiB }}\n", IDLE * 2);
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

    async fn rest(&mut self, take: impl FnMut(Bytes)) -> anyhow::Result<()> {
        self.saying.say(&FromClient::Close(Closed::Stdin)).await?;
        rest(&mut self.hearing, take).await
    }
}

/// All that is printed, until it ends well.
async fn rest(hearing: &mut Hearing<Client>, mut take: impl FnMut(Bytes)) -> anyhow::Result<()> {
    let mut exit = Vec::new();
    while let Some(said) = hearing.next().await? {
        match said {
            FromServer::Stdout(bytes) => take(bytes),
            FromServer::Stderr(bytes) => anyhow::bail!("{}", String::from_utf8_lossy(&bytes)),
            FromServer::Error(bytes) => exit.extend_from_slice(&bytes),
        }
    }
    ensure!(Exit::parse(&exit)? == Exit::Success, "{}", String::from_utf8_lossy(&exit));
    Ok(())
}
