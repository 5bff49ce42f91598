//! Standard output: results, for people or for programs.
//!
//! What a ledger or a gate tells may hold text that an agent chose; on a terminal it must not move the cursor, hide
//! or reorder anything, or an agent could write its own line into what an auditor reads.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};

pub(crate) use visible::visible;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_only_added_when_it_is_on() {
        assert_eq!(painted("OK", Colour::Good, false), "OK");
        assert_eq!(painted("OK", Colour::Bad, true), "\u{1b}[1;31mOK\u{1b}[0m");
    }
}
