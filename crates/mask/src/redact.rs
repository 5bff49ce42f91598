//! The second look at an answer: known values and what looks like a credential, wherever they stand.

mod bare;
mod detector;
mod edges;
mod found;
mod hidden;
mod values;
mod view;

use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

pub(crate) use self::detector::{CONTEXT, Detector, Match, RunsOn};
use self::edges::{Edges, escaping};
use self::found::Found;
use self::hidden::Sequences;
use self::view::View;
use crate::known::KnownValues;
use crate::placeholder::Placeholder;
use crate::shapes::Shapes;

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
///
/// # In text
///
/// *Escape sequences* (see `hidden`) may stand between any two letters of what is found. The placeholder comes first and
/// then, as they are, the sequences that stood in what it replaces: colours are switched off again. All else comes out byte for
/// byte as it came. Memory is constant: in a line with more than 4 KiB of sequences, what came is decided as if nothing more came.
///
/// Of a known value that is written slowly, with an [idle](Self::idle) while between its bytes, its beginning is seen: so much
/// as would not be looked for by itself, twelve bytes or some more. Held back it would be told from what is no value, and could be guessed
/// byte by byte by whoever decides what is written, whichever Secret it is of. In a [pause](Self::pause), words are not cut in two.
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
    /// What in `tail` is hidden, ascending.
    hidden: Vec<Range<usize>>,
    /// Where after `tail` sequences go on.
    sequences: Sequences,
    /// Whether something is held back that may be given out if nothing more comes.
    holding: bool,
    /// Whether the backslashes right before `tail` are of an odd number.
    escaping: bool,
    /// How matches go on after `tail` that began in what is decided; each way once.
    running: Vec<RunsOn>,
    /// Whether the last byte that was decided and is not hidden was masked: then its placeholder is out, and stands for what follows
    /// too.
    masking: bool,
    masked: u64,
    /// Whether the first byte, which has not gone out yet, may be in the middle of a line.
    cut: bool,
}

/// What comes after a window, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    More,
    /// Nothing for a moment.
    Pause,
    /// Nothing for a while.
    Idle,
    /// More; but what is held back has much hidden in it.
    Full,
    /// Nothing.
    End,
}

impl Redactor {
    /// A redactor at the beginning of an answer.
    #[must_use]
    pub fn new(known: KnownValues, content: Content) -> Self {
        Self::with(known, content, DETECTORS)
    }

    fn with(known: KnownValues, content: Content, detectors: &'static [&'static dyn Detector]) -> Self {
        Self {
            known,
            detectors,
            content,
            tail: Vec::new(),
            decided: 0,
            covered: 0,
            hidden: Vec::new(),
            sequences: Sequences::default(),
            holding: false,
            escaping: false,
            running: Vec::new(),
            masking: false,
            masked: 0,
            cut: false,
        }
    }

    /// The text may begin in the middle of a line: the rest of a known value is masked there, if it is so much as would be looked for by
    /// itself.
    #[must_use]
    pub fn cut(self) -> Self {
        Self { cut: true, ..self }
    }

    /// What goes out for `chunk`, of which the `shown` ranges (ascending) are passed on whatever they hold: policy reveals
    /// them. No match spans them.
    pub fn push(&mut self, chunk: Bytes, shown: &[Range<usize>]) -> Bytes {
        if shown.is_empty() {
            return self.read(chunk, Then::More);
        }
        let mut out = BytesMut::with_capacity(self.tail.len() + chunk.len());
        let mut from = 0;
        for shown in shown {
            let start = shown.start.clamp(from, chunk.len());
            let end = shown.end.clamp(start, chunk.len());
            if start < end {
                out.extend_from_slice(&self.read(chunk.slice(from..start), Then::End));
                out.extend_from_slice(&chunk.slice(start..end));
                self.escaping = false;
                from = end;
            }
        }
        out.extend_from_slice(&self.read(chunk.slice(from..), Then::More));
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
        self.read(Bytes::new(), Then::End)
    }

    /// Of text, what was held back and need not be if nothing more comes for a moment: all but the last word. Shapes are judged as if
    /// the text ended there.
    pub fn pause(&mut self) -> Bytes {
        if self.holding { self.decide(Bytes::new(), Then::Pause) } else { Bytes::new() }
    }

    /// Of text, what was held back and need not be if nothing more comes for a while: all of it. What has begun like a known value is
    /// masked from where it would be looked for by itself, whether it goes on like the value or not; so is what goes on with a match.
    pub fn idle(&mut self) -> Bytes {
        if self.holding { self.decide(Bytes::new(), Then::Idle) } else { Bytes::new() }
    }

    /// Whether something is held back that [`idle`](Self::idle) gives out.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        self.holding
    }

    /// How many placeholders have gone out so far.
    #[must_use]
    pub fn masked(&self) -> u64 {
        self.masked
    }

    /// Decides on `chunk`, after which comes `then`; in text piece by piece, if there is much in it that is hidden.
    fn read(&mut self, mut chunk: Bytes, then: Then) -> Bytes {
        let mut out = BytesMut::new();
        if self.content == Content::Text {
            while let Some(at) = self.sequences.read(&chunk, self.tail.len(), &mut self.hidden) {
                out.extend_from_slice(&self.decide(chunk.split_to(at), Then::Full));
            }
        }
        let last = self.decide(chunk, then);
        if out.is_empty() {
            return last;
        }
        out.extend_from_slice(&last);
        out.freeze()
    }

    /// Decides on what was held back and `chunk`, as far as what follows can change nothing, or is not waited for.
    fn decide(&mut self, chunk: Bytes, then: Then) -> Bytes {
        let index = self.known.load();
        let nothing_to_do = index.is_empty() && self.detectors.is_empty() && self.running.is_empty();
        if nothing_to_do && self.tail.is_empty() {
            self.masking &= chunk.is_empty() && then != Then::End;
            self.hidden.clear();
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
        let hidden = std::mem::take(&mut self.hidden);
        let view = View::new(&window, &hidden);
        let mut edges = Edges::new(view.text(), self.content == Content::Json, self.escaping);
        let idle = matches!(then, Then::Pause | Then::Idle | Then::Full);
        let found = self.find(&index, &mut edges, &view, &window, came, idle);
        let boundary = match then {
            Then::More => self.boundary(&index, &mut edges, &view, &window, &found),
            Then::Pause | Then::Idle | Then::Full => self.idle_boundary(&view, &window, &found, then),
            Then::End => window.len(),
        };
        self.cut &= boundary == 0;
        let out = self.write(&window, &view, boundary, &found);

        // What begins after the boundary will be found again.
        let begun = found.spans.iter().filter(|span| span.start < boundary).map(|span| span.end);
        self.covered = begun.fold(found.carried, usize::max).saturating_sub(boundary);
        let last = then == Then::End;
        let begun = found.runs.into_iter().filter(|(start, _)| *start < Some(boundary) && !last);
        self.running = begun.map(|(_, how)| how).collect();
        self.masking &= !last;
        let context = if self.detectors.is_empty() { 0 } else { CONTEXT };
        let context = match self.content {
            _ if last => 0,
            // What was decided may turn out to be the beginning of a value, or of a longer one.
            Content::Text if !index.is_empty() => context.max(index.longest() + 1),
            Content::Text | Content::Json | Content::Opaque => context,
        };
        self.keep(&window, &view, boundary, context);
        if last {
            self.sequences = Sequences::default();
        }
        let waits = matches!(then, Then::More | Then::Pause);
        self.holding = self.content == Content::Text && waits && self.tail.len() > self.decided;
        out
    }

    /// Keeps what is not decided yet, and before it as many bytes of its unit as `context` says: of what is shown, and of what is
    /// there.
    fn keep(&mut self, window: &[u8], view: &View<'_>, boundary: usize, context: usize) {
        let unit = window.get(..boundary).and_then(|decided| memchr::memrchr(b'\n', decided));
        let unit = unit.map_or(0, |newline| newline + 1);
        let from = boundary.saturating_sub(context).max(unit);
        let shown = view.text_before(boundary).saturating_sub(context).max(view.text_before(unit));
        self.escaping = escaping(window.get(..from).unwrap_or_default(), self.escaping);
        self.tail.clear();
        self.tail.extend_from_slice(view.text().get(shown..view.text_before(from)).unwrap_or_default());
        let before = self.tail.len();
        self.tail.extend_from_slice(window.get(from..).unwrap_or_default());
        self.decided = before + boundary - from;
        let hidden = view.hidden_in(from..window.len());
        self.hidden.extend(hidden.map(|range| before + range.start - from..before + range.end - from));
    }

    /// What goes out for `window` from what is decided to `boundary`.
    fn write(&mut self, window: &Bytes, view: &View<'_>, boundary: usize, found: &Found) -> Bytes {
        let mut out = BytesMut::new();
        let mut kept_from = self.decided;
        let mut touched = false;
        for span in &found.spans {
            let (start, end) = (span.start.max(kept_from), span.end.min(boundary));
            if start >= end {
                continue;
            }
            if !touched {
                out.reserve(boundary - self.decided + Placeholder::Text.as_str().len());
                touched = true;
            }
            out.extend_from_slice(window.get(kept_from..start).unwrap_or_default());
            let goes_on = self.masking && view.shown_in(kept_from..start) == 0;
            self.masked += u64::from(!goes_on);
            if self.content == Content::Opaque {
                out.resize(out.len() + (end - start), b'*');
            } else if !goes_on {
                out.extend_from_slice(Placeholder::Text.as_str().as_bytes());
            }
            for hidden in view.hidden_in(start..end).flat_map(|range| found.sequences_in(range)) {
                out.extend_from_slice(window.get(hidden).unwrap_or_default());
            }
            self.masking = true;
            kept_from = end;
        }
        if view.shown_in(kept_from..boundary) > 0 {
            self.masking = false;
        }
        if !touched {
            return window.slice(self.decided..boundary);
        }
        out.extend_from_slice(window.get(kept_from..boundary).unwrap_or_default());
        out.freeze()
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
