//! A stream ends when its session does, when it cannot be recorded, and with the gate; whoever looks at it is told why.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use e2e::{Lab, eventually, furnish, leaves, permissive, start, text};
use testkit::Session;

use crate::{TRANSPORTS, over};

/// A command that goes on.
struct Running {
    kubectl: Child,
    out: BufReader<ChildStdout>,
}

impl Running {
    fn start(session: &Session<'_>, namespace: &str, websockets: &str) -> anyhow::Result<Self> {
        let line = "while true; do echo tick; sleep 0.05; done";
        let command = session.command(&["-n", namespace, "exec", "deploy/web", "--", "sh", "-c", line])?;
        let mut kubectl = over(command, websockets).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut out = BufReader::new(kubectl.stdout.take().context("no output")?);
        let mut first = String::new();
        out.read_line(&mut first)?;
        ensure!(first == "tick\n", "{first}");
        Ok(Self { kubectl, out })
    }

    /// What is on standard error at its end.
    fn end(mut self) -> anyhow::Result<String> {
        self.out.read_to_end(&mut Vec::new())?;
        let output = self.kubectl.wait_with_output()?;
        ensure!(!output.status.success(), "{}", text(&output));
        Ok(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

fn lab(namespace: &str) -> anyhow::Result<Lab> {
    let lab = start(&permissive())?;
    furnish(lab.cluster, namespace)?;
    Ok(lab)
}

#[test]
fn streams_end_within_a_second_with_their_session() -> anyhow::Result<()> {
    let namespace = "streams-ends";
    let lab = lab(namespace)?;
    let mut told = Vec::new();
    for (transport, websockets) in TRANSPORTS {
        for how in ["revoke", "freeze"] {
            let session = lab.gate.session(&format!("{how}-{}", transport.to_lowercase()))?;
            let running = [
                Running::start(&session, namespace, websockets)?,
                Running::start(&session, namespace, websockets)?,
            ];
            let begun = Instant::now();
            match how {
                "revoke" => lab.gate.revoke(&session.id)?,
                _ => drop(lab.gate.freeze(&session.id, "look at this")?),
            }
            for one in running {
                told.push(format!("{transport} {how}: {}", one.end()?));
            }
            // The second is for the stream; the rest for kubectl and the machine.
            ensure!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        }
    }
    insta::assert_snapshot!(told.join("\n"));
    // What is durable is told in the files a moment later.
    eventually("all have ended in the ledger", || {
        let streams = leaves(&lab.gate)?.into_iter().filter(|leaf| leaf["event"]["stream"].is_object());
        let stages: Vec<_> = streams.map(|leaf| leaf["event"]["stage"].clone()).collect();
        Ok(if stages == ["cut"; 8] { Ok(()) } else { Err(stages) })
    })?;
    Ok(())
}

#[test]
fn streams_end_with_the_gate() -> anyhow::Result<()> {
    let namespace = "streams-stop";
    let mut lab = lab(namespace)?;
    let session = lab.gate.session("stop")?;
    let mut running = Vec::new();
    for (_, websockets) in TRANSPORTS {
        running.push(Running::start(&session, namespace, websockets)?);
    }
    drop(session);
    lab.gate.stop()?;
    for one in running {
        let told = one.end()?;
        ensure!(told.contains("the gate is stopping"), "{told}");
    }
    Ok(())
}

#[test]
fn where_nothing_can_be_recorded_streams_end_and_none_begins() -> anyhow::Result<()> {
    let namespace = "streams-full";
    let lab = lab(namespace)?;
    let session = lab.gate.session("full")?;
    let running = Running::start(&session, namespace, "true")?;
    lab.gate.fill_disk()?;
    let told = running.end()?;
    ensure!(told.contains("portcullis: "), "{told}");
    let again = session.kubectl(&["-n", namespace, "exec", "deploy/web", "--", "true"])?;
    ensure!(!again.status.success(), "{}", text(&again));
    Ok(())
}

#[test]
fn a_gate_that_is_killed_leaves_a_recording_whose_end_is_known() -> anyhow::Result<()> {
    let namespace = "streams-killed";
    let mut lab = lab(namespace)?;
    let session = lab.gate.session("killed")?;
    let id = session.id.clone();
    let mut running = Running::start(&session, namespace, "true")?;
    drop(session);
    // More than a segment.
    let mut lines = String::new();
    for _line in 0..40 {
        running.out.read_line(&mut lines)?;
    }
    lab.gate.kill()?;
    running.kubectl.kill()?;
    running.kubectl.wait()?;
    lab.gate.serve()?;
    let leaves = leaves(&lab.gate)?;
    let recorded =
        leaves.iter().filter(|leaf| leaf["type"] == "recorded" && leaf["event"]["session"] == *id).count();
    ensure!(recorded > 0, "nothing is recorded");
    let intended: Vec<_> = leaves
        .iter()
        .filter(|leaf| leaf["type"] == "intent" && leaf["event"]["request"]["subresource"] == "exec")
        .map(|leaf| leaf["event"]["call"].clone())
        .collect();
    let ended =
        leaves.iter().any(|leaf| leaf["type"] == "outcome" && intended.contains(&leaf["event"]["call"]));
    ensure!(intended.len() == 1 && !ended, "{intended:?}");
    Ok(())
}
