//! From a Secret's change to its new value being masked wherever it was copied to.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use anyhow::ensure;
use testkit::{Cluster, Gate, Options};

use crate::{
    client::{Connection, Server},
    figures::{Latencies, Row, millis},
};

pub(crate) const EXPLAINED: &str = "A Secret gets a value that a ConfigMap holds already. Measured from the API server's answer to that \
    write to the beginning of the first read through the gate that comes masked; reads follow one another without a pause. First \
    with the few Secrets of an empty cluster, then beside a hundred of a hundred values each.";

const ROUNDS: u64 = 20;
/// Masked later than this, it is no figure but a failure.
const PATIENCE: Duration = Duration::from_secs(20);
const PATCH: &str = "application/merge-patch+json";

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let cluster = Cluster::shared()?;
    cluster.apply(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: rotation}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: one, \
         namespace: rotation}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: copy, namespace: rotation}\n",
    )?;
    let gate = Gate::start(cluster, &Options::default())?;
    let session = gate.session("rotation")?;
    let mut direct = Server::from_kubeconfig(cluster.kubeconfig())?.connect().await?;
    let mut gated = Server::from_kubeconfig(&session.kubeconfig)?.connect().await?;
    let mut numbers = Numbers(1);
    let mut rows = vec![rotate("few Secrets", &mut direct, &mut gated, &mut numbers).await?];
    cluster.apply(&many(&mut numbers))?;
    rows.push(rotate("10,000 other values", &mut direct, &mut gated, &mut numbers).await?);
    cluster.must(&["delete", "namespace", "rotation", "--wait=false"])?;
    Ok(rows)
}

async fn rotate(
    beside: &str,
    direct: &mut Connection,
    gated: &mut Connection,
    numbers: &mut Numbers,
) -> anyhow::Result<Row> {
    let copy = "/api/v1/namespaces/rotation/configmaps/copy";
    let started = Instant::now();
    let mut samples = Vec::new();
    for _round in 0..ROUNDS {
        let value = numbers.value();
        direct.patch(copy, PATCH, format!(r#"{{"data":{{"text":"it is {value}"}}}}"#)).await?;
        let secret = "/api/v1/namespaces/rotation/secrets/one";
        direct.patch(secret, PATCH, format!(r#"{{"stringData":{{"password":"{value}"}}}}"#)).await?;
        let changed = Instant::now();
        samples.push(loop {
            let asked = changed.elapsed();
            if !gated.text(copy).await?.contains(&value) {
                break asked;
            }
            ensure!(asked < PATIENCE, "beside {beside}, a value was not masked within {PATIENCE:?}");
        });
    }
    let latencies = Latencies::new(samples, started.elapsed());
    let figure =
        format!("p50 {}, slowest {}", millis(latencies.quantile(0.5)), millis(latencies.quantile(1.0)));
    Ok(Row::new(format!("from change to masked, {beside}"), figure, "≤ 1 s"))
}

/// A hundred Secrets of a hundred values.
fn many(numbers: &mut Numbers) -> String {
    let mut manifest = String::new();
    for secret in 0..100 {
        let _infallible = write!(
            manifest,
            "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: other-{secret}, namespace: rotation}}\nstringData:\n"
        );
        for key in 0..100 {
            let _infallible = writeln!(manifest, "  k{key}: {}", numbers.value());
        }
    }
    manifest
}

/// Values that look random, the same in every run (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn value(&mut self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
