//! An agent that sends known secret values, or tests guesses at them, is counted, and frozen beyond its budget.

use e2e::{AuditedGate, CANARY, Client, audited, furnish, leaves, start};
use http::StatusCode;
use serde_json::Value;
use testkit::{
    Cluster,
    stand_in::{Reply, StandIn},
};

const BUDGET: usize = 2;

fn server() -> anyhow::Result<StandIn> {
    StandIn::start(|_request| Reply::json(StatusCode::OK, "{}"))
}

/// A gate under a bundle that permits whatever is not denied for good.
fn behind(server: &StandIn) -> anyhow::Result<AuditedGate> {
    let extra = format!("sessions: {{ known_values_sent: {BUDGET} }}\n");
    e2e::behind(server, &testkit::Options { extra, ..e2e::permissive() })
}

fn guess(client: &Client, at: usize) -> anyhow::Result<e2e::Answer> {
    let body = format!(r#"[{{"op":"test","path":"/data/pin","value":"{at}"}}]"#);
    let headers = ["Content-Type: application/json-patch+json"];
    client.ask("PATCH /api/v1/namespaces/n/secrets/s?dryRun=All", &headers, &body)
}

#[test]
fn guesses_beyond_the_budget_freeze_the_session_and_a_restart_gives_no_new_budget() -> anyhow::Result<()> {
    let server = server()?;
    let mut gate = behind(&server)?;
    let (client, bystander, id) = {
        let session = gate.session("guessing")?;
        let other = gate.session("bystander")?;
        (Client::new(&gate, &session)?, Client::new(&gate, &other)?, session.id.clone())
    };
    let first = guess(&client, 0)?;
    assert_eq!(first.status, 403, "{}", first.body);
    assert!(first.body.contains("fixed/secret-test"), "{}", first.body);
    gate.stop()?;
    gate.serve()?;
    // The last one within the budget, and the first beyond it, get the same answer as the first.
    for at in 1..=BUDGET {
        assert_eq!(guess(&client, at)?.body, first.body);
    }
    let frozen = client.ask("GET /api/v1/namespaces/n/configmaps/c", &[], "")?;
    assert_eq!(frozen.status, 403, "{}", frozen.body);
    assert!(
        frozen.body.contains(
            "by portcullis: it sent more known secret values, and guesses at them, than the 2 that"
        ) && frozen.body.contains(&format!("`portcullis session thaw {id}`")),
        "{}",
        frozen.body
    );
    assert_eq!(bystander.ask("GET /api/v1/namespaces/n/configmaps/c", &[], "")?.status, 200);
    assert_eq!(server.requests().len(), 1, "the bystander's");
    assert!(
        gate.operations("/metrics")?.contains("portcullis_known_values_sent_total 2\n"),
        "since the restart"
    );

    // A human has looked: the budget begins anew.
    gate.thaw(&id)?;
    for at in 0..BUDGET {
        assert_eq!(guess(&client, at)?.body, first.body);
    }
    assert_eq!(client.ask("GET /api/v1/namespaces/n/configmaps/c", &[], "")?.status, 200);
    gate.stop()?;
    let leaves = leaves(&gate)?;
    let frozen: Vec<&Value> = leaves.iter().filter(|leaf| leaf["type"] == "session_frozen").collect();
    let [frozen] = frozen.as_slice() else { anyhow::bail!("{frozen:?}") };
    assert_eq!((&frozen["event"]["by"], &frozen["event"]["session"]), (&"portcullis".into(), &id.into()));
    Ok(())
}

/// What an agent sees of an answer, without what differs between any two.
fn seen(answer: &e2e::Answer) -> anyhow::Result<(u16, Vec<String>, String)> {
    let of_the_call = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default();
        ["audit-id", "date"].iter().any(|varying| name.eq_ignore_ascii_case(varying))
    };
    let headers = answer.head.lines().filter(|line| !of_the_call(line)).map(str::to_owned).collect();
    let mut body: Value = serde_json::from_str(&answer.body)?;
    if let Some(version) = body.pointer_mut("/metadata/resourceVersion") {
        *version = Value::Null;
    }
    Ok((answer.status, headers, body.to_string()))
}

#[test]
fn known_values_that_are_sent_are_counted_and_the_answers_do_not_tell() -> anyhow::Result<()> {
    // Before the gate starts, so that the first call waits until the value is known.
    furnish(Cluster::shared()?, "tripping")?;
    let extra = format!("sessions: {{ known_values_sent: {BUDGET} }}\n");
    let mut lab = start(&testkit::Options { extra, ..e2e::permissive() })?;
    let session = lab.gate.session("tripping")?;
    let (client, id) = (Client::new(&lab.gate, &session)?, session.id.clone());
    let list = |value: &str| {
        client.ask(&format!("GET /api/v1/namespaces/tripping/pods?labelSelector=app%3D{value}"), &[], "")
    };
    // As long, and with neither half of it.
    let harmless = list(&CANARY.replace(['c', 'e'], "d"))?;
    assert_eq!(harmless.status, 200, "{}", harmless.body);
    for _within in 0..BUDGET {
        assert_eq!(seen(&list(CANARY)?)?, seen(&harmless)?);
    }
    let frozen = list(CANARY)?;
    assert_eq!(frozen.status, 403, "{}", frozen.body);
    assert!(frozen.body.contains("this session is frozen since"), "{}", frozen.body);
    assert_eq!(list("web")?.status, 403, "whatever is asked");
    let passed = audited(lab.cluster, |event| {
        event["impersonatedUser"]["extra"]["portcullis.dev/session"][0] == id.as_str()
            && event["stage"] == "ResponseComplete"
    })?;
    assert_eq!(passed.len(), 1 + BUDGET, "{passed:?}");

    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let of = |kind: &str| {
        leaves.iter().filter(|leaf| leaf["type"] == kind).map(|leaf| &leaf["event"]).collect::<Vec<_>>()
    };
    let sent = of("known_value_sent");
    assert_eq!(sent.len(), BUDGET + 1, "{sent:?}");
    assert!(sent.iter().all(|event| event["values"] == 1 && event["session"] == id.as_str()), "{sent:?}");
    let intents = of("intent");
    let withheld = intents
        .iter()
        .filter(|event| event["request"]["path"] == "/api/v1/namespaces/tripping/pods?labelSelector=*");
    assert_eq!(withheld.count(), BUDGET, "{intents:?}");
    assert_eq!(of("session_frozen").len(), 1);
    Ok(())
}
