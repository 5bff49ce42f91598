//! Why a call is decided as it is: for `portcullis policy explain`.

use std::fmt;

use cedar_policy::PolicySet;
use kube_api::Request;

use crate::call::{Call, Object, Subject};
use crate::decision::{Outcome, Reveal};
use crate::evaluate::{Answer, Evaluation};
use crate::judge::{Cause, Finding, Judge, Principal};
use crate::limits::Limits;
use crate::places::Place;
use crate::request::call_of;
use crate::rule::Rule;
use crate::wording::{Refused, act};

/// A decision with every rule that was looked at. Its `Display` is several lines for a terminal.
#[derive(Clone, Debug)]
pub struct Explanation {
    call: String,
    outcome: Outcome,
    message: String,
    considered: Vec<Considered>,
    /// Rules of the bundle that are about other principals or actions.
    others: usize,
    flips: String,
    reveal: Reveal,
    needs_look: bool,
    limits: Limits,
}

/// One rule that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    id: String,
    file: String,
    kind: &'static str,
    fate: Fate,
}

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It applies, and the decision is its doing.
    Determines,
    /// It applies, and something else decided.
    Outweighed,
    /// It does not apply.
    DoesNotApply,
    /// It cannot be evaluated, by which the call is denied.
    Errs,
}

/// Explains how `judge` decides `request` by `who` on `cluster`.
#[must_use]
pub fn explain(judge: &Judge, who: &Principal<'_>, cluster: &str, request: &Request) -> Explanation {
    let call = call_of(request);
    let finding = judge.decide(who, cluster, &call);
    let considered = considered(judge, who, cluster, &call, &finding);
    let message = match finding.outcome {
        Outcome::Allow => format!("agent {:?} may {}", who.agent, act(cluster, &call)),
        Outcome::Ask | Outcome::Deny => {
            Refused::new(who.agent, cluster, &call, &finding).message().to_owned()
        }
    };
    let decision = judge.decision(who, cluster, &call, &finding);
    let goes_on = request.upgrade().is_some() || request.is_stream();
    Explanation {
        call: act(cluster, &call),
        outcome: finding.outcome,
        message,
        others: judge.bundle().rules().count() - considered.len(),
        considered,
        flips: flips(who, cluster, used(&call, &finding).as_ref().unwrap_or(&call), &finding),
        reveal: decision.reveal().clone(),
        limits: if goes_on { decision.limits() } else { Limits::default() },
        needs_look: finding.outcome != Outcome::Deny && call.needs_look(),
    }
}

/// Evaluates each rule of the slice by itself, at the place that decided.
fn considered(
    judge: &Judge,
    who: &Principal<'_>,
    cluster: &str,
    call: &Call<'_>,
    finding: &Finding<'_>,
) -> Vec<Considered> {
    let used = used(call, finding);
    let call = used.as_ref().unwrap_or(call);
    let slice = judge.slice(who);
    let Some((action, rules)) = call.action.and_then(|action| Some((action, slice.action(action)?))) else {
        return Vec::new();
    };
    let subject = subject(call, finding.place.as_ref());
    let evaluation = Evaluation { bundle: judge.bundle(), who, cluster, call, action, subject };
    let fate = |rule: &Rule| {
        let mut alone = PolicySet::new();
        let applies = match alone.add(rule.policy.clone()).map(|()| evaluation.run(&alone, false)) {
            Ok(Answer::Allow(rules) | Answer::Deny(rules)) => !rules.is_empty(),
            Ok(Answer::Error(_)) | Err(_) => return Fate::Errs,
        };
        let determines = finding.rules.iter().any(|other| other.id == rule.id);
        match (applies, determines) {
            (true, true) => Fate::Determines,
            (true, false) => Fate::Outweighed,
            (false, _) => Fate::DoesNotApply,
        }
    };
    let mut considered: Vec<Considered> = rules
        .policies
        .policies()
        .filter_map(|policy| judge.bundle().rule(policy.id()))
        .map(|rule| Considered {
            id: rule.id.clone(),
            file: rule.file.to_string(),
            kind: kind(rule),
            fate: fate(rule),
        })
        .collect();
    considered.sort_by(|a, b| (a.fate as u8, &a.id).cmp(&(b.fate as u8, &b.id)));
    considered
}

/// The use of a Secret by which `call` fails, if it is that.
fn used<'c>(call: &Call<'c>, finding: &'c Finding<'_>) -> Option<Call<'c>> {
    finding.secrets.first().map(|secret| call.using(&secret.namespace, &secret.name))
}

fn subject<'c>(call: &Call<'c>, place: Option<&'c Place>) -> Subject<'c> {
    let (Subject::Object(object), Some(place)) = (call.subject, place) else { return call.subject };
    let or = |own: &'c str, other: &'c str| if own.is_empty() { other } else { own };
    Subject::Object(Object {
        namespace: or(object.namespace, &place.namespace),
        name: or(object.name, &place.name),
        ..object
    })
}

fn kind(rule: &Rule) -> &'static str {
    match (rule.is_forbid(), &rule.approval) {
        (false, _) => "permit",
        (true, None) => "forbid",
        (true, Some(_)) => "ask",
    }
}

/// What would turn the decision round.
fn flips(who: &Principal<'_>, cluster: &str, call: &Call<'_>, finding: &Finding<'_>) -> String {
    let ids = |wanted: fn(&Rule) -> bool| {
        let ids: Vec<&str> =
            finding.rules.iter().filter(|r| wanted(r)).map(|rule| rule.id.as_str()).collect();
        ids.join(", ")
    };
    match (finding.outcome, finding.cause) {
        (Outcome::Allow, _) => format!("a forbid, or the end of {}", ids(|_| true)),
        (Outcome::Ask, _) => {
            let demands = finding.rules.iter().filter_map(|rule| rule.demand());
            let needs = demands.map(|demand| format!("{} of {}", demand.quorum, demand.approvers.join(", ")));
            format!("approval by {}", needs.collect::<Vec<_>>().join(" and by "))
        }
        (Outcome::Deny, Cause::Fixed(denial)) => match denial.cost() {
            Some(cost) => format!(
                "lifting {} for cluster {cluster:?} in the gate's configuration; cost: {cost}",
                denial.id()
            ),
            None => format!("nothing: {} cannot be lifted", denial.id()),
        },
        (Outcome::Deny, Cause::NoRule) => format!("a permit, for instance\n{}", sample(who, cluster, call)),
        (Outcome::Deny, Cause::ManySecrets) => "fewer references to Secrets".to_owned(),
        (Outcome::Deny, Cause::ManyLabels) => "fewer labels of the pod".to_owned(),
        (Outcome::Deny, Cause::Unseen) => "the whole object".to_owned(),
        (Outcome::Deny, Cause::Error) => format!("mending {}", ids(|_| true)),
        (Outcome::Deny, Cause::Rules) => {
            format!("the end of {}, if a permit applies", ids(|r| r.approval.is_none()))
        }
    }
}

/// A permit for exactly this call.
fn sample(who: &Principal<'_>, cluster: &str, call: &Call<'_>) -> String {
    let action = call.action.map_or(call.verb, |action| action.as_str());
    let (place, test) = match call.subject {
        Subject::Endpoint(path) => (format!("in Cluster::{cluster:?}"), format!("resource.path == {path:?}")),
        Subject::Object(object) => {
            let place = match object.namespace {
                "" => format!("in Cluster::{cluster:?}"),
                namespace => format!("in Namespace::{:?}", format!("{cluster}/{namespace}")),
            };
            let (kind, sub) = (object.kind(), object.subresource);
            // Nobody means every Secret by asking about one.
            let name = match call.action {
                Some(action) if action.discloses() && !object.name.is_empty() => {
                    format!(" && resource.name == {:?}", object.name)
                }
                // Nor every file.
                Some(action) if action.copies() => format!(" && context.path == {:?}", call.facts.run.path()),
                _ => String::new(),
            };
            (place, format!("resource.type == {kind:?} && resource.subresource == {sub:?}{name}"))
        }
    };
    format!(
        "    @id(\"a-name\")\n    permit (principal == Agent::{:?}, action == Action::{action:?}, resource {place})\n    when {{ {test} }};",
        who.agent
    )
}

// === impl Explanation ===

impl Explanation {
    /// Allow, ask or deny.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The decision in one line: for a refusal, what the agent reads.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The rules that were looked at, those that determined the decision first.
    #[must_use]
    pub fn considered(&self) -> &[Considered] {
        &self.considered
    }

    /// What would turn the decision round.
    #[must_use]
    pub fn flips(&self) -> &str {
        &self.flips
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.outcome.as_str().to_uppercase(), self.call)?;
        writeln!(f, "  {}", self.message)?;
        if self.needs_look {
            writeln!(
                f,
                "This is by what it sets. The gate judges it again, by what a dry run says it makes of the object."
            )?;
        }
        if !self.reveal.is_none() {
            let keys = self.reveal.keys().iter().map(|key| format!("{key:?}"));
            let keys: Vec<String> =
                keys.chain(self.reveal.others().then(|| "every other key".to_owned())).collect();
            writeln!(f, "Its answer shows the values of {}.", keys.join(", "))?;
        }
        if !self.limits.is_none() {
            writeln!(f, "It is ended {}.", self.limits)?;
        }
        writeln!(f, "Rules looked at ({} more are about other principals or actions):", self.others)?;
        for rule in &self.considered {
            writeln!(f, "  {:<14} {:<6} {} ({})", rule.fate.as_str(), rule.kind, rule.id, rule.file)?;
        }
        if self.considered.is_empty() {
            writeln!(f, "  none")?;
        }
        writeln!(f, "What would turn it round: {}", self.flips)
    }
}

// === impl Considered ===

impl Considered {
    /// The rule's `@id`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The bundle file it stands in.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What became of it.
    #[must_use]
    pub fn fate(&self) -> Fate {
        self.fate
    }
}

// === impl Fate ===

impl Fate {
    fn as_str(self) -> &'static str {
        match self {
            Self::Determines => "determines",
            Self::Outweighed => "outweighed",
            Self::DoesNotApply => "does not apply",
            Self::Errs => "errs",
        }
    }
}

#[cfg(test)]
mod tests;
