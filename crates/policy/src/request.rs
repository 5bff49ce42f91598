//! From a request to a verdict.

use std::{sync::Arc, time::Duration};

use approval::Demand;
use kube_api::{ContentType, Representation, Request, Target};

use crate::action::Action;
use crate::ask::{Ask, Asking};
use crate::body::{Body, Form};
use crate::call::{Call, Object};
use crate::decision::{Decision, Outcome, Reveal, RuleRef};
use crate::facts::{Forward, Run};
use crate::judge::{Cause, Finding, Judge, Principal};
use crate::limits::Limits;
use crate::look::{Judgement, Look};
use crate::pod::PodLook;
use crate::verdict::{Denial, Permit, Verdict};
use crate::wording::Refused;

/// A delete option of Kubernetes 1.32 and later (`metav1.DeleteOptions`).
const UNSAFE_DELETE: &str = "ignoreStoreReadErrorWithClusterBreakingPotential";

/// A verdict that does not own its request yet.
pub(crate) struct Settled {
    decision: Decision,
    /// INVARIANT: there is none if, and only if, the outcome is to allow.
    refused: Option<Refused>,
    /// INVARIANT: the decision once it is approved is there if, and only if, the outcome is to ask.
    granted: Option<Decision>,
    demands: Vec<Demand>,
    hold: Option<Duration>,
}

impl Judge {
    /// Judges `request` by `who` on `cluster`. What comes of it owns the request.
    pub fn judge(&self, who: &Principal<'_>, cluster: &str, request: Request) -> Judgement {
        let call = call_of(&request);
        if self.needs_pod(who, cluster, &call) {
            return Judgement::Pod(PodLook::new(who, cluster, request));
        }
        let finding = self.decide(who, cluster, &call);
        if finding.outcome != Outcome::Deny && call.needs_look() {
            let permits = finding.permits().iter().map(|rule| RuleRef::from(*rule)).collect();
            let decision = Decision::look(permits, self.bundle().digest());
            let unseen = self.settle(who, cluster, &call, &Finding::deny(Cause::Unseen, Vec::new()));
            return match request.as_dry_run() {
                Some(dry) => Judgement::Look(Look::new(who, cluster, request, dry, decision)),
                None => Judgement::Verdict(unseen.of(who, cluster, request)),
            };
        }
        let settled = self.settle(who, cluster, &call, &finding);
        Judgement::Verdict(settled.of(who, cluster, request))
    }

    /// What `finding` about `call` means.
    pub(crate) fn settle(
        &self,
        who: &Principal<'_>,
        cluster: &str,
        call: &Call<'_>,
        finding: &Finding<'_>,
    ) -> Settled {
        let decision = self.decision(who, cluster, call, finding);
        let refused =
            (finding.outcome != Outcome::Allow).then(|| Refused::new(who.agent, cluster, call, finding));
        let asks = finding.outcome == Outcome::Ask;
        let granted = asks.then(|| self.decision(who, cluster, call, &finding.granted()));
        let demands = finding.rules.iter().filter_map(|rule| rule.demand()).collect();
        let hold = finding.rules.iter().filter_map(|rule| rule.hold()).max();
        Settled { decision, refused, granted, demands, hold }
    }

    pub(crate) fn decision(
        &self,
        who: &Principal<'_>,
        cluster: &str,
        call: &Call<'_>,
        finding: &Finding<'_>,
    ) -> Decision {
        let rules = match finding.cause {
            Cause::Fixed(denial) => vec![RuleRef::new(denial.id(), "built-in", denial.reason())],
            Cause::Rules
            | Cause::NoRule
            | Cause::Error
            | Cause::ManySecrets
            | Cause::ManyLabels
            | Cause::Unseen => finding.rules.iter().map(|rule| RuleRef::from(*rule)).collect(),
        };
        let masked_read = finding.outcome == Outcome::Allow
            && call.action.is_some_and(Action::is_read)
            && call.object().is_some_and(|o| o.is("", "secrets") && o.subresource.is_empty());
        let reveal = if masked_read { self.reveal(who, cluster, call) } else { Reveal::default() };
        let limits = finding.rules.iter().fold(Limits::default(), |limits, rule| limits.and(rule.limits));
        Decision::new(finding.outcome, rules, self.bundle().digest(), masked_read)
            .revealing(reveal)
            .lasting(limits)
    }
}

impl Settled {
    /// The verdict on `request`.
    pub(crate) fn of(self, who: &Principal<'_>, cluster: &str, request: Request) -> Verdict {
        let Self { decision, refused, granted, demands, hold } = self;
        match (refused, granted) {
            (None, _) => Verdict::Allow(Permit::new(who, cluster, request, decision)),
            (Some(refused), Some(granted)) => Verdict::Ask(Ask::new(
                who,
                cluster,
                request,
                Asking { decision, granted, demands, hold, refused },
            )),
            (Some(refused), None) => Verdict::Deny(Denial::new(request, decision, refused)),
        }
    }
}

/// The call that `request` is.
pub(crate) fn call_of(request: &Request) -> Call<'_> {
    let verb = request.verb().as_str();
    let resource = match request.target() {
        Target::NonResource(endpoint) => return Call::on_endpoint(verb, endpoint.path()),
        Target::Resource(resource) => resource,
    };
    let body = request.body().map(|body| Body { value: body.value(), form: form(body.content()) });
    let mut call = Call::on_object(verb, object_of(resource), body, request.dry_run());
    if call.action.is_some_and(Action::runs) {
        match Run::of(request.options()) {
            Some(run) => {
                if call.action == Some(Action::Exec) {
                    call.action = Some(run.action());
                }
                Arc::make_mut(&mut call.facts).run = run;
            }
            // What is no action is never allowed.
            None => call.action = None,
        }
    }
    if call.action == Some(Action::PortForward) {
        Arc::make_mut(&mut call.facts).forward = Forward::of(request.options());
    }
    // Server-side apply creates what is not there: by a patch, an agent could make what it may not create.
    call.may_create |= request.body().is_some_and(|body| matches!(body.content(), ContentType::ApplyPatch));
    call.restores = request.restores();
    call.generated = request.generate_name();
    call.yields = request.body().is_some_and(|body| body.content() == ContentType::ApplyPatch)
        && !request.options().is_set("force");
    call.shows_object = resource.is_object()
        && request.accept().representations().iter().all(|form| *form == Representation::Object);
    call.selects_fields = request
        .selected_fields()
        .iter()
        .any(|field| !["metadata.name", "metadata.namespace"].contains(field));
    call.unsafe_delete = request.path_and_query().contains(UNSAFE_DELETE);
    call
}

/// The object a resource names, not yet canonical.
pub(crate) fn object_of(resource: &kube_api::Resource) -> Object<'_> {
    Object {
        group: resource.group(),
        resource: resource.resource(),
        subresource: resource.subresource().unwrap_or_default(),
        namespace: resource.namespace().unwrap_or_default(),
        name: resource.name().unwrap_or_default(),
    }
}

fn form(content: ContentType) -> Form {
    match content {
        ContentType::Json => Form::Whole,
        ContentType::JsonPatch => Form::JsonPatch,
        ContentType::MergePatch => Form::Merge,
        ContentType::StrategicMergePatch => Form::Strategic,
        ContentType::ApplyPatch => Form::Fragment,
    }
}

#[cfg(test)]
mod tests;
