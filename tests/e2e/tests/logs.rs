//! Logs: kubectl prints what it prints directly, but for what is masked, and a line as soon as it is written.

use std::{
    io::{BufRead, BufReader},
    process::{Output, Stdio},
};

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{CANARY, Lab, contains_canary, eventually, furnish, permissive, start, text};
use serde_json::Value;

/// A last line.
const UNENDED: &str = "no newline";
const MASK: &str = "masked-by-portcullis--not-the-real-value";

/// A container that failed once; one that prints what it has of the Secret; one that has nothing to hide; one that has begun a line.
const POD: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: talks, namespace: NAMESPACE, labels: {app: talks}}
spec:
  restartPolicy: OnFailure
  terminationGracePeriodSeconds: 0
  volumes: [{name: shared, emptyDir: {}}]
  initContainers:
    - {name: first, image: busybox, command: [sh, -c, 'echo the first; printf "no newline"']}
  containers:
    - name: again
      image: busybox
      volumeMounts: [{name: shared, mountPath: /shared}]
      env: [{name: V, valueFrom: {secretKeyRef: {name: database, key: password}}}]
      command: [sh, -c, 'if [ -e /shared/tried ]; then echo better; sleep 1d; fi; touch /shared/tried; echo "failed with $V" >&2; exit 1']
    - name: secret
      image: busybox
      env: [{name: V, valueFrom: {secretKeyRef: {name: database, key: password}}}]
      command: [sh, -c, 'echo one; echo "password $V."; echo "in base64 $(printf %s "$V" | base64 -w0)"; head -c 16380 /dev/zero | tr "\\0" x; echo "$V"; sleep 1d']
    - name: open
      image: busybox
      command: [sh, -c, 'seq 1 200; sleep 1d']
    - name: waits
      image: busybox
      volumeMounts: [{name: shared, mountPath: /shared}]
      env: [{name: V, valueFrom: {secretKeyRef: {name: database, key: password}}}]
      command: [sh, -c, 'echo waiting; until [ -e /shared/go ]; do sleep 0.1; done; printf "came with "; sleep 0.2; echo "$V"; sleep 1d']
"#;

/// What is asked for.
const ASKED: &[&[&str]] = &[
    &["talks", "-c", "secret"],
    &["talks", "-c", "secret", "--tail=4"],
    &["talks", "-c", "secret", "--timestamps"],
    &["talks", "-c", "secret", "--since=1h"],
    &["talks", "-c", "secret", "--since=1s"],
    &["talks", "-c", "secret", "--since-time=2099-01-01T00:00:00Z"],
    &["talks", "-c", "secret", "--since-time=2026-01-01T00:00:00Z", "--tail=3"],
    &["talks", "-c", "again", "--previous"],
    &["talks", "-c", "again"],
    &["talks", "-c", "first"],
    &["talks", "-c", "first", "--follow"],
    &["talks", "-c", "open", "--limit-bytes=100"],
    &["talks", "-c", "open", "--limit-bytes=100", "--timestamps"],
    &["talks", "-c", "open", "--follow", "--limit-bytes=17", "--tail=10"],
    &["talks", "-c", "open", "--prefix", "--tail=1"],
    &["-l", "app=talks", "--all-containers", "--max-log-requests=9"],
    &["talks", "-c", "none"],
    &["talks", "-c", "open", "--previous"],
    &["deploy/web"],
];

fn talking(namespace: &str) -> anyhow::Result<Lab> {
    let lab = start(&permissive())?;
    furnish(lab.cluster, namespace)?;
    lab.cluster.apply(&POD.replace("NAMESPACE", namespace))?;
    eventually("all has been said", || {
        let all = lab.cluster.kubectl(&["-n", namespace, "logs", "talks", "--all-containers"])?;
        let said = text(&all);
        let missing =
            ["better", "xxx", "waiting", "200\n", "the first"].into_iter().find(|part| !said.contains(part));
        Ok(missing.map_or(Ok(()), Err))
    })?;
    Ok(lab)
}

/// Until the gate has heard of the Secret.
fn known(lab: &Lab, namespace: &str) -> anyhow::Result<()> {
    let session = lab.gate.unknowing("unknowing")?;
    eventually("known", || {
        let log = session.kubectl(&["-n", namespace, "logs", "talks", "-c", "secret"])?;
        Ok(if contains_canary(&log.stdout) { Err(()) } else { Ok(()) })
    })
}

/// What was printed, with a placeholder for the value in each form that the pod prints.
fn masked(output: &Output) -> (String, String, Option<i32>) {
    let shown = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).replace(CANARY, MASK);
        let text = text.replace(STANDARD.encode(CANARY).trim_end_matches('='), MASK);
        // kubectl reads containers in any order.
        let text = text.replace(UNENDED, &format!("{UNENDED}\n"));
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines.join("\n")
    };
    (shown(&output.stdout), shown(&output.stderr), output.status.code())
}

#[test]
fn kubectl_prints_what_it_prints_directly_but_for_values() -> anyhow::Result<()> {
    let namespace = "logs";
    let lab = talking(namespace)?;
    let session = lab.gate.session("logs")?;
    known(&lab, namespace)?;
    for asked in ASKED {
        let arguments = [&["-n", namespace, "logs"], *asked].concat();
        let direct = lab.cluster.kubectl(&arguments)?;
        let gated = session.kubectl(&arguments)?;
        ensure!(
            !contains_canary(&gated.stdout) && !contains_canary(&gated.stderr),
            "{asked:?}: {}",
            text(&gated)
        );
        let (expected, told) = (masked(&direct), masked(&gated));
        ensure!(expected == told, "{asked:?}: directly {expected:?}, through the gate {told:?}");
    }
    // A runtime keeps a long line in parts of 16 KiB: a value that stands in two is one, and the rest of it is none that is shown.
    let secret = ["-n", namespace, "logs", "talks", "-c", "secret"];
    let log = text(&session.kubectl(&secret)?);
    ensure!(log.contains(&format!("xxx{MASK}\n")), "{}", log.replace('x', ""));
    let last = [&secret[..], &["--tail=1"]].concat();
    let (direct, gated) = (text(&lab.cluster.kubectl(&last)?), text(&session.kubectl(&last)?));
    ensure!(CANARY.ends_with(direct.trim_end()) && direct.len() > 20, "{direct}");
    ensure!(gated == format!("{MASK}\n"), "{gated}");
    Ok(())
}

/// Also if nothing comes after it; and the recording has it.
#[test]
fn a_followed_line_comes_when_it_is_written() -> anyhow::Result<()> {
    let namespace = "logs-followed";
    let lab = talking(namespace)?;
    let session = lab.gate.session("followed")?;
    known(&lab, namespace)?;
    let arguments = ["-n", namespace, "logs", "--follow", "talks", "-c", "waits"];
    let mut kubectl = session.command(&arguments)?.stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(kubectl.stdout.take().context("no output")?).lines();
    let mut next = || anyhow::Ok(lines.next().context("it ended")??);
    ensure!(next()? == "waiting");
    let go = ["-n", namespace, "exec", "talks", "-c", "waits", "--", "touch", "/shared/go"];
    lab.cluster.must(&go)?;
    let came = next()?;
    ensure!(came == format!("came with {MASK}"), "{came}");
    kubectl.kill()?;
    kubectl.wait()?;
    let data = lab.gate.path("data");
    eventually("recorded", || {
        let output =
            lab.gate.portcullis(&["sessions", "show", &session.id, "-o", "json", "--data", &data])?;
        let shown: Value = serde_json::from_slice(&output.stdout).with_context(|| text(&output))?;
        let streams = shown["timeline"].as_array().context("no timeline")?.iter();
        let followed =
            streams.filter(|entry| entry["kind"] == "stream" && entry["ended"].is_object()).count();
        Ok(if followed == 1 { Ok(()) } else { Err(shown) })
    })?;
    let played =
        lab.gate.portcullis(&["sessions", "replay", &session.id, "--stream", "1", "--data", &data])?;
    ensure!(text(&played) == format!("waiting\ncame with {MASK}\n"), "{}", text(&played));
    Ok(())
}
