//! A change, line by line.

use approval::Line;

/// Lines of a diff that are shown at once; what follows is behind a line that says how much it is.
const LINES: usize = 400;
/// Of lines that stay as they are and are far from any change, so many unfold where nobody decides; of the others it is said how many
/// they are.
const FOLDED: usize = 400;

/// What would change.
pub(super) struct Diff {
    pub(super) lines: Vec<DiffLine>,
    /// Beyond what is shown at once.
    pub(super) more: Vec<DiffLine>,
    pub(super) left_out: String,
}

/// A line, or some that were folded.
pub(super) struct DiffLine {
    /// `same`, `added`, `removed`, `folded`.
    pub(super) class: &'static str,
    pub(super) sign: &'static str,
    pub(super) text: String,
    pub(super) folded: Vec<String>,
    /// How many were folded.
    pub(super) count: usize,
}

impl From<approval::Diff> for Diff {
    fn from(diff: approval::Diff) -> Self {
        let mut lines: Vec<DiffLine> = diff.lines.into_iter().map(DiffLine::from).collect();
        let more = if lines.len() > LINES { lines.split_off(LINES) } else { Vec::new() };
        Self { lines, more, left_out: diff.left_out.join(", ") }
    }
}

impl Diff {
    /// For a page on which nobody decides: of what stays as it is, not all.
    pub(super) fn brief(mut self) -> Self {
        let mut left = FOLDED;
        for line in self.lines.iter_mut().chain(&mut self.more) {
            line.folded.truncate(left);
            left -= line.folded.len();
        }
        self
    }
}

impl From<Line> for DiffLine {
    fn from(line: Line) -> Self {
        let (class, sign, text, folded) = match line {
            Line::Same(text) => ("same", " ", text, Vec::new()),
            Line::Added(text) => ("added", "+", text, Vec::new()),
            Line::Removed(text) => ("removed", "-", text, Vec::new()),
            Line::Folded(lines) => ("folded", " ", String::new(), lines),
        };
        let count = folded.len();
        Self { class, sign, text, folded, count }
    }
}
