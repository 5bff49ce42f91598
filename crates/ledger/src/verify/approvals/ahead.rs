//! Whether calls that were sent by what was approved ahead of them are what was approved.

use approval::{Access, Demand, Usage};
use jiff::{SignedDuration, Timestamp};

use super::{Known, differing};
use crate::leaf::{Intent, Name, Request};

/// A call is let pass before its intent has its time: from the one to the other it may take the disk so long.
const GRACE: SignedDuration = SignedDuration::from_secs(5);

impl Known {
    /// Each call by it has to make a change that it names, and the only one that does.
    pub(super) fn not_made(&self, intent: &Intent) -> Option<String> {
        let Intent { call, request, part, .. } = intent;
        let Some(change) = self.approval.made_by(call.as_str()).filter(|_| part.is_none()) else {
            return Some("it was not used for that".to_owned());
        };
        if let Some(made) = self.parts.get(call.as_str()) {
            return Some(format!("the call made its change at leaf {made}"));
        }
        let usage = usage(request);
        let as_approved = usage.changes() && usage.deletes() == change.gone;
        if !as_approved || request.dry_run || usage.object() != change.object() {
            return Some("something else was sent than the change".to_owned());
        }
        self.of_another(intent)
    }

    /// Each call by it has to be in its scope and in its time.
    pub(super) fn not_granted(&self, access: &Access, time: Timestamp, intent: &Intent) -> Option<String> {
        let Some(over) = self.approval.over_at() else {
            return Some(format!("it was {}", self.approval.state().as_str()));
        };
        if time > over.saturating_add(GRACE).unwrap_or(over) {
            return Some(format!("it was over at {over}"));
        }
        if intent.part.is_some() || !access.covers(&usage(&intent.request)) {
            return Some("it does not cover that".to_owned());
        }
        if intent.demands.iter().any(|demand| demand.no_access) {
            return Some("a rule wants each call to be shown".to_owned());
        }
        self.of_another(intent)
    }

    /// Who said yes has to suffice for the rules that ask about the call, and it has to be whose it is.
    fn of_another(&self, intent: &Intent) -> Option<String> {
        let Intent { demands, decision, .. } = intent;
        let rules = &decision.rules;
        let all_are_told = rules.total() == rules.items().len() as u64;
        let decided = |demand: &Demand| {
            rules.items().iter().any(|rule| rule.id.to_string() == demand.rule) || !all_are_told
        };
        if demands.is_empty() || !demands.iter().all(decided) {
            return Some("it is not told which rules ask about that".to_owned());
        }
        if !self.approval.satisfies(demands) {
            return Some("those who said yes are not those whom the rules ask".to_owned());
        }
        let bound = &self.approval.asked().bound;
        let differing = differing(bound, &intent.actor, &intent.request, &intent.decision);
        differing.map(|part| format!("it was for another {part}"))
    }
}

/// What a request does, as scopes tell requests apart.
fn usage(request: &Request) -> Usage {
    let text = |name: &Option<Name>| name.as_ref().map(ToString::to_string);
    let (group, resource) =
        (text(&request.group).unwrap_or_default(), text(&request.resource).unwrap_or_default());
    let (subresource, namespace, name) =
        (text(&request.subresource), text(&request.namespace), text(&request.name));
    let (subresource, namespace) = (subresource.as_deref(), namespace.as_deref());
    Usage::of(request.verb.as_str(), (&group, &resource), subresource, namespace, name.as_deref())
}
