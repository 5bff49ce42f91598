//! The scanner as chunks in, chunks out.

use std::ops::Range;

use bytes::Bytes;

use crate::binding::Binding;
use crate::guard::{Guard, View};
use crate::kind::Kind;
use crate::malformed::{Malformed, What};
use crate::places::Rules;
use crate::redact::{Content, Redactor};
use crate::scan::Scanner;
use crate::splice::Splice;

/// How many documents an answer has. It follows from the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Exactly one.
    One,
    /// Any number, one after the other, with or without white space between them: the events of a watch.
    Sequence,
}

/// Masks one answer, chunk by chunk.
///
/// Memory is constant: a stack of at most [`MAX_DEPTH`](crate::MAX_DEPTH) entries, one key, one escape. No byte that is kept is held
/// back, except within a document in a string, where an escape (at most 12 bytes) waits for its end, and in the few strings that
/// are held until it is clear what they are (up to 256 KiB of text, a Helm release up to 2 MiB, see `held`).
#[derive(Debug)]
pub struct Masker {
    scanner: Scanner,
    /// Bytes pushed before the current chunk.
    offset: u64,
    /// What ended it: everything after is refused for the same reason.
    failed: Option<Malformed>,
}

impl Masker {
    /// A masker at the beginning of an answer. Its placeholders are bound to nothing.
    #[must_use]
    pub fn new(framing: Framing, rules: &Rules) -> Self {
        let scanner = Scanner::new(rules.clone(), framing == Framing::Sequence);
        Self { scanner, offset: 0, failed: None }
    }

    /// The same, with placeholders that mean something to `view` on this cluster; what it reveals is shown if the answer is one
    /// Secret.
    #[must_use]
    pub fn bound(self, guard: &Guard, view: &View) -> Self {
        Self { scanner: self.scanner.bound(guard, Binding::new(guard, view)), ..self }
    }

    /// The ranges of what the last [`Masker::push`] gave out that policy reveals.
    pub(crate) fn revealed(&self) -> &[Range<usize>] {
        self.scanner.shown()
    }

    /// What goes out for `chunk`: itself if nothing in it is replaced, and perhaps nothing.
    ///
    /// # Errors
    /// The answer is malformed; nothing more of it may be delivered, and every later call fails too.
    pub fn push(&mut self, chunk: Bytes) -> Result<Bytes, Malformed> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        self.scanner.begin_piece();
        let mut out = Vec::new();
        let mut splice = Splice::document(&chunk, self.scanner.cutting(), &mut out);
        if let Err(fault) = self.scanner.feed(&chunk, &mut splice) {
            return Err(self.fail(fault.at, fault.what));
        }
        let untouched = splice.untouched();
        if !untouched && !self.scanner.cutting() {
            splice.finish(chunk.len());
        }
        self.offset += chunk.len() as u64;
        let out = if untouched { chunk } else { Bytes::from(out) };
        self.scanner.end_piece(out.len());
        Ok(out)
    }

    /// The answer has ended.
    ///
    /// # Errors
    /// It ended within a document, before its only document, or was malformed before.
    pub fn finish(&mut self) -> Result<(), Malformed> {
        match self.failed {
            Some(failed) => Err(failed),
            None if self.scanner.complete() => Ok(()),
            None => Err(self.fail(0, What::Truncated)),
        }
    }

    /// How many values have been replaced so far.
    #[must_use]
    pub fn masked(&self) -> u64 {
        self.scanner.masked()
    }

    fn fail(&mut self, at: usize, what: What) -> Malformed {
        let malformed = Malformed { offset: self.offset + at as u64, what };
        self.failed = Some(malformed);
        malformed
    }
}

/// The whole of an `object` of this kind as it is shown under `view` whenever it is read: the same placeholders at the same
/// places.
///
/// # Errors
/// The object is malformed.
pub(crate) fn masked_whole(
    guard: &Guard,
    view: &View,
    kind: &Kind,
    object: Bytes,
) -> Result<Bytes, Malformed> {
    let mut masker = Masker::new(Framing::One, &kind.rules(guard.catalogue())).bound(guard, view);
    let by_place = masker.push(object)?;
    masker.finish()?;
    Ok(Redactor::whole(guard.known(), Content::Json, by_place, masker.revealed()).0)
}

#[cfg(test)]
#[path = "masker/tests.rs"]
mod tests;
