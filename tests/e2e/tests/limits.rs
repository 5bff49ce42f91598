//! Limits, through a real gate whose configuration sets them low.

use std::{
    io::{ErrorKind, Read, Write},
    time::Duration,
};

use e2e::{Client, furnish, lab, leaves, start, text};
use testkit::Options;

fn limited(extra: &str) -> Options {
    Options { extra: format!("{extra}\n"), ..Options::default() }
}

#[test]
fn a_head_that_is_too_large_is_refused() -> anyhow::Result<()> {
    let lab = start(&limited("limits: { header_bytes: 8KiB }"))?;
    let session = lab.gate.session("head")?;
    let client = Client::new(&lab.gate, &session)?;
    let padded = |bytes: usize| {
        let padding = format!("X-Padding: {}", "x".repeat(bytes));
        client.ask("GET /version", &[&padding], "")
    };
    assert_eq!(padded(4 * 1024)?.status, 200);
    // One TLS record: what is left unread when the gate closes would reset the connection, and its answer with it.
    let refused = padded(10 * 1024)?;
    insta::assert_snapshot!(refused.head.lines().next().unwrap_or_default(), @"HTTP/1.1 431 Request Header Fields Too Large");
    Ok(())
}

#[test]
fn a_body_that_is_too_large_is_refused_before_anything_is_sent() -> anyhow::Result<()> {
    let lab = start(&limited("limits: { body_bytes: 4KiB }"))?;
    furnish(lab.cluster, "bodies")?;
    let session = lab.gate.session("body")?;
    let client = Client::new(&lab.gate, &session)?;
    let create = |name: &str, bytes: usize| {
        let body = format!(
            r#"{{"kind":"ConfigMap","apiVersion":"v1","metadata":{{"name":"{name}"}},"data":{{"x":"{}"}}}}"#,
            "x".repeat(bytes)
        );
        client.ask("POST /api/v1/namespaces/bodies/configmaps", &["Content-Type: application/json"], &body)
    };
    assert_eq!(create("small", 1024)?.status, 201);
    let refused = create("large", 8 * 1024)?;
    insta::assert_snapshot!(refused.body, @r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"portcullis: the request body is larger than 4096 bytes; send less, in more than one object if need be","reason":"RequestEntityTooLarge","code":413}"#);
    assert_eq!(refused.status, 413);
    let sent = e2e::audited(lab.cluster, |event| {
        event["objectRef"]["namespace"] == "bodies" && event["verb"] == "create"
    })?;
    assert!(sent.iter().all(|event| event["objectRef"]["name"] != "large"), "{sent:?}");
    Ok(())
}

#[test]
fn a_connection_beyond_the_limit_waits_for_another_to_end() -> anyhow::Result<()> {
    let lab = start(&limited("limits: { connections: 1 }"))?;
    let session = lab.gate.session("connections")?;
    let client = Client::new(&lab.gate, &session)?;
    let request =
        format!("GET /version HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n", client.token());
    let mut first = client.connect()?;
    write!(first, "{request}\r\n")?;
    let mut served = [0; 12];
    first.read_exact(&mut served)?;
    assert_eq!(&served, b"HTTP/1.1 200");

    let mut second = client.connect()?;
    // Too short to show that it waits for ever; long enough that a gate which lets it in would have answered.
    second.sock.set_read_timeout(Some(Duration::from_millis(300)))?;
    let waiting = write!(second, "{request}Connection: close\r\n\r\n").unwrap_err();
    assert!(matches!(waiting.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{waiting}");

    drop(first);
    second.sock.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(second, "{request}Connection: close\r\n\r\n")?;
    let mut answer = String::new();
    let _end = second.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(())
}

#[test]
fn a_session_with_as_many_calls_open_as_it_may_is_told_to_come_back() -> anyhow::Result<()> {
    let mut lab = start(&limited("sessions: { calls_at_once: 1 }"))?;
    furnish(lab.cluster, "slots")?;
    let session = lab.gate.session("slots")?;
    let client = Client::new(&lab.gate, &session)?;
    let watch = format!(
        "GET /api/v1/namespaces/slots/configmaps?watch=true HTTP/1.1\r\nHost: localhost\r\n\
         Authorization: Bearer {}\r\n\r\n",
        client.token()
    );
    let mut watching = client.connect()?;
    watching.write_all(watch.as_bytes())?;
    let mut begun = [0; 12];
    watching.read_exact(&mut begun)?;
    assert_eq!(&begun, b"HTTP/1.1 200");

    let refused = client.ask("GET /version", &[], "")?;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), Some("1"));
    insta::assert_snapshot!(refused.body, @r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"portcullis: this session has 1 calls open, as many as it may; let one end first","reason":"TooManyRequests","details":{"retryAfterSeconds":1},"code":429}"#);
    // Another session has calls of its own.
    let other = lab.gate.session("other")?;
    let version = other.kubectl(&["get", "--raw", "/version"])?;
    assert!(version.status.success(), "{}", text(&version));

    drop(watching);
    // kubectl comes back as it was told to.
    let version = session.kubectl(&["get", "--raw", "/version"])?;
    assert!(version.status.success(), "{}", text(&version));

    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let counted = leaves.iter().filter_map(|leaf| leaf["event"]["over_limit"].as_u64()).sum::<u64>();
    assert!(counted >= 1, "{leaves:?}");
    Ok(())
}

#[test]
fn health_and_metrics_are_told_on_an_address_of_their_own() -> anyhow::Result<()> {
    let lab = lab()?;
    let session = lab.gate.session("operations")?;
    // Waits until the values of the cluster's Secrets are known.
    session.kubectl(&["get", "pods"])?;
    let health = lab.gate.operations("/healthz")?;
    assert!(health.starts_with("HTTP/1.1 200") && health.ends_with("\r\n\r\nok\n"), "{health}");
    let ready = lab.gate.operations("/readyz")?;
    assert!(ready.ends_with("\r\n\r\nledger: ok\ncluster demo: ok\n"), "{ready}");
    let metrics = lab.gate.operations("/metrics")?;
    let (head, figures) = metrics.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("application/openmetrics-text"), "{head}");
    assert!(figures.ends_with("# EOF\n"), "{figures}");
    let names: Vec<&str> = figures.lines().filter(|line| line.starts_with("# HELP")).collect();
    insta::assert_snapshot!(names.join("\n"), @"
    # HELP portcullis_calls Calls, by how they ended.
    # HELP portcullis_open_calls Calls that have not ended yet, streams included.
    # HELP portcullis_call_seconds Time from a call's head to the end of its answer.
    # HELP portcullis_masked_values Secret values replaced in answers.
    # HELP portcullis_known_values_sent Known secret values that agents sent, and guesses at them.
    # HELP portcullis_ledger_leaves Leaves in the ledger.
    # HELP portcullis_ledger_sealed_leaves Leaves that a checkpoint covers.
    # HELP portcullis_ledger_refusing 1 when the ledger takes nothing new, and no call passes.
    # HELP portcullis_secrets_unknown 1 when the values of the cluster's Secrets are not known, and no call to it passes.
    # HELP portcullis_secrets_age_seconds Time since the API server last told something about the cluster's Secrets.
    # HELP portcullis_known_values Values of the cluster's Secrets: looked for, guessable and so not, left out for want of room, or no base64.
    ");
    // Agents do not reach them.
    let agents = Client::new(&lab.gate, &session)?.ask("GET /metrics", &[], "")?;
    assert_eq!(agents.status, 403);
    Ok(())
}
