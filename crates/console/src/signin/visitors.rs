//! Who is signed in. In memory alone: a gate that starts anew has everybody sign in again.

use std::collections::HashMap;
use std::sync::Arc;

use approval::{Assurance, Human};
use identity::{Entropy, EntropyError};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::secret::{self, Kept, Secret};

/// A sign-in ends after a working day, and when nothing was done for an hour. By a provider, it ends sooner: in which groups somebody
/// is was true then.
const LONGEST: SignedDuration = SignedDuration::from_hours(12);
const LONGEST_BY_PROVIDER: SignedDuration = SignedDuration::from_hours(4);
const IDLE: SignedDuration = SignedDuration::from_hours(1);
/// Those of everybody together, and of one human: with one more, their oldest ends.
const MOST: usize = 10_000;
const MOST_OF_ONE: usize = 10;

/// Everybody who is signed in, by what is kept of their cookie.
#[derive(Debug, Default)]
pub(crate) struct Visitors(Mutex<HashMap<Kept, Entry>>);

#[derive(Debug)]
struct Entry {
    visitor: Visitor,
    until: Timestamp,
    used: Timestamp,
}

/// A human who is signed in, at one browser.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) human: Human,
    pub(crate) assurance: Assurance,
    /// When they last proved who they are, as far as that is known.
    pub(crate) proven: Timestamp,
    /// In each of their forms, and in no other page: what is sent without it was not sent by them. Not in `Debug`.
    form: Arc<str>,
    key: Kept,
}

/// Why somebody cannot be signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Full {
    #[error("as many people are signed in as can be: sign out elsewhere, or wait")]
    TooMany,
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl Visitors {
    /// Signs a human in, who proved at this time who they are; the secret is for their browser's cookie.
    pub(super) fn enter(
        &self,
        human: Human,
        assurance: Assurance,
        proven: Timestamp,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<Secret, Full> {
        let (cookie, form) = (Secret::new(entropy)?, Secret::new(entropy)?);
        let key = cookie.kept();
        let longest = if assurance == Assurance::Provider { LONGEST_BY_PROVIDER } else { LONGEST };
        let until = now.saturating_add(longest).unwrap_or(now);
        let visitor = Visitor { human, assurance, proven, form: form.reveal().into(), key };
        let mut entries = self.0.lock();
        entries.retain(|_, entry| entry.is_in(now));
        make_room(&mut entries, &visitor.human);
        if entries.len() >= MOST {
            return Err(Full::TooMany);
        }
        entries.insert(key, Entry { visitor, until, used: now });
        Ok(cookie)
    }

    /// Who shows this cookie; `by_hand`: they do something, and it is not a page that is open which looks what is new.
    pub(crate) fn find(&self, cookie: &str, by_hand: bool, now: Timestamp) -> Option<Visitor> {
        let mut entries = self.0.lock();
        let entry = entries.get_mut(&Kept::of(cookie)).filter(|entry| entry.is_in(now))?;
        if by_hand {
            entry.used = now;
        }
        Some(entry.visitor.clone())
    }

    /// Whether they still are in; that somebody looks on is no use of it.
    pub(super) fn is_in(&self, visitor: &Visitor, now: Timestamp) -> bool {
        self.0.lock().get(&visitor.key).is_some_and(|entry| entry.is_in(now))
    }

    /// Signs them out.
    pub(super) fn leave(&self, visitor: &Visitor) {
        self.0.lock().remove(&visitor.key);
    }
}

/// Ends the oldest of a human's sign-ins, if they have as many as they may.
fn make_room(entries: &mut HashMap<Kept, Entry>, human: &Human) {
    let theirs = || entries.values().filter(|entry| entry.visitor.human.subject == human.subject);
    if theirs().count() >= MOST_OF_ONE
        && let Some(oldest) = theirs().min_by_key(|entry| entry.until).map(|entry| entry.visitor.key)
    {
        entries.remove(&oldest);
    }
}

impl Entry {
    fn is_in(&self, now: Timestamp) -> bool {
        now < self.until && now < self.used.saturating_add(IDLE).unwrap_or(Timestamp::MAX)
    }
}

impl Visitor {
    /// For their forms.
    pub(crate) fn form(&self) -> &str {
        &self.form
    }

    /// Whether a form was theirs.
    pub(crate) fn sent(&self, form: &str) -> bool {
        secret::same(&self.form, form)
    }
}

impl std::fmt::Debug for Visitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visitor").field("human", &self.human).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use approval::testing::human;
    use identity::SystemEntropy;

    use super::*;

    #[test]
    fn a_sign_in_ends_when_it_is_left_alone_and_after_a_day_at_the_latest() {
        let visitors = Visitors::default();
        let begin = Timestamp::UNIX_EPOCH;
        let enter =
            || visitors.enter(human("grace", &[]), Assurance::Link, begin, &SystemEntropy, begin).unwrap();
        let (left_alone, busy, signed_out) = (enter(), enter(), enter());
        // A page that is open keeps nobody in.
        assert!(visitors.find(left_alone.reveal(), false, begin + SignedDuration::from_mins(59)).is_some());
        let half_hours = |count: i64| begin + SignedDuration::from_mins(30 * count);
        let out = visitors.find(signed_out.reveal(), true, begin).unwrap();
        visitors.leave(&out);
        assert!(visitors.find(signed_out.reveal(), true, begin).is_none());
        for count in 1..24 {
            let visitor = visitors.find(busy.reveal(), true, half_hours(count)).unwrap();
            assert!(visitor.sent(visitor.form()) && !visitor.sent("") && !visitor.sent(out.form()));
        }
        assert!(visitors.find(busy.reveal(), true, half_hours(24)).is_none());
        assert!(visitors.find(left_alone.reveal(), true, half_hours(2)).is_none());
    }
}
