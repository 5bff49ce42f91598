//! What goes on ends when the rules that permit it say so, and whoever looks at it is told why.

use std::process::Stdio;

use anyhow::{Context, ensure};
use e2e::{Client, eventually, furnish, leaves, text};
use serde_json::Value;

use crate::{TRANSPORTS, over, with_rules};

/// What shows something all the time can be idle for as long as it likes: how fast the machine is does not matter.
const RULES: &str = r#"
@id("reads") @longest("3s") permit (principal, action in [Action::"read", Action::"discover"], resource);
@id("busy") @longest("3s") permit (principal, action == Action::"exec", resource) when { context.commandLine like "*tick*" };
@id("idle") @idle("1s") @longest("1h") permit (principal, action in Action::"stream", resource)
when { !(context.commandLine like "*tick*") };
@id("longer") @idle("1h") @longest("2h") permit (principal, action in Action::"stream", resource);
"#;

#[test]
fn streams_end_when_their_time_is_over() -> anyhow::Result<()> {
    let namespace = "streams-lasting";
    let (lab, _rules) = with_rules(RULES)?;
    furnish(lab.cluster, namespace)?;
    let session = lab.gate.session("lasting")?;
    let busy = "while true; do echo tick; sleep 0.05; done";
    let exec = |line: &'static str| ["exec", "deploy/web", "--", "sh", "-c", line];
    let mut told = Vec::new();
    for (transport, websockets) in TRANSPORTS {
        for (what, arguments) in [
            ("busy", &exec(busy)[..]),
            ("idle", &exec("while true; do sleep 1; done")),
            ("attached", &["attach", "deploy/web"]),
        ] {
            let command = session.command(&[&["-n", namespace], arguments].concat())?;
            let output = over(command, websockets).stdin(Stdio::null()).output()?;
            ensure!(!output.status.success(), "{}", text(&output));
            told.push(format!("{transport} {what}: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
    }
    let client = Client::new(&lab.gate, &session)?;
    let pod = lab.cluster.must(&["-n", namespace, "get", "pods", "-l", "app=web", "-o", "name"])?;
    let pods = format!("GET /api/v1/namespaces/{namespace}/pods");
    // Between two events there is room for a last one; what is broken off in a log is seen to be.
    let watch = client.ask(&format!("{pods}?watch=true"), &[], "")?;
    ensure!(watch.whole && watch.status == 200, "{watch:?}");
    told.push(format!("watch: {}", watch.body.lines().last().unwrap_or_default()));
    let log =
        client.ask(&format!("{pods}/{}/log?follow=true", pod.trim().trim_start_matches("pod/")), &[], "")?;
    ensure!(!log.whole && log.body.contains("hello from web"), "{log:?}");
    insta::assert_snapshot!(told.join("\n"));
    // What is durable is told in the files a moment later.
    let errors = eventually("all are cut in the ledger", || {
        let leaves = leaves(&lab.gate)?;
        let cut = leaves.iter().filter(|leaf| leaf["event"]["stage"] == "cut");
        let errors: Vec<Value> = cut.map(|leaf| leaf["event"]["error"].clone()).collect();
        Ok(if errors.len() == 8 { Ok(errors) } else { Err(errors) })
    })?;
    for error in errors {
        let error = error.as_str().context("no error")?;
        ensure!(error.contains("policy lets it"), "{error}");
    }
    Ok(())
}
