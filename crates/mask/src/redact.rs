//! The second look at an answer: known values and what looks like a credential, wherever they stand.

mod bare;
mod edges;

use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use self::bare::is_bare;
use self::edges::{Edges, escaping, run_end};
use crate::known::{KnownValues, Layers};
use crate::placeholder::Placeholder;
use crate::shapes::Shapes;

/// Finds what must not be shown in a window of text.
///
/// A window begins at a unit's beginning, or with [`CONTEXT`] bytes that have been decided already and are there so that a
/// detector can see what comes before a match (such as a boundary between words). Matches that begin in those are ignored.
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

/// How many decided bytes a window begins with, unless its unit has fewer.
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
const MOST_RUNNING: usize = 32;

/// All that looks for shapes.
const DETECTORS: &[&dyn Detector] = &[&Shapes];

/// What kind of bytes a redactor is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Valid JSON, and stays so.
    Json,
    /// Text, such as a log.
    Text,
    /// Bytes that count each other, such as protobuf: what is masked keeps its length.
    Opaque,
}

/// Masks by value and by shape, chunk by chunk; how the text is cut into chunks makes no difference.
///
/// A newline ends a *unit*: a line of a log, an event of a watch. What is known has no newline in it as it is, so that nothing is
/// held back at a unit's end, and within one at most some hundred bytes (with detectors of shapes, as much as they say).
/// Memory is constant. What is known is asked for at each chunk.
pub struct Redactor {
    known: KnownValues,
    detectors: &'static [&'static dyn Detector],
    content: Content,
    /// The end of what came in this unit: decided bytes as context, then those that are held back.
    tail: Vec<u8>,
    /// How many bytes of `tail` are context.
    decided: usize,
    /// How many bytes after those are known to be masked.
    covered: usize,
    /// Whether the backslashes right before `tail` are of an odd number.
    escaping: bool,
    /// How matches go on after `tail` that began in what is decided; each way once.
    running: Vec<RunsOn>,
    /// Whether the last decided byte was masked: then its placeholder is out, and stands for what follows too.
    masking: bool,
    masked: u64,
}

/// What is masked in a window.
struct Found {
    /// By their beginnings.
    spans: Vec<Range<usize>>,
    /// Where ends what began in what is decided.
    carried: usize,
    /// How matches run on after the window, and where the first of each kind begins: nowhere in the window if in what is decided.
    runs: Vec<(Option<usize>, RunsOn)>,
    /// How many bytes at the window's end detectors cannot tell yet.
    pending: usize,
}

impl Redactor {
    /// A redactor at the beginning of an answer.
    #[must_use]
    pub fn new(known: KnownValues, content: Content) -> Self {
        Self::with(known, content, DETECTORS)
    }

    fn with(known: KnownValues, content: Content, detectors: &'static [&'static dyn Detector]) -> Self {
        let (tail, escaping, running, masking) = (Vec::new(), false, Vec::new(), false);
        Self {
            known,
            detectors,
            content,
            tail,
            decided: 0,
            covered: 0,
            escaping,
            running,
            masking,
            masked: 0,
        }
    }

    /// What goes out for `chunk`, of which the `shown` ranges (ascending) are passed on whatever they hold: policy reveals
    /// them. No match spans them.
    pub fn push(&mut self, chunk: Bytes, shown: &[Range<usize>]) -> Bytes {
        if shown.is_empty() {
            return self.decide(chunk, false);
        }
        let mut out = BytesMut::with_capacity(self.tail.len() + chunk.len());
        let mut from = 0;
        for shown in shown {
            let start = shown.start.clamp(from, chunk.len());
            let end = shown.end.clamp(start, chunk.len());
            if start < end {
                out.extend_from_slice(&self.decide(chunk.slice(from..start), true));
                out.extend_from_slice(&chunk.slice(start..end));
                self.escaping = false;
                from = end;
            }
        }
        out.extend_from_slice(&self.decide(chunk.slice(from..), false));
        out.freeze()
    }

    /// `text`, which is all there is, masked but for the `shown` ranges; and how many placeholders that put in.
    #[must_use]
    pub fn whole(known: &KnownValues, content: Content, text: Bytes, shown: &[Range<usize>]) -> (Bytes, u64) {
        let mut redactor = Self::new(known.clone(), content);
        let begun = redactor.push(text, shown);
        let rest = redactor.finish();
        let masked = redactor.masked();
        if rest.is_empty() {
            return (begun, masked);
        }
        let mut whole = BytesMut::from(begun);
        whole.extend_from_slice(&rest);
        (whole.freeze(), masked)
    }

    /// What was held back until the end.
    pub fn finish(&mut self) -> Bytes {
        self.decide(Bytes::new(), true)
    }

    /// What need not be held back if nothing more comes for a while: nothing yet.
    pub fn idle(&mut self) -> Bytes {
        Bytes::new()
    }

    /// Whether something is held back that [`idle`](Self::idle) may give out.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        false
    }

    /// How many placeholders have gone out so far.
    #[must_use]
    pub fn masked(&self) -> u64 {
        self.masked
    }

    /// Decides on what was held back and `chunk`, as far as what follows can change nothing; with `last`, on all of it.
    fn decide(&mut self, chunk: Bytes, last: bool) -> Bytes {
        let index = self.known.load();
        let nothing_to_do = index.is_empty() && self.detectors.is_empty() && self.running.is_empty();
        if nothing_to_do && self.tail.is_empty() {
            self.masking &= chunk.is_empty() && !last;
            return chunk;
        }
        let came = self.tail.len();
        let window = if self.tail.is_empty() {
            chunk
        } else {
            let mut window = BytesMut::with_capacity(came + chunk.len());
            window.extend_from_slice(&self.tail);
            window.extend_from_slice(&chunk);
            window.freeze()
        };
        let mut edges = Edges::new(&window, self.content == Content::Json, self.escaping);
        let found = self.find(&index, &mut edges, &window, came);
        let boundary = if last { window.len() } else { self.boundary(&index, &mut edges, &window, &found) };
        let Found { spans, carried, runs, .. } = found;
        let out = self.write(&window, boundary, &spans);

        // What begins after the boundary will be found again.
        let begun = spans.iter().filter(|span| span.start < boundary).map(|span| span.end);
        self.covered = begun.fold(carried, usize::max).saturating_sub(boundary);
        let begun = runs.into_iter().filter(|(start, _)| *start < Some(boundary) && !last);
        self.running = begun.map(|(_, how)| how).collect();
        self.masking &= !last;
        let context = if last || self.detectors.is_empty() { 0 } else { CONTEXT };
        let unit = window.get(..boundary).and_then(|decided| memchr::memrchr(b'\n', decided));
        let from = boundary.saturating_sub(context).max(unit.map_or(0, |newline| newline + 1));
        self.decided = boundary - from;
        self.escaping = escaping(window.get(..from).unwrap_or_default(), self.escaping);
        self.tail.clear();
        self.tail.extend_from_slice(window.get(from..).unwrap_or_default());
        out
    }

    /// Finds what in `window`, of which `came` bytes are not new, is masked.
    fn find(&self, index: &Layers, edges: &mut Edges<'_>, window: &[u8], came: usize) -> Found {
        let json = self.content == Content::Json;
        let mut runs = Vec::new();
        let mut carried = self.decided + self.covered;
        for how in &self.running {
            let (end, goes_on) = run_end(*how, window, self.decided, came, json.then_some(self.escaping));
            carried = carried.max(end);
            if goes_on {
                add_run(&mut runs, None, *how);
            }
        }
        let mut spans = Vec::new();
        if carried > self.decided {
            spans.push(self.decided..carried);
        }
        index.scan(window, json, |range, pattern| {
            if !(json && is_bare(window, &range)) {
                spans.push(edges.widen(range, pattern.flags));
            }
        });
        let mut matches = Vec::new();
        let pending = self.detectors.iter().map(|detector| detector.find(window, self.decided, &mut matches));
        let pending = pending.max().unwrap_or(0);
        for Match { mut range, runs_on } in matches {
            if json {
                range = edges.within_string(range, runs_on.is_some());
            }
            if range.start >= self.decided && range.end <= window.len() {
                if let Some(how) = runs_on.filter(|_| range.end == window.len()) {
                    add_run(&mut runs, Some(range.start), how);
                }
                spans.push(range);
            }
        }
        spans.sort_unstable_by_key(|span| span.start);
        Found { spans, carried, runs, pending }
    }

    /// Up to where what follows `window`, in which this was found, can change nothing.
    fn boundary(&self, index: &Layers, edges: &mut Edges<'_>, window: &[u8], found: &Found) -> usize {
        let unit = memchr::memrchr(b'\n', window).map_or(window.len(), |newline| window.len() - newline - 1);
        // A pattern that is not complete, or whose next byte belongs to it, and the base64 character before it.
        let known = if index.is_empty() { 0 } else { index.longest() + 1 };
        let markers = found.runs.iter().map(|(_, how)| match how {
            RunsOn::Through(text) => text.len(),
            RunsOn::While(_) => 0,
        });
        let undecided = markers.fold(known.max(found.pending), usize::max).min(unit);
        let boundary = window.len() - undecided;
        // Of an escape that a match may begin within, nothing has gone out by then.
        (boundary - edges.begun_escape(boundary)).max(self.decided)
    }

    /// What goes out for `window` from what is decided to `boundary`.
    fn write(&mut self, window: &Bytes, boundary: usize, spans: &[Range<usize>]) -> Bytes {
        let mut out = BytesMut::new();
        let mut kept_from = self.decided;
        let mut touched = false;
        for span in spans {
            let (start, end) = (span.start.max(kept_from), span.end.min(boundary));
            if start >= end {
                continue;
            }
            if !touched {
                out.reserve(boundary - self.decided + Placeholder::Text.as_str().len());
                touched = true;
            }
            out.extend_from_slice(window.get(kept_from..start).unwrap_or_default());
            let goes_on = self.masking && start == kept_from;
            self.masked += u64::from(!goes_on);
            if self.content == Content::Opaque {
                out.resize(out.len() + (end - start), b'*');
            } else if !goes_on {
                out.extend_from_slice(Placeholder::Text.as_str().as_bytes());
            }
            self.masking = true;
            kept_from = end;
        }
        if kept_from < boundary {
            self.masking = false;
        }
        if !touched {
            return window.slice(self.decided..boundary);
        }
        out.extend_from_slice(window.get(kept_from..boundary).unwrap_or_default());
        out.freeze()
    }
}

/// Notes that a match that begins at `start` runs on like this.
fn add_run(runs: &mut Vec<(Option<usize>, RunsOn)>, start: Option<usize>, how: RunsOn) {
    if let Some((first, _)) = runs.iter_mut().find(|(_, other)| other.same(how)) {
        *first = start.min(*first);
        return;
    }
    match how {
        RunsOn::While(_) if runs.len() >= MOST_RUNNING => {
            let to_line_end = RunsOn::While(|byte| byte != b'\n');
            runs.retain(|(_, other)| !other.same(to_line_end));
            runs.push((None, to_line_end));
        }
        RunsOn::While(_) | RunsOn::Through(_) => runs.push((start, how)),
    }
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

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor")
            .field("content", &self.content)
            .field("masked", &self.masked)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
