//! A small GET, directly and through the gate, at one connection and at sixteen.

use std::{fs, path::Path, time::Duration};

use anyhow::Context;
use testkit::{Cluster, DELEGATOR, Gate, Options};

use crate::{
    client::Server,
    figures::{Latencies, Row, micros, millis},
};

pub(crate) const EXPLAINED: &str = "GET of one small ConfigMap over kept HTTP/1.1 connections with TLS: directly (client \
    certificate), directly as the gate asks (its account's token, impersonating the agent), and through the gate (session \
    token, policy `developer`, two durable ledger leaves a call). Rounds of the three alternate; the middle of five counts. \
    At one connection nothing overlaps: what the API server takes longer to impersonate, and the two waits for the disk \
    (see *Ledger* at one caller), are all in what the gate adds.";

const PATH: &str = "/api/v1/namespaces/bench/configmaps/small";
const ROUNDS: usize = 5;
const CALLS: usize = 3_000;

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let cluster = Cluster::shared()?;
    cluster.apply(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: bench}\n---\napiVersion: v1\nkind: ConfigMap\n\
         metadata: {name: small, namespace: bench}\ndata: {key: value}\n",
    )?;
    let gate = Gate::start(cluster, &Options::default())?;
    let session = gate.session("bench")?;
    let direct = Server::from_kubeconfig(cluster.kubeconfig())?;
    let gated = Server::from_kubeconfig(&session.kubeconfig)?;
    let impersonating = Server::from_kubeconfig(Path::new(&gate.path("cluster.kubeconfig")))?
        .with("impersonate-user", "portcullis:agent:claude")?
        .with("impersonate-group", "portcullis:agents")?
        .with("impersonate-group", "portcullis:group:developers")?
        .with("impersonate-extra-portcullis.dev%2fsession", &session.id)?
        .with("impersonate-extra-portcullis.dev%2fdelegator", DELEGATOR)?;
    let servers = Servers { direct, impersonating, gated };
    let mut rows = Vec::new();
    for connections in [1, 16] {
        rows.extend(compare(&servers, &gate, connections).await?);
    }
    Ok(rows)
}

/// The same API server, asked in three ways.
struct Servers {
    direct: Server,
    impersonating: Server,
    gated: Server,
}

async fn compare(servers: &Servers, gate: &Gate, connections: usize) -> anyhow::Result<Vec<Row>> {
    let Servers { direct, impersonating, gated } = servers;
    for server in [direct, impersonating, gated] {
        server.load(PATH, connections, CALLS / 4).await?;
    }
    let (mut directly, mut as_the_gate) = (Vec::new(), Vec::new());
    let (mut through, mut cpu) = (Vec::new(), Vec::new());
    for _round in 0..ROUNDS {
        directly.push(direct.load(PATH, connections, CALLS).await?);
        as_the_gate.push(impersonating.load(PATH, connections, CALLS).await?);
        let before = cpu_time(gate)?;
        through.push(gated.load(PATH, connections, CALLS).await?);
        cpu.push(cpu_time(gate)?.saturating_sub(before));
    }
    let (direct, gated) = (middle(directly)?, middle(through)?);
    let impersonating = middle(as_the_gate)?;
    cpu.sort_unstable();
    let calls = u32::try_from(CALLS)?;
    let cpu = cpu.get(ROUNDS / 2).copied().unwrap_or_default() / calls;
    let added = gated.quantile(0.5).saturating_sub(direct.quantile(0.5));
    let at = if connections == 1 { "1 connection".to_owned() } else { format!("{connections} connections") };
    let target = if connections == 1 { "≥ 0.86 × (nginx)" } else { "≥ 0.83 × (nginx)" };
    Ok(vec![
        Row::new(format!("{at}: direct, requests/s"), format!("{:.0}", direct.per_second()), ""),
        Row::new(
            format!("{at}: gate, requests/s"),
            format!("{:.0} = {:.2} × direct", gated.per_second(), gated.per_second() / direct.per_second()),
            target,
        ),
        Row::new(
            format!("{at}: direct as the gate asks, requests/s"),
            format!("{:.0}", impersonating.per_second()),
            "",
        ),
        Row::new(format!("{at}: direct, p50 / p99"), quantiles(&direct), ""),
        Row::new(format!("{at}: direct as the gate asks, p50 / p99"), quantiles(&impersonating), ""),
        Row::new(format!("{at}: gate, p50 / p99"), quantiles(&gated), ""),
        Row::new(
            format!("{at}: added at p50"),
            millis(added),
            if connections == 1 { "≤ 0.5 ms" } else { "" },
        ),
        Row::new(format!("{at}: CPU of the gate a call"), micros(cpu), "≤ 150 µs"),
    ])
}

fn quantiles(latencies: &Latencies) -> String {
    format!("{} / {}", millis(latencies.quantile(0.5)), millis(latencies.quantile(0.99)))
}

fn middle(mut rounds: Vec<Latencies>) -> anyhow::Result<Latencies> {
    rounds.sort_by_key(|round| round.wall);
    rounds.into_iter().nth(ROUNDS / 2).context("no rounds")
}

/// User and system time of the gate's process: fields 14 and 15 of `/proc/PID/stat`, in ticks of 10 ms.
pub(crate) fn cpu_time(gate: &Gate) -> anyhow::Result<Duration> {
    cpu_time_of(u32::try_from(gate.pid().context("the gate does not run")?)?)
}

/// The same of any process.
pub(crate) fn cpu_time_of(pid: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit_once(") ").context("no `)`")?.1.split_whitespace().collect();
    let ticks =
        |index: usize| -> anyhow::Result<u64> { Ok(fields.get(index).context("too short")?.parse()?) };
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}
