//! E5: an answer that turns out to be a Secret is masked as one, whatever was asked for: an aggregated API, or a list of
//! several kinds, can hold one.

use anyhow::{Context, ensure};
use e2e::{Client, behind, contains_canary};
use http::StatusCode;
use testkit::{
    Options,
    stand_in::{Reply, StandIn},
};

use crate::case::{Gated::Masked, each, filled};

pub(crate) fn rows() -> Vec<&'static str> {
    ANSWERS.iter().map(|(row, ..)| *row).collect()
}

const SECRET: &str = r#"{"kind":"Secret","apiVersion":"v1","metadata":{"name":"x"},"data":{"password":"PLANTED64"},"stringData":{"p":"PLANTED"}}"#;

/// Row, what is asked for, and what comes; `ONE` stands for a Secret. The value is in no Secret that the gate could know.
const ANSWERS: &[(&str, &str, &str)] = &[
    ("E5", "/api/v1/namespaces/n/configmaps/one", "ONE"),
    (
        "E5",
        "/api/v1/namespaces/n/configmaps",
        r#"{"kind":"SecretList","apiVersion":"v1","metadata":{},"items":[ONE]}"#,
    ),
    ("E5", "/apis/example.com/v1/namespaces/n/things/one", "ONE"),
    (
        "E5",
        "/apis/example.com/v1/namespaces/n/things",
        r#"{"kind":"List","apiVersion":"v1","metadata":{},"items":[ONE]}"#,
    ),
    ("E5", "/apis/example.com/v1/namespaces/n/things?watch=true", r#"{"type":"ADDED","object":ONE}"#),
    (
        "E5",
        "/apis/example.com/v1/namespaces/n/things?limit=1",
        r#"{"kind":"Table","apiVersion":"meta.k8s.io/v1","columnDefinitions":[],"rows":[{"cells":[],"object":ONE}]}"#,
    ),
];

fn answer(target: &str) -> Option<String> {
    let (.., body) = ANSWERS.iter().find(|(_, asked, _)| *asked == target)?;
    Some(filled(&body.replace("ONE", SECRET), "n"))
}

#[test]
fn a_secret_is_masked_whatever_was_asked_for() -> anyhow::Result<()> {
    let server = StandIn::start(|request| {
        let target = request.uri.path_and_query().map_or("", |target| target.as_str());
        match answer(target) {
            Some(body) => Reply::json(StatusCode::OK, body),
            None if target.contains("watch=") => Reply::endless("\n"),
            None => Reply::json(
                StatusCode::OK,
                r#"{"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}"#,
            ),
        }
    })?;
    let gate = behind(&server, &Options::default())?;
    let (direct, gated) = (Client::of(&server)?, Client::new(&gate, &gate.session("kinds")?)?);
    each(ANSWERS, |(_, target, _)| {
        let line = format!("GET {target}");
        ensure!(contains_canary(&direct.exchange(&line, &[], "")?), "the control: {line}");
        let answer = gated.ask(&line, &[], "")?;
        Masked(200).check(&answer).with_context(|| format!("{line}: {answer:?}"))
    })
}
