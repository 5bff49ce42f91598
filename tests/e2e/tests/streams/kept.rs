//! `portcullis sessions` of a gate that runs: what is listed, shown, replayed, exported, found and erased; and how long recordings are kept.

use std::{fs, process::Output};

use anyhow::{Context, ensure};
use e2e::{AuditedGate, eventually, furnish, leaf, leaves, permissive, start, text};
use serde_json::Value;
use testkit::Options;

use crate::{TRANSPORTS, run};

/// `portcullis sessions`, in front of the gate's own files.
fn ask(gate: &AuditedGate, arguments: &[&str]) -> anyhow::Result<Output> {
    let config = gate.path("portcullis.yaml");
    gate.portcullis(&[&["sessions"], arguments, &["--config", &config]].concat())
}

fn told(gate: &AuditedGate, arguments: &[&str]) -> anyhow::Result<String> {
    let output = ask(gate, arguments)?;
    ensure!(output.status.success(), "{}", text(&output));
    Ok(text(&output))
}

/// How its line in the list begins, after the id.
fn state(gate: &AuditedGate, session: &str) -> anyhow::Result<String> {
    let list = told(gate, &["list"])?;
    let line = list.lines().find(|line| line.starts_with(session)).with_context(|| list.clone())?;
    Ok(line.split_whitespace().nth(1).unwrap_or_default().to_owned())
}

#[test]
fn what_is_recorded_is_listed_played_exported_found_and_erased() -> anyhow::Result<()> {
    let namespace = "streams-kept";
    let lab = start(&permissive())?;
    furnish(lab.cluster, namespace)?;
    let session = lab.gate.session("kept")?;
    let id = session.id.clone();
    let line = "echo one of two; echo oh no >&2; printf '\\033[31mred\\033[0m herring\\n'; exit 3";
    for (transport, websockets) in TRANSPORTS {
        let done =
            run(&session, websockets, &["-n", namespace, "exec", "deploy/web", "--", "sh", "-c", line], b"")?;
        ensure!(done.status.code() == Some(3), "{transport}: {}", text(&done));
    }
    drop(session);
    ensure!(state(&lab.gate, &id)? == "open");
    lab.gate.revoke(&id)?;
    eventually("it is let go", || {
        let state = state(&lab.gate, &id)?;
        Ok(if state == "whole" { Ok(()) } else { Err(state) })
    })?;
    let shown = told(&lab.gate, &["show", &id])?;
    ensure!(shown.contains("state     whole") && shown.contains("find out why checkout is slow"), "{shown}");
    for stream in ["1", "2"] {
        let ended =
            |line: &str| line.contains(&format!("stream {stream}: exec")) && line.contains("exit code 3");
        ensure!(shown.lines().any(ended), "{shown}");
        let played = told(&lab.gate, &["replay", &id, "--stream", stream])?;
        // What was said on standard error is in it, and colours are written out.
        for part in ["one of two\n", "oh no\n", "[31mred", "herring\n"] {
            ensure!(played.contains(part), "{part:?} is not in {played}");
        }
        ensure!(!played.contains('\u{1b}'), "{played:?}");
        let file = lab.gate.path(&format!("{stream}.cast"));
        told(&lab.gate, &["export", &id, "--stream", stream, "-o", &file])?;
        let cast = fs::read_to_string(&file)?;
        let head: Value = serde_json::from_str(cast.lines().next().unwrap_or_default())?;
        ensure!(head["version"] == 2 && cast.contains("oh no") && cast.contains("\\u001b[31mred"), "{cast}");
        // Never over what is there.
        let again = ask(&lab.gate, &["export", &id, "--stream", stream, "-o", &file])?;
        ensure!(!again.status.success() && fs::read_to_string(&file)? == cast, "{}", text(&again));
    }
    for wanted in ["oh no", "red herring"] {
        let found = told(&lab.gate, &["search", wanted])?;
        ensure!(found.matches(&*id).count() == 2 && found.contains(&format!("»{wanted}«")), "{found}");
    }
    let nothing = ask(&lab.gate, &["search", "red herrings"])?;
    ensure!(nothing.status.code() == Some(1), "{}", text(&nothing));

    let erased = told(&lab.gate, &["erase", &id, "--why", "the customer asked"])?;
    ensure!(erased.contains(&format!("Erased the recording of {id}")), "{erased}");
    ensure!(state(&lab.gate, &id)? == "erased");
    let played = ask(&lab.gate, &["replay", &id, "--stream", "1"])?;
    ensure!(!played.status.success() && text(&played).contains("the customer asked"), "{}", text(&played));
    let folder = lab.gate.path(&format!("data/recordings/{id}"));
    let left = fs::read_dir(&folder)?.map(|file| Ok(file?.file_name().into_string().ok()));
    let mut left = left.collect::<anyhow::Result<Vec<_>>>()?;
    left.sort_unstable();
    ensure!(left.iter().flatten().all(|name| name.starts_with("erased.")), "{left:?}");
    let leaves = eventually("the ledger tells", || {
        let leaves = leaves(&lab.gate)?;
        let told = leaf(&leaves, "recording_erased", |event| event["session"] == *id).cloned();
        Ok(told.map_err(|error| error.to_string()))
    })?;
    ensure!(leaves["event"].to_string().contains("the customer asked"), "{leaves}");
    Ok(())
}

#[test]
fn what_is_older_than_it_may_be_is_erased_at_the_start() -> anyhow::Result<()> {
    let namespace = "streams-old";
    let extra = "sessions: { max_ttl: 5s }\nrecordings: { keep: 5s }\n".to_owned();
    let mut lab = start(&Options { extra, ..permissive() })?;
    furnish(lab.cluster, namespace)?;
    let session = lab.gate.session_for("old", "5s")?;
    let id = session.id.clone();
    // A call, whatever comes of it, if the session has ended already.
    let _listed = session.kubectl(&["-n", namespace, "get", "pods"])?;
    drop(session);
    eventually("it is erased", || {
        lab.gate.stop()?;
        lab.gate.serve()?;
        let state = state(&lab.gate, &id)?;
        Ok(if state == "erased" { Ok(()) } else { Err(state) })
    })?;
    let shown = text(&ask(&lab.gate, &["show", &id])?);
    ensure!(shown.contains("erased"), "{shown}");
    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let erased = leaf(&leaves, "recording_erased", |event| event["session"] == *id)?;
    ensure!(erased["event"].to_string().contains("5s"), "{erased}");
    Ok(())
}
