//! Who is signed in. In memory alone: a gate that starts anew has everybody sign in again.

use std::collections::HashMap;
use std::sync::Arc;

use approval::{Assurance, Human};
use identity::{Entropy, EntropyError};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::secret::{self, Kept, Secret};

/// A sign-in ends after a working day, and when nothing was done for an hour.
const LONGEST: SignedDuration = SignedDuration::from_hours(12);
const IDLE: SignedDuration = SignedDuration::from_hours(1);
/// Those of everybody together.
const MOST: usize = 10_000;

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
    /// When they signed in.
    pub(crate) since: Timestamp,
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
    /// Signs a human in; the secret is for their browser's cookie.
    pub(super) fn enter(
        &self,
        human: Human,
        assurance: Assurance,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<Secret, Full> {
        let (cookie, form) = (Secret::new(entropy)?, Secret::new(entropy)?);
        let key = cookie.kept();
        let visitor = Visitor { human, assurance, since: now, form: form.reveal().into(), key };
        let until = now.saturating_add(LONGEST).unwrap_or(now);
        let mut entries = self.0.lock();
        entries.retain(|_, entry| entry.is_in(now));
        if entries.len() >= MOST {
            return Err(Full::TooMany);
        }
        entries.insert(key, Entry { visitor, until, used: now });
        Ok(cookie)
    }

    /// Who shows this cookie.
    pub(crate) fn find(&self, cookie: &str, now: Timestamp) -> Option<Visitor> {
        let mut entries = self.0.lock();
        let entry = entries.get_mut(&Kept::of(cookie)).filter(|entry| entry.is_in(now))?;
        entry.used = now;
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
        let enter = || visitors.enter(human("grace", &[]), Assurance::Link, &SystemEntropy, begin).unwrap();
        let (left_alone, busy, signed_out) = (enter(), enter(), enter());
        let half_hours = |count: i64| begin + SignedDuration::from_mins(30 * count);
        let out = visitors.find(signed_out.reveal(), begin).unwrap();
        visitors.leave(&out);
        assert!(visitors.find(signed_out.reveal(), begin).is_none());
        for count in 1..24 {
            let visitor = visitors.find(busy.reveal(), half_hours(count)).unwrap();
            assert!(visitor.sent(visitor.form()) && !visitor.sent("") && !visitor.sent(out.form()));
        }
        assert!(visitors.find(busy.reveal(), half_hours(24)).is_none());
        assert!(visitors.find(left_alone.reveal(), half_hours(2)).is_none());
    }
}
