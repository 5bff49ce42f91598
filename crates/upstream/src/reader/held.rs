//! The values that are held: those in use, and for a while those that were.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Problem,
    object::Name,
    shares::Shares,
    value::{OVERHEAD, Value},
};

/// The values of all sources. Takes the time as an argument.
#[derive(Debug)]
pub(super) struct Held {
    /// In use, by source.
    live: Vec<HashMap<Name, Vec<Value>>>,
    /// What those take, by namespace, and which have more than may be held of one.
    shares: Shares,
    /// No longer in use, and until when they stay known.
    retired: HashMap<Value, Instant>,
    /// Of both, as [`Value::cost`] counts.
    bytes: usize,
    most: usize,
    keep: Duration,
    /// Counted up with each change of what is known.
    generation: u64,
    told: bool,
}

/// A copy of what is held, so that it can be gone through without the lock. Values are cheap to clone.
pub(super) struct Snapshot {
    live: Vec<Value>,
    /// With when they are to be forgotten.
    retired: Vec<(Value, Instant)>,
}

/// What is to be known, each value once.
pub(super) struct Ordered {
    /// Those in use, and then those that were, the newest of them first: what comes last is missed least.
    pub(super) values: Vec<Value>,
    /// How many of them are in use.
    pub(super) live: usize,
    /// Values in use that were no base64.
    pub(super) undecoded: usize,
}

/// The values in use are more than may be held.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full {
    /// As many bytes as may be held.
    pub(super) bytes: usize,
    /// The namespace that holds most.
    pub(super) namespace: String,
}

/// What a change is to who follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing that is known changed.
    Nothing,
    /// What is known changed.
    Known,
    /// There is room again in a namespace of which values were left out: everything has to be listed to get them.
    Room,
}

impl From<Full> for Problem {
    fn from(Full { bytes, namespace }: Full) -> Self {
        Self::TooMuch { bytes, namespace }
    }
}

impl Held {
    /// At most `most` bytes, of which `share` of one namespace; what was deleted or replaced stays known for `keep`.
    pub(super) fn new(sources: usize, most: usize, share: usize, keep: Duration) -> Self {
        let live = (0..sources).map(|_source| HashMap::new()).collect();
        let shares = Shares::new(share);
        Self { live, shares, retired: HashMap::new(), bytes: 0, most, keep, generation: 0, told: false }
    }

    /// A Secret of a source has these values from now on. Whether that changes what is known. Where its namespace has more
    /// than its share they are left out, and [`Held::values_left_out`] tells.
    ///
    /// # Errors
    /// There is no room for them. The values it had stay known.
    pub(super) fn put(
        &mut self,
        source: usize,
        name: Name,
        values: Vec<Value>,
        now: Instant,
    ) -> Result<Change, Full> {
        let Some(live) = self.live.get_mut(source) else { return Ok(Change::Nothing) };
        let had = live.remove(&name).unwrap_or_default();
        if had == values && !self.shares.is_left_out(&name) {
            if !had.is_empty() {
                live.insert(name, had);
            }
            return Ok(Change::Nothing);
        }
        self.shares.give(&name, cost(&had));
        let fits = self.take(source, &name, values);
        let changed = !had.is_empty() || self.live.get(source).is_some_and(|live| live.contains_key(&name));
        self.retire(had, now);
        self.generation += u64::from(changed);
        match (fits, changed) {
            (false, _) => Err(self.full()),
            (true, true) => Ok(Change::Known),
            (true, false) => Ok(Change::Nothing),
        }
    }

    /// Whether there is room for a Secret that is not held.
    fn take(&mut self, source: usize, name: &Name, values: Vec<Value>) -> bool {
        let cost = cost(&values);
        if !self.shares.take(source, name, cost, values.len()) {
            // Of what is left out the name is held: of these, too, there are at most so many.
            return self.shares.left_out() <= self.most_secrets();
        }
        self.bytes += cost;
        let fits = self.make_room();
        match self.live.get_mut(source) {
            Some(live) if fits && !values.is_empty() => drop(live.insert(name.clone(), values)),
            // Without values it need not be held; without room it cannot be.
            _ => {
                self.bytes -= cost;
                self.shares.give(name, cost);
            }
        }
        fits
    }

    /// A Secret of a source is gone. Nothing changes in what is known, until its values' time is over.
    pub(super) fn remove(&mut self, source: usize, name: &Name, now: Instant) -> Change {
        let had = self.live.get_mut(source).and_then(|live| live.remove(name)).unwrap_or_default();
        let room = self.shares.remove(name, cost(&had));
        self.retire(had, now);
        if room { Change::Room } else { Change::Nothing }
    }

    /// A source has these Secrets and no others.
    pub(super) fn keep_only(&mut self, source: usize, names: &HashSet<Name>, now: Instant) {
        let Some(live) = self.live.get_mut(source) else { return };
        let gone: Vec<_> = live.extract_if(|name, _values| !names.contains(name)).collect();
        for (name, values) in gone {
            self.shares.give(&name, cost(&values));
            self.retire(values, now);
        }
        self.shares.keep_only(source, names);
    }

    /// Forgets what was kept for long enough.
    pub(super) fn expire(&mut self, now: Instant) {
        let before = self.retired.len();
        let bytes = &mut self.bytes;
        self.retired.retain(|value, until| {
            let stays = *until > now;
            *bytes -= if stays { 0 } else { value.cost() };
            stays
        });
        self.generation += u64::from(self.retired.len() != before);
    }

    /// When there is next something to forget.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.retired.values().min().copied()
    }

    /// All that is known.
    pub(super) fn snapshot(&self) -> Snapshot {
        let live = self.live.iter().flat_map(HashMap::values).flatten().cloned().collect();
        let retired = self.retired.iter().map(|(value, until)| (value.clone(), *until)).collect();
        Snapshot { live, retired }
    }

    /// The namespaces that have more than their share, and how many values of each are left out.
    pub(super) fn values_left_out(&self) -> BTreeMap<String, usize> {
        self.shares.values_left_out()
    }

    /// The namespaces that have more than their share.
    pub(super) fn namespaces_over_share(&self) -> &Arc<BTreeSet<String>> {
        self.shares.namespaces_over()
    }

    pub(super) fn full(&self) -> Full {
        Full { bytes: self.most, namespace: self.shares.largest() }
    }

    /// More Secrets than this have no room, whatever is in them.
    pub(super) fn most_secrets(&self) -> usize {
        self.most / OVERHEAD
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    fn retire(&mut self, values: Vec<Value>, now: Instant) {
        for value in values {
            let cost = value.cost();
            if self.retired.insert(value, now + self.keep).is_some() {
                self.bytes -= cost;
            }
        }
    }

    /// Forgets those first that were retired first, an eighth of all room at once, so that a flood costs little each.
    fn make_room(&mut self) -> bool {
        if self.bytes <= self.most {
            return true;
        }
        let mut oldest: Vec<_> = self.retired.iter().map(|(value, until)| (*until, value.clone())).collect();
        oldest.sort_unstable_by_key(|(until, _value)| *until);
        for (_until, value) in oldest {
            if self.bytes <= self.most - self.most / 8 {
                break;
            }
            self.retired.remove(&value);
            self.bytes -= value.cost();
            if !std::mem::replace(&mut self.told, true) {
                tracing::warn!(
                    bytes = self.most,
                    "values of Secrets that were deleted or replaced are forgotten before their time, since there is no room \
                     for more; `masking.known_values.bytes` is how much"
                );
            }
        }
        self.bytes <= self.most
    }
}

impl Snapshot {
    /// Each value once, ordered as [`Ordered::values`]. Hashes every value: off the threads that serve.
    pub(super) fn into_ordered(mut self) -> Ordered {
        let undecoded = self.live.iter().filter(|value| value.is_undecoded()).count();
        self.retired.sort_unstable_by_key(|(_value, until)| std::cmp::Reverse(*until));
        let mut seen = HashSet::new();
        let mut values = self.live;
        values.retain(|value| seen.insert(value.clone()));
        let live = values.len();
        values.extend(
            self.retired.into_iter().map(|(value, _until)| value).filter(|value| seen.insert(value.clone())),
        );
        Ordered { values, live, undecoded }
    }
}

fn cost(values: &[Value]) -> usize {
    values.iter().map(Value::cost).sum()
}

#[cfg(test)]
mod tests;
