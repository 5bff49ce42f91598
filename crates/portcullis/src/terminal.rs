//! Standard output: results, for people or for programs.
//!
//! What a ledger or a gate tells may hold text that an agent chose; on a terminal it must not move the cursor, hide
//! or reorder anything, or an agent could write its own line into what an auditor reads.

use std::{
    fmt::{Display, Write as _},
    io::{self, IsTerminal, Write},
};

/// Writes to standard output. A reader that went away (`| head`) is an error that [`crate::cli::run`] takes for the
/// end.
pub(crate) fn print(text: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "{text}")?;
    out.flush()
}

/// As [`print()`], with a line end.
pub(crate) fn print_line(text: impl Display) -> io::Result<()> {
    print(format_args!("{text}\n"))
}

/// Whether a person reads along.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether to colour: on a terminal, unless `NO_COLOR` (no-color.org) asks not to.
pub(crate) fn colours() -> bool {
    is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The colours in use, and what they stand for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Colour {
    Good,
    Bad,
}

/// `text` in a colour, if colours are on.
pub(crate) fn painted(text: &str, colour: Colour, colours: bool) -> String {
    let code = match colour {
        Colour::Good => "32",
        Colour::Bad => "31",
    };
    if colours { format!("\u{1b}[1;{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// `text` with everything a reader would not see written as JSON escapes, so that JSON stays the same JSON.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if !is_unseen(c) {
            shown.push(c);
            continue;
        }
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            let _infallible = write!(shown, "\\u{unit:04x}");
        }
    }
    shown
}

/// Control characters, and the formats that hide or reorder: joiners, bidirectional controls, fillers, tags.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(
            visible("a\u{1b}[2Jb\u{202e}c\nd é \u{e0041}"),
            "a\\u001b[2Jb\\u202ec\\u000ad é \\udb40\\udc41"
        );
    }

    #[test]
    fn colour_is_only_added_when_it_is_on() {
        assert_eq!(painted("OK", Colour::Good, false), "OK");
        assert_eq!(painted("OK", Colour::Bad, true), "\u{1b}[1;31mOK\u{1b}[0m");
    }
}
