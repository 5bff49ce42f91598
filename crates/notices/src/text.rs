//! Text that an agent may have written.

use std::fmt;

use serde::{Deserialize, Serialize};
use visible::is_unseen;

/// A name: of an agent, a cluster, a rule, a human.
pub type Name = Text<100>;

/// Words: an act, a reason.
pub type Words = Text<500>;

/// Text of at most `MOST` characters in which nothing is unseen: control characters, and what hides or reorders, are written as
/// `\u{202e}`. So it is one line. What is left out at its end is counted there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Text<const MOST: usize>(String);

/// Room for `…(18446744073709551615 more characters)`.
const TAIL: usize = 39;

impl<const MOST: usize> Text<MOST> {
    /// The text as it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MOST: usize> From<&str> for Text<MOST> {
    fn from(text: &str) -> Self {
        let (mut shown, mut characters) = (String::new(), 0);
        // Where to cut if not all has room: the bytes that stay, and how many characters of `text` they show.
        let mut cut = (0, 0);
        for (at, c) in text.chars().enumerate() {
            let (before, start) = (characters, shown.len());
            if is_unseen(c) {
                let written = c.escape_unicode();
                characters += written.len();
                shown.extend(written);
            } else {
                characters += 1;
                shown.push(c);
            }
            if before + TAIL <= MOST {
                cut = (start, at);
            }
            if characters > MOST {
                shown.truncate(cut.0);
                let more = text.chars().count() - cut.1;
                return Self(format!("{shown}…({more} more characters)"));
            }
        }
        Self(shown)
    }
}

impl<const MOST: usize> From<String> for Text<MOST> {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl<const MOST: usize> fmt::Display for Text<MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        let text = Words::from("a\u{1b}[2Jb\u{202e}c\nd é \u{e0041}\u{200b}");
        assert_eq!(text.as_str(), r"a\u{1b}[2Jb\u{202e}c\u{a}d é \u{e0041}\u{200b}");
    }

    #[test]
    fn what_is_left_out_is_counted() {
        for text in ["é".repeat(100), String::new(), "\u{202e}".repeat(12)] {
            assert!(!Name::from(text.as_str()).as_str().contains("more"), "{text}");
        }
        let cut = |text: String| Name::from(text).as_str().to_owned();
        assert_eq!(cut("é".repeat(101)), format!("{}…(40 more characters)", "é".repeat(61)));
        assert_eq!(cut("\u{202e}".repeat(13)), format!("{}…(6 more characters)", r"\u{202e}".repeat(7)));
        assert!(cut("x".repeat(1 << 20)).chars().count() <= 100);
    }

    #[test]
    fn what_is_shown_stays_as_it_is() {
        for text in ["x".repeat(101), "\n\u{202e}".repeat(99), "plain".to_owned()] {
            let once = Name::from(text);
            assert_eq!(Name::from(once.as_str()), once);
        }
    }
}
