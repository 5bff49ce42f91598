//! What patterns begin with, or end with, found by bisection.

use std::cmp::Ordering;

use crate::known::rule::End;

/// Parts of patterns at one end of them, none of which begins (or ends) another: so of all that a text begins (or ends) with, there is one
/// at most, and it comes last among those that are not greater.
pub(super) struct Parts {
    end: End,
    /// Where each begins among the bytes of all patterns, and its length.
    parts: Vec<(u32, u16)>,
}

impl Default for Parts {
    fn default() -> Self {
        Self { end: End::First, parts: Vec::new() }
    }
}

impl Parts {
    /// Of these places in `bytes`.
    pub(super) fn new(end: End, bytes: &[u8], mut parts: Vec<(u32, u16)>) -> Self {
        parts.sort_unstable_by(|one, other| compare(end, of(bytes, *one), of(bytes, *other)));
        parts.dedup_by(|next, kept| {
            let kept = of(bytes, *kept);
            end.of(of(bytes, *next), kept.len()) == kept
        });
        parts.shrink_to_fit();
        Self { end, parts }
    }

    /// The length of the one that `text` begins (or ends) with.
    pub(super) fn found(&self, bytes: &[u8], text: &[u8]) -> Option<usize> {
        let not_greater =
            self.parts.partition_point(|part| compare(self.end, of(bytes, *part), text) != Ordering::Greater);
        let part = of(bytes, *self.parts.get(not_greater.checked_sub(1)?)?);
        (self.end.of(text, part.len()) == part).then_some(part.len())
    }

    /// Bytes of memory.
    pub(super) fn memory(&self) -> usize {
        self.parts.capacity() * size_of::<(u32, u16)>()
    }
}

fn of(bytes: &[u8], (start, length): (u32, u16)) -> &[u8] {
    let start = start as usize;
    bytes.get(start..start + usize::from(length)).unwrap_or_default()
}

fn compare(end: End, one: &[u8], other: &[u8]) -> Ordering {
    match end {
        End::First => one.cmp(other),
        End::Last => one.iter().rev().cmp(other.iter().rev()),
    }
}
