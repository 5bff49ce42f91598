//! What others wrote, as it may stand in a message or an identity.

use visible::with_causes;

/// How much of it a message shows, in characters.
const MOST: usize = 200;

/// Hostile text for a message: cut, and with what cannot be seen escaped.
pub(crate) fn shown(input: &str) -> String {
    let mut shown = String::new();
    for c in input.chars().take(MOST) {
        match c {
            '`' => shown.push('\''),
            '\'' | '"' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
    }
    if input.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

/// Whether it is one line of 1 to `most` characters without control characters.
pub(crate) fn is_line(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control)
}

/// An error with its causes.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    shown(&with_causes(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_cut_and_escaped() {
        assert_eq!(shown("it's \"so\" `x`\u{202e}\n"), "it's \"so\" 'x'\\u{202e}\\n");
        assert_eq!(shown(&"é".repeat(201)), format!("{}…", "é".repeat(200)));
    }
}
