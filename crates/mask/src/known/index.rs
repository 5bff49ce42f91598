//! Finds many patterns at once: a few bytes of every pattern, looked for at every fifth place of the text.
//!
//! An automaton takes a step a byte and outgrows the cache with a few hundred values. Here, the text is sampled: no pattern is shorter than
//! 12 bytes, so of the five *grams* of eight bytes that begin at five places of it in a row, one is at a place of the text that is
//! divisible by five, wherever the pattern is. Whether the eight bytes there are any pattern's gram is asked of a Bloom filter that fits
//! into the cache; only if it says yes are they looked up, and the pattern compared.
//!
//! Nothing that someone who writes Secrets does makes it slow without bounds: which five grams of a pattern are taken depends on how
//! common they are among all, and of patterns that share a gram the one that is there is found by bisection.

mod build;
mod filter;
mod parts;

use std::fmt;
use std::ops::Range;

use zeroize::Zeroizing;

pub(crate) use self::build::{Fate, MOST_BYTES};
use self::filter::Filter;
use self::parts::Parts;
use super::forms::{self, Flags};

/// Bytes in a gram.
const GRAM: usize = 8;
/// One place in so many is looked at.
const STRIDE: usize = 5;
/// So many places are looked at together, and so many bytes from the first to the end of the last.
const PLACES: usize = 8;
const BLOCK: usize = (PLACES - 1) * STRIDE + GRAM;

const _: () = assert!(GRAM + STRIDE - 1 <= forms::SHORTEST);
const _: () = assert!(forms::LONGEST <= 256, "a gram's place in its pattern is a byte");

/// What to look for; immutable.
#[derive(Default)]
pub(crate) struct Index {
    /// All patterns in lexicographic order, end to end.
    bytes: Zeroizing<Vec<u8>>,
    patterns: Vec<Stored>,
    filter: Filter,
    /// For each gram of a pattern: the upper half of its hash, its place in the pattern (8 bits), the pattern (24 bits);
    /// ascending.
    grams: Vec<u64>,
    /// Where the grams begin whose hash has these upper bits; one more for the end.
    directory: Vec<u32>,
    /// How many upper bits of half a hash `directory` is about.
    bits: u32,
    longest: usize,
    /// What patterns begin and end with that would be looked for by itself.
    heads: Parts,
    tails: Parts,
}

#[derive(Debug, Clone, Copy)]
struct Stored {
    end: u32,
    /// Which value it is a form of.
    value: u32,
    /// The longest other pattern that it begins with.
    prefix: Option<u32>,
    flags: Flags,
}

/// A pattern that was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pattern {
    pub(crate) value: u32,
    pub(crate) flags: Flags,
}

impl Index {
    /// Whether nothing is looked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Bytes in the longest pattern.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// Tells `found` of every place in `text` where patterns are: of those that begin at the same byte, at least the longest. With `json`,
    /// only of patterns that cannot be mistaken for its structure.
    pub(crate) fn scan(&self, text: &[u8], json: bool, mut found: impl FnMut(Range<usize>, Pattern)) {
        if self.is_empty() {
            return;
        }
        // Many places at once, so that one decision serves them all.
        let (mut at, mut rest) = (0, text);
        while let Some(block) = rest.first_chunk::<BLOCK>() {
            let mut hashes = [0; PLACES];
            let mut any = false;
            for (place, hash_here) in hashes.iter_mut().enumerate() {
                *hash_here = gram_at(block, place * STRIDE);
                any |= self.filter.may_have(*hash_here);
            }
            if any {
                for (place, hash) in
                    hashes.into_iter().enumerate().filter(|(_, hash)| self.filter.may_have(*hash))
                {
                    self.look_up(text, at + place * STRIDE, hash, json, &mut found);
                }
            }
            at += PLACES * STRIDE;
            rest = rest.get(PLACES * STRIDE..).unwrap_or_default();
        }
        for place in (0..(rest.len() + 1).saturating_sub(GRAM)).step_by(STRIDE) {
            let hash = gram_at(rest, place);
            if self.filter.may_have(hash) {
                self.look_up(text, at + place, hash, json, &mut found);
            }
        }
    }

    /// Finds the patterns that have the gram with this hash at `at`.
    #[cold]
    #[inline(never)]
    fn look_up(
        &self,
        text: &[u8],
        at: usize,
        hash: u64,
        json: bool,
        found: &mut impl FnMut(Range<usize>, Pattern),
    ) {
        let upper = hash >> 32;
        let bucket = usize::try_from(upper >> (32 - self.bits)).unwrap_or(usize::MAX);
        let (Some(from), Some(to)) =
            (self.directory.get(bucket), self.directory.get(bucket.saturating_add(1)))
        else {
            return;
        };
        let bucket = self.grams.get(*from as usize..*to as usize).unwrap_or_default();
        let from = bucket.partition_point(|gram| gram >> 32 < upper);
        let to = bucket.partition_point(|gram| gram >> 32 <= upper);
        for same_place in
            bucket.get(from..to).unwrap_or_default().chunk_by(|one, next| one >> 24 == next >> 24)
        {
            let Some(first) = same_place.first() else { continue };
            let place = usize::from((first >> 24).to_le_bytes()[0]);
            if let Some(start) = at.checked_sub(place)
                && let Some(rest) = text.get(start..)
            {
                // Whatever `rest` begins with comes last among what is not greater, or is the beginning of that.
                let not_greater = same_place.partition_point(|gram| self.pattern(number(*gram)) <= rest);
                let candidate = not_greater.checked_sub(1).and_then(|last| same_place.get(last));
                self.verify(rest, start, candidate.map(|gram| number(*gram)), json, found);
            }
        }
    }

    /// Tells of the longest of `candidate` and what it begins with that `rest` begins with too.
    fn verify(
        &self,
        rest: &[u8],
        start: usize,
        mut candidate: Option<u32>,
        json: bool,
        found: &mut impl FnMut(Range<usize>, Pattern),
    ) {
        while let Some(number) = candidate {
            let Some(stored) = self.patterns.get(number as usize) else { return };
            let pattern = self.pattern(number);
            if (!json || stored.flags.has(Flags::JSON)) && rest.starts_with(pattern) {
                let pattern_found = Pattern { value: stored.value, flags: stored.flags };
                return found(start..start + pattern.len(), pattern_found);
            }
            candidate = stored.prefix;
        }
    }

    /// Tells `found` of every place at the end of `text`, not further away than a pattern is long, where so much of one begins as would be
    /// looked for by itself. What follows makes no difference, so that nobody can find out with what a pattern goes on.
    pub(crate) fn heads(&self, text: &[u8], mut found: impl FnMut(Range<usize>)) {
        let last = (text.len() + 1).saturating_sub(forms::SHORTEST);
        for start in text.len().saturating_sub(self.longest)..last {
            let rest = text.get(start..).unwrap_or_default();
            if let Some(length) = self.heads.found(&self.bytes, rest) {
                found(start..start + length);
            }
        }
    }

    /// The same of places at the beginning of `text` where so much of a pattern ends; what is before it makes no difference.
    pub(crate) fn tails(&self, text: &[u8], mut found: impl FnMut(Range<usize>)) {
        for end in forms::SHORTEST..=text.len().min(self.longest) {
            let before = text.get(..end).unwrap_or_default();
            if let Some(length) = self.tails.found(&self.bytes, before) {
                found(end - length..end);
            }
        }
    }

    fn pattern(&self, number: u32) -> &[u8] {
        let number = number as usize;
        let end = |number: usize| self.patterns.get(number).map_or(0, |stored| stored.end as usize);
        let start = number.checked_sub(1).map_or(0, end);
        self.bytes.get(start..end(number)).unwrap_or_default()
    }
}

/// The pattern that an entry of `Index::grams` is about.
fn number(gram: u64) -> u32 {
    let [low, middle, high, ..] = gram.to_le_bytes();
    u32::from_le_bytes([low, middle, high, 0])
}

/// The hash of the gram at a place where there is one.
#[inline]
fn gram_at(text: &[u8], place: usize) -> u64 {
    text.get(place..).and_then(|rest| rest.first_chunk()).map_or(0, |gram| hash(*gram))
}

/// All bits depend on all bytes. The multiplier is that of a well-known generator (PCG); collisions cost time, not correctness.
#[inline]
fn hash(gram: [u8; GRAM]) -> u64 {
    let wide = u128::from(u64::from_le_bytes(gram) ^ 0x9E37_79B9_7F4A_7C15) * 0x5851_F42D_4C95_7F2D;
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    let folded = (wide >> 64) as u64 ^ wide as u64;
    folded
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("patterns", &self.patterns.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "index/tests.rs"]
mod tests;
