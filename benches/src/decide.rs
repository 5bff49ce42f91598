//! Policy alone: one decision, with 200 rules.

use std::{fmt::Write, time::Instant};

use http::Request;
use kube_api::Head;
use policy::{Bundle, Judge, Judgement, Principal, Settings, Source};

use crate::figures::{Latencies, Row, micros};

pub(crate) const EXPLAINED: &str =
    "200 rules for 40 teams, of which the agent is in one; the request is parsed beforehand.";

const TEAMS: usize = 40;
const DECISIONS: usize = 20_000;

pub(crate) fn measure() -> anyhow::Result<Vec<Row>> {
    let source = Source { name: "bench.cedar".to_owned(), text: rules() };
    let bundle = Bundle::compile(&[source]).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let judge = Judge::new(bundle, Settings::default());
    Ok(vec![
        row(&judge, "allowed GET", "/api/v1/namespaces/team-7/pods/web", "p99 ≤ 50 µs")?,
        row(&judge, "denied GET", "/api/v1/namespaces/team-8/pods/web", "p99 ≤ 50 µs")?,
    ])
}

/// Five rules a team: reads, two kinds of writes, a prohibition, and a question.
fn rules() -> String {
    let mut text = String::new();
    for team in 0..TEAMS {
        let who = format!("principal in Group::\"team-{team}\"");
        let place = format!("resource in Namespace::\"demo/team-{team}\"");
        let _infallible = write!(
            text,
            "@id(\"read-{team}\") permit ({who}, action in Action::\"read\", {place});\n\
             @id(\"change-{team}\") permit ({who}, action in Action::\"change\", {place}) when {{ resource.type == \"configmaps\" }};\n\
             @id(\"scale-{team}\") permit ({who}, action == Action::\"patch\", {place}) when {{ resource.type == \"deployments.apps\" }};\n\
             @id(\"no-nodes-{team}\") @reason(\"nodes are not theirs\") forbid ({who}, action in Action::\"write\", resource) when {{ resource.type == \"nodes\" }};\n\
             @id(\"ask-{team}\") @reason(\"deleting asks\") @outcome(\"approval\") @approvers(\"sre\") forbid ({who}, action in Action::\"destroy\", {place}) unless {{ context.approved }};\n"
        );
    }
    text
}

fn row(judge: &Judge, what: &str, path: &str, target: &'static str) -> anyhow::Result<Row> {
    let groups = ["team-7".to_owned()];
    let principal = Principal { agent: "claude", groups: &groups };
    let parts = Request::get(path).body(())?.into_parts().0;
    let request = Head::parse(&parts)?.with_body(b"")?;
    let mut samples = Vec::with_capacity(DECISIONS);
    let started = Instant::now();
    for _decision in 0..DECISIONS {
        let request = request.clone();
        let started = Instant::now();
        let verdict: Judgement = judge.judge(&principal, "demo", request);
        samples.push(started.elapsed());
        std::hint::black_box(&verdict);
    }
    let latencies = Latencies::new(samples, started.elapsed());
    let figure = format!("p50 {}, p99 {}", micros(latencies.quantile(0.5)), micros(latencies.quantile(0.99)));
    Ok(Row::new(what, figure, target))
}
