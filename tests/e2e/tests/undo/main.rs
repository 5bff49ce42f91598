//! What a session changed is put back through the gate, by whom policy lets and after humans agreed, where nobody changed it since.

mod values;

use std::process::{Command, Output};

use anyhow::{Context, bail, ensure};
use e2e::{Lab, Waiting, decided, exists, furnish, shown, start, text};
use serde_json::Value;
use testkit::{Options, Session};

/// What agents do is not asked about; what undoes it is.
const RULES: &str = r#"
@id("all") permit (principal, action, resource);
@id("undoing-asks-changes") @reason("it takes back what another did") @outcome("approval") @approvers("sre")
forbid (principal, action == Action::"update", resource is Object) when { resource.type == "deployments.apps" } unless { context.approved };
@id("undoing-asks-makes") @reason("it takes back what another did") @outcome("approval") @approvers("sre")
forbid (principal, action == Action::"create", resource is Object) when { resource.type == "services" } unless { context.approved };
@id("undoing-asks-deletes") @reason("it takes back what another did") @outcome("approval") @approvers("sre")
forbid (principal, action == Action::"delete", resource is Object) when { resource.type == "configmaps" } unless { context.approved };
"#;

fn undoing(namespace: &str) -> anyhow::Result<(Lab, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("asks.cedar"), RULES)?;
    let bundle = folder.path().display().to_string();
    let lab = start(&Options { bundle, ..Options::default() })?;
    furnish(lab.cluster, namespace)?;
    lab.cluster.must(&["-n", namespace, "create", "service", "clusterip", "web", "--tcp=80"])?;
    Ok((lab, folder))
}

/// `portcullis undo` as whoever runs the gate types it.
fn undo(lab: &Lab, session: &str, more: &[&str]) -> Command {
    let mut command = Command::new(lab.gate.program());
    command
        .args(["undo", session, "--for", "bob@example.com", "--data"])
        .arg(lab.gate.path("data"))
        .args(more);
    command
}

fn undone(lab: &Lab, session: &str, more: &[&str]) -> anyhow::Result<Output> {
    Ok(undo(lab, session, more).output()?)
}

/// What somebody chose of an object: neither what the server sets nor where it runs.
fn chosen(lab: &Lab, namespace: &str, kind: &str, name: &str) -> anyhow::Result<Value> {
    let object = lab.cluster.must(&["-n", namespace, "get", kind, name, "-o", "json"])?;
    let mut object: Value = serde_json::from_str(&object)?;
    let fields = object.as_object_mut().context("no object")?;
    fields.remove("status");
    let metadata = fields.get_mut("metadata").and_then(Value::as_object_mut).context("no metadata")?;
    for set in ["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"] {
        metadata.remove(set);
    }
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove("deployment.kubernetes.io/revision");
    }
    Ok(object)
}

fn all(lab: &Lab, namespace: &str) -> anyhow::Result<Vec<Value>> {
    [("deployment", "web"), ("service", "web"), ("configmap", "settings")]
        .iter()
        .map(|(kind, name)| chosen(lab, namespace, kind, name))
        .collect()
}

/// Changes a Deployment twice and a ConfigMap, creates a ConfigMap, and deletes a Service.
fn havoc(session: &Session<'_>, namespace: &str) -> anyhow::Result<()> {
    let kubectl = |arguments: &[&str]| {
        let output = session.kubectl(&[&["-n", namespace], arguments].concat())?;
        ensure!(output.status.success(), "{}", text(&output));
        anyhow::Ok(())
    };
    kubectl(&["create", "configmap", "made", "--from-literal=colour=red"])?;
    kubectl(&["set", "env", "deployment/web", "COLOUR=red"])?;
    kubectl(&["scale", "deployment/web", "--replicas=2"])?;
    kubectl(&[
        "patch",
        "configmap",
        "settings",
        "--type=merge",
        "-p",
        r#"{"data":{"colour":"red","new":"1"}}"#,
    ])?;
    kubectl(&["delete", "service", "web"])
}

#[test]
fn a_session_is_undone_once_humans_agreed() -> anyhow::Result<()> {
    let (lab, _rules) = undoing("undone")?;
    let before = all(&lab, "undone")?;
    let session = lab.gate.session("undone")?;
    havoc(&session, "undone")?;
    let early = text(&undone(&lab, &session.id, &["--dry-run"])?);
    ensure!(early.contains("goes on"), "{early}");
    session.revoke()?;

    let dry = undone(&lab, &session.id, &["--dry-run"])?;
    insta::assert_snapshot!("dry_run", named(&text(&dry))?);
    ensure!(dry.status.success() && exists(&lab, "undone", "configmap", "made")?);
    ensure!(all(&lab, "undone").is_err(), "the service is back");
    ensure!(lab.gate.asked(true)?.is_empty(), "somebody was asked about a dry run");

    let undoing = Waiting::of(undo(&lab, &session.id, &["--yes", "--reason", "INC-7"]))?;
    let id = lab.gate.waiting()?;
    insta::assert_snapshot!("approval", named(&decided(&lab.gate, &["show", &id])?)?);
    ensure!(exists(&lab, "undone", "configmap", "made")?, "it did not wait");
    decided(&lab.gate, &["approve", &id, "--yes"])?;
    let told = undoing.end()?;
    ensure!(told.status.success(), "{}", text(&told));
    let lines = String::from_utf8(told.stdout)?;
    let done: Vec<&str> = lines.lines().filter(|line| line.ends_with(": done")).collect();
    insta::assert_snapshot!(
        "undone",
        format!("{}\n{}", done.join("\n"), named(&String::from_utf8(told.stderr)?)?)
    );
    assert_eq!(all(&lab, "undone")?, before);
    ensure!(!exists(&lab, "undone", "configmap", "made")?);

    // What is back needs no undoing, and what undid it can be undone in its turn.
    let again = undone(&lab, &session.id, &["--yes"])?;
    ensure!(
        again.status.success() && text(&again).contains("as before: deployments.apps"),
        "{}",
        text(&again)
    );
    let sessions = text(&lab.gate.portcullis(&[
        "session",
        "list",
        "--all",
        "--config",
        &lab.gate.path("portcullis.yaml"),
    ])?);
    ensure!(!sessions.lines().any(|line| line.contains("undo") && line.contains("active")), "{sessions}");
    Ok(())
}

#[test]
fn what_somebody_changed_since_is_left() -> anyhow::Result<()> {
    let (lab, _rules) = undoing("kept")?;
    let session = lab.gate.session("kept")?;
    havoc(&session, "kept")?;
    // What it made does not go away by being deleted.
    let held = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, namespace: kept, finalizers: [example.com/held]}\n";
    let manifest = tempfile::NamedTempFile::new()?;
    std::fs::write(manifest.path(), held)?;
    let made = session.kubectl(&["create", "-f", &manifest.path().display().to_string()])?;
    ensure!(made.status.success(), "{}", text(&made));
    let deleted = session.kubectl(&["-n", "kept", "delete", "secret", "database"])?;
    ensure!(deleted.status.success(), "{}", text(&deleted));
    session.revoke()?;
    lab.cluster.must(&["-n", "kept", "label", "configmap", "made", "kept-by=bob"])?;
    lab.cluster.must(&["-n", "kept", "create", "service", "clusterip", "web", "--tcp=81"])?;

    let whole = undone(&lab, &session.id, &["--yes"])?;
    insta::assert_snapshot!("not_all_of_it", named(&text(&whole))?);
    ensure!(!whole.status.success());
    assert_eq!(
        chosen(&lab, "kept", "configmap", "settings")?["data"]["colour"],
        "red",
        "something was changed"
    );

    let partly = Waiting::of(undo(&lab, &session.id, &["--yes", "--partly"]))?;
    decided(&lab.gate, &["approve", &lab.gate.waiting()?, "--yes"])?;
    let partly = partly.end()?;
    ensure!(partly.status.code() == Some(1), "{}", text(&partly));
    let held = "delete configmaps \"held\" in namespace \"kept\": sent, but it is still being deleted";
    ensure!(text(&partly).contains(held), "{}", text(&partly));
    assert_eq!(
        chosen(&lab, "kept", "configmap", "settings")?["data"],
        serde_json::json!({"colour": "green"})
    );
    assert_eq!(chosen(&lab, "kept", "deployment", "web")?["spec"]["replicas"], 1);
    ensure!(exists(&lab, "kept", "configmap", "made")? && !exists(&lab, "kept", "secret", "database")?);
    Ok(())
}

#[test]
fn nothing_is_undone_that_humans_refuse() -> anyhow::Result<()> {
    let (lab, _rules) = undoing("refused")?;
    let session = lab.gate.session("refused")?;
    havoc(&session, "refused")?;
    session.revoke()?;
    let undoing = Waiting::of(undo(&lab, &session.id, &["--yes"]))?;
    let id = match lab.gate.waiting() {
        Ok(id) => id,
        Err(error) => bail!("{error}: {}", text(&undoing.end()?)),
    };
    decided(&lab.gate, &["refuse", &id, "--why", "it stays like that"])?;
    let told = undoing.end()?;
    ensure!(!told.status.success() && text(&told).contains("it stays like that"), "{}", text(&told));
    ensure!(exists(&lab, "refused", "configmap", "made")? && !exists(&lab, "refused", "service", "web")?);
    Ok(())
}

/// Without what is different each time.
fn named(text: &str) -> anyhow::Result<String> {
    let text = regex::Regex::new(r"\b10(\.\d+){3}\b")?.replace_all(text, "ADDRESS").into_owned();
    shown(&text)
}
