//! A reference to a Secret is a read of it: what runs with a Secret can show it.

use crate::action::Action;
use crate::call::Call;
use crate::decision::Outcome;
use crate::facts::Reference;
use crate::judge::{Cause, Finding, Judge, Principal};
use crate::slices::Slice;

/// Most Secrets that an object may refer to: the call is judged once for each.
const MAX_USES: usize = 64;

/// Most work that judging one call may take, in items of facts told to the rules; some hundred milliseconds.
const MAX_WORK: usize = 1_000_000;

/// What one evaluation takes beside the items it is told, in the same measure.
const WORK_OF_ONE: usize = 100;

/// Whether so many evaluations of `call` are more than one may take.
pub(crate) fn exceeds_work(evaluations: usize, call: &Call<'_>) -> bool {
    evaluations.saturating_mul(WORK_OF_ONE + call.facts.items()) > MAX_WORK
}

/// A Secret that a call uses; an empty namespace or name stands for every one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Whether a refusal may repeat its name.
    pub(crate) is_plain: bool,
}

impl Judge {
    /// A reference to a Secret is a read of it: judges `call` as `use` of each Secret that it refers to, too.
    pub(crate) fn decide_uses<'a>(
        &'a self,
        mut finding: Finding<'a>,
        slice: &Slice,
        who: &Principal<'_>,
        cluster: &str,
        call: &Call<'_>,
    ) -> Finding<'a> {
        let namespace = call.object().map(|object| object.namespace).unwrap_or_default();
        let secrets: Vec<Used> =
            call.uses().flat_map(|secret| Used::of(secret, namespace)).take(MAX_USES + 1).collect();
        let work: usize = secrets
            .iter()
            .map(|secret| self.evaluations_in(slice, &call.using(&secret.namespace, &secret.name)))
            .sum();
        if secrets.len() > MAX_USES || exceeds_work(work, call) {
            return Finding::deny(Cause::ManySecrets, Vec::new());
        }
        for secret in secrets {
            let used = call.using(&secret.namespace, &secret.name);
            let there = match self.fixed_denial(cluster, &used) {
                Some(denial) => Finding::deny(Cause::Fixed(denial), Vec::new()),
                None => self.decide_as(Action::Use, slice, who, cluster, &used),
            };
            let there = Finding { place: None, secrets: vec![secret], ..there };
            finding = finding.and(there, None);
            if finding.outcome == Outcome::Deny {
                break;
            }
        }
        finding
    }
}

impl Used {
    /// The Secrets that an object in `namespace` may mean by a reference. A namespace beside the name is a field that the
    /// kind may not have: the server then drops it, and the object's own counts.
    fn of<'a>(secret: &'a Reference, namespace: &'a str) -> impl Iterator<Item = Self> + 'a {
        let told = secret.namespace.as_deref().filter(|told| *told != namespace);
        let own = (told.is_none() || !namespace.is_empty()).then_some(namespace);
        told.into_iter().chain(own).map(|namespace| Self {
            namespace: namespace.to_owned(),
            name: secret.name.clone().unwrap_or_default(),
            is_plain: secret.is_plain,
        })
    }
}

#[cfg(test)]
mod tests;
