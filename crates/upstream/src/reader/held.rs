//! The values that are held: those in use, and for a while those that were.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Problem,
    object::Name,
    value::{OVERHEAD, Value},
};

/// The values of all sources. Takes the time as an argument.
#[derive(Debug)]
pub(super) struct Held {
    /// In use, by source.
    live: Vec<HashMap<Name, Vec<Value>>>,
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

/// The values in use are more than these bytes, as many as may be held.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full {
    pub(super) bytes: usize,
}

impl From<Full> for Problem {
    fn from(Full { bytes }: Full) -> Self {
        Self::TooMuch { bytes }
    }
}

impl Held {
    /// At most `most` bytes; what was deleted or replaced stays known for `keep`.
    pub(super) fn new(sources: usize, most: usize, keep: Duration) -> Self {
        let live = (0..sources).map(|_source| HashMap::new()).collect();
        Self { live, retired: HashMap::new(), bytes: 0, most, keep, generation: 0, told: false }
    }

    /// A Secret of a source has these values from now on. Whether that changes what is known.
    ///
    /// # Errors
    /// There is no room for them. The values it had stay known.
    pub(super) fn put(
        &mut self,
        source: usize,
        name: Name,
        values: Vec<Value>,
        now: Instant,
    ) -> Result<bool, Full> {
        let Some(live) = self.live.get_mut(source) else { return Ok(false) };
        let had = live.remove(&name).unwrap_or_default();
        if had == values {
            if !had.is_empty() {
                live.insert(name, had);
            }
            return Ok(false);
        }
        let cost: usize = values.iter().map(Value::cost).sum();
        self.bytes += cost;
        let fits = self.make_room();
        match self.live.get_mut(source) {
            Some(live) if fits && !values.is_empty() => drop(live.insert(name, values)),
            // Without values it need not be held; without room it cannot be.
            _ => self.bytes -= cost,
        }
        self.retire(had, now);
        self.generation += 1;
        if fits { Ok(true) } else { Err(self.full()) }
    }

    /// A Secret of a source is gone. Nothing changes in what is known, until its values' time is over.
    pub(super) fn remove(&mut self, source: usize, name: &Name, now: Instant) {
        let had = self.live.get_mut(source).and_then(|live| live.remove(name));
        self.retire(had.unwrap_or_default(), now);
    }

    /// A source has these Secrets and no others.
    pub(super) fn keep_only(&mut self, source: usize, names: &HashSet<Name>, now: Instant) {
        let Some(live) = self.live.get_mut(source) else { return };
        let gone: Vec<_> = live.extract_if(|name, _values| !names.contains(name)).collect();
        for (_name, values) in gone {
            self.retire(values, now);
        }
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
    pub(super) fn values(&self) -> Vec<Value> {
        let live = self.live.iter().flat_map(HashMap::values).flatten();
        live.chain(self.retired.keys()).cloned().collect()
    }

    pub(super) fn full(&self) -> Full {
        Full { bytes: self.most }
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

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    const KEEP: Duration = Duration::from_secs(60);

    fn name(text: &str) -> Name {
        Name { namespace: "n".to_owned(), name: text.to_owned() }
    }

    fn values(texts: &[&str]) -> Vec<Value> {
        texts.iter().map(|text| Value::new(Zeroizing::new(text.as_bytes().to_vec()))).collect()
    }

    fn known(held: &Held) -> String {
        let mut texts: Vec<_> = held.values().iter().map(Value::text).collect();
        texts.sort_unstable();
        texts.join(" ")
    }

    #[test]
    fn what_was_replaced_or_deleted_stays_known_for_a_while() {
        let mut held = Held::new(2, 10_000, KEEP);
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        assert_eq!(held.put(0, name("a"), values(&["one", "two"]), at(0)), Ok(true));
        assert_eq!(held.put(0, name("a"), values(&["one", "two"]), at(1)), Ok(false));
        assert_eq!(held.put(1, name("a"), values(&["other"]), at(1)), Ok(true));
        assert_eq!(held.put(0, name("a"), values(&["one", "three"]), at(10)), Ok(true));
        held.remove(1, &name("a"), at(20));
        assert_eq!(known(&held), "one one other three two");
        assert_eq!(held.next_expiry(), Some(at(70)));
        held.expire(at(70));
        assert_eq!(known(&held), "one other three");
        held.expire(at(80));
        assert_eq!(known(&held), "one three");
        held.keep_only(0, &HashSet::new(), at(90));
        held.expire(at(149));
        assert_eq!(known(&held), "one three");
        let before = held.generation();
        held.expire(at(150));
        assert_eq!((known(&held).as_str(), held.bytes), ("", 0));
        assert!(held.generation() > before && held.next_expiry().is_none());
    }

    #[test]
    fn what_was_deleted_makes_room_and_what_is_in_use_does_not() {
        let cost = values(&["12345678"])[0].cost();
        let mut held = Held::new(1, 3 * cost, KEEP);
        let now = Instant::now();
        for (at, text) in ["11111111", "22222222", "33333333", "44444444"].iter().enumerate() {
            let now = now + Duration::from_secs(at as u64);
            assert_eq!(held.put(0, name("a"), values(&[text]), now), Ok(true));
        }
        assert_eq!(known(&held), "33333333 44444444");
        assert_eq!(held.put(0, name("b"), values(&["55555555"]), now), Ok(true));
        assert_eq!(held.put(0, name("c"), values(&["66666666"]), now), Ok(true));
        assert_eq!(known(&held), "44444444 55555555 66666666");
        assert_eq!(held.put(0, name("d"), values(&["77777777"]), now), Err(Full { bytes: 3 * cost }));
        assert_eq!(known(&held), "44444444 55555555 66666666");
        held.remove(0, &name("a"), now);
        assert_eq!(held.put(0, name("d"), values(&["77777777"]), now), Ok(true));
        assert_eq!(known(&held), "55555555 66666666 77777777");
    }
}
