//! What is wrong with a bundle, its tests, or the settings: every problem at once, each with its place.

use std::fmt;

use miette::Diagnostic;
use thiserror::Error;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    file: String,
    /// Line and column, both from 1, in characters; absent where the text has no place.
    place: Option<(usize, usize)>,
    message: String,
}

/// Everything that is wrong, in the order of files and lines. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", list(.0))]
pub struct Problems(Vec<Problem>);

// === impl Problem ===

impl Problem {
    pub(crate) fn new(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), place: None, message: message.into() }
    }

    /// A problem at byte `offset` of `text`.
    pub(crate) fn at(file: &str, text: &str, offset: usize, message: impl Into<String>) -> Self {
        Self { place: Some(line_and_column(text, offset)), ..Self::new(file, message) }
    }

    /// A problem at a line and column, both from 1.
    pub(crate) fn placed(file: &str, place: Option<(usize, usize)>, message: impl Into<String>) -> Self {
        Self { place, ..Self::new(file, message) }
    }

    /// A problem that Cedar found: its message, its advice, and the first place it points to.
    pub(crate) fn from_diagnostic(file: &str, text: &str, fallback: usize, found: &dyn Diagnostic) -> Self {
        let label = found.labels().and_then(|mut labels| labels.next());
        let offset = label.as_ref().map_or(fallback, |label| label.offset());
        let mut message = one_line(&found.to_string());
        if let Some(text) = label.as_ref().and_then(|label| label.label()) {
            message.push_str(": ");
            message.push_str(&one_line(text));
        }
        if let Some(help) = found.help() {
            message.push_str("; ");
            message.push_str(&one_line(&help.to_string()));
        }
        Self::at(file, text, offset, message)
    }

    /// The file's name, or the part of the settings.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Line and column, both from 1.
    #[must_use]
    pub fn place(&self) -> Option<(usize, usize)> {
        self.place
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

// === impl Problems ===

impl Problems {
    /// `Ok(value)` if there is none, else all of them, sorted.
    pub(crate) fn none_or<T>(mut found: Vec<Problem>, value: T) -> Result<T, Self> {
        if found.is_empty() {
            return Ok(value);
        }
        found.sort();
        found.dedup();
        Err(Self(found))
    }

    /// The problems, in the order of files and lines.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// One line, with characters that hide or reorder others made visible.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    visible::visible(&line)
}

fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}
