//! Latencies and the table they end up in.

use std::{fmt::Write, time::Duration};

/// Latencies of one measurement.
#[derive(Debug, Clone)]
pub(crate) struct Latencies {
    sorted: Vec<Duration>,
    /// Wall time of the whole measurement.
    pub(crate) wall: Duration,
}

impl Latencies {
    pub(crate) fn new(mut samples: Vec<Duration>, wall: Duration) -> Self {
        samples.sort_unstable();
        Self { sorted: samples, wall }
    }

    /// The latency that `share` of the calls did not exceed.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index into some ten thousand samples"
        )]
        let index = (share * self.sorted.len().saturating_sub(1) as f64).round() as usize;
        self.sorted.get(index).copied().unwrap_or_default()
    }

    #[expect(clippy::cast_precision_loss, reason = "some ten thousand samples")]
    pub(crate) fn per_second(&self) -> f64 {
        self.sorted.len() as f64 / self.wall.as_secs_f64()
    }
}

/// One line of the report.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) figure: String,
    pub(crate) target: &'static str,
}

impl Row {
    pub(crate) fn new(what: impl Into<String>, figure: impl Into<String>, target: &'static str) -> Self {
        Self { what: what.into(), figure: figure.into(), target }
    }
}

/// A Markdown table.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = String::from("| what | measured | target |\n|---|---|---|\n");
    for Row { what, figure, target } in rows {
        let _infallible = writeln!(text, "| {what} | {figure} | {target} |");
    }
    text
}

/// Milliseconds with three digits.
pub(crate) fn millis(duration: Duration) -> String {
    format!("{:.3} ms", duration.as_secs_f64() * 1e3)
}

/// Microseconds with one digit.
pub(crate) fn micros(duration: Duration) -> String {
    format!("{:.1} µs", duration.as_secs_f64() * 1e6)
}

/// Megabytes a second.
pub(crate) fn rate(bytes: usize, took: Duration) -> f64 {
    float(bytes) / took.as_secs_f64() / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "some thousand million")]
pub(crate) fn float(bytes: usize) -> f64 {
    bytes as f64
}

pub(crate) fn told(rate: f64) -> String {
    format!("{rate:.0} MB/s")
}
