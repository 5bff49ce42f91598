//! What an agent asks of humans ahead of its calls, from its shell to a gate that answers as a test tells it to.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::{fs, path::Path, process::Command};

use approval::{WantedAccess, WantedChanges};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::stand_in::{Habits, Reply, Seen, StandIn};

const ID: &str = "a-2g4kq7nd5wvx";

/// A gate where there is nothing yet, and humans decide so.
fn gate(decision: &'static str, how: &'static str) -> StandIn {
    let habits = Habits { protocols: vec![b"http/1.1".to_vec()], ..Habits::default() };
    StandIn::with(habits, move |seen| answer(seen, decision, how)).unwrap()
}

fn answer(seen: &Seen, decision: &str, how: &str) -> Reply {
    let page = format!("https://gate.example.com:9443/approvals/{ID}");
    let mut standing = json!({
        "approval": ID, "state": "pending", "needs": "1 of sre", "until": "2026-11-23T07:00:00Z",
        "page": page, "asked": ["create configmaps \"a\" in namespace \"shop\""],
    });
    let (status, body) = match (&seen.method, seen.uri.path()) {
        (&Method::POST, "/portcullis/v1/access" | "/portcullis/v1/changes") => {
            (StatusCode::CREATED, standing)
        }
        (&Method::GET, "/portcullis/v1/approvals/a-2g4kq7nd5wvx") => {
            let decided = [("state", decision), ("how", how), ("needs", "")];
            let decided = decided.map(|(field, value)| (field.to_owned(), json!(value)));
            standing.as_object_mut().unwrap().extend(decided);
            (StatusCode::OK, standing)
        }
        (&Method::GET, "/api/v1") => {
            let configmaps = json!({"name": "configmaps", "kind": "ConfigMap", "namespaced": true});
            (StatusCode::OK, json!({"resources": [configmaps]}))
        }
        _ => (StatusCode::NOT_FOUND, json!({"kind": "Status", "message": "not found", "code": 404})),
    };
    Reply::json(status, body.to_string())
}

/// What the command tells, with its exit code.
fn told(gate: &StandIn, folder: &Path, arguments: &[&str]) -> String {
    fs::write(folder.join("kubeconfig"), gate.kubeconfig("{token: CANARY}")).unwrap();
    let manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}}";
    fs::create_dir_all(folder.join("shop")).unwrap();
    fs::write(folder.join("shop/a.yaml"), manifest).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    let output =
        command.args(arguments).current_dir(folder).env("KUBECONFIG", "kubeconfig").output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    format!("{out}{err}exit code {}\n", output.status.code().unwrap())
}

fn body(gate: &StandIn) -> Value {
    let posted = gate.requests().into_iter().find(|seen| seen.method == Method::POST).unwrap();
    serde_json::from_slice(&posted.body).unwrap()
}

#[test]
fn changes_are_proposed_and_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let propose = ["propose", "-f", "shop", "--reason", "roll out"];
    let (agreed, refused) = (gate("approved", "by grace"), gate("refused", "not on a Friday"));
    let mut all = told(&agreed, folder.path(), &propose);
    all.push_str(&told(&refused, folder.path(), &propose));
    insta::assert_snapshot!(all);

    let wanted: WantedChanges = serde_json::from_value(body(&agreed)).unwrap();
    assert_eq!(wanted.reason, "roll out");
    let calls: Vec<_> = wanted.calls.iter().map(|call| format!("{} {}", call.method, call.path)).collect();
    let query = "fieldManager=kubectl-client-side-apply&fieldValidation=Strict";
    assert_eq!(calls, [format!("POST /api/v1/namespaces/shop/configmaps?{query}")]);
}

#[test]
fn access_is_requested_and_waited_for_unless_the_agent_has_other_things_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let scopes = ["--scope", "get,list pods in shop", "--scope", "delete pods in shop"];
    let access: Vec<&str> =
        ["request-access", "--for", "1h30m", "--reason", "look"].into_iter().chain(scopes).collect();
    let (agreed, refused) = (gate("approved", "by grace"), gate("expired", "nobody decided in time"));
    let mut all = told(&agreed, folder.path(), &access);
    all.push_str(&told(&refused, folder.path(), &access));
    let later: Vec<&str> = access.iter().copied().chain(["--no-wait"]).collect();
    all.push_str(&told(&refused, folder.path(), &later));
    insta::assert_snapshot!(all);

    let wanted: WantedAccess = serde_json::from_value(body(&agreed)).unwrap();
    assert_eq!((wanted.seconds, wanted.incident), (5400, None));
    assert_eq!(wanted.scopes, ["get,list pods in shop", "delete pods in shop"]);
}
