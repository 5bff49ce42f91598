//! What a refused agent reads: which rule, why, and what it may do instead, in one line as kubectl
//! prints it. Nothing from a body is ever quoted.

use std::fmt::Write as _;

use http::StatusCode;
use kube_api::Status;

use crate::action::Action;
use crate::call::{Call, Subject};
use crate::decision::Outcome;
use crate::judge::{Cause, Finding};
use crate::places::{ANY_OTHER, Place};
use crate::rule::Rule;
use crate::uses::Used;

/// After how many seconds an agent may ask again for what waits for approval.
const RETRY_AFTER_SECONDS: u32 = 60;

/// Most Secrets that a refusal names.
const MOST_TOLD: usize = 5;

/// A refusal in words, with what its `Status` details hold.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    message: String,
    /// What was to be done.
    act: String,
    /// Of an ask: what it says without how it ended and what to do next.
    head: String,
    next: String,
    group: String,
    kind: String,
    name: String,
    retry: bool,
}

impl Refused {
    /// Words for a finding that is not an allow.
    pub(crate) fn new(agent: &str, cluster: &str, call: &Call<'_>, finding: &Finding<'_>) -> Self {
        let act = act(cluster, call);
        let mut message = format!("agent {} may not {act}", quoted(agent));
        if let Some(place) = &finding.place {
            covers(&mut message, place);
        }
        uses(&mut message, &finding.secrets);
        let mut head = String::new();
        let next = match finding.outcome {
            Outcome::Ask => {
                let next = ask(&mut message, &finding.rules);
                head.clone_from(&message);
                message.push_str("; no human approved within the hold time");
                next
            }
            Outcome::Allow | Outcome::Deny => deny(&mut message, finding),
        };
        _ = write!(message, ". Next: {next}");
        let object = call.object();
        Self {
            message,
            act,
            head,
            next,
            group: object.map(|o| o.group).unwrap_or_default().to_owned(),
            kind: object.map(|o| o.resource).unwrap_or_default().to_owned(),
            name: object.map(|o| o.name).unwrap_or_default().to_owned(),
            retry: finding.outcome == Outcome::Ask,
        }
    }

    pub(crate) fn act(&self) -> &str {
        &self.act
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The same for an ask that ended otherwise; with `again`, the client is told when to come back. `None`: what the rules say
    /// to do next.
    pub(crate) fn ended(&self, how: &str, next: Option<&str>, again: bool) -> Status {
        let next = next.unwrap_or(&self.next);
        let message = format!("{}; {how}. Next: {next}", self.head);
        Self { message, retry: again, ..self.clone() }.status()
    }

    pub(crate) fn status(&self) -> Status {
        let status = Status::failure(StatusCode::FORBIDDEN, "Forbidden", self.message.clone());
        let status = status.with_details(&self.name, &self.group, &self.kind);
        if self.retry { status.retry_after(RETRY_AFTER_SECONDS) } else { status }
    }
}

/// `delete deployments.apps "web" in namespace "shop" of cluster "prod"`.
pub(crate) fn act(cluster: &str, call: &Call<'_>) -> String {
    let copies = match call.action {
        Some(Action::CopyFrom) => Some("copy from"),
        Some(Action::CopyTo) => Some("copy to"),
        _ => None,
    };
    let mut words = copies.map_or_else(|| call.verb.escape_debug().to_string(), str::to_owned);
    let mut joint = "in";
    match call.subject {
        Subject::Endpoint(path) => _ = write!(words, " path {}", quoted(path)),
        Subject::Object(object) => {
            _ = write!(words, " {}", object.kind().escape_debug());
            if !object.subresource.is_empty() && copies.is_none() {
                _ = write!(words, "/{}", object.subresource.escape_debug());
            }
            if !object.name.is_empty() {
                _ = write!(words, " {}", quoted(object.name));
            }
            if let Some(port) = call.facts.forward.port() {
                _ = write!(words, " to port {port}");
            }
            if !object.namespace.is_empty() && !object.is("", "namespaces") {
                _ = write!(words, " in namespace {}", quoted(object.namespace));
                joint = "of";
            } else if object.namespace.is_empty() && call.covers_all && !object.is_cluster_scoped() {
                words.push_str(" in all namespaces");
                joint = "of";
            }
        }
    }
    _ = write!(words, " {joint} cluster {}", quoted(cluster));
    if let Some(restores) = call.restores {
        let (call, session) = (restores.call(), restores.session());
        _ = write!(
            words,
            ", putting masked values back as they were before call {call} of session {session}"
        );
    }
    words
}

fn covers(message: &mut String, place: &Place) {
    let parts = [("namespace", &place.namespace), ("name", &place.name)];
    let named = parts.into_iter().filter(|(_, value)| !value.is_empty()).map(|(what, value)| {
        if value == ANY_OTHER { format!("every other {what}") } else { format!("{what} {}", quoted(value)) }
    });
    _ = write!(message, ", which covers {}", named.collect::<Vec<_>>().join(" and "));
}

/// Says which Secrets the call would use, as far as they may be told.
fn uses(message: &mut String, secrets: &[Used]) {
    let one = |secret: &Used| {
        let name = match secret.name.as_str() {
            "" => "any Secret".to_owned(),
            name if secret.is_plain => format!("Secret {}", quoted(name)),
            _ => "a Secret named in the body".to_owned(),
        };
        match secret.namespace.as_str() {
            "" => format!("{name} of any namespace"),
            namespace => format!("{name} of namespace {}", quoted(namespace)),
        }
    };
    if secrets.is_empty() {
        return;
    }
    let told: Vec<String> = secrets.iter().take(MOST_TOLD).map(one).collect();
    _ = write!(message, ", which uses {}", told.join(" and "));
    if let Some(more) = secrets.len().checked_sub(MOST_TOLD).filter(|more| *more > 0) {
        _ = write!(message, " and {more} more");
    }
}

/// Appends why approval is needed; answers what to do next.
fn ask(message: &mut String, rules: &[&Rule]) -> String {
    _ = write!(message, " without approval: {}", reasons(rules));
    for demand in rules.iter().filter_map(|rule| rule.demand()) {
        let approvers = demand.approvers.join(", ");
        _ = write!(message, "; needs {} of {}", demand.quorum, approvers.escape_debug());
    }
    hints(rules).unwrap_or_else(|| "ask an approver, then send the same request again".to_owned())
}

/// Appends why it is denied; answers what to do next.
fn deny(message: &mut String, finding: &Finding<'_>) -> String {
    match finding.cause {
        Cause::Fixed(denial) => {
            _ = write!(message, ": built-in denial \"{}\": {}", denial.id(), denial.reason());
            denial.next().to_owned()
        }
        Cause::NoRule => {
            let it = if finding.secrets.is_empty() { "it" } else { "that `use`" };
            _ = write!(message, ": no rule permits {it}");
            "`kubectl auth can-i --list` shows what is permitted; the owner of the policy can permit more"
                .to_owned()
        }
        Cause::Error => {
            message.push_str(": the policy could not be evaluated");
            for rule in &finding.rules {
                _ = write!(message, ", by an error in rule \"{}\" ({})", rule.id, rule.file.escape_debug());
            }
            "tell the owner of the policy, who must mend it".to_owned()
        }
        Cause::ManySecrets => {
            message.push_str(": it refers to more Secrets than can be judged one by one");
            "split it into several objects, with at most 64 Secrets each".to_owned()
        }
        Cause::ManyLabels => {
            message.push_str(": its pod has more labels than can be judged");
            "forward to a pod with fewer labels".to_owned()
        }
        Cause::Unseen => {
            message.push_str(": what it makes of the object could not be seen");
            "send it without a `metadata.resourceVersion` of your own, or the whole object with `kubectl replace`"
                .to_owned()
        }
        Cause::Rules => {
            // Where a rule forbids outright, others that would ask do not matter.
            let outright: Vec<&Rule> =
                finding.rules.iter().copied().filter(|r| r.approval.is_none()).collect();
            _ = write!(message, ": {}", reasons(&outright));
            hints(&outright).unwrap_or_else(|| "ask a human who may, or the owner of the policy".to_owned())
        }
    }
}

fn reasons(rules: &[&Rule]) -> String {
    let one = |rule: &&Rule| {
        let reason = rule.reason.as_deref().unwrap_or_default();
        format!("rule \"{}\" ({}): {reason}", rule.id, rule.file.escape_debug())
    };
    rules.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn hints(rules: &[&Rule]) -> Option<String> {
    let hints: Vec<&str> = rules.iter().filter_map(|rule| rule.hint.as_deref()).collect();
    (!hints.is_empty()).then(|| hints.join("; "))
}

/// In double quotes, control and invisible characters escaped.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}
