//! A gate that is killed in the middle of a stream: what is lost is told, and what was sealed is there.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use e2e::{AuditedGate, COUNTS, Going, eventually, furnish, leaves, permissive, start, text};

use crate::{TRANSPORTS, over};

/// How many segments of a session the ledger has.
fn sealed(gate: &AuditedGate, session: &str) -> anyhow::Result<usize> {
    let of = leaves(gate)?.into_iter();
    Ok(of.filter(|leaf| leaf["type"] == "recorded" && leaf["event"]["session"] == *session).count())
}

/// What `portcullis sessions` prints of a session.
fn told(gate: &AuditedGate, what: &[&str], session: &str) -> anyhow::Result<String> {
    let data = gate.path("data");
    Ok(text(&gate.portcullis(&[&["sessions"], what, &[session, "--data", &data]].concat())?))
}

#[test]
fn a_gate_that_is_killed_leaves_a_recording_whose_end_is_known() -> anyhow::Result<()> {
    for (transport, websockets) in TRANSPORTS {
        killed(&format!("streams-killed-{}", transport.to_lowercase()), websockets)?;
    }
    Ok(())
}

fn killed(namespace: &str, websockets: &str) -> anyhow::Result<()> {
    let mut lab = start(&permissive())?;
    furnish(lab.cluster, namespace)?;
    let session = lab.gate.session("killed")?;
    let (id, kubeconfig) = (session.id.clone(), session.kubeconfig.clone());
    let command = session.command(&["-n", namespace, "exec", "deploy/web", "--", "sh", "-c", COUNTS])?;
    let mut going = Going::start(over(command, websockets), "tick 0")?;
    drop(session);
    while !going.line()?.contains("tick 20\n") {}
    // What was shown by now is in the next segment, or in the one whose leaf is on its way.
    let before = sealed(&lab.gate, &id)?;
    eventually("it is sealed", || {
        going.line()?;
        let now = sealed(&lab.gate, &id)?;
        Ok(if now >= before + 2 { Ok(()) } else { Err(now) })
    })?;
    lab.gate.kill()?;
    going.hang_up()?;
    lab.gate.serve()?;

    let ledger = leaves(&lab.gate)?;
    let call = |kind: &str| {
        let of_kind = ledger.iter().filter(move |leaf| leaf["type"] == kind);
        of_kind.map(|leaf| leaf["event"]["call"].clone()).collect::<Vec<_>>()
    };
    let exec = |leaf: &&serde_json::Value| {
        leaf["type"] == "intent" && leaf["event"]["request"]["subresource"] == "exec"
    };
    let intended: Vec<_> = ledger.iter().filter(exec).map(|leaf| leaf["event"]["call"].clone()).collect();
    let [intended] = intended.as_slice() else { anyhow::bail!("{intended:?}") };
    ensure!(!call("outcome").contains(intended), "it has an outcome");

    let shown = told(&lab.gate, &["show"], &id)?;
    ensure!(shown.contains("state     crashed"), "{shown}");
    ensure!(shown.contains("stream 1: exec") && shown.contains("its end is lost"), "{shown}");
    // It does not exit well, since nothing is wrong with what is there.
    whole_up_to_a_line(&told(&lab.gate, &["replay", "--stream", "1"], &id)?, &going.printed)?;

    // The session goes on, and says what came before.
    let again = ["get", "pods", "-n", namespace, "-o", "name"];
    let cache = PathBuf::from(lab.gate.path("cache"));
    let went_on = testkit::kubectl(Path::new(&kubeconfig), &cache, &again)?.output()?;
    ensure!(went_on.status.success(), "{}", text(&went_on));
    let shown = eventually("it goes on", || {
        let shown = told(&lab.gate, &["show"], &id)?;
        Ok(if shown.contains("pods?limit=500: 200") { Ok(shown) } else { Err(shown) })
    })?;
    // What was open before is not, though the session is.
    let lost = |shown: &str| {
        let killed = shown.contains("!  a gate was killed before this");
        killed && shown.contains("its end is lost") && !shown.contains(" yet")
    };
    ensure!(shown.contains("state     open") && lost(&shown), "{shown}");
    lab.gate.stop()?;
    let shown = told(&lab.gate, &["show"], &id)?;
    ensure!(shown.contains("state     interrupted") && lost(&shown), "{shown}");
    let played = told(&lab.gate, &["replay", "--stream", "1"], &id)?;
    whole_up_to_a_line(&played, &going.printed)?;
    ensure!(played.contains("a gate was killed here: the stream's end is lost"), "{played}");
    Ok(())
}

/// What was shown before the last sealed segment is there, in order, and nothing that was not shown.
fn whole_up_to_a_line(played: &str, printed: &str) -> anyhow::Result<()> {
    let of = |text: &str| {
        let lines = text.lines().filter(|line| line.starts_with("tick "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let (played, printed) = (of(played), of(printed));
    let last = played.len().checked_sub(1).context("nothing is played")?;
    ensure!(last >= 20, "it ends with {last}");
    let wanted: Vec<String> = (0..=last).map(|number| format!("tick {number}")).collect();
    ensure!(played == wanted, "{played:?}");
    // kubectl may have been killed with a line in hand.
    ensure!(printed.len() + 1 >= played.len(), "{} of {} lines were shown", printed.len(), played.len());
    Ok(())
}
