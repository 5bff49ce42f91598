//! Which connections policy permits, by the pod that they lead to, and for how long.

use std::fs;
use std::io::{Read, Write};

use anyhow::{Context, ensure};
use e2e::{eventually, leaves, permissive, text};
use serde_json::Value;
use testkit::Options;

use super::{Forward, TRANSPORTS, connections, gated, lab, pod, told};

const RULES: &str = r#"
@id("reads") permit (principal, action in [Action::"read", Action::"discover"], resource);
@id("web") permit (principal, action == Action::"portforward", resource is Object)
when { context.labels.contains("app=web") && context.port == 80 };
@id("api") permit (principal, action == Action::"portforward", resource is Object)
when { context.labels.contains("app=kube-apiserver") };
"#;

fn with_rules() -> anyhow::Result<(Options, tempfile::TempDir)> {
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join("rules.cedar"), RULES)?;
    fs::write(
        dir.path().join("tests.yaml"),
        "defaults: { agent: claude, groups: [developers], cluster: demo }\n\
         cases:\n\
         - { name: reads, request: GET /api/v1/namespaces/a/pods/web, expect: allow, rule: reads }\n\
         - { name: web, request: POST /api/v1/namespaces/a/pods/web/portforward?ports=80, pod: { metadata: { labels: { app: web } } }, expect: allow, rule: web }\n\
         - { name: api, request: POST /api/v1/namespaces/a/pods/web/portforward?ports=80, pod: { metadata: { labels: { app: kube-apiserver } } }, expect: deny, rule: fixed/api-server-port }\n",
    )?;
    let bundle = dir.path().to_str().context("a path that is no text")?.to_owned();
    Ok((Options { bundle, ..permissive() }, dir))
}

#[test]
fn connections_are_permitted_by_label_and_port() -> anyhow::Result<()> {
    let namespace = "streams-labels";
    let (options, _rules) = with_rules()?;
    let lab = lab(namespace, &options)?;
    for (name, label) in [("other", "other"), ("api", "kube-apiserver")] {
        lab.cluster.apply(&pod(namespace, name, label))?;
        lab.cluster.ready(namespace, name)?;
    }
    let session = lab.gate.session("labels")?;
    let mut shown = Vec::new();
    for (transport, websockets) in TRANSPORTS {
        let forward = Forward::start(gated(&session, namespace, "web", 80)?, websockets)?;
        ensure!(forward.get("bytes=0-9")?.len() == 10);
        shown.push(format!(
            "{transport}, port 81: {}",
            told(&Forward::start(gated(&session, namespace, "web", 81)?, websockets)?.fails()?)
        ));
        for pod in ["other", "api"] {
            let mut command = gated(&session, namespace, pod, 80)?;
            command.env("KUBECTL_PORT_FORWARD_WEBSOCKETS", websockets);
            shown.push(format!("{transport}, {pod}: {}", text(&command.output()?)));
        }
    }
    insta::assert_snapshot!(shown.join("\n"));
    eventually("the refusals are in the ledger", || {
        let leaves = leaves(&lab.gate)?;
        let refused = connections(&leaves, "refusal").len();
        let opened = connections(&leaves, "intent").len();
        Ok(if (refused, opened) == (2, 2) { Ok(()) } else { Err((refused, opened)) })
    })?;
    Ok(())
}

/// Connections are judged by the labels that the pod has, not by those that it had.
#[test]
fn a_pod_that_is_labelled_anew_ends_what_leads_to_it() -> anyhow::Result<()> {
    let namespace = "streams-relabelled";
    let (options, _rules) = with_rules()?;
    let lab = lab(namespace, &options)?;
    let session = lab.gate.session("relabelled")?;
    let mut forward = Forward::start(gated(&session, namespace, "web", 80)?, "true")?;
    ensure!(forward.get("bytes=0-9")?.len() == 10);
    lab.cluster.must(&["-n", namespace, "label", "--overwrite", "pod/web", "app=other"])?;
    eventually("the way ends", || {
        Ok(if forward.get("bytes=0-9").is_err() { Ok(()) } else { Err("a connection was opened") })
    })?;
    let said = forward.end()?;
    ensure!(said.contains("the pod is another than the one that was looked at"), "{said}");
    Ok(())
}

/// The way by one port's rule, and a connection by another's, which has this limit.
fn limited(limit: &str) -> String {
    format!(
        r#"
@id("reads") permit (principal, action in [Action::"read", Action::"discover"], resource);
@id("way") permit (principal, action == Action::"portforward", resource is Object) when {{ context.port == 79 }};
@id("connection") @{limit}("1s") permit (principal, action == Action::"portforward", resource is Object)
when {{ context.port == 80 }};
"#
    )
}

#[test]
fn a_connection_ends_when_its_time_is_over() -> anyhow::Result<()> {
    connections_end("streams-forward-longest", "longest", "it lasted 1s, and policy lets it go on no longer")
}

#[test]
fn a_connection_on_which_nothing_passes_ends() -> anyhow::Result<()> {
    connections_end(
        "streams-forward-idle",
        "idle",
        "nothing passed for 1s, and policy lets it be idle no longer",
    )
}

/// A connection that waits for its other side ends by this limit, and its client is told why.
fn connections_end(namespace: &str, limit: &str, why: &str) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("limits.cedar"), limited(limit))?;
    let options = Options { bundle: folder.path().display().to_string(), ..permissive() };
    let mut lab = lab(namespace, &options)?;
    let session = lab.gate.session("forward-limits")?;
    for (transport, websockets) in TRANSPORTS {
        let mut forward = Forward::start(gated(&session, namespace, "web", 80)?, websockets)?;
        let mut open = forward.connect()?;
        open.write_all(b"GET /")?;
        let mut rest = Vec::new();
        let _reset = open.read_to_end(&mut rest);
        ensure!(rest.is_empty(), "{transport}: {rest:?}");
        // Since kubectl ends with a connection that did not go well, what it says last is about that.
        let said = forward.end()?;
        ensure!(said.contains(&format!("{why}, so this connection was ended")), "{transport}: {said}");
    }
    drop(session);
    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    // The connections, and not the ways that they went through.
    let says = |leaf: &&Value| leaf["event"]["error"].as_str().is_some_and(|error| error.contains(why));
    let over: Vec<&Value> = leaves.iter().filter(says).collect();
    let cut = |leaf: &&Value| leaf["event"]["stage"] == "cut" && leaf["event"]["stream"].is_object();
    ensure!(over.len() == 2 && over.iter().all(cut), "{over:?}");
    Ok(())
}
