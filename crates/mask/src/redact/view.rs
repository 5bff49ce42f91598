//! A window as it is, and as a terminal shows it.

use std::borrow::Cow;
use std::ops::Range;

/// A window's text without what is hidden in it, and where in the window each byte of it stands.
#[derive(Debug)]
pub(super) struct View<'w> {
    text: Cow<'w, [u8]>,
    gaps: Vec<Gap>,
    len: usize,
}

/// What is hidden in one place.
#[derive(Debug)]
struct Gap {
    /// Where in the window.
    window: Range<usize>,
    /// Where in the text: before which byte of it.
    text: usize,
}

impl<'w> View<'w> {
    /// `window` without the `hidden` ranges, which are ascending. If there are none, nothing is copied.
    pub(super) fn new(window: &'w [u8], hidden: &[Range<usize>]) -> Self {
        if hidden.is_empty() {
            return Self { text: Cow::Borrowed(window), gaps: Vec::new(), len: window.len() };
        }
        let mut text = Vec::with_capacity(window.len());
        let mut gaps = Vec::with_capacity(hidden.len());
        let mut from = 0;
        for range in hidden {
            text.extend_from_slice(window.get(from..range.start).unwrap_or_default());
            gaps.push(Gap { window: range.clone(), text: text.len() });
            from = range.end;
        }
        text.extend_from_slice(window.get(from..).unwrap_or_default());
        Self { text: Cow::Owned(text), gaps, len: window.len() }
    }

    /// What is shown.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether all is.
    pub(super) fn is_all(&self) -> bool {
        self.gaps.is_empty()
    }

    /// How much of the text stands before `at` in the window.
    pub(super) fn text_before(&self, at: usize) -> usize {
        let after = self.gaps.partition_point(|gap| gap.window.start <= at);
        match after.checked_sub(1).and_then(|last| self.gaps.get(last)) {
            Some(gap) => gap.text + at.saturating_sub(gap.window.end),
            None => at,
        }
    }

    /// Where in the window the byte at `at` in the text stands, or the window's end.
    pub(super) fn place(&self, at: usize) -> usize {
        let after = self.gaps.partition_point(|gap| gap.text <= at);
        match after.checked_sub(1).and_then(|last| self.gaps.get(last)) {
            Some(gap) => (at - gap.text + gap.window.end).min(self.len),
            None => at,
        }
    }

    /// Where in the window `range` of the text stands, from its first byte to its last.
    pub(super) fn places(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.place(range.start);
        let last = range.end.checked_sub(1).filter(|last| *last >= range.start);
        start..last.map_or(start, |last| self.place(last) + 1)
    }

    /// How many bytes are shown in `range` of the window.
    pub(super) fn shown_in(&self, range: Range<usize>) -> usize {
        self.text_before(range.end).saturating_sub(self.text_before(range.start))
    }

    /// What is hidden in `range` of the window.
    pub(super) fn hidden_in(&self, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let first = self.gaps.partition_point(|gap| gap.window.end <= range.start);
        let gaps = self.gaps.get(first..).unwrap_or_default().iter().map(|gap| &gap.window);
        gaps.take_while(move |gap| gap.start < range.end)
            .map(move |gap| gap.start.max(range.start)..gap.end.min(range.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        // Hidden: a digit.
        let window = b"12abc3d45";
        let view = View::new(window, &[0..2, 5..6, 7..9]);
        assert_eq!(view.text(), b"abcd");
        assert_eq!([0, 1, 2, 3, 4].map(|at| view.place(at)), [2, 3, 4, 6, 9]);
        assert_eq!(
            (0..=9).map(|at| view.text_before(at)).collect::<Vec<_>>(),
            [0, 0, 0, 1, 2, 3, 3, 4, 4, 4]
        );
        assert_eq!(view.places(&(0..3)), 2..5);
        assert_eq!(view.places(&(2..4)), 4..7);
        assert_eq!(view.places(&(3..3)), 6..6);
        assert_eq!((view.shown_in(1..6), view.shown_in(5..6)), (3, 0));
        assert_eq!(view.hidden_in(1..8).collect::<Vec<_>>(), [1..2, 5..6, 7..8]);
        assert_eq!(view.hidden_in(2..5).count(), 0);
        let all = View::new(window, &[]);
        assert!(all.is_all() && (0..=9).all(|at| all.place(at) == at && all.text_before(at) == at));
    }
}
