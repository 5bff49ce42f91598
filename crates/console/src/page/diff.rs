//! A change, line by line.

use approval::Line;

/// Lines of a diff that are shown at once; what follows is behind a line that says how much it is.
const LINES: usize = 400;

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
}

impl From<approval::Diff> for Diff {
    fn from(diff: approval::Diff) -> Self {
        let mut lines: Vec<DiffLine> = diff.lines.into_iter().map(DiffLine::from).collect();
        let more = if lines.len() > LINES { lines.split_off(LINES) } else { Vec::new() };
        Self { lines, more, left_out: diff.left_out.join(", ") }
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
        Self { class, sign, text, folded }
    }
}
