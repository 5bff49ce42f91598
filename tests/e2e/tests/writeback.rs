//! What was shown masked, edited and written back with kubectl: what the agent did not touch stays as it was, byte for byte.

use std::io::Write as _;

use e2e::{CANARY, Lab, MASKED_TEXT, furnish, normalised, permissive, start, text};
use serde_json::Value;
use testkit::Session;

/// A manifest in a file, as editors and pipelines have it.
fn file(content: &str) -> anyhow::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
    file.write_all(content.as_bytes())?;
    Ok(file)
}

fn run(session: &Session<'_>, line: &str, manifest: &str) -> anyhow::Result<String> {
    let file = file(manifest)?;
    let line = line.replace("FILE", &file.path().display().to_string());
    let output = session.kubectl(&line.split_whitespace().collect::<Vec<_>>())?;
    let told = text(&output).replace(&file.path().display().to_string(), "FILE");
    Ok(format!("exit {}: {}", output.status.code().unwrap_or(-1), normalised(told.trim())?))
}

/// The Secret as the API server holds it.
fn direct(lab: &Lab, namespace: &str) -> anyhow::Result<Value> {
    let output = lab.cluster.kubectl(&["get", "secret", "database", "-n", namespace, "-o", "json"])?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn shown(session: &Session<'_>, namespace: &str) -> anyhow::Result<String> {
    let output = session.kubectl(&["get", "secret", "database", "-n", namespace, "-o", "yaml"])?;
    anyhow::ensure!(output.status.success(), "{}", text(&output));
    Ok(text(&output))
}

fn labelled(manifest: &str, label: &str) -> String {
    manifest.replacen("\n  labels:\n", &format!("\n  labels:\n    {label}\n"), 1)
}

#[test]
fn what_is_not_touched_stays_as_it_was() -> anyhow::Result<()> {
    let lab = start(&permissive())?;
    furnish(lab.cluster, "kept")?;
    let session = lab.gate.session("writeback")?;
    let before = direct(&lab, "kept")?;
    for (line, label) in
        [("replace -f FILE", "a: replaced"), ("apply -f FILE", "b: applied"), ("apply -f FILE", "c: again")]
    {
        let manifest = labelled(&shown(&session, "kept")?, label);
        assert!(!manifest.contains(CANARY));
        let told = run(&session, line, &manifest)?;
        assert!(told.starts_with("exit 0"), "{line}: {told}");
        let after = direct(&lab, "kept")?;
        assert_eq!(after["data"], before["data"], "{line}");
        let (key, value) = label.split_once(": ").unwrap();
        assert_eq!(after["metadata"]["labels"][key], value, "{line}: {after}");
        assert!(!after.to_string().contains(MASKED_TEXT), "{line}: {after}");
    }
    // What kubectl notes of the manifest is as if it had been applied directly.
    let noted =
        direct(&lab, "kept")?["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
            .as_str()
            .map(serde_json::from_str::<Value>);
    assert_eq!(noted.unwrap()?["data"], before["data"]);
    let told = run(&session, "diff -f FILE", &shown(&session, "kept")?)?;
    assert!(told.starts_with("exit 0"), "{told}");
    Ok(())
}

#[test]
fn what_is_changed_is_written_and_nothing_else() -> anyhow::Result<()> {
    let lab = start(&permissive())?;
    furnish(lab.cluster, "changed")?;
    let session = lab.gate.session("writeback")?;
    let shown = shown(&session, "changed")?;
    let placeholder = shown.lines().find_map(|line| line.strip_prefix("  password: ")).unwrap();
    let manifest = shown.replacen(placeholder, "bmV3LXZhbHVl", 1);
    assert!(run(&session, "replace -f FILE", &manifest)?.starts_with("exit 0"));
    assert_eq!(direct(&lab, "changed")?["data"]["password"], "bmV3LXZhbHVl");
    Ok(())
}

#[test]
fn what_does_not_belong_is_refused_and_nothing_is_sent() -> anyhow::Result<()> {
    let lab = start(&permissive())?;
    furnish(lab.cluster, "strayed")?;
    let session = lab.gate.session("writeback")?;
    let manifest = shown(&session, "strayed")?;
    let before = direct(&lab, "strayed")?;
    let placeholder = manifest.lines().find_map(|line| line.strip_prefix("  password: ")).unwrap();
    let config = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: copy, namespace: strayed}}\ndata: {{a: {placeholder}}}\n"
    );
    let patch = format!(r#"[{{"op":"add","path":"/data/x","value":"{placeholder}"}}]"#);
    let mut told = Vec::new();
    for (line, manifest) in [
        ("create -f FILE", config.as_str()),
        ("apply -f FILE", &config),
        ("replace -f FILE", &manifest.replace("  name: database", "  name: other")),
        ("replace -f FILE", &manifest.replace("  password: ", "  copy: ")),
        ("apply --server-side --force-conflicts -f FILE", &manifest),
        (&format!("patch secret database -n strayed --type=json -p {patch}"), ""),
    ] {
        told.push(format!("$ kubectl {line}\n{}", run(&session, line, manifest)?));
    }
    assert_eq!(direct(&lab, "strayed")?, before);
    lab.cluster.must(&["label", "secret", "database", "-n", "strayed", "meanwhile=changed"])?;
    told.push(format!("$ kubectl replace -f FILE\n{}", run(&session, "replace -f FILE", &manifest)?));
    insta::assert_snapshot!(told.join("\n").replace(placeholder, "PLACEHOLDER"));
    Ok(())
}
