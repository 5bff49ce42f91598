//! What the API server lets the gate itself do: with the credential that the gate has, and the RBAC of `portcullis rbac`.

use std::process::Output;

use e2e::{Lab, audited, furnish, lab, text};
use serde_json::Value;

const GATE: &str = "system:serviceaccount:portcullis:gate";
const USER: &str = "portcullis:agent:claude";
const AGENT: &str = "--as=portcullis:agent:claude";
const READER: &str = "--as=portcullis:secret-reader";
const READS: &str = "portcullis:secret-reader";
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
    // Who is told that they may not do what. How the API server words that an account may not impersonate depends on
    // which of its two ways of impersonation it tried last, so the verb is a beginning.
    let refused: &[(&[&str], &str, &str)] = &[
        (&["get", "pods"], GATE, "list"),
        (&["get", "secret", "database"], GATE, "get"),
        (&["get", "namespaces"], GATE, "list"),
        (&["delete", "configmap", "settings"], GATE, "delete"),
        (&["create", "token", "default"], GATE, "create"),
        (&["get", "pods", "--as=system:admin"], GATE, "impersonate"),
        (&["get", "pods", "--as=system:serviceaccount:kube-system:default"], GATE, "impersonate"),
        (&["get", "pods", "--as=portcullis:agent:other"], GATE, "impersonate"),
        (&["get", "pods", AGENT, "--as-group=system:masters"], GATE, "impersonate"),
        (&["get", "pods", AGENT, "--as-uid=1"], GATE, "impersonate"),
        (&["get", "pods", AGENT, AGENTS, "--as-user-extra=other=value"], GATE, "impersonate"),
        // The reader of Secrets lists and watches them, and that is all it does.
        (&["get", "pods", READER], READS, "list"),
        (&["get", "secret", "database", READER], READS, "get"),
        (&["delete", "secret", "database", READER], READS, "delete"),
        (&["get", "configmaps", READER], READS, "list"),
        (&["get", "secrets", READER, MASKED_READER, "--as-group=system:masters"], GATE, "impersonate"),
        // As the agent, but without the group that each masked read is given.
        (&["get", "secret", "database", AGENT, AGENTS], USER, "get"),
        (&["exec", "deployment/web", AGENT, AGENTS, "--", "true"], USER, "create"),
        (
            &["create", "clusterrolebinding", "x", "--clusterrole=view", "--user=me", AGENT, AGENTS],
            USER,
            "create",
        ),
    ];
    for (arguments, who, verb) in refused {
        let output = as_gate(&lab, &[&["-n", "own"], *arguments].concat())?;
        let told = text(&output);
        assert!(!output.status.success(), "{arguments:?}: {told}");
        assert!(told.contains(&format!("forbidden: User \"{who}\" cannot {verb}")), "{arguments:?}: {told}");
    }

    let allowed: &[&[&str]] = &[
        &["get", "pods", AGENT, AGENTS],
        &["get", "secret", "database", AGENT, AGENTS, MASKED_READER],
        &["get", "pods", AGENT, AGENTS, "--as-user-extra=portcullis.dev/session=s-1"],
        &["get", "secrets", READER],
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
