//! Links that sign somebody in once: the way in on a single machine, where the account that asks for one says who it is.

use std::collections::HashMap;

use approval::Human;
use identity::{Entropy, EntropyError};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::secret::{Kept, Secret};

/// How long a link can be used: long enough to be clicked.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(5);
/// Of links that nobody used yet. Whoever has the admin socket makes them.
const MOST: usize = 100;

/// The links that were not used yet.
#[derive(Debug, Default)]
pub(super) struct Links(Mutex<HashMap<Kept, Given>>);

#[derive(Debug, Clone)]
struct Given {
    human: Human,
    until: Timestamp,
}

/// Why no link was made.
#[derive(Debug, thiserror::Error)]
pub enum NoLink {
    /// Others wait to be used.
    #[error("{MOST} links wait to be used already: use one of them, or wait five minutes")]
    TooMany,
    /// There was nothing to make one of.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl Links {
    /// A link's secret for this human, and until when it can be used.
    pub(super) fn make(
        &self,
        human: Human,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<(Secret, Timestamp), NoLink> {
        let secret = Secret::new(entropy)?;
        let until = now.saturating_add(GOOD_FOR).unwrap_or(now);
        let mut links = self.0.lock();
        links.retain(|_, given| now < given.until);
        if links.len() >= MOST {
            return Err(NoLink::TooMany);
        }
        links.insert(secret.kept(), Given { human, until });
        Ok((secret, until))
    }

    /// Whom a link would sign in.
    pub(super) fn whose(&self, shown: &str, now: Timestamp) -> Option<Human> {
        let links = self.0.lock();
        links.get(&Kept::of(shown)).filter(|given| now < given.until).map(|given| given.human.clone())
    }

    /// Uses a link up.
    pub(super) fn take(&self, shown: &str, now: Timestamp) -> Option<Human> {
        let given = self.0.lock().remove(&Kept::of(shown))?;
        (now < given.until).then_some(given.human)
    }
}

#[cfg(test)]
mod tests {
    use approval::testing::human;
    use identity::SystemEntropy;

    use super::*;

    #[test]
    fn a_link_is_good_once_and_for_five_minutes() {
        let links = Links::default();
        let now = Timestamp::UNIX_EPOCH;
        let grace = human("grace", &["sre"]);
        let (first, until) = links.make(grace.clone(), &SystemEntropy, now).unwrap();
        let (second, _) = links.make(grace.clone(), &SystemEntropy, now).unwrap();
        assert_eq!(links.whose(first.reveal(), now), Some(grace.clone()));
        assert_eq!(links.take(first.reveal(), now), Some(grace));
        assert_eq!(links.take(first.reveal(), now), None);
        assert_eq!(links.whose(second.reveal(), until), None);
        assert_eq!(links.take(second.reveal(), until), None);
        assert_eq!(links.take("", now), None);
    }

    #[test]
    fn there_are_only_so_many() {
        let links = Links::default();
        let now = Timestamp::UNIX_EPOCH;
        let make = |now| links.make(human("grace", &[]), &SystemEntropy, now).map(drop);
        for _ in 0..MOST {
            make(now).unwrap();
        }
        insta::assert_snapshot!(make(now).unwrap_err(), @"100 links wait to be used already: use one of them, or wait five minutes");
        make(now + GOOD_FOR).unwrap();
    }
}
