//! Two indexes in place of one: a large one that is made seldom, and a small one with what came since.
//!
//! One value more in ten thousand then costs the time of the few that came since the large one was made. Whoever writes Secrets
//! in a loop makes it be made once every so many values, not every time.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;
use std::sync::Arc;

use siphasher::sip128::SipHasher24;
use zeroize::Zeroizing;

use super::Updated;
use super::index::{Fate, Index, MOST_BYTES, Pattern};

/// So many values may be new, and so many gone, before all are indexed together: about as many as make what either costs the
/// same, and some of the large one's.
const MOST_RECENT: usize = 256;
const SHARE_RECENT: usize = 16;

/// Fewer than these are always indexed together.
const FEW: usize = 64;

/// What is known; immutable.
#[derive(Debug)]
pub(crate) struct Layers {
    sealed: Arc<Sealed>,
    /// Of values that `sealed` has not.
    recent: Index,
}

/// The large index.
#[derive(Debug)]
struct Sealed {
    index: Index,
    /// What became of each value it was made of, by its digest.
    fates: HashMap<u128, Fate>,
    /// Keys the digests: nobody can make two values that have the same.
    key: [u8; 16],
}

impl Default for Layers {
    fn default() -> Self {
        Self::seal(Vec::new(), random()).0
    }
}

impl Layers {
    /// What is known after an update to `values`, and what became of them.
    pub(crate) fn updated(&self, values: impl Iterator<Item = Zeroizing<Vec<u8>>>) -> (Self, Updated) {
        let values = distinct(values);
        self.with_recent(&values).unwrap_or_else(|| Self::seal(values, self.sealed.key))
    }

    /// With the large index as it is, if few values are new or gone, and there is room for the new ones.
    fn with_recent(&self, values: &[Zeroizing<Vec<u8>>]) -> Option<(Self, Updated)> {
        let sealed = &self.sealed;
        let most = MOST_RECENT.max(sealed.fates.len() / SHARE_RECENT);
        if sealed.fates.len() < FEW || values.len() + most < sealed.fates.len() {
            return None;
        }
        let mut updated = Updated::default();
        let mut new = Vec::new();
        for value in values {
            match sealed.fates.get(&digest(&sealed.key, value)) {
                Some(fate) => updated.count(*fate),
                None => new.push(value.clone()),
            }
        }
        let gone = sealed.fates.len() + new.len() - values.len();
        if new.len() > most || gone > most {
            return None;
        }
        let room = MOST_BYTES.saturating_sub(sealed.index.bytes());
        let (recent, fates) = Index::build(&new, room);
        if fates.contains(&Fate::LeftOut) {
            return None;
        }
        fates.into_iter().for_each(|fate| updated.count(fate));
        updated.memory = sealed.index.memory() + recent.memory();
        Some((Self { sealed: Arc::clone(sealed), recent }, updated))
    }

    fn seal(values: Vec<Zeroizing<Vec<u8>>>, key: [u8; 16]) -> (Self, Updated) {
        let (index, fates) = Index::build(&values, MOST_BYTES);
        let mut updated = Updated { memory: index.memory(), ..Updated::default() };
        fates.iter().for_each(|fate| updated.count(*fate));
        let fates = values.iter().map(|value| digest(&key, value)).zip(fates).collect();
        (Self { sealed: Arc::new(Sealed { index, fates, key }), recent: Index::default() }, updated)
    }

    /// Whether nothing is looked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.sealed.index.is_empty() && self.recent.is_empty()
    }

    /// Bytes in the longest pattern.
    pub(crate) fn longest(&self) -> usize {
        self.sealed.index.longest().max(self.recent.longest())
    }

    /// As [`Index::scan`].
    pub(crate) fn scan(&self, text: &[u8], json: bool, mut found: impl FnMut(Range<usize>, Pattern)) {
        self.sealed.index.scan(text, json, &mut found);
        self.recent.scan(text, json, &mut found);
    }

    /// As [`Index::heads`].
    pub(crate) fn heads(&self, text: &[u8], mut found: impl FnMut(Range<usize>)) {
        self.sealed.index.heads(text, &mut found);
        self.recent.heads(text, &mut found);
    }

    /// As [`Index::tails`].
    pub(crate) fn tails(&self, text: &[u8], mut found: impl FnMut(Range<usize>)) {
        self.sealed.index.tails(text, &mut found);
        self.recent.tails(text, &mut found);
    }

    /// How many different values are in `text`.
    pub(crate) fn count_in(&self, text: &[u8]) -> usize {
        let (mut places, mut values, mut others) = (HashSet::new(), HashSet::new(), HashSet::new());
        self.sealed.index.scan(text, false, |range, pattern| {
            places.insert(range);
            values.insert(pattern.value);
        });
        self.recent.scan(text, false, |range, pattern| {
            // What both have is one value's.
            if !places.contains(&range) {
                others.insert(pattern.value);
            }
        });
        values.len() + others.len()
    }
}

/// Each value once, where it comes first.
fn distinct(values: impl Iterator<Item = Zeroizing<Vec<u8>>>) -> Vec<Zeroizing<Vec<u8>>> {
    let mut values: Vec<(usize, Zeroizing<Vec<u8>>)> = values.enumerate().collect();
    values.sort_unstable_by(|(one_at, one), (other_at, other)| (&**one, one_at).cmp(&(&**other, other_at)));
    values.dedup_by(|(_, next), (_, kept)| next == kept);
    values.sort_unstable_by_key(|(at, _)| *at);
    values.into_iter().map(|(_, value)| value).collect()
}

impl Updated {
    fn count(&mut self, fate: Fate) {
        match fate {
            Fate::Known => self.known += 1,
            Fate::Guessable => self.guessable += 1,
            Fate::LeftOut => self.left_out += 1,
        }
    }
}

fn digest(key: &[u8; 16], value: &[u8]) -> u128 {
    SipHasher24::new_with_key(key).hash(value).as_u128()
}

/// A key that is another one in each process.
fn random() -> [u8; 16] {
    let half = || RandomState::new().hash_one(0).to_le_bytes();
    let mut key = [0; 16];
    key.iter_mut().zip(half().into_iter().chain(half())).for_each(|(byte, random)| *byte = random);
    key
}

#[cfg(test)]
#[path = "layers/tests.rs"]
mod tests;
