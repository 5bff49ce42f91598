//! What looks like a credential is masked wherever it stands.
//!
//! One search finds where a shape of the catalogue ([`table`]) might begin; what shapes begin with is so rare in answers that the
//! search runs at the speed of memory. Verification then reads a bounded piece of text, so that what comes out does not depend on
//! how the text was cut into chunks. No match holds a quotation mark of the JSON around it, or part of an escape.

mod named;
mod pem;
mod search;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod value;
mod verify;

use std::ops::Range;
use std::sync::LazyLock;

use self::search::Search;
use self::table::SHAPES;
use self::text::{Set, Text};
use self::value::MOST_BEFORE;
use crate::redact::RunsOn::While;
use crate::redact::{CONTEXT, Detector, Match, RunsOn};

/// Finds what looks like a credential: `docs/masking-shapes.md` lists all shapes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shapes;

/// What of a text a shape masks.
#[derive(Debug)]
struct Found {
    range: Range<usize>,
    runs_on: Option<RunsOn>,
}

/// How far before what a shape masks its beginning may be.
const BEFORE: usize = 64;
const _: () = assert!(BEFORE + MOST_BEFORE <= CONTEXT, "what comes before a match is there");

/// How far from a shape's beginning on text is looked at.
const LOOK: usize = 4096;

static SEARCH: LazyLock<Search> = LazyLock::new(|| Search::new(SHAPES));

/// What is within another match and ends with it is not reported; the other ends no later than its string.
///
/// A match depends on nothing but the text from `BEFORE + MOST_BEFORE` bytes before it to [`LOOK`] bytes after its beginning,
/// and on where its run ends.
impl Detector for Shapes {
    fn find(&self, window: &[u8], decided: usize, matches: &mut Vec<Match>) -> usize {
        let text = Text::new(window);
        let mut begun = SEARCH.cut_off(window).unwrap_or(window.len());
        let mut hits = SEARCH.hits(window);
        while let Some((begin, trigger)) = hits.next() {
            // What it masks would begin in what is decided, and what comes before it may be missing.
            if begin + BEFORE <= decided {
                continue;
            }
            if let Some(Found { range, runs_on }) = verify::verify(&text, begin, trigger) {
                debug_assert!((begin..begin + BEFORE).contains(&range.start), "{begin} {range:?}");
                matches.push(Match { range, runs_on });
            }
            if text.looked_beyond() {
                begun = begun.min(begin);
            }
        }
        debug_assert!(window.len() - begun <= LOOK, "verification reads no further");
        window.len() - begun
    }
}

impl Found {
    /// A run of `set` that is known to reach from `begin` to `end`, and may go on.
    fn run(text: &Text<'_>, begin: usize, end: usize, set: Set) -> Self {
        let end = text.run(end, set);
        text.mask(begin..end, set);
        Self { range: begin..end, runs_on: (end == text.len()).then_some(While(set)) }
    }
}
