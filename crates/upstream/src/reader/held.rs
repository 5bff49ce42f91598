//! The values that are held: those in use, and for a while those that were.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
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

/// What is to be known, each value once.
pub(super) struct ToKnow {
    /// Those in use, and then those that were, the newest of them first: what comes last is missed least.
    pub(super) values: Vec<Value>,
    /// How many of them are in use.
    pub(super) live: usize,
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
    /// than its share they are left out, and [`Held::over_share`] tells.
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
    pub(super) fn to_know(&self) -> ToKnow {
        let mut seen = HashSet::new();
        let live = self.live.iter().flat_map(HashMap::values).flatten();
        let mut values: Vec<Value> = live.filter(|value| seen.insert(*value)).cloned().collect();
        let live = values.len();
        let mut retired: Vec<_> = self.retired.iter().filter(|(value, _until)| seen.insert(value)).collect();
        retired.sort_unstable_by_key(|(_value, until)| std::cmp::Reverse(**until));
        values.extend(retired.into_iter().map(|(value, _until)| value.clone()));
        ToKnow { values, live }
    }

    /// Values in use that were no base64.
    pub(super) fn undecoded(&self) -> usize {
        let live = self.live.iter().flat_map(HashMap::values).flatten();
        live.filter(|value| value.is_undecoded()).count()
    }

    /// The namespaces that have more than their share, and how many values of each are left out.
    pub(super) fn over_share(&self) -> BTreeMap<String, usize> {
        self.shares.over()
    }

    /// How many Secrets are left out.
    pub(super) fn left_out(&self) -> usize {
        self.shares.left_out()
    }

    /// The most bytes of one namespace.
    pub(super) fn share(&self) -> usize {
        self.shares.most()
    }

    /// See [`Shares::unknown_in`].
    pub(super) fn unknown_in(&self, namespace: Option<&str>) -> Option<&str> {
        self.shares.unknown_in(namespace)
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

fn cost(values: &[Value]) -> usize {
    values.iter().map(Value::cost).sum()
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
        let mut texts: Vec<_> = held.to_know().values.iter().map(Value::text).collect();
        texts.sort_unstable();
        texts.join(" ")
    }

    #[test]
    fn what_was_replaced_or_deleted_stays_known_for_a_while() {
        let mut held = Held::new(2, 10_000, 10_000, KEEP);
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        assert_eq!(held.put(0, name("a"), values(&["one", "two"]), at(0)), Ok(Change::Known));
        assert_eq!(held.put(0, name("a"), values(&["one", "two"]), at(1)), Ok(Change::Nothing));
        assert_eq!(held.put(1, name("a"), values(&["other"]), at(1)), Ok(Change::Known));
        assert_eq!(held.put(0, name("a"), values(&["one", "three"]), at(10)), Ok(Change::Known));
        held.remove(1, &name("a"), at(20));
        assert_eq!(known(&held), "one other three two");
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
        let mut held = Held::new(1, 3 * cost, usize::MAX, KEEP);
        let now = Instant::now();
        for (at, text) in ["11111111", "22222222", "33333333", "44444444"].iter().enumerate() {
            let now = now + Duration::from_secs(at as u64);
            assert_eq!(held.put(0, name("a"), values(&[text]), now), Ok(Change::Known));
        }
        assert_eq!(known(&held), "33333333 44444444");
        assert_eq!(held.put(0, name("b"), values(&["55555555"]), now), Ok(Change::Known));
        assert_eq!(held.put(0, name("c"), values(&["66666666"]), now), Ok(Change::Known));
        assert_eq!(known(&held), "44444444 55555555 66666666");
        assert_eq!(
            held.put(0, name("d"), values(&["77777777"]), now),
            Err(Full { bytes: 3 * cost, namespace: "n".to_owned() })
        );
        assert_eq!(known(&held), "44444444 55555555 66666666");
        held.remove(0, &name("a"), now);
        assert_eq!(held.put(0, name("d"), values(&["77777777"]), now), Ok(Change::Known));
        assert_eq!(known(&held), "55555555 66666666 77777777");
    }

    #[test]
    fn a_namespace_that_has_more_than_its_share_takes_no_room_from_others() {
        let of =
            |namespace: &str, text: &str| Name { namespace: namespace.to_owned(), name: text.to_owned() };
        let cost = values(&["12345678"])[0].cost();
        let mut held = Held::new(1, 8 * cost, 2 * cost, KEEP);
        let now = Instant::now();
        for (at, text) in ["11111111", "22222222", "33333333", "44444444"].iter().enumerate() {
            let put = held.put(0, of("flood", &at.to_string()), values(&[text]), now);
            assert_eq!(put, Ok(if at < 2 { Change::Known } else { Change::Nothing }));
        }
        assert_eq!(held.put(0, of("shop", "a"), values(&["55555555"]), now), Ok(Change::Known));
        assert_eq!(known(&held), "11111111 22222222 55555555");
        assert_eq!(held.over_share(), BTreeMap::from([("flood".to_owned(), 2)]));
        let unknown = [Some("shop"), Some("flood"), None].map(|namespace| held.unknown_in(namespace));
        assert_eq!(unknown, [None, Some("flood"), Some("flood")]);
        // What is left out goes away, or is found to have room when everything is listed again.
        assert_eq!(held.remove(0, &of("flood", "3"), now), Change::Nothing);
        assert_eq!(held.over_share(), BTreeMap::from([("flood".to_owned(), 1)]));
        assert_eq!(held.remove(0, &of("flood", "0"), now), Change::Room);
        assert_eq!(held.put(0, of("flood", "2"), values(&["33333333"]), now), Ok(Change::Known));
        assert_eq!(held.over_share(), BTreeMap::new());
        // What outgrows its share stays known as it was for a while, and its namespace is told.
        let larger = values(&["66666666", "77777777", "88888888"]);
        assert_eq!(held.put(0, of("shop", "a"), larger, now), Ok(Change::Known));
        assert_eq!(known(&held), "11111111 22222222 33333333 55555555");
        assert_eq!(held.over_share(), BTreeMap::from([("shop".to_owned(), 3)]));
        held.keep_only(1, &HashSet::new(), now);
        assert_eq!(held.over_share(), BTreeMap::from([("shop".to_owned(), 3)]));
        held.keep_only(0, &HashSet::new(), now);
        assert_eq!((held.over_share(), held.unknown_in(None)), (BTreeMap::new(), None));
    }

    #[test]
    fn names_that_are_left_out_are_bounded_too() {
        let mut held = Held::new(1, 4 * OVERHEAD, 0, KEEP);
        let now = Instant::now();
        let mut put = |at: usize| held.put(0, name(&at.to_string()), values(&["12345678"]), now).is_ok();
        assert_eq!((0..6).map(&mut put).collect::<Vec<_>>(), [true, true, true, true, false, false]);
    }

    #[test]
    fn what_is_in_use_comes_first_and_then_what_was_replaced_last() {
        let mut held = Held::new(1, 10_000, 10_000, KEEP);
        let begun = Instant::now();
        for (at, text) in ["one", "two", "three", "four"].iter().enumerate() {
            let now = begun + Duration::from_secs(at as u64);
            held.put(0, name("a"), values(&[text]), now).unwrap();
        }
        held.put(0, name("b"), values(&["two"]), begun).unwrap();
        let ToKnow { values, live } = held.to_know();
        let texts: Vec<_> = values.iter().map(Value::text).collect();
        assert_eq!(live, 2);
        assert!(texts[..2].contains(&"four".to_owned()) && texts[..2].contains(&"two".to_owned()));
        assert_eq!(texts[2..], ["three", "one"]);
    }
}
