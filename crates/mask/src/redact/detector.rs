//! What a search for shapes is asked, and what it answers.

use std::ops::Range;

/// Finds what must not be shown in a window of text.
///
/// A window begins at a unit's beginning, or with [`CONTEXT`] bytes or more that have been decided already and are there so that a
/// detector can see what comes before a match (such as a boundary between words). A match that begins in those was told of before,
/// unless it could not be told then and was shown because nothing more came.
///
/// In JSON a match is cut short where its string ends, and begins before an escape that it begins within.
pub(crate) trait Detector: Sync {
    /// Appends every match in `window` that begins after the first `decided` bytes, in any order, also those that begin within
    /// others: in JSON the others may be cut short before them. A match that could go on beyond the window's end says how.
    ///
    /// Answers how many bytes at the window's end may be the beginning of a match that it cannot tell yet: at most 4 KiB, and
    /// none before the last newline.
    fn find(&self, window: &[u8], decided: usize, matches: &mut Vec<Match>) -> usize;
}

/// How many decided bytes a window begins with at least, unless its unit has fewer.
pub(crate) const CONTEXT: usize = 96;

/// What must not be shown.
#[derive(Debug, Clone)]
pub(crate) struct Match {
    /// Where in the window.
    pub(crate) range: Range<usize>,
    /// Only for a match that ends with the window.
    pub(crate) runs_on: Option<RunsOn>,
}

/// How a match goes on in bytes that have not come yet: they are dropped up to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RunsOn {
    /// As long as bytes are in this set (e.g. base64url).
    While(fn(u8) -> bool),
    /// Up to and including this text, which holds no newline. In JSON at most to the end of the string; in plain text over
    /// newlines.
    Through(&'static [u8]),
}

/// How many ways a match may go on at once; there are fewer in all. What is more is masked up to the end of its line, or of its
/// string.
pub(super) const MOST_RUNNING: usize = 32;

/// Notes that a match that begins at `start` runs on like this.
pub(super) fn add_run(runs: &mut Vec<(Option<usize>, RunsOn)>, start: Option<usize>, how: RunsOn) {
    if let Some((first, _)) = runs.iter_mut().find(|(_, other)| other.same(how)) {
        *first = start.min(*first);
        return;
    }
    match how {
        RunsOn::While(_) if runs.len() >= MOST_RUNNING => {
            let to_line_end = RunsOn::While(is_in_line);
            runs.retain(|(_, other)| !other.same(to_line_end));
            runs.push((None, to_line_end));
        }
        RunsOn::While(_) | RunsOn::Through(_) => runs.push((start, how)),
    }
}

/// Up to the end of the line.
pub(super) fn is_in_line(byte: u8) -> bool {
    byte != b'\n'
}

impl RunsOn {
    /// Whether this certainly ends where `other` does. That two sets are the same need not be seen: then there are two.
    fn same(self, other: Self) -> bool {
        match (self, other) {
            (Self::While(one), Self::While(other)) => std::ptr::fn_addr_eq(one, other),
            (Self::Through(one), Self::Through(other)) => one == other,
            (Self::While(_), Self::Through(_)) | (Self::Through(_), Self::While(_)) => false,
        }
    }
}
