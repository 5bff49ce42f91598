//! A watch that is open when a session ends, and how long it took to end.

use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Output, Stdio},
};

use anyhow::{Context, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use testkit::{Cluster, Session};

/// `kubectl get pods --watch`.
#[derive(Debug)]
pub struct Watch {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watch {
    /// Opens one as an agent, in a namespace with one pod, and waits until a change has come over it.
    ///
    /// # Errors
    /// It ended before.
    pub fn open(cluster: &Cluster, session: &Session<'_>, namespace: &str) -> anyhow::Result<Self> {
        // Should what ends it not come, it ends by itself, and the test fails instead of waiting.
        let mut child = session
            .command(&["get", "pods", "-n", namespace, "--watch", "--request-timeout=60s"])?
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no stdout")?).lines();
        let mut came = || lines.next().context("the watch has ended")?.context("the watch broke off");
        // The header and the pod are from a list, which comes first. What changes after it shows that the watch is open.
        came()?;
        came()?;
        let seen = format!("seen={}", session.id);
        cluster.must(&["label", "pods", "--all", "-n", namespace, "--overwrite", &seen])?;
        came()?;
        Ok(Self { child, lines })
    }

    /// What else it prints, when somebody else ends it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn end(self) -> anyhow::Result<(String, Output)> {
        let rest: Vec<String> = self.lines.collect::<Result<_, _>>()?;
        Ok((rest.join("\n"), self.child.wait_with_output()?))
    }
}

/// The first of a ledger's entries of this type for whose event `wanted` holds.
///
/// # Errors
/// There is none.
pub fn leaf<'a>(
    leaves: &'a [Value],
    kind: &str,
    wanted: impl Fn(&Value) -> bool,
) -> anyhow::Result<&'a Value> {
    let one = leaves.iter().find(|leaf| leaf["type"] == kind && wanted(&leaf["event"]));
    one.with_context(|| format!("no such {kind} in the ledger"))
}

/// Checks that two entries are less than a second apart: by what the ledger says, which a busy test does not make longer.
///
/// # Errors
/// They are not.
pub fn at_once(first: &Value, then: &Value) -> anyhow::Result<()> {
    let time = |leaf: &Value| leaf["time"].as_str().context("no time")?.parse::<Timestamp>().context("time");
    let took = time(then)?.duration_since(time(first)?);
    ensure!(took.abs() < SignedDuration::from_secs(1), "{then} was {took} after {first}");
    Ok(())
}
