//! Values that nobody is shown: put back by the gate where it kept them, and otherwise left, with the reason.

use std::{fs, os::unix::fs::PermissionsExt as _};

use anyhow::{Context, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use e2e::{CANARY, LITERAL, Lab, SPIKY, Waiting, contains_canary, decided, furnish, start, sweep, text};
use serde_json::Value;
use testkit::{Options, Session};

use super::{named, undo, undone};

const IDENTITY: &str = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";

/// Agents do as they like; what puts values back is asked about.
const RULES: &str = r#"
@id("all") permit (principal, action, resource);
@id("restoring-asks") @reason("it puts back what somebody changed") @outcome("approval") @approvers("sre")
forbid (principal, action in Action::"change", resource is Object) when { context.restores } unless { context.approved };
"#;

/// A lab with two Secrets and a Deployment with a masked variable.
fn furnished(namespace: &str, keeps: bool) -> anyhow::Result<(Lab, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("rules"))?;
    fs::write(folder.path().join("rules/asks.cedar"), RULES)?;
    let key = folder.path().join("values.key");
    fs::write(&key, format!("{IDENTITY}\n"))?;
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
    let extra = if keeps { format!("recordings: {{ values: {} }}\n", key.display()) } else { String::new() };
    let bundle = folder.path().join("rules").display().to_string();
    let lab = start(&Options { bundle, extra, ..Options::default() })?;
    furnish(lab.cluster, namespace)?;
    let must = |arguments: &[&str]| lab.cluster.must(&[&["-n", namespace], arguments].concat());
    must(&["create", "secret", "generic", "tokens", &format!("--from-literal=token={}", SPIKY[1])])?;
    must(&["set", "env", "deployment/web", &format!("DB_PASSWORD={LITERAL}")])?;
    must(&["rollout", "status", "deployment/web", "--timeout=90s"])?;
    Ok((lab, folder))
}

/// Deletes one Secret, and changes the value of another and of the variable; waits until the Deployment comes to rest, since its status
/// moves its version on.
fn havoc(lab: &Lab, session: &Session<'_>, namespace: &str) -> anyhow::Result<()> {
    let kubectl = |arguments: &[&str]| {
        let output = session.kubectl(&[&["-n", namespace], arguments].concat())?;
        ensure!(output.status.success(), "{}", text(&output));
        ensure!(!contains_canary(text(&output).as_bytes()), "{}", text(&output));
        anyhow::Ok(())
    };
    kubectl(&["delete", "secret", "database"])?;
    kubectl(&["patch", "secret", "tokens", "-p", r#"{"stringData":{"token":"of-the-agent"}}"#])?;
    kubectl(&["set", "env", "deployment/web", "DB_PASSWORD=of-the-agent"])?;
    lab.cluster.must(&["-n", namespace, "rollout", "status", "deployment/web", "--timeout=90s"])?;
    Ok(())
}

/// The three values, as the administrator of the cluster sees them; `-`: the object is not there.
fn values(lab: &Lab, namespace: &str) -> anyhow::Result<[String; 3]> {
    let object = |kind: &str, name: &str| {
        let object =
            lab.cluster.must(&["-n", namespace, "get", kind, name, "-o", "json", "--ignore-not-found"])?;
        if object.trim().is_empty() {
            return Ok(Value::Null);
        }
        anyhow::Ok(serde_json::from_str::<Value>(&object)?)
    };
    let secret = |name: &str, key: &str| {
        let object = object("secret", name)?;
        let value = object.pointer(&format!("/data/{key}")).and_then(Value::as_str);
        let Some(value) = value else { return Ok("-".to_owned()) };
        anyhow::Ok(String::from_utf8(STANDARD.decode(value)?)?)
    };
    let web = object("deployment", "web")?;
    let variable = web.pointer("/spec/template/spec/containers/0/env/0/value").and_then(Value::as_str);
    let variable = variable.context("no variable")?.to_owned();
    Ok([secret("database", "password")?, secret("tokens", "token")?, variable])
}

#[test]
fn values_are_put_back_once_humans_agreed() -> anyhow::Result<()> {
    let (lab, _folder) = furnished("valued", true)?;
    let before = values(&lab, "valued")?;
    assert_eq!(before, [CANARY, SPIKY[1], LITERAL]);
    let session = lab.gate.session("valued")?;
    havoc(&lab, &session, "valued")?;
    session.revoke()?;
    assert_eq!(values(&lab, "valued")?, ["-", "of-the-agent", "of-the-agent"]);
    let kept = fs::read_dir(lab.gate.path(&format!("data/recordings/{}", session.id)))?;
    let kept =
        kept.filter_map(Result::ok).filter(|file| file.path().extension().is_some_and(|end| end == "kept"));
    assert_eq!(kept.count(), 3);
    ensure!(sweep(lab.gate.path("data").as_ref())?.is_empty());

    let dry = undone(&lab, &session.id, &["--dry-run"])?;
    ensure!(dry.status.success(), "{}", text(&dry));
    insta::assert_snapshot!("values_dry_run", named(&text(&dry))?);

    let undoing = Waiting::of(undo(&lab, &session.id, &["--yes"]))?;
    let id = lab.gate.waiting()?;
    let asked = decided(&lab.gate, &["show", &id])?;
    ensure!(!contains_canary(asked.as_bytes()), "{asked}");
    insta::assert_snapshot!("values_approval", named(&asked)?);
    assert_eq!(values(&lab, "valued")?[0], "-", "it did not wait");
    decided(&lab.gate, &["approve", &id, "--yes"])?;
    let told = undoing.end()?;
    ensure!(told.status.success() && !contains_canary(text(&told).as_bytes()), "{}", text(&told));
    assert_eq!(values(&lab, "valued")?, before);

    // Whose values they are by now, nobody can tell.
    let again = undone(&lab, &session.id, &["--yes"])?;
    ensure!(!again.status.success() && text(&again).contains("cannot be told"), "{}", text(&again));
    let leaves = e2e::leaves(&lab.gate)?;
    let with = |text: &str| leaves.iter().filter(|leaf| leaf.to_string().contains(text)).count();
    ensure!(with(r#""restores":""#) >= 3, "the ledger does not tell whose values were put back");
    assert_eq!(with("known_value_sent"), 0, "what the gate put back is not what an agent sent");
    Ok(())
}

#[test]
fn what_somebody_wrote_since_is_not_overwritten() -> anyhow::Result<()> {
    let (lab, _folder) = furnished("rotated", true)?;
    let session = lab.gate.session("rotated")?;
    havoc(&lab, &session, "rotated")?;
    session.revoke()?;
    // It looks the same, masked.
    let rotated = r#"{"stringData":{"token":"of-somebody"}}"#;
    lab.cluster.must(&["-n", "rotated", "patch", "secret", "tokens", "-p", rotated])?;
    let dry = text(&undone(&lab, &session.id, &["--dry-run"])?);
    insta::assert_snapshot!("values_rotated", named(&dry)?);
    let partly = Waiting::of(undo(&lab, &session.id, &["--yes", "--partly"]))?;
    decided(&lab.gate, &["approve", &lab.gate.waiting()?, "--yes"])?;
    let partly = partly.end()?;
    ensure!(partly.status.code() == Some(1), "{}", text(&partly));
    assert_eq!(values(&lab, "rotated")?, [CANARY, "of-somebody", LITERAL]);
    Ok(())
}

#[test]
fn values_that_were_not_kept_are_left_with_the_reason() -> anyhow::Result<()> {
    let (lab, _folder) = furnished("valueless", false)?;
    let session = lab.gate.session("valueless")?;
    havoc(&lab, &session, "valueless")?;
    session.revoke()?;
    let told = undone(&lab, &session.id, &["--dry-run"])?;
    ensure!(!told.status.success(), "{}", text(&told));
    insta::assert_snapshot!("values_not_kept", named(&text(&told))?);
    Ok(())
}
