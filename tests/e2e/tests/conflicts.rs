//! A write that the gate binds to the version it looked at: if the object is another by then, the gate looks and judges again,
//! so that the agent sees no conflict that it would not see without the gate. A stand-in says when.

use std::sync::atomic::{AtomicUsize, Ordering};

use e2e::{AuditedGate, Client, behind, leaves, permissive};
use http::{Method, StatusCode, header};
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
            return status(StatusCode::CONFLICT, "the object has been modified");
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
    assert_eq!(bound(&server)?, ["41", "43", "45"]);
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
    assert_eq!(bound(&server)?, ["41", "43", "45", "47"]);
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
    assert_eq!(bound(&server)?, ["41", "43"]);
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
    assert_eq!((answer.status, bound(&server)?), (200, vec![json!("41"), json!("43")]));
    Ok(())
}

/// An API server that takes no write, and answers every look after the first `looks` with 429.
fn overloaded(looks: usize) -> anyhow::Result<StandIn> {
    let seen = AtomicUsize::new(0);
    StandIn::start(move |request| {
        if !is_look(request) {
            return status(StatusCode::CONFLICT, "the object has been modified");
        }
        if seen.fetch_add(1, Ordering::Relaxed) >= looks {
            return status(StatusCode::TOO_MANY_REQUESTS, "please come back")
                .header(header::RETRY_AFTER, "7");
        }
        let metadata = json!({ "name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "41" });
        let object = json!({ "kind": "Deployment", "apiVersion": "apps/v1", "metadata": metadata });
        Reply::json(StatusCode::OK, object.to_string())
    })
}

fn status(code: StatusCode, message: &str) -> Reply {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code.as_u16(), "message": message,
    });
    Reply::json(code, status.to_string())
}

#[test]
fn an_error_about_the_dry_run_says_when_to_come_back() -> anyhow::Result<()> {
    let server = overloaded(0)?;
    let gate = behind(&server, &permissive())?;
    let session = gate.session("overloaded")?;
    let answer = Client::new(&gate, &session)?.ask(WEB, &[MERGE], COMMAND)?;
    assert!(answer.status == 429 && answer.body.contains("please come back"), "{}", answer.body);
    assert_eq!(answer.header("retry-after"), Some("7"));
    Ok(())
}

#[test]
fn a_refusal_names_the_try_that_it_ends() -> anyhow::Result<()> {
    let server = overloaded(1)?;
    let mut gate = behind(&server, &permissive())?;
    let session = gate.session("refused again")?;
    let answer = Client::new(&gate, &session)?.ask(WEB, &[MERGE], COMMAND)?;
    assert_eq!(answer.status, 429, "{}", answer.body);
    gate.stop()?;
    let told = leaves(&gate)?;
    let calls = |kind: &str| {
        let of = told.iter().filter(|leaf| leaf.get("type").and_then(Value::as_str) == Some(kind));
        of.filter_map(|leaf| leaf.pointer("/event/call")?.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(calls("refusal"), [answer.header("audit-id").unwrap_or_default()]);
    assert!(!calls("intent").contains(&calls("refusal")[0]));
    Ok(())
}
