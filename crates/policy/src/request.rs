//! From a request to a verdict.

use kube_api::{ContentType, Request, Target};

use crate::action::Action;
use crate::body::{Body, Form};
use crate::call::{Call, Object};
use crate::judge::{Cause, Finding, Judge, Principal};
use crate::verdict::{Ask, Decision, Denial, Outcome, Permit, Requirement, RuleRef, Verdict};
use crate::wording::Refused;

/// A delete option of Kubernetes 1.32 and later (`metav1.DeleteOptions`).
const UNSAFE_DELETE: &str = "ignoreStoreReadErrorWithClusterBreakingPotential";

impl Judge {
    /// Judges `request` by `who` on `cluster`. The verdict owns the request.
    pub fn judge(&self, who: &Principal<'_>, cluster: &str, request: Request) -> Verdict {
        let call = call_of(&request);
        let finding = self.decide(who, cluster, &call);
        let decision = self.decision(&call, &finding);
        if finding.outcome == Outcome::Allow {
            drop(finding);
            return Verdict::Allow(Permit::new(who, cluster, request, decision));
        }
        let refused = Refused::new(who.agent, cluster, &call, &finding);
        let requirements: Vec<Requirement> =
            finding.rules.iter().filter_map(|rule| Requirement::of(rule)).collect();
        if finding.outcome == Outcome::Ask {
            return Verdict::Ask(Ask::new(request, decision, requirements, refused));
        }
        Verdict::Deny(Denial::new(request, decision, refused))
    }

    pub(crate) fn decision(&self, call: &Call<'_>, finding: &Finding<'_>) -> Decision {
        let rules = match finding.cause {
            Cause::Fixed(denial) => vec![RuleRef::new(denial.id(), "built-in", denial.reason())],
            Cause::Rules | Cause::NoRule | Cause::Error => {
                finding.rules.iter().map(|rule| RuleRef::from(*rule)).collect()
            }
        };
        let masked_read = finding.outcome == Outcome::Allow
            && call.action.is_some_and(Action::is_read)
            && call.object().is_some_and(|o| o.is("", "secrets") && o.subresource.is_empty());
        Decision::new(finding.outcome, rules, self.bundle().digest(), masked_read)
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
    // Server-side apply creates what is not there: by a patch, an agent could make what it may not create.
    call.may_create |= request.body().is_some_and(|body| matches!(body.content(), ContentType::ApplyPatch));
    call.generated = request.generate_name();
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
