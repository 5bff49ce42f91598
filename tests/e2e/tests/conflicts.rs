//! A write that the gate binds to the version it looked at: if the object is another by then, the gate looks and judges again,
//! so that the agent sees no conflict that it would not see without the gate. A stand-in says when.

use std::sync::atomic::{AtomicUsize, Ordering};

use e2e::{AuditedGate, Client, behind, leaves, permissive};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::stand_in::{Reply, Seen, StandIn};

const WEB: &str = "PATCH /apis/apps/v1/namespaces/shop/deployments/web";
const MERGE: &str = "Content-Type: application/merge-patch+json";
const COMMAND: &str = r#"{"spec":{"template":{"spec":{"containers":[{"name":"web","command":["x"]}]}}}}"#;

/// An API server whose objects have a new version each time they are looked at, and which takes a write after `conflicts`.
fn busy(conflicts: usize) -> anyhow::Result<StandIn> {
    let (versions, writes) = (AtomicUsize::new(40), AtomicUsize::new(0));
    StandIn::start(move |request| {
        if is_look(request) {
            let version = (versions.fetch_add(1, Ordering::Relaxed) + 1).to_string();
            let secret = request.uri.path().contains("/secrets/");
            let (kind, api, name) =
                if secret { ("Secret", "v1", "db") } else { ("Deployment", "apps/v1", "web") };
            let metadata =
                json!({ "name": name, "namespace": "shop", "uid": "u", "resourceVersion": version });
            let object = json!({ "kind": kind, "apiVersion": api, "metadata": metadata });
            return Reply::json(StatusCode::OK, object.to_string());
        }
        if writes.fetch_add(1, Ordering::Relaxed) < conflicts {
            let status = json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Conflict", "code": 409,
                "message": "the object has been modified",
            });
            return Reply::json(StatusCode::CONFLICT, status.to_string());
        }
        Reply::json(
            StatusCode::OK,
            r#"{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"web"}}"#,
        )
    })
}

fn is_look(request: &Seen) -> bool {
    request.method == Method::GET || request.uri.query().is_some_and(|query| query.contains("dryRun"))
}

/// The versions that writes were bound to, in their order.
fn bound(server: &StandIn) -> anyhow::Result<Vec<Value>> {
    let version = |request: &Seen| {
        let body: Value = serde_json::from_slice(&request.body)?;
        let last = body.as_array().and_then(|operations| operations.last()?.get("value"));
        Ok(last.or_else(|| body.pointer("/metadata/resourceVersion")).cloned().unwrap_or_default())
    };
    server.requests().iter().filter(|request| !is_look(request)).map(version).collect()
}

/// The calls that the ledger tells of: each with its answer, what it was made again as, and what the gate asked for it.
fn told(gate: &AuditedGate) -> anyhow::Result<Vec<String>> {
    let (mut names, mut told) = (Vec::new(), Vec::new());
    for leaf in leaves(gate)? {
        let mut name = |id: &Value| -> String {
            if id.is_null() {
                return "-".to_owned();
            }
            let at = names.iter().position(|known| known == id).unwrap_or_else(|| {
                names.push(id.clone());
                names.len() - 1
            });
            format!("call {at}")
        };
        let event = |key: &str| leaf.pointer(&format!("/event/{key}")).cloned().unwrap_or_default();
        match leaf.get("type").and_then(Value::as_str) {
            Some("intent") => {
                told.push(format!(
                    "intent of {}, looks for {}",
                    name(&event("call")),
                    name(&event("looks_for"))
                ));
            }
            Some("outcome") => told.push(format!(
                "outcome of {}: {}, again as {}",
                name(&event("call")),
                event("status"),
                name(&event("again_as"))
            )),
            _ => {}
        }
    }
    Ok(told)
}

#[test]
fn what_the_gate_bound_is_judged_and_sent_again() -> anyhow::Result<()> {
    let server = busy(2)?;
    let mut gate = behind(&server, &permissive())?;
    let session = gate.session("again")?;
    let answer = Client::new(&gate, &session)?.ask(WEB, &[MERGE], COMMAND)?;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(bound(&server)?, ["41", "42", "43"]);
    gate.stop()?;
    insta::assert_snapshot!(told(&gate)?.join("\n"));
    Ok(())
}

#[test]
fn a_conflict_that_stays_is_told_after_four_tries() -> anyhow::Result<()> {
    let server = busy(usize::MAX)?;
    let gate = behind(&server, &permissive())?;
    let session = gate.session("stays")?;
    let answer = Client::new(&gate, &session)?.ask(WEB, &[MERGE], COMMAND)?;
    assert!(answer.status == 409 && answer.body.contains("has been modified"), "{}", answer.body);
    assert_eq!(bound(&server)?, ["41", "42", "43", "44"]);
    Ok(())
}

#[test]
fn a_version_of_the_clients_own_stands() -> anyhow::Result<()> {
    let server = busy(usize::MAX)?;
    let gate = behind(&server, &permissive())?;
    let session = gate.session("own")?;
    let own = COMMAND.replacen('{', r#"{"metadata":{"resourceVersion":"41"},"#, 1);
    let answer = Client::new(&gate, &session)?.ask(WEB, &[MERGE], &own)?;
    assert_eq!((answer.status, bound(&server)?), (409, vec![json!("41")]));
    Ok(())
}

#[test]
fn so_is_the_first_annotation_of_a_secret_which_names_the_last_try() -> anyhow::Result<()> {
    let server = busy(1)?;
    let gate = behind(&server, &permissive())?;
    let session = gate.session("secret")?;
    let patch = r#"[{"op":"add","path":"/metadata/labels","value":{"a":"b"}}]"#;
    let header = "Content-Type: application/json-patch+json";
    let line = "PATCH /api/v1/namespaces/shop/secrets/db";
    let answer = Client::new(&gate, &session)?.ask(line, &[header], patch)?;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(bound(&server)?, ["41", "42"]);
    let writes: Vec<Seen> = server.requests().into_iter().filter(|request| !is_look(request)).collect();
    for write in writes {
        let id = write.values("audit-id").concat();
        assert!(String::from_utf8_lossy(&write.body).contains(&id), "{write:?}");
    }
    Ok(())
}

#[test]
fn an_update_without_a_version_overwrites_any() -> anyhow::Result<()> {
    let server = busy(1)?;
    let gate = behind(&server, &permissive())?;
    let session = gate.session("update")?;
    let secret = r#"{"kind":"Secret","apiVersion":"v1","metadata":{"name":"db"},"stringData":{"a":"b"}}"#;
    let line = "PUT /api/v1/namespaces/shop/secrets/db";
    let answer = Client::new(&gate, &session)?.ask(line, &["Content-Type: application/json"], secret)?;
    assert_eq!((answer.status, bound(&server)?), (200, vec![json!("41"), json!("42")]));
    Ok(())
}
