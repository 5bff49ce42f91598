//! The second look at an answer: known values and what looks like a credential, wherever they stand.

use std::ops::Range;

use bytes::Bytes;

use crate::known::KnownValues;

/// Masks by value and by shape, chunk by chunk.
#[derive(Debug)]
pub(crate) struct Redactor {
    _known: KnownValues,
    masked: u64,
}

impl Redactor {
    pub(crate) fn new(known: KnownValues) -> Self {
        Self { _known: known, masked: 0 }
    }

    /// What goes out for `chunk`, of which the `shown` ranges are passed on whatever they hold: policy reveals them.
    pub(crate) fn push(&mut self, chunk: Bytes, _shown: &[Range<usize>]) -> Bytes {
        chunk
    }

    /// What was held back until the end.
    #[expect(dead_code, reason = "nothing is held back yet")]
    pub(crate) fn finish(&mut self) -> Bytes {
        Bytes::new()
    }

    pub(crate) fn masked(&self) -> u64 {
        self.masked
    }
}

/// Finds what must not be shown in a window of text.
#[cfg_attr(not(test), expect(dead_code, reason = "the redactor comes to use it"))]
pub(crate) trait Detector {
    /// Appends every match in `window`, in any order. A match that could go on beyond the window's end says how.
    fn find(&self, window: &[u8], matches: &mut Vec<Match>);
    /// How many bytes at the window's end may be the beginning of a match that `find` cannot tell yet; bounded by a small
    /// constant (≤ 4 KiB).
    fn pending(&self, window: &[u8]) -> usize;
}

/// What must not be shown.
#[derive(Debug, Clone)]
pub(crate) struct Match {
    pub(crate) range: Range<usize>,
    #[cfg_attr(not(test), expect(dead_code, reason = "the redactor comes to use it"))]
    pub(crate) runs_on: Option<RunsOn>,
}

/// How a match goes on in bytes that have not come yet: they are dropped up to its end.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(test), expect(dead_code, reason = "the redactor comes to use it"))]
pub(crate) enum RunsOn {
    /// As long as bytes are in this set (e.g. base64url).
    While(fn(u8) -> bool),
    /// Up to and including this text, or the end of the unit.
    Through(&'static [u8]),
}
