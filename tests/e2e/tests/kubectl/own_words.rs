//! Where the answer is the gate's and not the API server's: questions about rights, and what is denied for good.

use e2e::{furnish, lab, normalised, text};

const LINES: &[&str] = &[
    "auth can-i list pods -n said",
    "auth can-i delete namespaces",
    "auth can-i create clusterrolebindings",
    "auth can-i create pods --subresource=exec -n said",
    "auth can-i get secrets -n said",
    "auth can-i --list -n said",
    "auth whoami",
    "create token default -n said",
    "create secret generic asked -n said --from-literal=a=b",
    "create clusterrolebinding more --clusterrole=cluster-admin --user=me",
    "get pods -n said --as=system:admin",
    "port-forward deployment/web 8080:80 -n said",
    "attach deployment/web -n said",
];

#[test]
fn the_gate_says_what_may_be_and_why_not() -> anyhow::Result<()> {
    let lab = lab()?;
    furnish(lab.cluster, "said")?;
    let session = lab.gate.session("words")?;
    let mut told = Vec::new();
    for line in LINES {
        let output = session.kubectl(&line.split_whitespace().collect::<Vec<_>>())?;
        let shown = normalised(text(&output).trim())?.replace(&session.id, "SESSION");
        told.push(format!("$ kubectl {line}\nexit {:?}\n{shown}", output.status.code()));
    }
    insta::assert_snapshot!(told.join("\n\n"));
    Ok(())
}
