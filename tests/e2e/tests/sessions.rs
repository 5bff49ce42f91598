//! A session ends when it is told to, and so does everything that it has open.

use e2e::{Client, Watch, at_once, furnish, lab, leaf, leaves, text};

#[test]
fn a_revoked_session_is_refused_and_its_open_watch_ends_within_a_second() -> anyhow::Result<()> {
    let mut lab = lab()?;
    furnish(lab.cluster, "ending")?;
    let session = lab.gate.session("ending")?;
    let watch = Watch::open(lab.cluster, &session, "ending")?;

    session.revoke()?;
    let (rest, ended) = watch.end()?;
    insta::assert_snapshot!(format!("{:?}\n{}\n{}", ended.status.code(), rest, text(&ended).trim()), @"
    Some(0)
    STATUS                 REASON         MESSAGE
    Failure                Unauthorized   portcullis: the session has ended; open a new one
    ");

    let after = session.kubectl(&["get", "pods", "-n", "ending"])?;
    insta::assert_snapshot!(format!("{:?}\n{}", after.status.code(), text(&after).trim()), @"
    Some(1)
    error: You must be logged in to the server (portcullis: no valid session; open one with `portcullis session open` and use its kubeconfig)
    ");

    let id = session.id;
    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let revoked = leaf(&leaves, "session_revoked", |event| event["session"] == id.as_str())?;
    let intent = leaf(&leaves, "intent", |event| event["request"]["verb"] == "watch")?;
    let outcome = leaf(&leaves, "outcome", |event| event["call"] == intent["event"]["call"])?;
    assert_eq!(outcome["event"]["stage"], "cut", "{outcome}");
    at_once(revoked, outcome)?;
    Ok(())
}

#[test]
fn no_hint_which_part_of_a_credential_was_wrong() -> anyhow::Result<()> {
    let lab = lab()?;
    let session = lab.gate.session("hints")?;
    let client = Client::new(&lab.gate, &session)?;
    let good = client.token().to_owned();
    let mut wrong_secret = good.clone();
    let last = wrong_secret.pop();
    wrong_secret.push(if last == Some('A') { 'B' } else { 'A' });
    let credentials = [
        String::new(),
        "Authorization: Bearer".to_owned(),
        "Authorization: Bearer nonsense".to_owned(),
        format!("Authorization: Bearer {wrong_secret}"),
        format!("Authorization: Bearer {}", good.to_uppercase()),
        format!("Authorization: Basic {good}"),
        format!("Authorization: Bearer {good}\r\nAuthorization: Bearer {good}"),
    ];
    let mut answers = Vec::new();
    for credential in &credentials {
        let headers: Vec<&str> =
            Some(credential.as_str()).filter(|line| !line.is_empty()).into_iter().collect();
        let answer = client.say("GET /api/v1/namespaces/default/pods", &headers, "")?;
        assert_eq!(answer.status, 401, "{credential}: {}", answer.head);
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    insta::assert_snapshot!(answers.first().map_or("", String::as_str), @r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"portcullis: no valid session; open one with `portcullis session open` and use its kubeconfig","reason":"Unauthorized","code":401}"#);
    Ok(())
}
