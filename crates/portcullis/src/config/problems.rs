//! Everything that is wrong with a configuration, told at once.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::position::{FieldPath, Position};

/// One thing that is wrong, where it is, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    at: Option<Position>,
    field: String,
    message: String,
}

/// All problems of one file, in the order of the file. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    file: PathBuf,
    // INVARIANT: at least one, sorted by position
    list: Vec<Problem>,
}

/// Collects problems while a file is read.
#[derive(Debug, Default)]
pub(super) struct Collector(Vec<Problem>);

impl Problem {
    pub(super) fn new(at: Option<Position>, field: &FieldPath, message: impl Into<String>) -> Self {
        Self { at, field: field.to_string(), message: message.into() }
    }

    /// Where in the file; `None` when the file as a whole is meant.
    #[must_use]
    pub fn at(&self) -> Option<Position> {
        self.at
    }

    /// The field, as `clusters[0].name`; empty for the file as a whole.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is wrong and the remedy.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl Problems {
    pub(super) fn of_file(file: &Path, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), list: vec![Problem::new(None, &FieldPath::root(), message)] }
    }

    /// The file that they are in.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The problems, in the order of the file.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.list
    }
}

impl Collector {
    pub(super) fn add(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something at or below this field is wrong already.
    pub(super) fn has_below(&self, field: &FieldPath) -> bool {
        let field = field.to_string();
        self.0
            .iter()
            .filter_map(|problem| problem.field.strip_prefix(&field))
            .any(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }

    /// # Errors
    /// What was collected, if anything was.
    pub(super) fn finish(mut self, file: &Path) -> Result<(), Problems> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by_key(|problem| problem.at);
        Err(Problems { file: file.to_owned(), list: self.0 })
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.list.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:", self.file.display())?;
            if let Some(at) = problem.at {
                write!(f, "{at}:")?;
            }
            if !problem.field.is_empty() {
                write!(f, " {}:", problem.field)?;
            }
            write!(f, " {}", problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
