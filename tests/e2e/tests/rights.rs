//! What the API server lets the gate itself do: with the credential that the gate has, and the RBAC of `portcullis rbac`.

use std::process::Output;

use e2e::{Lab, audited, furnish, lab, normalised, text};
use serde_json::Value;

const AGENT: &str = "--as=portcullis:agent:claude";
const AGENTS: &str = "--as-group=portcullis:agents";
const MASKED_READER: &str = "--as-group=portcullis:masked-reader";

/// kubectl with the gate's own credential, past the gate.
fn as_gate(lab: &Lab, arguments: &[&str]) -> anyhow::Result<Output> {
    let cache = lab.gate.path("gate-cache");
    Ok(testkit::kubectl(&lab.gate.kubeconfig(), cache.as_ref(), arguments)?.output()?)
}

#[test]
fn the_gates_own_account_may_impersonate_agents_and_nothing_else() -> anyhow::Result<()> {
    let lab = lab()?;
    furnish(lab.cluster, "own")?;
    let refused: &[&[&str]] = &[
        &["get", "pods"],
        &["get", "secret", "database"],
        &["get", "namespaces"],
        &["delete", "configmap", "settings"],
        &["create", "token", "default"],
        &["get", "pods", "--as=system:admin"],
        &["get", "pods", "--as=system:serviceaccount:kube-system:default"],
        &["get", "pods", "--as=portcullis:agent:other"],
        &["get", "pods", AGENT, "--as-group=system:masters"],
        &["get", "pods", AGENT, "--as-uid=1"],
        &["get", "pods", AGENT, AGENTS, "--as-user-extra=other=value"],
        // As the agent, but without the group that each masked read is given.
        &["get", "secret", "database", AGENT, AGENTS],
        &["exec", "deployment/web", AGENT, AGENTS, "--", "true"],
        &["create", "clusterrolebinding", "x", "--clusterrole=view", "--user=me", AGENT, AGENTS],
    ];
    let mut told = Vec::new();
    for arguments in refused {
        let output = as_gate(&lab, &[&["-n", "own"], *arguments].concat())?;
        assert!(!output.status.success(), "{arguments:?}: {}", text(&output));
        assert!(text(&output).contains("orbidden"), "{arguments:?}: {}", text(&output));
        told.push(format!("$ kubectl {}\n{}", arguments.join(" "), normalised(text(&output).trim())?));
    }
    insta::assert_snapshot!(told.join("\n"));

    let allowed: &[&[&str]] = &[
        &["get", "pods", AGENT, AGENTS],
        &["get", "secret", "database", AGENT, AGENTS, MASKED_READER],
        &["get", "pods", AGENT, AGENTS, "--as-user-extra=portcullis.dev/session=s-1"],
    ];
    for arguments in allowed {
        let output = as_gate(&lab, &[&["-n", "own"], *arguments].concat())?;
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
    }
    Ok(())
}

#[test]
fn the_api_servers_own_log_tells_who_called_for_whom_and_when_secrets_were_read() -> anyhow::Result<()> {
    let lab = lab()?;
    furnish(lab.cluster, "rights")?;
    let session = lab.gate.session("rights")?;
    for line in ["get secret database -n rights", "get configmap settings -n rights"] {
        let output = session.kubectl(&line.split_whitespace().collect::<Vec<_>>())?;
        assert!(output.status.success(), "{}", text(&output));
    }
    let of = |resource: &'static str| {
        audited(lab.cluster, move |event| {
            event["objectRef"]["namespace"] == "rights"
                && event["objectRef"]["resource"] == resource
                && event["impersonatedUser"]["username"] == "portcullis:agent:claude"
                && event["stage"] == "ResponseComplete"
        })
    };
    let told = |events: Vec<Value>| {
        let parts = |event: &Value| {
            let (user, agent) = (&event["user"]["username"], &event["impersonatedUser"]);
            format!(
                "{} {} by {user} as {} in {} for {}",
                event["verb"],
                event["objectRef"]["resource"],
                agent["username"],
                agent["groups"],
                agent["extra"]
            )
        };
        events.iter().map(parts).collect::<Vec<_>>().join("\n").replace(&session.id, "SESSION")
    };
    insta::assert_snapshot!(told(of("secrets")?), @r#""get" "secrets" by "system:serviceaccount:portcullis:gate" as "portcullis:agent:claude" in ["portcullis:agents","portcullis:group:developers","portcullis:masked-reader","system:authenticated"] for {"portcullis.dev/delegator":["ada@example.com"],"portcullis.dev/session":["SESSION"]}"#);
    insta::assert_snapshot!(told(of("configmaps")?), @r#""get" "configmaps" by "system:serviceaccount:portcullis:gate" as "portcullis:agent:claude" in ["portcullis:agents","portcullis:group:developers","system:authenticated"] for {"portcullis.dev/delegator":["ada@example.com"],"portcullis.dev/session":["SESSION"]}"#);
    Ok(())
}
