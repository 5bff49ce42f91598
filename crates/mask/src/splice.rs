//! Editing by spans: what is kept is copied in runs, what is cut is not copied at all.

use crate::placeholder::{Placeholder, Tag};

/// One slice of input on its way out.
///
/// Positions count within the slice. As long as nothing is cut nothing is copied, and [`Splice::untouched`] says so.
#[derive(Debug)]
pub(crate) struct Splice<'a> {
    raw: &'a [u8],
    /// Whether `raw` stands for one character that may be written longer than it is (an escape).
    atomic: bool,
    /// Where the run begins that is kept and not yet copied; `None` while cutting.
    kept_from: Option<usize>,
    edited: bool,
    /// How a quotation mark is written where this goes.
    quote: &'static [u8],
    out: &'a mut Vec<u8>,
}

impl<'a> Splice<'a> {
    /// A slice of a document; `cutting` when the slice before it ended within a cut.
    pub(crate) fn document(raw: &'a [u8], cutting: bool, out: &'a mut Vec<u8>) -> Self {
        Self { raw, atomic: false, kept_from: (!cutting).then_some(0), edited: cutting, quote: b"\"", out }
    }

    /// Unescaped characters of a document within a string: what is seen is what is written, but quotation marks.
    pub(crate) fn quoted(raw: &'a [u8], cutting: bool, out: &'a mut Vec<u8>) -> Self {
        Self { quote: b"\\\"", ..Self::document(raw, cutting, out) }
    }

    /// One character of a document within a string, written as the escape `raw`.
    pub(crate) fn escape(raw: &'a [u8], cutting: bool, out: &'a mut Vec<u8>) -> Self {
        Self { atomic: true, ..Self::quoted(raw, cutting, out) }
    }

    /// Whether everything so far is kept.
    pub(crate) fn untouched(&self) -> bool {
        !self.edited
    }

    /// Keeps what comes before `at` and cuts from there on.
    pub(crate) fn cut(&mut self, at: usize) {
        if !self.edited {
            // Room for the kept runs and some placeholders: most slices need no more.
            self.out.reserve(self.raw.len() + 64);
        }
        self.edited = true;
        if let Some(from) = self.kept_from.take() {
            let range = self.position(from)..self.position(at);
            self.out.extend_from_slice(self.raw.get(range).unwrap_or_default());
        }
    }

    /// Ends a cut: what comes from `at` on is kept.
    pub(crate) fn resume(&mut self, at: usize) {
        self.kept_from = Some(at);
    }

    /// Writes a placeholder at the place of the cut.
    pub(crate) fn insert(&mut self, placeholder: Placeholder, tag: Option<&Tag>) {
        placeholder.write(tag, self.out);
    }

    /// Writes a placeholder as a JSON string at the place of the cut.
    pub(crate) fn insert_string(&mut self, placeholder: Placeholder, tag: Option<&Tag>) {
        self.out.extend_from_slice(self.quote);
        self.insert(placeholder, tag);
        self.out.extend_from_slice(self.quote);
    }

    /// Writes an empty list at the place of the cut.
    pub(crate) fn insert_empty_list(&mut self) {
        self.out.extend_from_slice(b"[]");
    }

    /// Where in what goes out the kept byte at `at` will be.
    pub(crate) fn going_to(&self, at: usize) -> usize {
        self.out.len() + at - self.kept_from.unwrap_or(at).min(at)
    }

    /// Where a document within a string goes whose outer string is being cut.
    pub(crate) fn output(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// Copies what is kept up to `end` and not yet copied.
    pub(crate) fn finish(mut self, end: usize) {
        self.cut(end);
    }

    fn position(&self, at: usize) -> usize {
        if self.atomic && at > 0 { self.raw.len() } else { at }
    }
}
