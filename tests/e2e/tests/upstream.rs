//! What a client is told when an API server does what it should not: a stand-in that can be made to.

use std::{
    io::{Read, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use e2e::{CANARY, Client, behind, leaves};
use http::{StatusCode, header};
use testkit::{
    Options,
    stand_in::{Hold, Reply, StandIn},
};

/// One path for each thing that goes wrong.
fn misbehaving() -> anyhow::Result<StandIn> {
    StandIn::start(|request| match request.uri.path() {
        "/api/v1/namespaces/n/configmaps/elsewhere" => {
            let redirect = Reply::json(StatusCode::FOUND, "{}");
            redirect.header(header::LOCATION, "/api/v1/secrets")
        }
        "/api/v1/namespaces/n/configmaps" => Reply::hang_up(),
        "/api/v1/namespaces/n/secrets/half" => Reply::json(
            StatusCode::OK,
            format!(r#"{{"kind":"Secret","apiVersion":"v1","stringData":{{"password":"{CANARY}"}},}}"#),
        ),
        "/api/v1/namespaces/n/secrets/long" => Reply::json(
            StatusCode::OK,
            format!(r#"{{"stringData":{{"password":"{CANARY}"}},"x":[0{}],}}"#, ",0".repeat(1 << 20)),
        ),
        _ => Reply::json(StatusCode::OK, "{}").held(&Hold::default()),
    })
}

fn impatient() -> Options {
    Options { extra: "upstream: { response_timeout: 300ms }\n".to_owned(), ..Options::default() }
}

#[test]
fn what_an_api_server_should_not_do_is_told_and_never_repeated() -> anyhow::Result<()> {
    let server = misbehaving()?;
    let gate = behind(&server, &impatient())?;
    let session = gate.session("misbehaving")?;
    let client = Client::new(&gate, &session)?;
    let json =
        ["Content-Type: application/json", "X-Forwarded-For: 10.0.0.1", "Cookie: a=b", "Audit-ID: own"];
    let map = r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x"}}"#;
    let cases = [
        ("GET /api/v1/namespaces/n/configmaps/elsewhere", ""),
        ("POST /api/v1/namespaces/n/configmaps", map),
        ("GET /api/v1/namespaces/n/configmaps/late", ""),
    ];
    let mut told = Vec::new();
    for (line, body) in cases {
        let answer = client.ask(line, &json, body)?;
        let status: serde_json::Value = serde_json::from_str(&answer.body)?;
        told.push(format!("{line}\n  {} {} {}", answer.status, status["reason"], status["message"]));
    }
    insta::assert_snapshot!(told.join("\n"));
    let requests = server.requests();
    assert_eq!(requests.len(), cases.len());
    for request in &requests {
        for name in ["x-forwarded-for", "cookie"] {
            assert!(request.values(name).is_empty(), "{request:?}");
        }
        assert_ne!(request.values("audit-id"), ["own"]);
        assert_eq!(request.values("impersonate-user"), ["portcullis:agent:claude"]);
    }
    Ok(())
}

#[test]
fn half_a_secret_is_no_answer_and_half_a_long_one_ends_in_a_reset() -> anyhow::Result<()> {
    let server = misbehaving()?;
    let gate = behind(&server, &Options::default())?;
    let session = gate.session("half")?;
    let client = Client::new(&gate, &session)?;
    let answer = client.ask("GET /api/v1/namespaces/n/secrets/half", &[], "")?;
    insta::assert_snapshot!(format!("{} {}", answer.status, answer.body));
    let answer = client.ask("GET /api/v1/namespaces/n/secrets/long", &[], "")?;
    assert!(answer.status == 200 && answer.body.len() > 1 << 20, "{} {}", answer.status, answer.body.len());
    assert!(!answer.body.contains(CANARY));
    // The last chunk, which says that the body is whole, never comes.
    assert!(!answer.whole);
    Ok(())
}

#[test]
fn a_silent_log_waits_and_ends_with_its_session_or_its_client() -> anyhow::Result<()> {
    let server = misbehaving()?;
    let mut gate = behind(&server, &impatient())?;
    let session = gate.session("silent")?;
    let client = Client::new(&gate, &session)?;
    let log = format!(
        "GET /api/v1/namespaces/n/pods/p/log?follow=true HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Connection: close\r\n\r\n",
        client.token()
    );
    // The first client leaves.
    let mut leaving = client.connect()?;
    leaving.write_all(log.as_bytes())?;
    server.wait("the log is asked for", |observed| observed.answering == 1)?;
    drop(leaving);
    server.wait("the client's leaving is passed on", |observed| observed.answering == 0)?;
    // The second waits for longer than an answer may take: until a call that is bounded has failed.
    let mut waiting = client.connect()?;
    waiting.write_all(log.as_bytes())?;
    server.wait("the log is asked for again", |observed| observed.answering == 1)?;
    let bounded = client.ask("GET /api/v1/namespaces/n/configmaps/late", &[], "")?;
    assert_eq!(bounded.status, 504);
    server.wait("only the log is waited for", |observed| observed.answering == 1)?;
    session.revoke()?;
    let mut answer = String::new();
    let _reset = waiting.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 401 Unauthorized"), "{answer}");
    server.wait("the log is given up", |observed| observed.answering == 0)?;
    gate.stop()?;
    let outcomes = leaves(&gate)?.iter().filter(|leaf| leaf["type"] == "outcome").count();
    assert_eq!(outcomes, 3);
    Ok(())
}

#[test]
fn readiness_is_told_while_a_cluster_says_nothing() -> anyhow::Result<()> {
    let habits = testkit::stand_in::Habits { mute: true, ..Default::default() };
    let server = StandIn::with(habits, |_request| Reply::hang_up())?;
    let gate = behind(
        &server,
        &Options { extra: "upstream: { connect_timeout: 5m }\n".to_owned(), ..Options::default() },
    )?;
    let begun = std::time::Instant::now();
    let answer = gate.operations("/readyz")?;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("no connection yet"), "{answer}");
    // Of the five minutes that connecting may take.
    assert!(begun.elapsed() < Duration::from_secs(60));
    Ok(())
}

#[test]
fn an_open_watch_ends_with_a_reason_when_secrets_are_not_followed_for_too_long() -> anyhow::Result<()> {
    let (lost, hold) = (Arc::new(AtomicBool::new(false)), Hold::default());
    let (is_lost, held) = (Arc::clone(&lost), hold.clone());
    let server = StandIn::start(move |request| {
        let is_watch = request.uri.query().is_some_and(|query| query.contains("watch=true"));
        match (request.uri.path(), is_watch) {
            ("/api/v1/secrets", true) if is_lost.load(Ordering::Relaxed) => {
                Reply::json(StatusCode::INTERNAL_SERVER_ERROR, "{}")
            }
            ("/api/v1/secrets", true) => Reply::reset("", &held),
            ("/api/v1/secrets", false) => {
                let list = r#"{"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"5"},"items":[]}"#;
                Reply::json(StatusCode::OK, list)
            }
            _ => Reply::endless(""),
        }
    })?;
    let masking = Some("{ known_values: { stale_after: 1s } }".to_owned());
    let gate = behind(&server, &Options { masking, ..Options::default() })?;
    let session = gate.session("watching")?;
    let client = Client::new(&gate, &session)?;
    server
        .wait("Secrets are followed", |observed| observed.requests.len() == 2 && observed.answering == 1)?;
    let mut watching = client.connect()?;
    let watch = format!(
        "GET /api/v1/namespaces/n/configmaps?watch=true HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Connection: close\r\n\r\n",
        client.token()
    );
    watching.write_all(watch.as_bytes())?;
    server.wait("the watch is open", |observed| observed.answering == 2)?;
    lost.store(true, Ordering::Relaxed);
    hold.release();
    let mut answer = String::new();
    watching.read_to_string(&mut answer)?;
    let event = answer.lines().find(|line| line.starts_with('{')).unwrap_or(&answer);
    insta::assert_snapshot!(event, @r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"portcullis: the values of the cluster's Secrets are not known any more, so they could not be masked; ask again: where that is refused, it is told why","reason":"ServiceUnavailable","code":503}}"#);
    let refused = client.ask("GET /api/v1/namespaces/n/configmaps/x", &[], "")?;
    assert!(refused.status == 503 && refused.body.contains("for more than 1 s"), "{}", refused.body);
    Ok(())
}
