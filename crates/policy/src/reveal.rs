//! Which keys of a Secret an answer may show as they are.

use crate::action::Action;
use crate::call::Call;
use crate::decision::{Outcome, Reveal};
use crate::judge::{Finding, Judge, Principal, add_missing};
use crate::places::ANY_OTHER;
use crate::slices::Slice;

impl Judge {
    /// What the answer to `call`, which is allowed, may show: judged as `reveal` of each key that the rules single out, and
    /// of one that they do not. Only of a Secret that is read by its name and comes whole. A reveal that asks is none.
    pub(crate) fn reveal(&self, who: &Principal<'_>, cluster: &str, call: &Call<'_>) -> Reveal {
        let named = call
            .object()
            .is_some_and(|o| o.is("", "secrets") && o.subresource.is_empty() && !o.name.is_empty());
        if call.action != Some(Action::Get) || !named || !call.shows_object {
            return Reveal::default();
        }
        let slice = self.slice(who);
        let Some(rules) = slice.action(Action::Reveal).filter(|rules| !rules.policies.is_empty()) else {
            return Reveal::default();
        };
        let mut permits = Vec::new();
        let mut shown = |key: &str| {
            let finding = self.decide(who, cluster, &call.revealing(Some(key)));
            let allowed = finding.outcome == Outcome::Allow;
            if allowed {
                add_missing(&mut permits, finding.rules);
            }
            allowed
        };
        let keys: Vec<String> = rules.keys.iter().filter(|key| shown(key)).cloned().collect();
        // What is told cannot make exceptions: where a key is singled out to be withheld, others have to be named.
        let others = keys.len() == rules.keys.len() && shown(ANY_OTHER);
        Reveal::new(keys, others, &permits)
    }

    /// Judges `reveal` of a Secret without a key: of every key that the rules tell apart.
    pub(crate) fn decide_every_key(
        &self,
        slice: &Slice,
        who: &Principal<'_>,
        cluster: &str,
        call: &Call<'_>,
    ) -> Finding<'_> {
        let named = slice.action(Action::Reveal).map(|rules| &rules.keys).into_iter().flatten();
        let of = |key: &str| self.decide_as(Action::Reveal, slice, who, cluster, &call.revealing(Some(key)));
        named.fold(of(ANY_OTHER), |finding, key| finding.and(of(key), None))
    }
}

#[cfg(test)]
mod tests;
