//! Port-forward in messages of `v4.channel.k8s.io`: what is refused, and what ends.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
};

use anyhow::{Context, ensure};
use e2e::{Client, eventually, leaves, permissive, start};
use serde_json::Value;
use testkit::Options;

use crate::{connections, outcome, serve};

const RULES: &str = r#"
@id("reads") permit (principal, action in [Action::"read", Action::"discover"], resource);
@id("web") permit (principal, action == Action::"portforward", resource is Object)
when { context.labels.contains("app=web") && context.port == 80 };
"#;

const CASES: &str = "defaults: { agent: claude, groups: [developers], cluster: demo }
cases:
- { name: reads, request: GET /api/v1/namespaces/a/pods/web, expect: allow, rule: reads }
- { name: web, request: 'POST /api/v1/namespaces/a/pods/web/portforward?ports=80', pod: { metadata: { labels: { app: web } } }, expect: allow, rule: web }
";

#[test]
fn each_port_is_judged_and_told_of_on_its_own() -> anyhow::Result<()> {
    let namespace = "clients-refused";
    let rules = tempfile::tempdir()?;
    fs::write(rules.path().join("rules.cedar"), RULES)?;
    fs::write(rules.path().join("tests.yaml"), CASES)?;
    let bundle = rules.path().to_str().context("a path that is no text")?.to_owned();
    let mut lab = start(&Options { bundle, ..permissive() })?;
    serve(lab.cluster, namespace)?;
    let session = lab.gate.session("refused")?;
    let mut program = testkit::python("refused.py")?
        .arg(&session.kubeconfig)
        .arg(namespace)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut told = Vec::new();
    for line in BufReader::new(program.stdout.take().context("no output")?).lines() {
        let line = line?;
        if line == "\"open\"" {
            eventually("the connection is open", || {
                let open = connections(&leaves(&lab.gate)?, "intent").len();
                Ok(if open == 3 { Ok(()) } else { Err(open) })
            })?;
            session.revoke()?;
        } else {
            told.push(line);
        }
    }
    ensure!(program.wait()?.success(), "{told:?}");
    insta::assert_snapshot!(told.join("\n"));
    drop(session);
    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    // The way to it alone, and the connection beside another.
    let refused =
        leaves.iter().filter(|leaf| leaf["type"] == "refusal").map(|leaf| &leaf["event"]["request"]["path"]);
    let refused: Vec<&Value> = refused.collect();
    let path = format!("/api/v1/namespaces/{namespace}/pods/web/portforward?ports=81");
    ensure!(refused == [path.as_str(), path.as_str()], "{refused:?}");
    let ended: Vec<String> = connections(&leaves, "intent")
        .iter()
        .map(|intent| {
            let outcome = outcome(&leaves, &intent["call"])?;
            Ok(format!("{}: {} {}", intent["request"]["path"], outcome["stage"], outcome["error"]))
        })
        .collect::<anyhow::Result<_>>()?;
    insta::assert_snapshot!(ended.join("\n"));
    Ok(())
}

#[test]
fn what_names_no_ports_or_speaks_something_else_is_refused() -> anyhow::Result<()> {
    let namespace = "clients-unspoken";
    let lab = start(&permissive())?;
    serve(lab.cluster, namespace)?;
    let session = lab.gate.session("unspoken")?;
    let client = Client::new(&lab.gate, &session)?;
    let many = format!("?ports={}", vec!["80"; 129].join(","));
    let mut told = Vec::new();
    for (query, protocol) in [
        ("", "v4.channel.k8s.io"),
        (many.as_str(), "v4.channel.k8s.io"),
        ("?ports=80,x", "v4.channel.k8s.io"),
        ("?ports=80", "v4.base64.channel.k8s.io"),
        ("?ports=80", "v5.channel.k8s.io"),
        ("?ports=80", "channel.k8s.io"),
    ] {
        let offered = format!("Sec-WebSocket-Protocol: {protocol}");
        let headers = [
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            &offered,
        ];
        let line = format!("GET /api/v1/namespaces/{namespace}/pods/web/portforward{query}");
        let answer = client.ask(&line, &headers, "")?;
        let status: Value = serde_json::from_str(&answer.body)?;
        told.push(format!("{}: {}", answer.status, status["message"]));
    }
    insta::assert_snapshot!(told.join("\n"));
    let leaves = leaves(&lab.gate)?;
    let opened =
        |leaf: &&Value| leaf["type"] == "intent" && leaf["event"]["request"]["subresource"] == "portforward";
    ensure!(!leaves.iter().any(|leaf| opened(&leaf)), "{leaves:?}");
    Ok(())
}
