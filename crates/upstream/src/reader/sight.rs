//! How well the Secrets are seen.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use mask::Updated;
use tokio::time::Instant;

use super::{Blind, Problem};

/// What all sources see, and what of it is known to who masks.
#[derive(Debug)]
pub(super) struct Sight {
    sources: Vec<Source>,
    /// What is masked.
    indexed: Option<Indexed>,
    /// Namespaces with more than their share: values of their Secrets are not known.
    over_share: Arc<BTreeSet<String>>,
    /// Namespaces that no longer have, and the generation from which on all their values are masked.
    opening: BTreeMap<String, u64>,
    /// A task ended that should not.
    ended: bool,
}

/// What became of the values of a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Indexed {
    pub(super) generation: u64,
    pub(super) updated: Updated,
    /// Values in use that are not looked for since there was no room.
    pub(super) unseen: usize,
    /// The namespace that holds most.
    pub(super) largest: String,
    /// Values in use that were no base64.
    pub(super) undecoded: usize,
}

#[derive(Debug, Default)]
struct Source {
    /// The generation of the values once it was listed; `None` as long as values of it may be missing.
    listed: Option<u64>,
    /// Since when no watch follows the list; `None` while one does.
    lost: Option<Instant>,
    /// When the API server last said something.
    as_of: Option<Instant>,
    problem: Option<Problem>,
}

impl Sight {
    pub(super) fn new(sources: usize) -> Self {
        let sources = (0..sources).map(|_source| Source::default()).collect();
        Self { sources, indexed: None, over_share: Arc::default(), opening: BTreeMap::new(), ended: false }
    }

    /// Why no call may pass. A watch that is lost for `stale_after` is too long lost.
    pub(super) fn blind(&self, stale_after: Duration) -> Option<Blind> {
        if self.ended {
            return Some(Blind::Over);
        }
        let mut waiting = None;
        for source in &self.sources {
            match (source.listed, &source.problem) {
                (None, Some(problem)) => return Some(Blind::Unlisted(problem.clone())),
                (None, None) => waiting = Some(Blind::Listing),
                (Some(listed), _)
                    if self.indexed.as_ref().is_none_or(|indexed| indexed.generation < listed) =>
                {
                    waiting = Some(Blind::Listing);
                }
                (Some(_), problem) => {
                    if source.lost.is_some_and(|lost| lost.elapsed() > stale_after) {
                        let problem = problem.clone().unwrap_or(Problem::Ended);
                        return Some(Blind::Lost { seconds: stale_after.as_secs(), problem });
                    }
                }
            }
        }
        match &self.indexed {
            Some(Indexed { unseen, largest, .. }) if *unseen > 0 => {
                Some(Blind::NoRoom { values: *unseen, namespace: largest.clone() })
            }
            _ => waiting,
        }
    }

    /// A namespace of which values could be seen unmasked in what is about this namespace, or (`None`) about the whole cluster.
    pub(super) fn unknown_in(&self, namespace: Option<&str>) -> Option<&str> {
        let (over, opening) = match namespace {
            Some(namespace) => {
                (self.over_share.get(namespace), self.opening.get_key_value(namespace).map(|(name, _)| name))
            }
            None => (self.over_share.first(), self.opening.keys().next()),
        };
        over.or(opening).map(String::as_str)
    }

    /// When a watch will have been lost for too long, if none begins.
    pub(super) fn stale_at(&self, stale_after: Duration) -> Option<Instant> {
        self.sources.iter().filter_map(|source| source.lost).min().map(|lost| lost + stale_after)
    }

    /// What is masked.
    pub(super) fn masked(&self) -> Option<&Indexed> {
        self.indexed.as_ref()
    }

    /// Of the source that was last heard longest ago; `None` if one was not heard yet.
    pub(super) fn as_of(&self) -> Option<Instant> {
        let heard = self.sources.iter().map(|source| source.as_of);
        heard.collect::<Option<Vec<_>>>()?.into_iter().min()
    }

    pub(super) fn problem(&self) -> Option<Problem> {
        self.sources.iter().find_map(|source| source.problem.clone())
    }

    /// A list is complete.
    pub(super) fn listed(&mut self, source: usize, generation: u64) {
        let Some(source) = self.sources.get_mut(source) else { return };
        // No watch follows it yet.
        let now = Instant::now();
        *source = Source {
            listed: Some(generation),
            lost: source.lost.or(Some(now)),
            as_of: Some(now),
            problem: None,
        };
    }

    /// A watch has begun.
    pub(super) fn follows(&mut self, source: usize) {
        if let Some(source) = self.sources.get_mut(source) {
            source.lost = None;
            source.problem = None;
            source.as_of = Some(Instant::now());
        }
    }

    /// The API server said something.
    pub(super) fn heard(&mut self, source: usize) {
        if let Some(source) = self.sources.get_mut(source) {
            source.as_of = Some(Instant::now());
        }
    }

    /// A watch has ended or did not begin; the list is known all the same.
    pub(super) fn lost(&mut self, source: usize, problem: Option<Problem>) {
        if let Some(source) = self.sources.get_mut(source) {
            source.lost.get_or_insert_with(Instant::now);
            source.problem = problem.or_else(|| source.problem.take());
            if matches!(source.problem, Some(Problem::TooMuch { .. })) {
                source.listed = None;
            }
        }
    }

    /// These values are masked from now on. Whether that is news: it lets calls pass that could not, or the other way round, or
    /// not all have room. Streams, of which there may be thousands, are not woken for less.
    pub(super) fn indexed(&mut self, indexed: Indexed) -> bool {
        let told = |sight: &Self| {
            let left_out = sight.masked().map(|masked| masked.updated.left_out);
            (sight.blind(Duration::MAX), left_out, sight.opening.len())
        };
        let before = told(self);
        self.indexed = Some(indexed);
        self.open();
        told(self) != before
    }

    /// These namespaces have more than their share from now on, and of others all values are in this generation. Whether that is
    /// news. A namespace is closed at once, and opened when what was left out of it is masked.
    pub(super) fn over_share_is(&mut self, namespaces: &Arc<BTreeSet<String>>, generation: u64) -> bool {
        // Mostly they are one and the same.
        if self.over_share == *namespaces {
            return false;
        }
        let opening = self.over_share.difference(namespaces).map(|name| (name.clone(), generation));
        self.opening.extend(opening);
        self.opening.retain(|name, _| !namespaces.contains(name));
        self.over_share = Arc::clone(namespaces);
        self.open();
        true
    }

    fn open(&mut self) {
        let masked = self.indexed.as_ref().map(|indexed| indexed.generation);
        self.opening.retain(|_, generation| masked.is_none_or(|masked| masked < *generation));
    }

    /// Nobody looks any more.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALE: Duration = Duration::from_secs(300);

    fn indexed(generation: u64, unseen: usize) -> Indexed {
        let updated = Updated { known: 1, guessable: 0, left_out: unseen, memory: 0 };
        Indexed { generation, updated, unseen, largest: "shop".to_owned(), undecoded: 0 }
    }

    #[tokio::test(start_paused = true)]
    async fn sight_is_there_once_all_is_listed_and_indexed_and_while_it_is_followed() {
        let mut sight = Sight::new(2);
        assert_eq!(sight.blind(STALE), Some(Blind::Listing));
        sight.listed(0, 1);
        sight.lost(1, Some(Problem::Forbidden));
        assert_eq!(sight.blind(STALE), Some(Blind::Unlisted(Problem::Forbidden)));
        assert_eq!(sight.as_of(), None);
        sight.listed(1, 2);
        assert_eq!(sight.blind(STALE), Some(Blind::Listing));
        sight.indexed(indexed(1, 0));
        assert_eq!(sight.blind(STALE), Some(Blind::Listing));
        sight.indexed(indexed(2, 3));
        let no_room = Blind::NoRoom { values: 3, namespace: "shop".to_owned() };
        assert_eq!(sight.blind(STALE), Some(no_room));
        assert!(sight.indexed(indexed(2, 0)));
        assert_eq!(sight.blind(STALE), None);
        assert!(!sight.indexed(indexed(3, 0)), "nothing that anyone waits for");
        let over = Arc::new(BTreeSet::from(["flood".to_owned()]));
        assert!(sight.over_share_is(&over, 3) && !sight.over_share_is(&over, 3));
        let unknown =
            |sight: &Sight| [Some("shop"), Some("flood"), None].map(|name| sight.unknown_in(name).is_some());
        assert_eq!(unknown(&sight), [false, true, true]);
        // What was left out is in generation 5, and masked only then.
        assert!(sight.over_share_is(&Arc::default(), 5));
        assert_eq!(unknown(&sight), [false, true, true]);
        let _news = sight.indexed(indexed(4, 0));
        assert_eq!(unknown(&sight), [false, true, true]);
        let _news = sight.indexed(indexed(5, 0));
        assert_eq!(unknown(&sight), [false, false, false]);
        assert!(sight.over_share_is(&over, 5) && sight.over_share_is(&Arc::default(), 5));
        assert_eq!(unknown(&sight), [false, false, false], "that is masked already");
        sight.follows(0);
        sight.follows(1);
        tokio::time::advance(STALE * 2).await;
        assert_eq!(sight.blind(STALE), None);
        sight.lost(1, None);
        tokio::time::advance(STALE).await;
        sight.lost(1, Some(Problem::Broken));
        assert_eq!((sight.blind(STALE), sight.problem()), (None, Some(Problem::Broken)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(sight.blind(STALE), Some(Blind::Lost { seconds: 300, problem: Problem::Broken }));
        // Listing again is not enough: what comes after the list is not seen yet, but time begins anew with a watch.
        sight.follows(1);
        assert_eq!((sight.blind(STALE), sight.problem()), (None, None));
        let too_much = Problem::TooMuch { bytes: 1, namespace: "shop".to_owned() };
        sight.lost(0, Some(too_much.clone()));
        assert_eq!(sight.blind(STALE), Some(Blind::Unlisted(too_much)));
        sight.end();
        assert_eq!(sight.blind(STALE), Some(Blind::Over));
    }
}
