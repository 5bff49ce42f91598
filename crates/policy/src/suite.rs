//! Tests that a bundle carries: calls, and how they must be decided.

use std::collections::BTreeSet;
use std::fmt;

use http::Request as HttpRequest;
use kube_api::{Head, RESTORE_HEADER, Request, Resource};
use serde::Deserialize;
use serde_json::Value;

use crate::action::Action;
use crate::bundle::Bundle;
use crate::call::Call;
use crate::decision::{Decision, Outcome, RuleRef};
use crate::facts::Pod;
use crate::judge::{Judge, Principal};
use crate::look::{merged_call, without_status};
use crate::probe::asked;
use crate::problem::{Problem, Problems};
use crate::request::{call_of, object_of};
use crate::settings::Settings;
use crate::wording::Refused;

/// What came of a bundle's tests.
#[derive(Clone, Debug)]
pub struct TestReport {
    cases: Vec<CaseReport>,
    unproven: Vec<String>,
}

/// What came of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseReport {
    name: String,
    failure: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Who calls, unless a case says otherwise.
    defaults: Caller,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Caller {
    agent: String,
    #[serde(default)]
    groups: Vec<String>,
    cluster: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Case {
    name: String,
    agent: Option<String>,
    groups: Option<Vec<String>>,
    cluster: Option<String>,
    /// `METHOD PATH?QUERY`.
    request: Option<String>,
    /// Of the body; `application/json` unless given.
    content_type: Option<String>,
    body: Option<Value>,
    /// The call that it undoes, as `SESSION/CALL`: masked values are put back.
    restores: Option<String>,
    /// A question without a request, as `kubectl auth can-i` asks it.
    can: Option<Question>,
    expect: Expected,
    /// A rule, or built-in denial, that must be among those that determine the decision.
    rule: Option<String>,
    /// Whether it must be an allowed read of Secrets.
    masked_read: Option<bool>,
    /// The object as the request would make it, for requests that are judged by that.
    merged: Option<Value>,
    /// The pod that a port-forward reaches; one without labels unless given.
    pod: Option<Value>,
    /// The keys whose values the answer must show, `"*"` for those that no rule singles out; none unless given.
    reveal: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    verb: String,
    /// `deployments.apps`, `pods/log`.
    resource: String,
    namespace: Option<String>,
    name: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Allow,
    Ask,
    Deny,
}

/// Runs the tests in `text`, a YAML file called `name`, against `bundle` with default settings. Fails if
/// the file itself is wrong.
pub fn run_tests(bundle: &Bundle, name: &str, text: &str) -> Result<TestReport, Problems> {
    let file: File = serde_saphyr::from_str(text).map_err(|e| unreadable(name, &e))?;
    let judge = Judge::new(bundle.clone(), Settings::default());
    let mut unproven: BTreeSet<String> = bundle.rules().map(|rule| rule.id.clone()).collect();
    let mut found = Vec::new();
    let mut cases = Vec::new();
    for case in &file.cases {
        match case.run(&judge, &file.defaults) {
            Ok(run) => {
                for id in &run.proven {
                    unproven.remove(id);
                }
                cases.push(CaseReport { name: case.name.clone(), failure: case.failure(&run) });
            }
            Err(wrong) => found.push(Problem::new(name, format!("case `{}`: {wrong}", case.name))),
        }
    }
    Problems::none_or(found, TestReport { cases, unproven: unproven.into_iter().collect() })
}

fn unreadable(name: &str, error: &serde_saphyr::Error) -> Problem {
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let place = error.location().map(|at| (number(at.line()), number(at.column())));
    let told = error.without_snippet().to_string();
    let line = told.lines().next().unwrap_or_default();
    // The place stands before the message already.
    let message = line.rsplit_once(" at line ").map_or(line, |(message, _)| message);
    Problem::placed(name, place, message)
}

/// One case, decided.
struct Run {
    decision: Decision,
    /// What the agent would read.
    message: String,
    /// Ids of rules that this case depends on.
    proven: Vec<String>,
}

impl Case {
    fn run(&self, judge: &Judge, defaults: &Caller) -> Result<Run, String> {
        let agent = self.agent.as_ref().unwrap_or(&defaults.agent);
        let groups = self.groups.as_ref().unwrap_or(&defaults.groups);
        let cluster = self.cluster.as_ref().unwrap_or(&defaults.cluster);
        let who = Principal { agent, groups };
        let decide = |call: &Call<'_>| {
            let finding = judge.decide(&who, cluster, call);
            let message = match finding.outcome {
                Outcome::Allow => "allowed".to_owned(),
                Outcome::Ask | Outcome::Deny => {
                    Refused::new(agent, cluster, call, &finding).message().to_owned()
                }
            };
            let decision = judge.decision(&who, cluster, call, &finding);
            let determined = finding.rules.iter().chain(&finding.then).map(|rule| rule.id.as_str());
            let reveal = decision.reveal().rules().iter().map(RuleRef::id);
            let proven = determined.chain(reveal).map(str::to_owned).collect();
            Run { decision, message, proven }
        };
        match (&self.request, &self.can) {
            (Some(line), None) => {
                let request = self.request(line)?;
                let mut call = call_of(&request);
                if let Some(pod) = &self.pod {
                    if call.action != Some(Action::PortForward) {
                        return Err("is no port-forward: leave `pod` out".to_owned());
                    }
                    call = call.reaching(&Pod::of(pod), None);
                }
                let run = decide(&call);
                let looks = call.needs_look() && run.decision.outcome() != Outcome::Deny;
                match &self.merged {
                    None if looks => {
                        Err("is judged by what it makes of the object: say that as `merged`".to_owned())
                    }
                    Some(_) if !looks => {
                        Err("is judged by what it says alone: leave `merged` out".to_owned())
                    }
                    None => Ok(run),
                    Some(merged) => Ok(decide(&merged_call(&request, &without_status(&request, merged)))),
                }
            }
            (None, Some(question)) => {
                let resource = question.resource()?;
                Ok(decide(&asked(&question.verb, object_of(&resource))))
            }
            _ => Err("needs either `request` or `can`".to_owned()),
        }
    }

    fn request(&self, line: &str) -> Result<Request, String> {
        let (method, uri) = line.split_once(' ').ok_or("`request` must be `METHOD PATH`")?;
        let mut builder = HttpRequest::builder().method(method).uri(uri.trim());
        if self.body.is_some() {
            builder =
                builder.header("content-type", self.content_type.as_deref().unwrap_or("application/json"));
        }
        if let Some(restores) = &self.restores {
            builder = builder.header(RESTORE_HEADER, restores);
        }
        let (parts, ()) = builder.body(()).map_err(|e| e.to_string())?.into_parts();
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        let refused = |refusal: kube_api::Refusal| format!("not a request: {}", refusal.status().message());
        Head::parse(&parts).map_err(refused)?.with_body(body.as_bytes()).map_err(refused)
    }

    fn failure(&self, Run { decision, message, .. }: &Run) -> Option<String> {
        let outcome = match decision.outcome() {
            Outcome::Allow => Expected::Allow,
            Outcome::Ask => Expected::Ask,
            Outcome::Deny => Expected::Deny,
        };
        let rules: Vec<&str> = decision.rules().iter().map(|rule| rule.id()).collect();
        let by = if rules.is_empty() { "no rule".to_owned() } else { rules.join(", ") };
        if outcome != self.expect {
            return Some(format!(
                "expected {:?}, got {} by {by}: {message}",
                self.expect,
                decision.outcome()
            ));
        }
        if let Some(rule) = self.rule.as_ref().filter(|rule| !rules.contains(&rule.as_str())) {
            return Some(format!("expected rule {rule}, got {by}"));
        }
        let reveal = decision.reveal();
        let others = reveal.others().then(|| "*".to_owned());
        let shown: BTreeSet<String> = reveal.keys().iter().cloned().chain(others).collect();
        let expected: BTreeSet<String> = self.reveal.iter().flatten().cloned().collect();
        if shown != expected {
            return Some(format!("expected reveal {expected:?}, got {shown:?}"));
        }
        let masked = self.masked_read.filter(|masked| *masked != decision.masked_read());
        masked.map(|expected| format!("expected maskedRead {expected}"))
    }
}

impl Question {
    fn resource(&self) -> Result<Resource, String> {
        let (kind, subresource) = self.resource.split_once('/').unwrap_or((&self.resource, ""));
        let (resource, group) = kind.split_once('.').unwrap_or((kind, ""));
        let subresource = Some(subresource).filter(|text| !text.is_empty());
        Resource::asked(group, "", resource, subresource, self.namespace.as_deref(), self.name.as_deref())
            .map_err(|refusal| format!("not a resource: {}", refusal.status().message()))
    }
}

// === impl TestReport ===

impl TestReport {
    /// Whether every case came out as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.cases.iter().all(|case| case.failure.is_none())
    }

    /// The cases, in the file's order.
    #[must_use]
    pub fn cases(&self) -> &[CaseReport] {
        &self.cases
    }

    /// Ids of rules that determined no case: nothing shows that they do what they should.
    #[must_use]
    pub fn unproven(&self) -> &[String] {
        &self.unproven
    }
}

impl fmt::Display for TestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.cases.iter().filter(|case| case.failure.is_some()).count();
        for case in &self.cases {
            match &case.failure {
                None => writeln!(f, "ok      {}", case.name)?,
                Some(failure) => writeln!(f, "FAILED  {}: {failure}", case.name)?,
            }
        }
        for id in &self.unproven {
            writeln!(f, "warning: no case is determined by rule {id}")?;
        }
        writeln!(f, "{} cases, {failed} failed", self.cases.len())
    }
}

// === impl CaseReport ===

impl CaseReport {
    /// The case's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What went otherwise than expected.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}

#[cfg(test)]
mod tests;
