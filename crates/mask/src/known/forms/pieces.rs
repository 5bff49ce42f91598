//! Spellings, cut into pieces that are no longer than a pattern may be.
//!
//! Each piece is a pattern of its own: whoever prints it sees whether it is one. So it is looked for only if what it has of the value
//! would be looked for by itself.

use std::ops::Range;

use zeroize::Zeroizing;

use super::{Flags, Form, LONGEST, SHORTEST};
use crate::known::rule::{End, telling, unguessable};

/// A value in one spelling.
pub(super) struct Spelling {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// For each byte of the value, which bytes of these depend on it; ascending. The last one's may end beyond them.
    pub(super) places: Vec<Range<usize>>,
    pub(super) flags: Flags,
    /// Whether there are escapes in it; none is cut in two.
    pub(super) escaped: bool,
}

/// How many bytes at each end of a pattern are of so much of the value as would be looked for by itself; none if all it has is needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::known) struct Ends {
    pub(in crate::known) first: Option<usize>,
    pub(in crate::known) last: Option<usize>,
}

/// The patterns of one value.
pub(super) struct Pieces<'v> {
    pub(super) value: &'v [u8],
    /// How many bytes at its ends would be looked for by themselves.
    telling: Ends,
    pub(super) forms: Vec<Form>,
}

impl Spelling {
    /// Where in it stands what these bytes of the value are.
    pub(super) fn of(&self, value: Range<usize>) -> Range<usize> {
        let places = self.places.get(value).unwrap_or_default();
        let start = places.first().map_or(0, |place| place.start);
        start..places.last().map_or(start, |place| place.end)
    }

    /// Which bytes of the value stand in this part of it, each with all that depends on it.
    fn covered(&self, part: &Range<usize>) -> Range<usize> {
        let first = self.places.partition_point(|place| place.start < part.start);
        let end = self.places.partition_point(|place| place.end <= part.end);
        first..end.max(first)
    }

    /// The last place up to `at` at which it may be cut.
    fn cut_before(&self, at: usize) -> usize {
        if at >= self.bytes.len() {
            return self.bytes.len();
        }
        let after = self.places.partition_point(|place| place.start <= at);
        after.checked_sub(1).and_then(|last| self.places.get(last)).map_or(0, |place| place.start)
    }

    /// The first place from `at` on at which it may be cut.
    fn cut_after(&self, at: usize) -> usize {
        let next = self.places.partition_point(|place| place.start < at);
        self.places.get(next).map_or(self.bytes.len(), |place| place.start)
    }
}

impl<'v> Pieces<'v> {
    pub(super) fn of(value: &'v [u8]) -> Self {
        let telling = Ends { first: telling(value, End::First), last: telling(value, End::Last) };
        Self { value, telling, forms: Vec::new() }
    }

    /// Adds a spelling, in several pieces if it is long. What would be looked for by itself and is no longer than half a piece is whole in
    /// one of them.
    pub(super) fn add(&mut self, spelling: &Spelling) {
        let length = spelling.bytes.len();
        if length <= LONGEST {
            return self.push(spelling, 0..length);
        }
        let mut from = 0;
        while length - from > LONGEST {
            let (middle, to) = (spelling.cut_before(from + LONGEST / 2), spelling.cut_before(from + LONGEST));
            let overlapping = spelling.cut_before(from.saturating_sub(LONGEST / 2))..middle;
            from = if self.push_if_telling(spelling, from..to) {
                to
            } else {
                if from > 0 {
                    self.push_if_telling(spelling, overlapping);
                }
                middle
            };
        }
        // What is left is taken from the end, and so has something of the one before it.
        self.push_if_telling(spelling, spelling.cut_after(length - LONGEST)..length);
    }

    /// Adds the lines into which base64 is broken, after so many characters each.
    pub(super) fn add_lines(&mut self, encoded: &Spelling, width: usize) {
        let length = encoded.bytes.len();
        if length > width {
            for from in (0..length).step_by(width) {
                self.push_if_telling(encoded, from..(from + width).min(length));
            }
        }
    }

    fn push_if_telling(&mut self, spelling: &Spelling, piece: Range<usize>) -> bool {
        let tells = self.value.get(spelling.covered(&piece)).is_some_and(unguessable);
        if tells {
            self.push(spelling, piece);
        }
        tells
    }

    fn push(&mut self, spelling: &Spelling, piece: Range<usize>) {
        let bytes = spelling.bytes.get(piece.clone()).unwrap_or_default();
        if bytes.len() < SHORTEST {
            return;
        }
        let (begins, ends) = (piece.start == 0, piece.end == spelling.bytes.len());
        let mut flags = spelling.flags;
        if !begins {
            flags = flags.only(Flags::AFTER);
        }
        if !ends {
            flags = flags.only(Flags::BEFORE).with(Flags::MORE);
        }
        if spelling.escaped || !bytes.iter().any(|byte| *byte < b' ' || matches!(byte, b'"' | b'\\')) {
            flags = flags.with(Flags::JSON);
        }
        let within = |length: &usize| (1..bytes.len()).contains(length);
        let (all, value) = (spelling.bytes.len(), self.value.len());
        let first = self.telling.first.filter(|_| begins).map(|length| spelling.of(0..length).end);
        let last =
            self.telling.last.filter(|_| ends).map(|length| all - spelling.of(value - length..value).start);
        let ends = Ends { first: first.filter(within), last: last.filter(within) };
        self.forms.push(Form { bytes: Zeroizing::new(bytes.to_vec()), flags, ends });
    }
}
