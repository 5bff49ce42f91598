//! The decision: built-in denials first, then the rules, for everything the call covers.

use std::sync::Arc;

use crate::action::Action;
use crate::bundle::Bundle;
use crate::call::{Call, Object, Subject};
use crate::decision::Outcome;
use crate::evaluate::{Answer, Evaluation};
use crate::fixed::{self, FixedDenial};
use crate::places::Place;
use crate::rule::Rule;
use crate::settings::Settings;
use crate::slices::{ActionSlice, Slice, Slices};
use crate::uses::Used;

/// Who calls, as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Principal<'a> {
    /// The agent's configured name.
    pub agent: &'a str,
    /// The groups it is in.
    pub groups: &'a [String],
}

/// A bundle with the settings it is applied under. Judging neither waits nor changes anything; it may
/// be shared between threads.
#[derive(Debug)]
pub struct Judge {
    bundle: Bundle,
    settings: Settings,
    slices: Slices,
}

/// A decision and what led to it.
#[derive(Debug)]
pub(crate) struct Finding<'a> {
    pub(crate) outcome: Outcome,
    pub(crate) cause: Cause,
    /// The rules that determined it, by id.
    pub(crate) rules: Vec<&'a Rule>,
    /// For an ask: the permits that apply once it is approved.
    pub(crate) then: Vec<&'a Rule>,
    /// For a call on a collection: the place it covers at which it fails.
    pub(crate) place: Option<Place>,
    /// The Secrets that the call refers to and may not use.
    pub(crate) secrets: Vec<Used>,
}

/// Why a decision is what it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cause {
    /// The rules say so.
    Rules,
    /// No rule permits it.
    NoRule,
    /// A built-in denial.
    Fixed(&'static FixedDenial),
    /// A rule could not be evaluated.
    Error,
    /// It refers to more Secrets than are judged.
    ManySecrets,
    /// Its pod has more labels than are told to the rules, for each of the ports that they tell apart.
    ManyLabels,
    /// What it makes of the object is not known.
    Unseen,
}

impl Judge {
    /// A judge over `bundle`.
    #[must_use]
    pub fn new(bundle: Bundle, settings: Settings) -> Self {
        let slices = Slices::new(&bundle);
        Self { bundle, settings, slices }
    }

    /// The bundle it judges by.
    #[must_use]
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The settings it judges under.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Judges `call`: what is fixed, then the rules for each thing it does and each place it covers. The
    /// strictest answer holds.
    pub(crate) fn decide(&self, who: &Principal<'_>, cluster: &str, call: &Call<'_>) -> Finding<'_> {
        if let Some(denial) = self.fixed_denial(cluster, call) {
            return Finding::deny(Cause::Fixed(denial), Vec::new());
        }
        let Some(action) = call.action.filter(|_| !who.agent.is_empty()) else {
            return Finding::deny(Cause::NoRule, Vec::new());
        };
        if action == Action::PortForward && call.facts.forward.port().is_none() {
            return self.decide_some_port(who, cluster, call);
        }
        let slice = self.slice(who);
        if action == Action::Reveal && call.key.is_none() {
            return self.decide_every_key(&slice, who, cluster, call);
        }
        let mut finding = self.decide_as(action, &slice, who, cluster, call);
        if call.may_create && finding.outcome != Outcome::Deny {
            finding = finding.and(self.decide_as(Action::Create, &slice, who, cluster, call), None);
        }
        if finding.outcome != Outcome::Deny {
            finding = self.decide_uses(finding, &slice, who, cluster, call);
        }
        finding
    }

    /// Judges `call` by the rules about `action`: as it stands, then for each place it covers.
    pub(crate) fn decide_as(
        &self,
        action: Action,
        slice: &Slice,
        who: &Principal<'_>,
        cluster: &str,
        call: &Call<'_>,
    ) -> Finding<'_> {
        let Some(rules) = slice.action(action).filter(|rules| !rules.incomplete) else {
            return Finding::deny(Cause::Error, Vec::new());
        };
        let evaluation =
            Evaluation { bundle: &self.bundle, who, cluster, call, action, subject: call.subject };
        let mut finding = evaluation.find(rules);
        let Subject::Object(object) = call.subject else { return finding };
        for place in rules.places.covered(call, object) {
            if finding.outcome == Outcome::Deny {
                break;
            }
            let there = evaluation.at(object, &place).find(rules);
            finding = finding.and(there, Some(place));
        }
        finding
    }

    /// How many evaluations deciding `call` can take: for each place one, and one more if it asks.
    pub(crate) fn evaluations(&self, who: &Principal<'_>, call: &Call<'_>) -> usize {
        self.evaluations_in(&self.slice(who), call)
    }

    pub(crate) fn evaluations_in(&self, slice: &Slice, call: &Call<'_>) -> usize {
        let (Some(action), Some(object)) = (call.action, call.object()) else { return 1 };
        slice.action(action).map_or(1, |rules| 1 + rules.places.covered(call, *object).len())
    }

    pub(crate) fn fixed_denial(&self, cluster: &str, call: &Call<'_>) -> Option<&'static FixedDenial> {
        fixed::find(call, self.settings.own(), |id| self.settings.is_lifted(cluster, id))
    }

    pub(crate) fn slice(&self, who: &Principal<'_>) -> Arc<Slice> {
        self.slices.of(&self.bundle, who)
    }
}

impl<'b, 'c> Evaluation<'b, 'c> {
    /// The same call on one place it covers.
    fn at<'p>(&self, object: Object<'p>, place: &'p Place) -> Evaluation<'b, 'p>
    where
        'c: 'p,
    {
        let name = if object.name.is_empty() { &place.name } else { object.name };
        let namespace = match object.namespace {
            // A Namespace is in the namespace it is.
            "" if object.is("", "namespaces") && place.namespace.is_empty() => name,
            "" => &place.namespace,
            namespace => namespace,
        };
        Evaluation { subject: Subject::Object(Object { namespace, name, ..object }), ..*self }
    }

    /// The three outcomes. *Ask* if only rules that ask stand in the way, and approval clears it.
    pub(crate) fn find(&self, rules: &ActionSlice) -> Finding<'b> {
        let forbids = match self.run(&rules.policies, false) {
            Answer::Allow(permits) => {
                return Finding {
                    outcome: Outcome::Allow,
                    rules: permits,
                    ..Finding::deny(Cause::Rules, Vec::new())
                };
            }
            Answer::Error(erred) => return Finding::deny(Cause::Error, erred),
            Answer::Deny(forbids) if forbids.is_empty() => return Finding::deny(Cause::NoRule, forbids),
            Answer::Deny(forbids) => forbids,
        };
        if !forbids.iter().all(|rule| rule.approval.is_some()) {
            return Finding::deny(Cause::Rules, forbids);
        }
        match self.run(&rules.policies, true) {
            Answer::Allow(then) => {
                Finding { outcome: Outcome::Ask, then, ..Finding::deny(Cause::Rules, forbids) }
            }
            Answer::Error(erred) => Finding::deny(Cause::Error, erred),
            // Approval would not help: nothing permits the call.
            Answer::Deny(rest) if rest.is_empty() => Finding::deny(Cause::NoRule, rest),
            Answer::Deny(rest) => Finding::deny(Cause::Rules, rest),
        }
    }
}

impl<'a> Finding<'a> {
    pub(crate) fn deny(cause: Cause, rules: Vec<&'a Rule>) -> Self {
        Self { outcome: Outcome::Deny, cause, rules, then: Vec::new(), place: None, secrets: Vec::new() }
    }

    /// Both must hold: the stricter outcome, everyone's approval, and every permit.
    pub(crate) fn and(mut self, mut there: Self, place: Option<Place>) -> Self {
        match (self.outcome, there.outcome) {
            (Outcome::Deny, _) => self,
            (_, Outcome::Deny) => Self { place: place.or(there.place), ..there },
            (Outcome::Allow, Outcome::Allow) => {
                add_missing(&mut self.rules, there.rules);
                self
            }
            (Outcome::Ask, Outcome::Allow) => {
                add_missing(&mut self.then, there.rules);
                self
            }
            (Outcome::Allow, Outcome::Ask) => {
                add_missing(&mut there.then, self.rules);
                Self { place: place.or(there.place), ..there }
            }
            (Outcome::Ask, Outcome::Ask) => {
                add_missing(&mut self.rules, there.rules);
                add_missing(&mut self.then, there.then);
                self.secrets.extend(there.secrets);
                self
            }
        }
    }

    /// What an ask becomes once it is approved: an allow, by what permits it then and by what asked.
    pub(crate) fn granted(&self) -> Self {
        let mut rules = self.then.clone();
        add_missing(&mut rules, self.rules.clone());
        Self { outcome: Outcome::Allow, rules, ..Self::deny(self.cause, Vec::new()) }
    }

    /// The rules that permit it, or would once it is approved.
    pub(crate) fn permits(&self) -> &[&'a Rule] {
        match self.outcome {
            Outcome::Allow => &self.rules,
            Outcome::Ask => &self.then,
            Outcome::Deny => &[],
        }
    }
}

/// Adds those of `more` that are not among `rules`, which are the same bundle's.
pub(crate) fn add_missing<'a>(rules: &mut Vec<&'a Rule>, more: Vec<&'a Rule>) {
    for rule in more {
        if !rules.iter().any(|known| std::ptr::eq(*known, rule)) {
            rules.push(rule);
        }
    }
}

#[cfg(test)]
mod tests;
