//! Places in a document, as JSON pointers (RFC 6901).

/// A path that grows and shrinks while a document is walked.
#[derive(Debug, Default)]
pub(crate) struct Pointer(String);

/// The most characters of one key that are told: keys are the client's own words, but need not be repeated without end.
const LONGEST: usize = 64;

impl Pointer {
    /// A walk that begins at the pointer `text`.
    pub(crate) fn at<T>(text: &str, look: impl FnOnce(&mut Self) -> T) -> T {
        look(&mut Self(text.to_owned()))
    }

    /// Walks into the member or element `step`.
    pub(crate) fn within<T>(&mut self, step: &str, look: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.0.len();
        self.0.push('/');
        for character in step.chars().take(LONGEST) {
            match character {
                '~' => self.0.push_str("~0"),
                '/' => self.0.push_str("~1"),
                other => self.0.push(other),
            }
        }
        let found = look(self);
        self.0.truncate(length);
        found
    }

    /// The pointer; `/` stands for the whole document.
    pub(crate) fn text(&self) -> String {
        if self.0.is_empty() { "/".to_owned() } else { self.0.clone() }
    }
}
