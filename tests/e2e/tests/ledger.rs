//! Every call is in the ledger, or does not happen.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use e2e::{Client, audited, furnish, leaves, start, text};
use serde_json::Value;
use testkit::{Gate, Options};

/// Waits for a leaf, as `ledger tail -f` prints it once a checkpoint covers it.
fn followed(gate: &Gate, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
    let ledger = gate.path("data/ledger");
    let mut tail = Command::new(gate.program())
        .args(["ledger", "tail", "-f", "-n", "1000", "-o", "json", &ledger])
        .stdout(Stdio::piped())
        .spawn()?;
    let (told, leaves) = mpsc::channel();
    let output = tail.stdout.take().context("no output")?;
    let reading = thread::spawn(move || BufReader::new(output).lines().try_for_each(|line| told.send(line)));
    let given_up = Instant::now() + Duration::from_secs(30);
    let next = || -> anyhow::Result<Value> {
        let line = leaves.recv_timeout(given_up.saturating_duration_since(Instant::now()));
        Ok(serde_json::from_str(&line.context("the leaf did not come")??)?)
    };
    let found = loop {
        match next() {
            Ok(leaf) if !wanted(&leaf) => {}
            found => break found,
        }
    };
    drop(leaves);
    tail.kill()?;
    tail.wait()?;
    let _nobody_listens = reading.join();
    found
}

#[test]
fn every_call_is_recorded_and_the_ledger_verifies() -> anyhow::Result<()> {
    let mut lab = start(&Options::default())?;
    furnish(lab.cluster, "recorded")?;
    let session = lab.gate.session("recorded")?;
    let id = session.id.clone();
    for line in ["get pods -n recorded", "delete namespace recorded", "get secret database -n recorded"] {
        session.kubectl(&line.split_whitespace().collect::<Vec<_>>())?;
    }
    lab.gate.stop()?;
    let verified = lab.gate.portcullis(&["ledger", "verify", &lab.gate.path("data/ledger")])?;
    assert!(verified.status.success(), "{}", text(&verified));
    assert!(text(&verified).contains("0 problems, 0 to explain"), "{}", text(&verified));

    // Each request that the API server saw from this session has an intent under the same id, and an outcome.
    let leaves = leaves(&lab.gate)?;
    let of = |kind: &str| -> Vec<&Value> { leaves.iter().filter(|leaf| leaf["type"] == kind).collect() };
    let seen = audited(lab.cluster, |event| {
        event["impersonatedUser"]["extra"]["portcullis.dev/session"][0] == id.as_str()
            && event["stage"] == "ResponseComplete"
    })?;
    assert!(!seen.is_empty());
    for event in seen {
        let id = &event["auditID"];
        assert!(of("intent").iter().any(|leaf| leaf["event"]["call"] == *id), "no intent for {event}");
        assert!(of("outcome").iter().any(|leaf| leaf["event"]["call"] == *id), "no outcome for {event}");
    }
    let refused = of("refusal");
    assert!(
        refused.iter().any(|leaf| leaf.to_string().contains(r#""resource":"namespaces""#)),
        "{refused:?}"
    );
    Ok(())
}

#[test]
fn without_a_ledger_nothing_is_sent() -> anyhow::Result<()> {
    let lab = start(&Options::default())?;
    furnish(lab.cluster, "unrecorded")?;
    let session = lab.gate.session("unrecorded")?;
    let before = session.kubectl(&["get", "configmap", "settings", "-n", "unrecorded"])?;
    assert!(before.status.success(), "{}", text(&before));
    // What is asked for is there to be seen: the same path, while the disk takes writes, is in the audit log.
    let seen = |name: &'static str| audited(lab.cluster, move |event| event["objectRef"]["name"] == name);
    session.kubectl(&["get", "--raw", "/api/v1/namespaces/unrecorded/configmaps/earlier"])?;
    ensure!(!seen("earlier")?.is_empty(), "a call that was recorded is not in the audit log");
    lab.gate.fill_disk()?;
    let during = session.kubectl(&["get", "--raw", "/api/v1/namespaces/unrecorded/configmaps/during"])?;
    insta::assert_snapshot!(text(&during).trim(), @"Error from server (ServiceUnavailable): portcullis: the ledger does not take entries, so nothing may pass; tell the operator of the gate");
    // The log is written in order, so once a later call is in it, an earlier one would be.
    lab.cluster.kubectl(&["get", "configmap", "later", "-n", "unrecorded"])?;
    ensure!(!seen("later")?.is_empty(), "the administrator's call is not in the audit log");
    let reached = seen("during")?;
    assert!(reached.is_empty(), "{reached:?}");
    assert!(lab.gate.operations("/readyz")?.starts_with("HTTP/1.1 503"));
    Ok(())
}

#[test]
fn a_killed_gate_leaves_an_intent_without_outcome_and_goes_on() -> anyhow::Result<()> {
    let mut lab = start(&Options::default())?;
    furnish(lab.cluster, "killed")?;
    let session = lab.gate.session("killed")?;
    let id = session.id.clone();
    let mut watch = session.command(&["get", "pods", "-n", "killed", "--watch", "--request-timeout=60s"])?;
    let mut watch = watch.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    // kubectl lists first; the watch's intent is on disk, and sealed, once the tail prints it.
    followed(&lab.gate, |leaf| leaf["type"] == "intent" && leaf["event"]["request"]["verb"] == "watch")?;
    lab.gate.kill()?;
    watch.wait()?;
    let verified = lab.gate.portcullis(&["ledger", "verify", &lab.gate.path("data/ledger")])?;
    assert!(text(&verified).contains("has an intent and no outcome"), "{}", text(&verified));

    lab.gate.serve()?;
    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    assert!(leaves.iter().filter(|leaf| leaf["type"] == "start").count() == 2);
    assert!(leaves.iter().any(|leaf| leaf.to_string().contains(&id)));
    Ok(())
}

#[test]
fn calls_turned_away_are_counted_and_a_session_that_expires_is_recorded() -> anyhow::Result<()> {
    let mut lab = start(&Options::default())?;
    let session = lab.gate.session("door")?;
    let client = Client::new(&lab.gate, &session)?;
    for _call in 0..5 {
        let answer =
            client.say("GET /api/v1/namespaces/default/pods", &["Authorization: Bearer nobody"], "")?;
        assert_eq!(answer.status, 401, "{}", answer.head);
    }
    lab.gate.session_for("short", "1s")?;
    let of = |leaves: &[Value], kind: &str| -> Vec<Value> {
        leaves.iter().filter(|leaf| leaf["type"] == kind).cloned().collect()
    };
    followed(&lab.gate, |leaf| leaf["type"] == "session_expired")?;
    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let opened = of(&leaves, "session_opened").pop().unwrap_or_default();
    let expired = of(&leaves, "session_expired");
    assert_eq!(expired.len(), 1);
    assert_eq!(expired.first().map(|leaf| &leaf["event"]["session"]), Some(&opened["event"]["session"]));
    let counted: u64 =
        of(&leaves, "rejections").iter().filter_map(|leaf| leaf["event"]["unauthenticated"].as_u64()).sum();
    assert_eq!(counted, 5);
    assert_eq!(leaves.last().map(|leaf| &leaf["type"]), Some(&Value::from("stop")));
    Ok(())
}
