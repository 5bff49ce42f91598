//! What a terminal obeys instead of showing it: escape sequences, which may stand between any two letters of a value.
//!
//! Told byte by byte, from nothing but what came before (ECMA-48 §5.4, ECMA-35 §13; in seven bits, since 0x9b is part of a
//! character in UTF-8). Hidden are ESC and with it
//! - `[`, then parameters and intermediates, up to a final byte: colours, movements of the cursor;
//! - intermediates, up to a final byte: `ESC ( B`, `ESC 7`, `ESC M`;
//!
//! and the shifts SO and SI, which some terminals' colours end with. What begins a string (OSC, DCS, SOS, PM, APC) and all that is
//! in it is text: so a value is found in a window's title or on its way to the clipboard. Other control characters are text
//! too: they keep words apart, as NUL does in an environment. A byte that fits no sequence ends it, and is text.

use std::ops::Range;

const ESC: u8 = 0x1b;
const SO: u8 = 0x0e;
const SI: u8 = 0x0f;

/// So many hidden bytes in a line are kept in order with text that is held back; then it is decided as if nothing more came.
pub(super) const MOST: usize = 4 << 10;

/// Reads one text, piece by piece.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    state: State,
    /// Bytes of the sequence that has begun and not ended.
    unfinished: usize,
    /// Hidden bytes in this line since it was last stopped at.
    hidden: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After ESC.
    Escape,
    /// After an intermediate.
    Intermediate,
    /// In a control sequence.
    Control,
}

impl Sequences {
    /// How many bytes at the end of what was read are a sequence that has not ended.
    pub(super) fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// Appends what of `text` is hidden to `ranges`, all moved by `at`. Stops where that makes [`MOST`] bytes in one line, and says
    /// where.
    pub(super) fn read(&mut self, text: &[u8], at: usize, ranges: &mut Vec<Range<usize>>) -> Option<usize> {
        let mut from = 0;
        loop {
            if self.state == State::Text {
                let rest = text.get(from..).unwrap_or_default();
                let plain = memchr::memchr3(ESC, SO, SI, rest).unwrap_or(rest.len());
                if self.hidden > 0 && memchr::memchr(b'\n', rest.get(..plain).unwrap_or_default()).is_some() {
                    self.hidden = 0;
                }
                from += plain;
            }
            let byte = *text.get(from)?;
            let (state, hidden) = self.state.after(byte);
            self.state = state;
            self.unfinished = if state == State::Text { 0 } else { self.unfinished + 1 };
            if hidden {
                hide(ranges, at + from);
                self.hidden += 1;
            } else if byte == b'\n' {
                self.hidden = 0;
            }
            from += 1;
            if self.hidden >= MOST {
                self.hidden = 0;
                return Some(from);
            }
        }
    }
}

impl State {
    /// What follows `byte`, and whether it is hidden.
    fn after(self, byte: u8) -> (Self, bool) {
        match (self, byte) {
            (_, ESC) => (Self::Escape, true),
            (_, SO | SI) => (self, true),
            (Self::Escape, b'[') => (Self::Control, true),
            (Self::Escape, b']' | b'P' | b'X' | b'^' | b'_') => (Self::Text, false),
            (Self::Escape | Self::Intermediate, 0x20..=0x2f) => (Self::Intermediate, true),
            (Self::Control, 0x20..=0x3f) => (Self::Control, true),
            (Self::Escape | Self::Intermediate, 0x30..=0x7e) | (Self::Control, 0x40..=0x7e) => {
                (Self::Text, true)
            }
            (Self::Text | Self::Escape | Self::Intermediate | Self::Control, _) => (Self::Text, false),
        }
    }
}

fn hide(ranges: &mut Vec<Range<usize>>, at: usize) {
    match ranges.last_mut() {
        Some(last) if last.end == at => last.end += 1,
        _ => ranges.push(at..at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let whole = shown_in(text, text.len().max(1));
        for chunk in 1..text.len() {
            assert_eq!(shown_in(text, chunk), whole, "{text:?} in chunks of {chunk}");
        }
        whole
    }

    fn shown_in(text: &str, chunk: usize) -> String {
        let (mut sequences, mut ranges, mut at) = (Sequences::default(), Vec::new(), 0);
        for chunk in text.as_bytes().chunks(chunk) {
            assert_eq!(sequences.read(chunk, at, &mut ranges), None);
            at += chunk.len();
        }
        let hidden = |at: &usize| ranges.iter().any(|range| range.contains(at));
        let bytes = (0..text.len()).filter(|at| !hidden(at)).map(|at| text.as_bytes()[at]).collect();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_a_terminal_shows() {
        for (text, expected) in [
            ("plain [0m é\t\r\n", "plain [0m é\t\r\n"),
            ("a\x1b[0mb\x1b[mc\x1b[1;31md\x1b[?25le\x1b[2 qf\x1b[>4;2mg", "abcdefg"),
            ("a\x1b(Bb\x1b7c\x1b8d\x1bMe\x1b=f\x1b#8g\x1bch", "abcdefgh"),
            ("a\x0eb\x0fc\x1b[1\x0f;2md", "abcd"),
            ("a\x1b\x1b[0m\x1b[\x1b[0mb", "ab"),
            // A string's beginning and what is in it are shown.
            ("\x1b]0;title\x07a\x1b]52;c;QUJD\x1b\\b\x1bPq#0\x1b\\", "]0;title\x07a]52;c;QUJDbPq#0"),
            ("\x1b_a\x1b^b\x1bXc", "_a^bXc"),
            // What breaks off is none from there on.
            ("a\x1b[1\nb\x1b[1éc\x1b\nd\x1b(\te\x1b[1\x7ff", "a\nbéc\nd\te\x7ff"),
            // Other control characters stay where they are.
            ("a\0b\x07c\x08d\x0be\x0cf\x18g\x7fh", "a\0b\x07c\x08d\x0be\x0cf\x18g\x7fh"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn it_stops_where_too_much_is_hidden_in_a_line() {
        let line = format!("a{}b\n", "\x1b[0m".repeat(MOST / 4 - 1));
        let (mut sequences, mut ranges) = (Sequences::default(), Vec::new());
        assert_eq!(sequences.read(line.repeat(9).as_bytes(), 0, &mut ranges), None);
        assert_eq!(ranges.len(), 9);
        let text = format!("{}a{}b", "\x1b[0m".repeat(7), "\x1b[0m".repeat(MOST / 4 - 3));
        assert_eq!(sequences.read(text.as_bytes(), 0, &mut ranges), Some(MOST + 1));
        assert_eq!(sequences.read(&text.as_bytes()[MOST + 1..], 0, &mut ranges), None);
    }
}
