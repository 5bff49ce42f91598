//! Every call is in the ledger, or does not happen.

use std::time::{Duration, Instant};

use e2e::{Client, audited, furnish, leaves, start, text};
use serde_json::Value;
use testkit::Options;

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
    lab.gate.fill_disk()?;
    let during = session.kubectl(&["get", "--raw", "/api/v1/namespaces/unrecorded/configmaps/during"])?;
    insta::assert_snapshot!(text(&during).trim(), @"Error from server (ServiceUnavailable): portcullis: the ledger does not take entries, so nothing may pass; tell the operator of the gate");
    let reached = audited(lab.cluster, |event| event["objectRef"]["name"] == "during")?;
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
    let mut watch = session.command(&["get", "pods", "-n", "killed", "--watch"])?;
    let mut watch = watch.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn()?;
    // kubectl lists first; once the API server has the watch, its intent is on disk.
    let watching = |event: &Value| event["verb"] == "watch" && event["objectRef"]["namespace"] == "killed";
    let given_up = Instant::now() + Duration::from_secs(30);
    while audited(lab.cluster, watching)?.iter().all(|event| event["impersonatedUser"].is_null()) {
        assert!(Instant::now() < given_up, "the watch did not reach the API server");
        std::thread::yield_now();
    }
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
    let short = lab.gate.portcullis(&[
        "session",
        "open",
        "--config",
        &lab.gate.path("portcullis.yaml"),
        "--agent",
        "claude",
        "--for",
        "ada@example.com",
        "--cluster",
        "demo",
        "--reason",
        "nothing much",
        "--ttl",
        "1s",
        "--kubeconfig",
        &lab.gate.path("short.kubeconfig"),
    ])?;
    assert!(short.status.success(), "{}", text(&short));
    let of = |leaves: &[Value], kind: &str| -> Vec<Value> {
        leaves.iter().filter(|leaf| leaf["type"] == kind).cloned().collect()
    };
    let given_up = Instant::now() + Duration::from_secs(30);
    while of(&leaves(&lab.gate)?, "session_expired").is_empty() {
        assert!(Instant::now() < given_up, "the session's expiry was not recorded");
    }
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
