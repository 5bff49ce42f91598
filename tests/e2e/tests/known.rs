//! The gate knows the values of Secrets, and lets nothing pass where it does not.

use std::collections::BTreeSet;

use anyhow::ensure;
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{AuditedGate, CANARY, Client, MASKED_TEXT, audited, eventually, furnish, lab};
use testkit::{Cluster, Gate, Options};

/// Lets agents be the reader, as far as the API server is concerned.
const GRANT: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: as-reader}
rules: [{apiGroups: [\"\"], resources: [users], resourceNames: [portcullis:secret-reader], verbs: [impersonate]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: as-reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: as-reader}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: portcullis:agents}]
";

/// A Secret with this value.
fn secret(value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: known, namespace: copies}}\nstringData: {{password: {value}}}\n"
    )
}

/// A ConfigMap into which somebody copied values, as they are and in base64.
fn copies(values: &[&str]) -> String {
    let all = values.join(" and ");
    let encoded: Vec<_> = values.iter().map(|value| STANDARD.encode(format!("user:{value}"))).collect();
    let encoded = encoded.join(" ");
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: copied, namespace: copies}}\ndata: {{plain: \"{all}\", encoded: \
         \"{encoded}\", colour: green}}\n"
    )
}

/// What an agent sees of the ConfigMap once it holds none of these values.
fn once_masked(client: &Client, values: &[&str]) -> anyhow::Result<String> {
    let shown = |body: &str, value: &str| {
        body.contains(value) || body.contains(&STANDARD.encode(format!("user:{value}")))
    };
    eventually("masked", || {
        let answer = client.ask("GET /api/v1/namespaces/copies/configmaps/copied", &[], "")?;
        ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
        let masked = !values.iter().any(|value| shown(&answer.body, value));
        Ok(if masked { Ok(answer.body) } else { Err(answer.body) })
    })
}

#[test]
fn a_value_that_was_copied_is_masked_and_so_is_the_next_one() -> anyhow::Result<()> {
    let cluster = Cluster::shared()?;
    let rotated = "known-5b7e19a3c8d24f60-rotated";
    cluster.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: copies}\n")?;
    cluster.apply(&secret(CANARY))?;
    cluster.apply(&copies(&[CANARY]))?;
    let lab = lab()?;
    let session = lab.gate.session("copies")?;
    let client = Client::new(&lab.gate, &session)?;
    // No call passes before the value is known, so the first one is masked.
    let first = client.ask("GET /api/v1/namespaces/copies/configmaps/copied", &[], "")?;
    assert!(first.status == 200 && !first.body.contains(CANARY), "{}", first.body);
    assert!(first.body.contains(MASKED_TEXT) && first.body.contains("green"), "{}", first.body);
    once_masked(&client, &[CANARY])?;

    cluster.apply(&copies(&[CANARY, rotated]))?;
    cluster.apply(&secret(rotated))?;
    // The old one stays masked: it is still about.
    let body = once_masked(&client, &[CANARY, rotated])?;
    assert!(body.contains(MASKED_TEXT) && body.contains("green"), "{body}");
    // Deleted is not forgotten.
    cluster.must(&["delete", "secret", "known", "-n", "copies"])?;
    once_masked(&client, &[CANARY, rotated])?;
    Ok(())
}

#[test]
fn without_the_right_to_read_secrets_no_call_passes_until_the_remedy_is_applied() -> anyhow::Result<()> {
    let cluster = Cluster::shared()?;
    let account = testkit::of_account(cluster, "blind")?;
    let options = Options { masking: Some("{}".to_owned()), ..Options::default() };
    let gate = AuditedGate::new(Gate::behind(&account, &options)?)?;
    let session = gate.session("blind")?;
    let client = Client::new(&gate, &session)?;
    let maps = "GET /api/v1/namespaces/default/configmaps";
    let refused = client.ask(maps, &[], "")?;
    insta::assert_snapshot!(format!("{} {}", refused.status, refused.body), @r#"503 {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"portcullis: the gate masks the values of this cluster's Secrets wherever they appear, but the API server does not let it read them, so nothing was sent; tell the operator of the gate to run `portcullis rbac | kubectl apply -f -`","reason":"ServiceUnavailable","code":503}"#);
    let ready = gate.operations("/readyz")?;
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("cluster demo: no call passes: "), "{ready}");
    assert!(gate.operations("/metrics")?.contains("portcullis_secrets_unknown{cluster=\"demo\"} 1\n"));

    // What it prints for this account, beside what the gates of other tests have.
    let rbac = gate.rbac()?.replace("\"portcullis:gate\"", "\"portcullis:blind\"");
    cluster.apply(&rbac.replace("name: \"gate\"", "name: \"blind\""))?;
    eventually("ready", || {
        let ready = gate.operations("/readyz")?;
        Ok(if ready.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(ready) })
    })?;
    let answer = client.ask(maps, &[], "")?;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(gate.operations("/metrics")?.contains("portcullis_secrets_unknown{cluster=\"demo\"} 0\n"));
    Ok(())
}

#[test]
fn no_agent_is_the_reader_whatever_rbac_grants() -> anyhow::Result<()> {
    let lab = lab()?;
    furnish(lab.cluster, "reader")?;
    lab.cluster.apply(GRANT)?;
    let session = lab.gate.session("reader")?;
    let client = Client::new(&lab.gate, &session)?;
    let secrets = "GET /api/v1/namespaces/reader/secrets";
    let refused = client.ask(secrets, &["Impersonate-User: portcullis:secret-reader"], "")?;
    insta::assert_snapshot!(format!("{} {}", refused.status, refused.body), @r#"400 {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"portcullis: header `impersonate-user` is refused: the gate decides as whom a call runs; leave out `--as` and its kind","reason":"BadRequest","code":400}"#);
    // A call waits until the reader has listed.
    assert_eq!(client.ask("GET /api/v1/namespaces/reader/configmaps", &[], "")?.status, 200);
    // The API server's own log tells of the reader, which had no group that an agent has.
    let events = audited(lab.cluster, |event| {
        event["impersonatedUser"]["username"] == "portcullis:secret-reader"
            && event["user"]["username"] == "system:serviceaccount:portcullis:gate"
            && event["verb"] == "list"
            && event["stage"] == "ResponseComplete"
    })?;
    let told = |event: &serde_json::Value| {
        let (verb, of) = (&event["verb"], &event["objectRef"]["resource"]);
        format!("{verb} {of} in {}", event["impersonatedUser"]["groups"])
    };
    let told: BTreeSet<_> = events.iter().map(told).collect();
    insta::assert_snapshot!(told.into_iter().collect::<Vec<_>>().join("\n"), @r#""list" "secrets" in ["system:authenticated"]"#);
    Ok(())
}

/// The API server writes `<` as six characters: a Secret that it takes can be an event that the reader does not.
#[test]
fn a_large_secret_that_changes_keeps_no_other_from_being_known() -> anyhow::Result<()> {
    let cluster = Cluster::shared()?;
    cluster.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: copies-beside}\n")?;
    let direct = Client::administrator(cluster)?;
    let lab = lab()?;
    let session = lab.gate.session("beside")?;
    let client = Client::new(&lab.gate, &session)?;
    let secrets = "/api/v1/namespaces/copies-beside/secrets";
    let large = serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "large"}, "type": "<".repeat(900_000),
    });
    let made =
        direct.ask(&format!("POST {secrets}"), &["Content-Type: application/json"], &large.to_string())?;
    ensure!(made.status == 201, "{} {}", made.status, made.head);
    let patch = |object: &str, body: &serde_json::Value| {
        direct.ask(
            &format!("PATCH {object}"),
            &["Content-Type: application/merge-patch+json"],
            &body.to_string(),
        )
    };
    for round in 0..8 {
        let value = format!("known-{round}b7e19a3c8d24f60-beside");
        patch(
            &format!("{secrets}/large"),
            &serde_json::json!({"metadata": {"labels": {"round": round.to_string()}}}),
        )?;
        let object = |kind: &str, field: &str| serde_json::json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": format!("other-{round}")}, field: {"x": value}});
        direct.ask(
            &format!("POST {secrets}"),
            &["Content-Type: application/json"],
            &object("Secret", "stringData").to_string(),
        )?;
        let maps = "/api/v1/namespaces/copies-beside/configmaps";
        direct.ask(
            &format!("POST {maps}"),
            &["Content-Type: application/json"],
            &object("ConfigMap", "data").to_string(),
        )?;
        eventually("masked", || {
            let answer = client.ask(&format!("GET {maps}/other-{round}"), &[], "")?;
            ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
            Ok(if answer.body.contains(&value) { Err(answer.body) } else { Ok(()) })
        })?;
    }
    // No watch had to begin anew: it would have been told.
    let log = lab.gate.log();
    assert!(!log.contains("too large"), "{log}");
    Ok(())
}
