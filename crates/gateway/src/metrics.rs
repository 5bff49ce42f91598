//! Counters for the operator, in the Prometheus text format.

use std::{
    fmt,
    sync::atomic::{AtomicI64, AtomicU64},
    time::Duration,
};

use ledger::Stats;
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use upstream::reader::{Standing, Values};

/// How a call ended, as a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Ended {
    Unauthenticated,
    Refused,
    Denied,
    Asked,
    Unrecorded,
    Failed,
    Completed,
    Cut,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    ended: Ended,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Cluster {
    cluster: String,
}

/// What becomes of the values of a cluster's Secrets, as a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "they are spelled as they are shown")]
enum Fate {
    known,
    guessable,
    left_out,
    undecoded,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfValues {
    cluster: String,
    state: Fate,
}

/// The gate's counters. Labels are closed sets: no agent, object or path ever becomes one.
pub(crate) struct Metrics {
    registry: Registry,
    calls: Family<Labels, Counter<u64, AtomicU64>>,
    open: Gauge<i64, AtomicI64>,
    seconds: Histogram,
    masked: Counter<u64, AtomicU64>,
    values_sent: Counter<u64, AtomicU64>,
    leaves: Gauge<i64, AtomicI64>,
    sealed: Gauge<i64, AtomicI64>,
    refusing: Gauge<i64, AtomicI64>,
    blind: Family<Cluster, Gauge<i64, AtomicI64>>,
    age: Family<Cluster, Gauge<f64, AtomicU64>>,
    values: Family<OfValues, Gauge<i64, AtomicI64>>,
}

/// One open call.
#[derive(Debug)]
pub(crate) struct Open(Gauge<i64, AtomicI64>);

/// From 0.25 ms, where a small read sits, to 8 s.
const BUCKETS: [f64; 16] = [
    0.000_25, 0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.0, 2.0, 4.0,
    8.0,
];

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("portcullis");
        let calls = Family::default();
        let open = Gauge::default();
        let seconds = Histogram::new(BUCKETS);
        let masked = Counter::default();
        registry.register("calls", "Calls, by how they ended", calls.clone());
        registry.register("open_calls", "Calls that have not ended yet, streams included", open.clone());
        registry.register(
            "call_seconds",
            "Time from a call's head to the end of its answer",
            seconds.clone(),
        );
        registry.register("masked_values", "Secret values replaced in answers", masked.clone());
        let values_sent = Counter::default();
        registry.register(
            "known_values_sent",
            "Known secret values that agents sent, and guesses at them",
            values_sent.clone(),
        );
        let (leaves, sealed, refusing) = (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("ledger_leaves", "Leaves in the ledger", leaves.clone());
        registry.register("ledger_sealed_leaves", "Leaves that a checkpoint covers", sealed.clone());
        registry.register(
            "ledger_refusing",
            "1 when the ledger takes nothing new, and no call passes",
            refusing.clone(),
        );
        let (blind, age) = (Family::default(), Family::default());
        registry.register(
            "secrets_unknown",
            "1 when the values of the cluster's Secrets are not known, and no call to it passes",
            blind.clone(),
        );
        registry.register(
            "secrets_age_seconds",
            "Time since the API server last told something about the cluster's Secrets",
            age.clone(),
        );
        let values = Family::default();
        registry.register(
            "known_values",
            "Values of the cluster's Secrets: looked for, guessable and so not, left out for want of room, or no base64",
            values.clone(),
        );
        Self {
            registry,
            calls,
            open,
            seconds,
            masked,
            values_sent,
            leaves,
            sealed,
            refusing,
            blind,
            age,
            values,
        }
    }

    /// Counts a call as open until what is answered is dropped.
    pub(crate) fn open(&self) -> Open {
        self.open.inc();
        Open(self.open.clone())
    }

    pub(crate) fn ended(&self, ended: Ended, took: Duration, masked: u64) {
        self.calls.get_or_create(&Labels { ended }).inc();
        self.seconds.observe(took.as_secs_f64());
        self.masked.inc_by(masked);
    }

    pub(crate) fn values_sent(&self, values: u32) {
        self.values_sent.inc_by(values.into());
    }

    /// The OpenMetrics text, with the ledger's and the clusters' figures as they are now.
    pub(crate) fn text<'a>(
        &self,
        ledger: &Stats,
        clusters: impl Iterator<Item = (&'a str, Standing)>,
    ) -> Result<String, fmt::Error> {
        for (cluster, Standing { age, blind, values, .. }) in clusters {
            self.tell_values(cluster, values);
            let cluster = Cluster { cluster: cluster.to_owned() };
            self.blind.get_or_create(&cluster).set(i64::from(blind.is_some()));
            if let Some(age) = age {
                self.age.get_or_create(&cluster).set(age.as_secs_f64());
            }
        }
        self.leaves.set(i64::try_from(ledger.size).unwrap_or(i64::MAX));
        self.sealed.set(i64::try_from(ledger.sealed).unwrap_or(i64::MAX));
        self.refusing.set(i64::from(ledger.refusing.is_some()));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    fn tell_values(&self, cluster: &str, values: Values) {
        let Values { known, guessable, left_out, undecoded } = values;
        let states = [
            (Fate::known, known),
            (Fate::guessable, guessable),
            (Fate::left_out, left_out),
            (Fate::undecoded, undecoded),
        ];
        for (state, count) in states {
            let labels = OfValues { cluster: cluster.to_owned(), state };
            self.values.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_of_values_is_told_by_cluster_and_state() {
        let values = Values { known: 40, guessable: 3, left_out: 2, undecoded: 1 };
        let standing = Standing { values, ..Standing::default() };
        let ledger = Stats { appended: 0, size: 0, sealed: 0, refusing: None, unsealed: None };
        let text = Metrics::new().text(&ledger, [("prod", standing)].into_iter()).unwrap();
        let mut told: Vec<_> =
            text.lines().filter(|line| line.starts_with("portcullis_known_values{")).collect();
        told.sort_unstable();
        insta::assert_snapshot!(told.join("\n"), @r#"
        portcullis_known_values{cluster="prod",state="guessable"} 3
        portcullis_known_values{cluster="prod",state="known"} 40
        portcullis_known_values{cluster="prod",state="left_out"} 2
        portcullis_known_values{cluster="prod",state="undecoded"} 1
        "#);
    }
}
