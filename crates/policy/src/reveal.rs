//! Which keys of a Secret an answer may show as they are.

use crate::action::Action;
use crate::call::Call;
use crate::judge::{Judge, Principal};
use crate::places::ANY_OTHER;
use crate::verdict::{Outcome, Reveal};

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
        let shown =
            |key: &str| self.decide(who, cluster, &call.revealing(Some(key))).outcome == Outcome::Allow;
        let keys: Vec<String> = rules.keys.iter().filter(|key| shown(key)).cloned().collect();
        // What is told cannot make exceptions: where a key is singled out to be withheld, others have to be named.
        let others = keys.len() == rules.keys.len() && shown(ANY_OTHER);
        Reveal::new(keys, others)
    }
}

#[cfg(test)]
mod tests;
