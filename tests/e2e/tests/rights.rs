//! What the API server lets the gate itself do: with the credential that the gate has, and the RBAC of `portcullis rbac`.

use std::{collections::BTreeSet, process::Output};

use e2e::{AuditedGate, Client, Lab, audited, eventually, furnish, lab, normalised, permissive, start, text};
use serde_json::{Value, json};
use testkit::{Cluster, Gate};

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

const GROUP: &str = "portcullis:masked-reader";
const JSON: &str = "Content-Type: application/json";
const MERGE: &str = "Content-Type: application/merge-patch+json";
const TABLE: &str = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io";
const METADATA: &str = "Accept: application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";

/// Reads of Secrets in every form, and everything else that an agent does with them or without.
const CALLS: &[(&str, &[&str], &str)] = &[
    ("GET /api/v1/namespaces/NS/secrets/database", &[], ""),
    ("GET /api/v1/namespaces/NS/secrets/database", &[METADATA], ""),
    ("GET /api/v1/namespaces/NS/secrets", &[], ""),
    ("GET /api/v1/namespaces/NS/secrets", &[TABLE], ""),
    ("GET /api/v1/namespaces/NS/secrets?watch=true&timeoutSeconds=1", &[], ""),
    ("PATCH /api/v1/namespaces/NS/secrets/database", &[MERGE], r#"{"metadata":{"labels":{"a":"b"}}}"#),
    (
        "PATCH /api/v1/namespaces/NS/secrets/database?dryRun=All",
        &[MERGE],
        r#"{"metadata":{"labels":{"a":"c"}}}"#,
    ),
    ("DELETE /api/v1/namespaces/NS/secrets/database?dryRun=All", &[], ""),
    ("GET /api/v1/namespaces/NS/configmaps", &[], ""),
    ("GET /api/v1/namespaces/NS/pods", &[TABLE], ""),
    // On what it becomes, policy looks by a dry run of its own.
    (
        "PATCH /apis/apps/v1/namespaces/NS/deployments/web",
        &["Content-Type: application/strategic-merge-patch+json"],
        r#"{"spec":{"template":{"spec":{"containers":[{"name":"web","args":["x"]}]}}}}"#,
    ),
];

/// Asks all of [`CALLS`], and writes the Secret back as it was shown (`masked`), for which the gate looks at it first.
fn ask_all(client: &Client, namespace: &str, masked: &str) -> anyhow::Result<Vec<String>> {
    let put = "PUT /api/v1/namespaces/NS/secrets/database?dryRun=All";
    let all = [(put, &[JSON][..], masked)].into_iter().chain(CALLS.iter().copied());
    let mut told = Vec::new();
    for (line, headers, body) in all {
        let answer = client.ask(&line.replace("NS", namespace), headers, body)?;
        assert!(!answer.leaks(), "{answer:?}");
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let message = body.get("message").and_then(Value::as_str).unwrap_or_default();
        told.push(format!("{line}: {} {}", answer.status, message));
    }
    Ok(told)
}

/// Q1: only reads of Secrets carry the group: no write does, and no look of the gate's own at another kind.
#[test]
fn only_reads_of_secrets_carry_the_group_that_may_read_them() -> anyhow::Result<()> {
    let lab = start(&permissive())?;
    furnish(lab.cluster, "carrying")?;
    let client = Client::new(&lab.gate, &lab.gate.session("carrying")?)?;
    let shown = client.ask("GET /api/v1/namespaces/carrying/secrets/database", &[], "")?.body;
    let told = ask_all(&client, "carrying", &shown)?;
    assert!(told.iter().all(|told| told.contains(": 200")), "{told:#?}");
    let events = audited(lab.cluster, |event| {
        event["objectRef"]["namespace"] == "carrying"
            && event["impersonatedUser"]["username"] == USER
            && event["stage"] == "ResponseComplete"
    })?;
    let told = |event: &Value| {
        let of = &event["objectRef"];
        let dry = event["requestURI"].as_str().is_some_and(|uri| uri.contains("dryRun"));
        let carries =
            event["impersonatedUser"]["groups"].as_array().is_some_and(|of| of.contains(&json!(GROUP)));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        format!(
            "{} {}{}: {}",
            text(&of["resource"]),
            text(&event["verb"]),
            if dry { " (dry run)" } else { "" },
            if carries { "with the group" } else { "without" }
        )
    };
    let told: BTreeSet<_> = events.iter().map(told).collect();
    insta::assert_snapshot!(told.into_iter().collect::<Vec<_>>().join("\n"), @"
    configmaps list: without
    deployments get: without
    deployments patch (dry run): without
    deployments patch: without
    pods list: without
    secrets delete (dry run): without
    secrets get: with the group
    secrets list: with the group
    secrets patch (dry run): without
    secrets patch: without
    secrets update (dry run): without
    secrets watch: with the group
    ");
    Ok(())
}

/// Q1: a call that lost the group, or that the group no longer helps, is the agent's own user's, who may not read Secrets. On a
/// cluster of its own, since the binding is every gate's.
#[test]
fn without_what_the_group_may_do_no_read_of_a_secret_passes() -> anyhow::Result<()> {
    let cluster = Cluster::start(None, None)?;
    furnish(&cluster, "withdrawn")?;
    let gate = AuditedGate::new(Gate::start(&cluster, &permissive())?)?;
    let client = Client::new(&gate, &gate.session("withdrawn")?)?;
    let line = "GET /api/v1/namespaces/withdrawn/secrets/database";
    let shown = client.ask(line, &[], "")?;
    assert_eq!(shown.status, 200, "{}", shown.body);
    cluster.must(&["delete", "clusterrolebinding", GROUP])?;
    eventually("the right is gone", || {
        let answer = client.ask(line, &[], "")?;
        Ok(if answer.status == 403 { Ok(()) } else { Err(answer) })
    })?;
    let told = ask_all(&client, "withdrawn", &shown.body)?;
    insta::assert_snapshot!(normalised(&told.join("\n"))?);
    Ok(())
}
