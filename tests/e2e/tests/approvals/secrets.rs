//! What is asked about Secrets: shown masked, and sent as it is.

use anyhow::ensure;
use e2e::{Lab, Waiting, asking, decided, state, text};
use serde_json::Value;

#[test]
fn nothing_secret_is_kept_of_what_is_asked() -> anyhow::Result<()> {
    let (lab, _rules) = asking("quiet", "200ms", "")?;
    let session = lab.gate.session("quiet")?;
    // Whatever is swept at the lab's end must not hold it: not the store either, which keeps what approvers are shown.
    let patch = format!(r#"{{"data":{{"copied":"{}"}}}}"#, e2e::CANARY);
    session.kubectl(&["patch", "configmap", "asked", "-n", "quiet", "-p", &patch])?;
    let id = lab.gate.waiting()?;
    let seen = decided(&lab.gate, &["show", &id])?;
    ensure!(!e2e::contains_canary(seen.as_bytes()), "{seen}");
    Ok(())
}

/// What a Secret holds, as its administrator sees it.
fn password(lab: &Lab, namespace: &str) -> anyhow::Result<String> {
    lab.cluster.must(&["get", "secret", "login", "-n", namespace, "-o", "jsonpath={.data.password}"])
}

fn secret(lab: &Lab, namespace: &str) -> anyhow::Result<()> {
    let values = ["--from-literal=user=shop", "--from-literal=password=old"];
    lab.cluster
        .must(&[&["create", "secret", "generic", "login", "-n", namespace][..], &values].concat())
        .map(drop)
}

#[test]
fn what_was_read_masked_is_written_back_right_when_humans_agree_now_or_later() -> anyhow::Result<()> {
    for (namespace, hold) in [("edited", "60s"), ("edited-later", "200ms")] {
        let (lab, _rules) = asking(namespace, hold, "")?;
        secret(&lab, namespace)?;
        let before = password(&lab, namespace)?;
        let session = lab.gate.session(namespace)?;
        let read = text(&session.kubectl(&["get", "secret", "login", "-n", namespace, "-o", "yaml"])?);
        let file = lab.gate.path("edited.yaml");
        std::fs::write(&file, read.replace("  name: login", "  labels: {seen: by-agent}\n  name: login"))?;
        let replace = ["replace", "-f", &file];
        let waiting = Waiting::kubectl(&session, &replace)?;
        let id = lab.gate.waiting()?;
        let seen = decided(&lab.gate, &["show", &id])?;
        ensure!(seen.contains("+   labels:") && !seen.contains("which is masked"), "{seen}");
        let waiting = if hold == "60s" { Some(waiting) } else { waiting.end().map(|_told| None)? };
        decided(&lab.gate, &["approve", &id, "--yes"])?;
        let done = match waiting {
            Some(waiting) => waiting.end()?,
            None => session.kubectl(&replace)?,
        };
        ensure!(done.status.success(), "{}", text(&done));
        assert_eq!(state(&lab.gate, &id)?, "consumed");
        assert_eq!(password(&lab, namespace)?, before);
        let label = ["get", "secret", "login", "-n", namespace, "-o", "jsonpath={.metadata.labels.seen}"];
        assert_eq!(lab.cluster.must(&label)?, "by-agent");
    }
    Ok(())
}

#[test]
fn a_masked_value_that_changes_is_told_though_it_looks_the_same() -> anyhow::Result<()> {
    let (lab, _rules) = asking("unseen", "200ms", "")?;
    secret(&lab, "unseen")?;
    let session = lab.gate.session("unseen")?;
    let patch = r#"{"stringData":{"password":"new"}}"#;
    session.kubectl(&["patch", "secret", "login", "-n", "unseen", "-p", patch])?;
    let seen = decided(&lab.gate, &["show", &lab.gate.waiting()?])?;
    let effects: Vec<&str> = seen.lines().filter(|line| line.starts_with("effect")).collect();
    assert_eq!(effects, ["effect    changes the value at data.password, which is masked"]);
    Ok(())
}

#[test]
fn a_guess_at_a_value_is_refused_before_anybody_is_asked_whether_it_is_right_or_wrong() -> anyhow::Result<()>
{
    let (lab, _rules) = asking("guesses", "200ms", "")?;
    secret(&lab, "guesses")?;
    let immutable = r#"{"immutable":true}"#;
    lab.cluster.must(&["patch", "secret", "login", "-n", "guesses", "-p", immutable])?;
    let session = lab.gate.session("guesses")?;
    let mut told = Vec::new();
    for guess in ["b2xk", "bmV3"] {
        let patch = format!(r#"{{"data":{{"password":"{guess}"}}}}"#);
        told.push(text(&session.kubectl(&["patch", "secret", "login", "-n", "guesses", "-p", &patch])?));
    }
    assert_eq!(told.first(), told.last());
    assert_eq!(lab.gate.asked(true)?, [Value::Null; 0], "{told:?}");
    Ok(())
}
