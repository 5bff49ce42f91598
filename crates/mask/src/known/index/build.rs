//! Makes an index of values.

use std::ops::Range;

use zeroize::Zeroizing;

use super::{Filter, Flags, GRAM, Index, Parts, STRIDE, Stored, gram_at};
use crate::known::forms::{Form, forms};
use crate::known::parts::parts;
use crate::known::rule::{End, unguessable};

/// The most patterns, and the most bytes in them all: what is more is left out, and said to be.
const MOST_PATTERNS: usize = 1 << 23;
pub(crate) const MOST_BYTES: usize = 512 << 20;

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Looked for, in whole or in part.
    Known,
    /// Not looked for: too short, guessable or public.
    Guessable,
    /// Not looked for: there was no room.
    LeftOut,
}

impl Index {
    /// An index of `values`, which are distinct, with up to `most` bytes, and what became of each of them.
    pub(crate) fn build(values: &[Zeroizing<Vec<u8>>], most: usize) -> (Self, Vec<Fate>) {
        let mut fates = Vec::with_capacity(values.len());
        let mut all: Vec<(Form, u32)> = Vec::new();
        let mut bytes = 0;
        for (number, value) in (0..).zip(values) {
            if bytes >= most || all.len() >= MOST_PATTERNS {
                fates.push(Fate::LeftOut);
                continue;
            }
            let own = of_value(value).into_iter().map(|form| (form, number)).collect();
            // Each value's own are sorted first, so that copies of a form do not pile up.
            let own = distinct(own);
            fates.push(if own.is_empty() { Fate::Guessable } else { Fate::Known });
            bytes += own.iter().map(|(form, _)| form.bytes.len()).sum::<usize>();
            all.extend(own);
        }
        (Self::of(distinct(all)), fates)
    }

    /// An index of `forms`.
    #[cfg(test)]
    pub(super) fn of_any(forms: Vec<(Form, u32)>) -> Self {
        Self::of(distinct(forms))
    }

    /// An index of distinct `forms` in ascending order.
    fn of(forms: Vec<(Form, u32)>) -> Self {
        if forms.is_empty() {
            return Self::default();
        }
        let mut index = Self {
            // As large as it gets: growing would leave copies behind.
            bytes: Zeroizing::new(Vec::with_capacity(forms.iter().map(|(form, _)| form.bytes.len()).sum())),
            patterns: Vec::with_capacity(forms.len()),
            filter: Filter::for_hashes(forms.len() * STRIDE),
            grams: Vec::with_capacity(forms.len() * STRIDE),
            longest: forms.iter().map(|(form, _)| form.bytes.len()).max().unwrap_or(0),
            ..Self::default()
        };
        let common = Common::of(&forms);
        let mut prefixes: Vec<u32> = Vec::new();
        let (mut heads, mut tails) = (Vec::new(), Vec::new());
        for (number, (form, value)) in (0..).zip(forms) {
            while let Some(prefix) = prefixes.last()
                && !form.bytes.starts_with(index.pattern(*prefix))
            {
                prefixes.pop();
            }
            let prefix = prefixes.last().copied();
            let inherited =
                prefix.and_then(|prefix| index.patterns.get(prefix as usize)).map(|prefix| prefix.flags);
            let flags = form.flags.with(inherited.unwrap_or_default().only(Flags::BEFORE));
            prefixes.push(number);
            for place in common.rarest(&form.bytes) {
                let hash = gram_at(&form.bytes, place);
                index.filter.insert(hash);
                index.grams.push(hash >> 32 << 32 | (place as u64) << 24 | u64::from(number));
            }
            let start = offset(index.bytes.len());
            index.bytes.extend_from_slice(&form.bytes);
            let end = offset(index.bytes.len());
            let short = |length: usize| u16::try_from(length).ok();
            heads.extend(form.ends.first.and_then(short).map(|length| (start, length)));
            tails.extend(form.ends.last.and_then(short).map(|length| (end - u32::from(length), length)));
            index.patterns.push(Stored { end, value, prefix, flags });
        }
        index.grams.sort_unstable();
        index.direct();
        index.heads = Parts::new(End::First, &index.bytes, heads);
        index.tails = Parts::new(End::Last, &index.bytes, tails);
        index
    }

    /// Writes the directory of the grams, of which there are some.
    fn direct(&mut self) {
        self.bits = self.grams.len().next_power_of_two().trailing_zeros().clamp(1, 24);
        let mut begins = 0;
        for bucket in 0..1_u64 << self.bits {
            self.directory.push(u32::try_from(begins).unwrap_or(u32::MAX));
            while self.grams.get(begins).is_some_and(|gram| gram >> (64 - self.bits) == bucket) {
                begins += 1;
            }
        }
        self.directory.push(u32::try_from(begins).unwrap_or(u32::MAX));
        self.directory.shrink_to_fit();
    }

    /// Bytes of all patterns.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of memory it takes.
    pub(crate) fn memory(&self) -> usize {
        self.bytes.capacity()
            + self.patterns.capacity() * size_of::<Stored>()
            + self.grams.capacity() * size_of::<u64>()
            + self.directory.capacity() * size_of::<u32>()
            + self.filter.memory()
            + self.heads.memory()
            + self.tails.memory()
    }
}

/// The forms of all parts of `value` that may be looked for.
fn of_value(value: &[u8]) -> Vec<Form> {
    let mut parts = parts(value);
    parts.sort_by(|one, other| (&**one.bytes, one.spelled).cmp(&(&**other.bytes, other.spelled)));
    parts.dedup_by(|next, kept| next.bytes == kept.bytes);
    parts.iter().filter(|part| unguessable(&part.bytes)).flat_map(forms).collect()
}

/// In ascending order, and of those with the same bytes one with the flags of all.
fn distinct(mut forms: Vec<(Form, u32)>) -> Vec<(Form, u32)> {
    forms.sort_by(|(one, _), (other, _)| one.bytes.cmp(&other.bytes));
    forms.dedup_by(|(next, _), (kept, _)| {
        let same = next.bytes == kept.bytes;
        if same {
            kept.flags = kept.flags.with(next.flags);
            kept.ends.first = kept.ends.first.into_iter().chain(next.ends.first).min();
            kept.ends.last = kept.ends.last.into_iter().chain(next.ends.last).min();
        }
        same
    });
    forms
}

/// A place among the bytes of all patterns, of which there are fewer than [`MOST_BYTES`] and one value's.
fn offset(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// How common grams are.
struct Common {
    /// By some bits of their hash.
    counts: Vec<u16>,
}

impl Common {
    fn of(forms: &[(Form, u32)]) -> Self {
        let mut common =
            Self { counts: vec![0; (forms.len() * 32).next_power_of_two().clamp(1 << 10, 1 << 21)] };
        for (form, _) in forms {
            for place in runs(&form.bytes).flatten() {
                let place = common.place(&form.bytes, place);
                if let Some(count) = common.counts.get_mut(place) {
                    *count = count.saturating_add(1);
                }
            }
        }
        common
    }

    /// Places in a row of the pattern's grams that are rare among all grams, and rare in texts as far as that can be told.
    fn rarest(&self, pattern: &[u8]) -> Range<usize> {
        let cost = |run: &Range<usize>| run.clone().map(|place| self.cost(pattern, place)).sum::<u32>();
        runs(pattern).min_by_key(cost).unwrap_or(0..0)
    }

    fn cost(&self, pattern: &[u8], place: usize) -> u32 {
        let gram = pattern.get(place..place + GRAM).unwrap_or_default();
        let count = self.counts.get(self.place(pattern, place)).copied().unwrap_or(0);
        let plain = gram.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_punctuation());
        let uniform = gram.windows(2).filter(|pair| matches!(pair, [one, next] if one == next)).count() > 4;
        u32::from(count) + if plain { 16 } else { 0 } + if uniform { 1000 } else { 0 }
    }

    fn place(&self, pattern: &[u8], place: usize) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "the lower bits are what is wanted")]
        let hash = gram_at(pattern, place) as usize;
        hash & (self.counts.len() - 1)
    }
}

/// The places that are chosen from: at the pattern's beginning and end, and two between, so that patterns that are alike in
/// one of them differ in another.
fn runs(pattern: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let last = pattern.len().saturating_sub(GRAM + STRIDE - 1);
    let thirds = [0, last / 3, last * 2 / 3, last];
    let distinct = if last < 3 { 1 } else { thirds.len() };
    thirds.into_iter().rev().take(distinct).map(|first| first..first + STRIDE)
}
