//! The same program, directly and through the gate: the same lines.

use std::{collections::BTreeSet, path::Path, process::Command};

use anyhow::{Context, ensure};
use e2e::{Lab, eventually, leaves, permissive, start, text};
use testkit::Cluster;

use crate::{connections, outcome, serve};

/// Something to attach to, and a log that goes on once its first line was read.
fn for_one(cluster: &Cluster, namespace: &str, name: &str) -> anyhow::Result<()> {
    let shell = |pod: &str, stdin: bool, line: &str| {
        cluster.apply(&format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {pod}-{name}, namespace: {namespace}}}, spec: {{restartPolicy: Never, terminationGracePeriodSeconds: 0,
              containers: [{{name: sh, image: busybox, stdin: {stdin}, stdinOnce: {stdin}, command: [sh, -c, '{line}']}}]}}}}"
        ))?;
        cluster.ready(namespace, &format!("{pod}-{name}"))
    };
    shell("attach", true, "while read line; do echo got $line; done")?;
    shell(
        "log",
        false,
        "rm -f /tmp/go; echo first; until [ -e /tmp/go ]; do sleep 0.1; done; seq 1000; echo last",
    )
}

/// What the program prints, a line for each thing that it does.
fn says(mut program: Command, kubeconfig: &Path, namespace: &str, name: &str) -> anyhow::Result<String> {
    let output = program.arg(kubeconfig).args([namespace, name]).output().context("not started")?;
    ensure!(output.status.success() && output.stderr.is_empty(), "{}", text(&output));
    Ok(text(&output))
}

/// Runs the program both ways; gives what it said, and the gate's session.
fn compare(
    lab: &Lab,
    namespace: &str,
    program: impl Fn() -> anyhow::Result<Command>,
) -> anyhow::Result<(String, String)> {
    serve(lab.cluster, namespace)?;
    for_one(lab.cluster, namespace, "direct")?;
    for_one(lab.cluster, namespace, "gated")?;
    let direct = says(program()?, lab.cluster.kubeconfig(), namespace, "direct")?;
    let session = lab.gate.session("library")?;
    let gated = says(program()?, &session.kubeconfig, namespace, "gated")?;
    assert_eq!(gated, direct, "through the gate, and directly");
    // A program that is served is another after another build, and who finds no program says so in its own words.
    let lines = gated.lines().filter(|line| !line.starts_with("{\"exec of nothing\""));
    let shown = regex::Regex::new("[0-9a-f]{64}")?
        .replace_all(&lines.collect::<Vec<_>>().join("\n"), "…")
        .into_owned();
    Ok((shown, session.id))
}

/// Each connection to a port has an intent and an outcome of its own, and is told in the recording.
fn told(lab: &mut Lab, session: &str, most: u64) -> anyhow::Result<Vec<String>> {
    let shown = eventually("the recording tells of all connections", || {
        let shown = lab.gate.portcullis(&["sessions", "show", session, "--data", &lab.gate.path("data")])?;
        let shown = text(&shown);
        Ok(if shown.contains("nothing said, 0 bytes in") { Ok(shown) } else { Err(shown) })
    })?;
    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let intents = connections(&leaves, "intent");
    for intent in &intents {
        let outcome = outcome(&leaves, &intent["call"])?;
        ensure!(outcome["stream"]["number"].is_u64(), "{outcome}");
    }
    let bytes = |event: &&serde_json::Value| event["delivered"].as_u64().is_some_and(|bytes| bytes > most);
    let large = leaves.iter().map(|leaf| &leaf["event"]).filter(bytes).count();
    ensure!(large > 1, "{large} answers of more than {most} bytes");
    let carried = shown.lines().filter(|line| line.contains("port-forward") && line.contains(" bytes in, "));
    let carried: Vec<String> = carried.map(str::to_owned).collect();
    ensure!(carried.len() == intents.len(), "{} connections in the ledger, and {carried:?}", intents.len());
    Ok(carried)
}

#[test]
fn python_streams_as_it_does_directly() -> anyhow::Result<()> {
    let mut lab = start(&permissive())?;
    let (said, session) = compare(&lab, "clients-python", || testkit::python("streams.py"))?;
    insta::assert_snapshot!(said);
    let carried = told(&mut lab, &session, 1_048_000)?;
    ensure!(carried.len() == 4, "{carried:?}");
    Ok(())
}

#[test]
fn javascript_streams_as_it_does_directly() -> anyhow::Result<()> {
    let mut lab = start(&permissive())?;
    let (said, session) = compare(&lab, "clients-javascript", || testkit::node("streams.js"))?;
    insta::assert_snapshot!(said);
    let carried = told(&mut lab, &session, 1_048_000)?;
    ensure!(carried.len() == 3, "{carried:?}");
    Ok(())
}

/// kubectl takes a process for each; this is one client.
#[test]
fn every_exit_code_is_told() -> anyhow::Result<()> {
    let namespace = "clients-codes";
    let lab = start(&permissive())?;
    serve(lab.cluster, namespace)?;
    let session = lab.gate.session("codes")?;
    let mut program = testkit::python("codes.py")?;
    let output = program.arg(&session.kubeconfig).args([namespace, "web", "web"]).output()?;
    ensure!(output.status.success() && output.stderr.is_empty(), "{}", text(&output));
    let wanted: String = (0..=255).map(|code| format!("exit {code}: {code}\n")).collect();
    assert_eq!(text(&output), wanted);
    let exits = eventually("all are in the ledger", || {
        let leaves = leaves(&lab.gate)?;
        let exits: BTreeSet<i64> =
            leaves.iter().filter_map(|leaf| leaf["event"]["stream"]["exit"].as_i64()).collect();
        Ok(if exits.len() == 256 { Ok(exits) } else { Err(exits.len()) })
    })?;
    assert!(exits.into_iter().eq(0..256));
    Ok(())
}
