//! A list of 1 GB through the gate, from a stand-in API server, to a client that reads as it comes.

use std::{fs, time::Instant};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::BodyExt;
use testkit::{
    Gate, Options,
    stand_in::{Reply, StandIn},
};

use crate::{client::Server, figures::Row};

pub(crate) const EXPLAINED: &str = "A `secrets` list of 1 GB from a stand-in API server (HTTP/2, TLS), read by a client as fast as it \
    comes. Memory is the peak of the gate's resident set above what it had before.";

const SIZE: usize = 1_000_000_000;

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let stand_in = StandIn::start(|_request| list())?;
    let gate = Gate::behind(&stand_in.kubeconfig("{token: none}"), &Options::default())?;
    let session = gate.session("large")?;
    let mut connection = Server::from_kubeconfig(&session.kubeconfig)?.connect().await?;
    let before = resident(&gate, "VmRSS")?;
    let started = Instant::now();
    let mut body = connection.open("/api/v1/secrets").await?;
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        received += frame?.into_data().map_or(0, |data| data.len());
    }
    let seconds = started.elapsed().as_secs_f64();
    let peak = resident(&gate, "VmHWM")?;
    #[expect(clippy::cast_precision_loss, reason = "some thousand million")]
    let rate = SIZE as f64 / seconds / 1e9;
    let delivered =
        format!("{seconds:.2} s = {rate:.2} GB/s of the API server's bytes ({received} delivered)");
    Ok(vec![
        Row::new("masked and delivered", delivered, ""),
        Row::new("peak memory above idle", format!("{} MB", peak.saturating_sub(before) / 1024), "≤ 64 MB"),
    ])
}

/// A field of `/proc/PID/status`, in KiB.
pub(crate) fn resident(gate: &Gate, field: &str) -> anyhow::Result<u64> {
    let pid = gate.pid().context("the gate does not run")?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with(field)).context("no such field")?;
    Ok(line.split_whitespace().nth(1).context("no value")?.parse()?)
}

fn list() -> Reply {
    let item = format!(
        r#"{{"metadata":{{"name":"s","namespace":"n"}},"data":{{"value":"{}"}},"type":"Opaque"}}"#,
        "QUJD".repeat(256)
    );
    let chunk = Bytes::from(format!("{item},").repeat(32));
    let head = Bytes::from_static(br#"{"kind":"SecretList","apiVersion":"v1","metadata":{},"items":["#);
    let tail = Bytes::from(format!("{item}]}}"));
    let chunks = std::iter::once(head)
        .chain(std::iter::repeat_n(chunk.clone(), SIZE / chunk.len()))
        .chain(std::iter::once(tail));
    Reply::streamed(futures_util::stream::iter(chunks))
}
