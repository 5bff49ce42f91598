//! When a call ends before its answer does: its session ends, its client stalls, the gate stops. The API server is a
//! stand-in, which can be made to wait.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::Command,
};

use anyhow::{Context, ensure};
use e2e::{AuditedGate, Client, leaves};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use testkit::{
    Gate, Options,
    stand_in::{Hold, Reply, StandIn},
};

const WATCH: &str = "/api/v1/namespaces/n/configmaps?watch=true";
const EVENT: &str =
    r#"{"type":"ADDED","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x"}}}"#;

/// Whatever is named `held` waits for the hold; a watch and a log never end; a list is larger than any buffer.
fn server(hold: &Hold) -> anyhow::Result<StandIn> {
    let hold = hold.clone();
    StandIn::start(move |request| match (request.uri.path(), request.uri.query()) {
        (path, _) if path.ends_with("/held") => Reply::json(StatusCode::OK, r#"{"held":true}"#).held(&hold),
        (path, _) if path.ends_with("/log") => {
            Reply::endless("a line\n").header(http::header::CONTENT_TYPE, "text/plain")
        }
        (_, Some(query)) if query.contains("watch=") => Reply::endless(format!("{EVENT}\n")),
        ("/api/v1/namespaces/n/configmaps", None) => {
            Reply::endless(format!("{{\"items\":[0{}", ",1".repeat(32 << 20)))
        }
        _ => Reply::json(StatusCode::OK, if request.method == http::Method::HEAD { "" } else { "{}" }),
    })
}

fn behind(server: &StandIn, extra: &str) -> anyhow::Result<AuditedGate> {
    e2e::behind(server, &Options { extra: format!("limits: {{ {extra} }}\n"), ..Options::default() })
}

fn request(client: &Client, line: &str, headers: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n{headers}\r\n", client.token())
}

/// A stream whose first line has come.
fn begun(client: &Client, path: &str, first: &str) -> anyhow::Result<impl BufRead + use<>> {
    let mut stream = client.connect()?;
    stream.write_all(request(client, &format!("GET {path}"), "Connection: close\r\n").as_bytes())?;
    let mut reader = BufReader::new(stream);
    let mut begun = String::new();
    while !begun.contains(first) {
        ensure!(reader.read_line(&mut begun)? > 0, "{begun}");
    }
    Ok(reader)
}

/// What the leaves of a type tell, one after the other.
fn told(gate: &Gate, kind: &str) -> anyhow::Result<Vec<Value>> {
    let leaves = leaves(gate)?.into_iter().filter(|leaf| leaf["type"] == kind);
    Ok(leaves.filter_map(|leaf| leaf.get("event").cloned()).collect())
}

fn outcomes(gate: &Gate) -> anyhow::Result<Vec<Value>> {
    told(gate, "outcome")
}

#[test]
fn a_write_whose_session_ends_or_freezes_while_its_body_arrives_is_not_done() -> anyhow::Result<()> {
    let revoke = |gate: &Gate, id: &str| gate.revoke(id);
    not_done_after(revoke, "HTTP/1.1 401 ", "session_ended")?;
    let freeze = |gate: &Gate, id: &str| gate.freeze(id, "wait").map(drop);
    not_done_after(freeze, "HTTP/1.1 403 ", "session_frozen")
}

fn not_done_after(
    end: impl Fn(&Gate, &str) -> anyhow::Result<()>,
    answered: &str,
    cause: &str,
) -> anyhow::Result<()> {
    let server = server(&Hold::default())?;
    let mut gate = behind(&server, "")?;
    let session = gate.session("arriving")?;
    let client = Client::new(&gate, &session)?;
    let mut stream = client.connect()?;
    let body = r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x"}}"#;
    let headers = format!(
        "Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    stream.write_all(request(&client, "POST /api/v1/namespaces/n/configmaps", &headers).as_bytes())?;
    // The gate asks for the body: it waits.
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    ensure!(line.starts_with("HTTP/1.1 100 "), "{line}");
    end(&gate, &session.id)?;
    let _closed_already = reader.get_mut().write_all(body.as_bytes());
    let mut answer = String::new();
    let _reset = reader.read_to_string(&mut answer);
    ensure!(answer.contains(answered), "{answer}");
    gate.stop()?;
    ensure!(server.requests().is_empty(), "{:?}", server.requests());
    let refusals = told(&gate, "refusal")?;
    let [refusal] = refusals.as_slice() else { anyhow::bail!("{refusals:?}") };
    assert_eq!(refusal["cause"], cause, "{refusal}");
    Ok(())
}

#[test]
fn a_client_that_takes_nothing_is_cut_off_with_its_session() -> anyhow::Result<()> {
    let server = server(&Hold::default())?;
    let mut gate = behind(&server, "")?;
    let session = gate.session("stalled")?;
    let client = Client::new(&gate, &session)?;
    let mut stalled = client.connect()?;
    stalled.write_all(request(&client, "GET /api/v1/namespaces/n/configmaps", "").as_bytes())?;
    // The answer has begun; no more of it is taken.
    stalled.read_exact(&mut [0])?;
    session.revoke()?;
    server.wait("the list is given up", |observed| observed.answering == 0)?;
    gate.stop()?;
    let outcomes = outcomes(&gate)?;
    let [outcome] = outcomes.as_slice() else { anyhow::bail!("{outcomes:?}") };
    assert_eq!((&outcome["stage"], &outcome["status"]), (&"cut".into(), &200.into()), "{outcome}");
    assert_eq!(outcome["error"], "the session has ended");
    Ok(())
}

#[test]
fn a_client_that_takes_nothing_is_not_waited_for_for_ever() -> anyhow::Result<()> {
    let server = server(&Hold::default())?;
    let mut gate = behind(&server, "write_timeout: 300ms")?;
    let session = gate.session("slow")?;
    let client = Client::new(&gate, &session)?;
    let mut stalled = client.connect()?;
    stalled.write_all(request(&client, "GET /api/v1/namespaces/n/configmaps", "").as_bytes())?;
    server.wait("the list is asked for", |observed| observed.requests.len() == 1)?;
    server.wait("the list is given up", |observed| observed.answering == 0)?;
    gate.stop()?;
    assert_eq!(
        outcomes(&gate)?.first().context("no outcome")?["error"],
        "the client took nothing for too long"
    );
    Ok(())
}

#[test]
fn a_log_that_is_cut_off_ends_in_a_reset_and_a_watch_in_an_event() -> anyhow::Result<()> {
    let server = server(&Hold::default())?;
    let gate = behind(&server, "")?;
    let session = gate.session("follows")?;
    let client = Client::new(&gate, &session)?;
    let mut readers = Vec::new();
    for (path, first) in [("/api/v1/namespaces/n/pods/p/log?follow=true", "a line"), (WATCH, EVENT)] {
        readers.push(begun(&client, path, first)?);
    }
    session.revoke()?;
    let mut ends = Vec::new();
    for mut reader in readers {
        let mut rest = String::new();
        let _reset = reader.read_to_string(&mut rest);
        ends.push(rest);
    }
    let [log, watch] = ends.as_slice() else { anyhow::bail!("{ends:?}") };
    // The last chunk, which says that the body is whole, never comes.
    ensure!(!log.contains("ERROR") && !log.ends_with("0\r\n\r\n"), "{log}");
    ensure!(watch.ends_with("0\r\n\r\n"), "{watch}");
    let event = watch.lines().find(|line| line.starts_with('{')).context("no event")?;
    insta::assert_snapshot!(event);
    Ok(())
}

#[test]
fn a_watch_ends_when_its_session_expires() -> anyhow::Result<()> {
    let server = server(&Hold::default())?;
    let mut gate = behind(&server, "")?;
    let session = gate.session_for("expiring", "4s")?;
    let mut watch = begun(&Client::new(&gate, &session)?, WATCH, EVENT)?;
    let mut rest = String::new();
    watch.read_to_string(&mut rest)?;
    ensure!(rest.contains("the session has ended") && rest.ends_with("0\r\n\r\n"), "{rest}");
    gate.stop()?;
    let time = |kind: &str| -> anyhow::Result<Timestamp> {
        let leaf = leaves(&gate)?.into_iter().find(|leaf| leaf["type"] == kind).context("no such leaf")?;
        Ok(leaf["time"].as_str().context("no time")?.parse()?)
    };
    let took = time("outcome")?.duration_since(time("session_expired")?);
    ensure!(took.abs() < SignedDuration::from_secs(1), "the watch ended {took} after its session");
    Ok(())
}

#[test]
fn a_gate_that_stops_ends_streams_and_lets_other_calls_finish() -> anyhow::Result<()> {
    let hold = Hold::default();
    let server = server(&hold)?;
    let mut gate = behind(&server, "")?;
    let session = gate.session("draining")?;
    let client = Client::new(&gate, &session)?;
    let mut held = client.connect()?;
    held.write_all(request(&client, "GET /api/v1/namespaces/n/configmaps/held", "").as_bytes())?;
    server.wait("it is asked for", |observed| observed.requests.len() == 1)?;
    let mut watching = begun(&client, WATCH, EVENT)?;
    let pid = gate.pid().context("the gate does not run")?;
    Command::new("kill").args(["-TERM", &pid.to_string()]).status()?;
    // The watch ends as one of an API server that restarts: between two events, and well.
    let mut watched = String::new();
    watching.read_to_string(&mut watched)?;
    ensure!(watched.ends_with("0\r\n\r\n") && !watched.contains("ERROR"), "{watched}");
    let ready = gate.operations("/readyz")?;
    ensure!(ready.starts_with("HTTP/1.1 503") && ready.contains("gate: stopping"), "{ready}");
    hold.release();
    let mut answer = String::new();
    held.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with(r#"{"held":true}"#), "{answer}");
    gate.stop()?;
    let endings: Vec<Value> = outcomes(&gate)?.into_iter().map(|outcome| outcome["stage"].clone()).collect();
    assert_eq!(endings, ["cut", "completed"]);
    assert_eq!(told(&gate, "stop")?.first().context("no stop")?["clean"], true);
    Ok(())
}

#[test]
fn calls_that_outlast_the_drain_time_are_cut_off_and_told() -> anyhow::Result<()> {
    let server = server(&Hold::default())?;
    let mut gate = behind(&server, "drain: 100ms")?;
    let session = gate.session("outlasting")?;
    let client = Client::new(&gate, &session)?;
    let mut held = client.connect()?;
    let write = "PUT /api/v1/namespaces/n/configmaps/held";
    let body = r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"held"}}"#;
    let headers = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    held.write_all(format!("{}{body}", request(&client, write, &headers)).as_bytes())?;
    server.wait("the write is asked for", |observed| observed.requests.len() == 1)?;
    gate.stop()?;
    let mut answer = String::new();
    let _closed = held.read_to_string(&mut answer);
    ensure!(answer.starts_with("HTTP/1.1 503") && answer.contains("look before you try again"), "{answer}");
    let outcomes = outcomes(&gate)?;
    assert_eq!(outcomes.first().context("no outcome")?["error"], "the gate is stopping");
    Ok(())
}

#[test]
fn an_answer_to_head_is_complete() -> anyhow::Result<()> {
    let server = server(&Hold::default())?;
    let mut gate = behind(&server, "")?;
    let session = gate.session("head")?;
    let answer = Client::new(&gate, &session)?.ask("HEAD /version", &[], "")?;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{answer:?}");
    gate.stop()?;
    assert_eq!(outcomes(&gate)?.first().context("no outcome")?["stage"], "completed");
    Ok(())
}

#[test]
fn a_connection_that_is_of_no_use_is_closed() -> anyhow::Result<()> {
    let server = server(&Hold::default())?;
    let gate = behind(&server, "header_timeout: 300ms, connections_per_address: 2")?;
    let session = gate.session("useless")?;
    let client = Client::new(&gate, &session)?;
    let mut silent = client.clone().offering(b"h2").connect()?;
    // RFC 9113 section 3.4: the preface and empty SETTINGS; and then no request.
    silent.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")?;
    let second = client.connect()?;
    let mut third = client.connect()?;
    ensure!(third.flush().is_err() || third.read(&mut [0])? == 0, "a third connection is served");
    drop(second);
    let mut frames = Vec::new();
    let _closed = silent.read_to_end(&mut frames);
    // The third byte after a frame's length is its type; 7 is GOAWAY.
    ensure!(frames.windows(9).any(|frame| frame.starts_with(&[0, 0, 8, 7])), "{frames:?}");
    Ok(())
}

/// A connection of HTTP/2 whose client lets nothing be sent to it (RFC 9113 section 6.5.2: an initial window of 0), and
/// asks for this.
fn shut_window(
    client: &Client,
    path: &str,
    authorization: Option<&str>,
) -> anyhow::Result<impl Read + use<>> {
    let mut stream = client.clone().offering(b"h2").connect()?;
    // Literal fields whose names are in the static table (RFC 7541 appendix A); values shorter than 127 bytes.
    let literal = |index: &[u8], value: &str| -> anyhow::Result<Vec<u8>> {
        let length = u8::try_from(value.len()).ok().filter(|length| *length < 127).context("too long")?;
        Ok([index, &[length], value.as_bytes()].concat())
    };
    // `:method: GET` and `:scheme: https` are in the table whole.
    let mut fields = vec![0x82, 0x87];
    fields.extend(literal(&[0x04], path)?);
    fields.extend(literal(&[0x01], "localhost")?);
    if let Some(value) = authorization {
        fields.extend(literal(&[0x0f, 0x08], value)?);
    }
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    sent.extend([0, 0, 6, 0x04, 0, 0, 0, 0, 0, /* INITIAL_WINDOW_SIZE */ 0, 4, 0, 0, 0, 0]);
    sent.extend([0, 0, u8::try_from(fields.len())?, 0x01, /* END_STREAM, END_HEADERS */ 5, 0, 0, 0, 1]);
    sent.extend(fields);
    stream.write_all(&sent)?;
    Ok(stream)
}

#[test]
fn who_takes_nothing_over_http2_loses_the_connection_whatever_was_answered() -> anyhow::Result<()> {
    let server = server(&Hold::default())?;
    let gate = behind(&server, "header_timeout: 300ms, write_timeout: 300ms")?;
    let session = gate.session("window")?;
    let client = Client::new(&gate, &session)?;
    let token = format!("Bearer {}", client.token());
    let paths = ["/api/v1/namespaces/n/configmaps/short", "/api/v1/namespaces/n/configmaps"];
    let callers = [(paths[0], Some(&*token)), (paths[1], Some(&*token)), ("/version", None)];
    for (path, authorization) in callers {
        let mut frames = Vec::new();
        // Ends with an error when the gate does not end it.
        if let Err(error) = shut_window(&client, path, authorization)?.read_to_end(&mut frames) {
            ensure!(error.kind() != std::io::ErrorKind::WouldBlock, "{path}: the connection stays");
        }
        ensure!(!frames.is_empty(), "{path}: no answer");
    }
    server.wait("the list is given up", |observed| observed.answering == 0)
}

#[test]
fn http_1_0_is_refused_since_it_cannot_tell_half_an_answer() -> anyhow::Result<()> {
    let server = server(&Hold::default())?;
    let gate = behind(&server, "")?;
    let session = gate.session("old")?;
    let client = Client::new(&gate, &session)?;
    let old = request(&client, "GET /version", "").replace("HTTP/1.1", "HTTP/1.0");
    let answer = client.bytes(old.as_bytes())?;
    insta::assert_snapshot!(format!("{} {}", answer.status, answer.body));
    Ok(())
}
