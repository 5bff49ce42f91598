//! `get --watch`, ended once it has shown what happened.

use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

use anyhow::{Context, ensure};
use e2e::{furnish, lab, normalised};

/// A kubectl that goes on until it has been read enough. Ended when dropped.
struct Watch {
    kubectl: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watch {
    fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut kubectl = command.stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(kubectl.stdout.take().context("no stdout")?).lines();
        Ok(Self { kubectl, lines })
    }

    /// The next so many lines. That it ends before it has shown them is an error.
    fn next(&mut self, count: usize) -> anyhow::Result<String> {
        let lines: Vec<String> = self.lines.by_ref().take(count).collect::<Result<_, _>>()?;
        ensure!(lines.len() == count, "it ended after {} of {count} lines: {lines:?}", lines.len());
        normalised(&lines.join("\n"))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.kubectl.kill().and_then(|()| self.kubectl.wait()).ok();
    }
}

/// What is watched, how many lines its beginning has, and how many each change.
const WATCHES: &[(&str, usize, usize)] = &[
    ("get configmap settings -n watched --watch", 2, 1),
    ("get configmap settings -n watched --watch --output-watch-events -L seen", 2, 1),
    ("get configmap settings -n watched --watch --output-watch-events -o name", 1, 1),
    ("get secret database -n watched --watch -L seen", 2, 1),
];

#[test]
fn a_watch_shows_what_it_shows_directly() -> anyhow::Result<()> {
    let lab = lab()?;
    furnish(lab.cluster, "watched")?;
    let session = lab.gate.session("watches")?;
    for (line, beginning, change) in WATCHES {
        // Should an event not come, the watch ends, and the test fails instead of waiting.
        let arguments: Vec<&str> = line.split_whitespace().chain(["--request-timeout=60s"]).collect();
        let mut direct = Watch::start(lab.cluster.command(&arguments)?)?;
        let mut gated = Watch::start(session.command(&arguments)?)?;
        assert_eq!(gated.next(*beginning)?, direct.next(*beginning)?, "{line}");
        for round in ["one", "two"] {
            let seen = format!("seen={round}");
            for object in ["configmap/settings", "secret/database"] {
                lab.cluster.must(&["label", object, "-n", "watched", "--overwrite", &seen])?;
            }
            assert_eq!(gated.next(*change)?, direct.next(*change)?, "{line}");
        }
    }
    Ok(())
}
