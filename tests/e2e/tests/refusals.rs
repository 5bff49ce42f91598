//! What the gate refuses, and how it says so.

use e2e::{Client, furnish, lab, text};

/// A refusal as a table: what is sent, and the status, reason and message that come back.
fn told(client: &Client, line: &str, headers: &[&str], body: &str) -> anyhow::Result<String> {
    let answer = client.ask(line, headers, body)?;
    let status: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let part = |name: &str| status.get(name).cloned().unwrap_or_default();
    let (reason, message) = (part("reason"), part("message"));
    Ok(format!("{line} {}\n  {} {reason} {message}", headers.join(" "), answer.status))
}

#[test]
fn what_is_not_canonical_is_refused_and_the_part_named() -> anyhow::Result<()> {
    let lab = lab()?;
    let session = lab.gate.session("refusals")?;
    let client = Client::new(&lab.gate, &session)?;
    let lines = [
        "GET /api/v1//pods",
        "GET /api/v1/namespaces/default/../kube-system/pods",
        "GET /api/v1/namespaces/default%2fpods",
        "GET /api/v1/watch/pods",
        "GET /api/v1/proxy/nodes/localhost",
        "GET /api/v1/pods?watch=",
        "GET /api/v1/pods?watch=true&watch=false",
        "GET /api/v1/pods?unknown=1",
        "GET /api/v1/namespaces/default/pods/x/unknown",
        "GET /api/v1/namespaces/default/pods/x/log?limitBytes=0",
        "BREW /api/v1/pods",
        "GET /debug/pprof",
        "GET /logs/",
        "GET /api/v1/nodes/localhost/proxy/pods",
        "POST /api/v1/namespaces/default/pods/x/exec?command=sh",
        "POST /api/v1/namespaces/default/pods/x/portforward",
    ];
    let mut table = Vec::new();
    for line in lines {
        table.push(told(&client, line, &[], "")?);
    }
    table.push(told(&client, "GET /api/v1/pods", &["Impersonate-User: system:admin"], "")?);
    table.push(told(&client, "GET /api/v1/pods", &["Accept: application/cbor"], "")?);
    table.push(told(&client, "GET /api/v1/pods", &["Upgrade: websocket", "Connection: Upgrade"], "")?);
    let json = "Content-Type: application/json";
    table.push(told(&client, "POST /api/v1/namespaces", &[json], r#"{"a":1,"a":2}"#)?);
    table.push(told(&client, "POST /api/v1/namespaces", &["Content-Type: application/cbor"], "x")?);
    let token = r#"{"kind":"TokenRequest","apiVersion":"authentication.k8s.io/v1","spec":{}}"#;
    table.push(told(
        &client,
        "POST /api/v1/namespaces/default/serviceaccounts/default/token",
        &[json],
        token,
    )?);
    let hook = r#"{"kind":"ValidatingWebhookConfiguration","apiVersion":"admissionregistration.k8s.io/v1"}"#;
    let hooks = "POST /apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    table.push(told(&client, hooks, &[json], hook)?);
    let options = r#"{"kind":"DeleteOptions","apiVersion":"v1"}"#;
    table.push(told(&client, "DELETE /api/v1/namespaces/default/pods/x?dryRun=All", &[json], options)?);
    insta::assert_snapshot!(table.join("\n"));
    Ok(())
}

#[test]
fn what_policy_refuses_is_told_with_its_rule() -> anyhow::Result<()> {
    let lab = lab()?;
    furnish(lab.cluster, "judged")?;
    let session = lab.gate.session("judged")?;
    let lines = [
        "delete namespace judged",
        "delete configmap settings -n kube-system",
        "delete clusterrole view",
        "exec deployment/web -n judged -- ls",
        "auth can-i create serviceaccounts --subresource=token -n judged",
        "get --raw /metrics",
        "delete namespace portcullis",
    ];
    let mut table = Vec::new();
    for line in lines {
        let output = session.kubectl(&line.split_whitespace().collect::<Vec<_>>())?;
        let shown = e2e::normalised(text(&output).trim())?;
        table.push(format!("$ kubectl {line}\nexit {:?}\n{shown}", output.status.code()));
    }
    insta::assert_snapshot!(table.join("\n\n"));
    Ok(())
}
