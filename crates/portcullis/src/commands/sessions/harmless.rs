//! What a stream showed, made harmless for the terminal of whoever looks at it.
//!
//! A terminal obeys what it is shown: it sets the clipboard, answers questions as if somebody typed, changes its title, prints.
//! So nothing of a recording is passed on as it is. It is parsed, and what passes is written anew: text, colours, the cursor's
//! movements, erasing what is on the screen.

use std::fmt::Write as _;

use visible::is_unseen;
use vte::{Params, Parser, Perform};

/// Larger than any screen.
const MOST: u16 = 9_999;
/// What stands for a character that a reader would not see, or would see elsewhere.
const UNSEEN: char = '\u{fffd}';

/// Makes the output of one stream harmless. Keeps what goes on in the next piece.
#[derive(Default)]
pub(super) struct Harmless {
    parser: Parser,
    screen: Screen,
}

#[derive(Debug, Default)]
struct Screen {
    out: String,
    /// Whether the stream had a terminal: there, a line feed alone does not go to the left.
    tty: bool,
    /// Whether the terminal shows its other screen.
    alternate: bool,
    /// Whether the cursor may be anywhere.
    moved: bool,
}

// === impl Harmless ===

impl Harmless {
    pub(super) fn new(tty: bool) -> Self {
        Self { parser: Parser::new(), screen: Screen { tty, ..Screen::default() } }
    }

    /// What may be shown of these bytes.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> String {
        self.parser.advance(&mut self.screen, bytes);
        std::mem::take(&mut self.screen.out)
    }

    /// Makes the terminal what it was: its own screen, no colours, the cursor visible and below everything.
    pub(super) fn end(&self) -> String {
        let screen = if self.screen.alternate { "\x1b[?1049l" } else { "" };
        let cursor = if self.screen.moved { "\x1b[r\x1b[9999;1H" } else { "" };
        format!("{screen}\x1b[0m\x1b(B\x1b[?25h\x1b[?7h{cursor}\r\n")
    }
}

// === impl Screen ===

impl Screen {
    fn csi(&mut self, private: &str, params: &Params, action: char) {
        self.out.push_str("\x1b[");
        self.out.push_str(private);
        for (place, numbers) in params.iter().enumerate() {
            if place > 0 {
                self.out.push(';');
            }
            for (place, number) in numbers.iter().enumerate() {
                let colon = if place > 0 { ":" } else { "" };
                let _infallible = write!(self.out, "{colon}{}", (*number).min(MOST));
            }
        }
        self.out.push(action);
    }

    /// The modes that only change what is shown: the cursor, wrapping, the other screen.
    fn mode(&mut self, mode: u16, on: bool) {
        let action = if on { 'h' } else { 'l' };
        let mode = match mode {
            7 | 25 => mode,
            47 | 1047 | 1049 if on != self.alternate => {
                self.alternate = on;
                1049
            }
            _ => return,
        };
        let _infallible = write!(self.out, "\x1b[?{mode}{action}");
    }
}

impl Perform for Screen {
    fn print(&mut self, c: char) {
        self.out.push(if is_unseen(c) { UNSEEN } else { c });
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\r' | b'\t' | 0x08 => self.out.push(char::from(byte)),
            // An index: the line below, in the same column, whatever the terminal makes of line feeds.
            b'\n' | 0x0b | 0x0c if self.tty => self.out.push_str("\x1bD"),
            b'\n' | 0x0b | 0x0c => self.out.push('\n'),
            // Bells, other character sets, C1.
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        let first = params.iter().next().and_then(|numbers| numbers.first().copied()).unwrap_or_default();
        match (ignore, intermediates, action) {
            (false, b"", 'm') => self.csi("", params, action),
            (
                false,
                b"",
                'A'..='I' | 'X' | 'Z' | '@' | '`' | 'a' | 'b' | 'd' | 'e' | 'f' | 'P' | 'L' | 'M',
            ) => {
                self.moved = true;
                self.csi("", params, action);
            }
            // Not what has been scrolled away.
            (false, b"", 'J' | 'K') if first <= 2 => {
                self.moved |= action == 'J';
                self.csi("", params, action);
            }
            // With more parameters these are other commands.
            (false, b"", 'S' | 'T' | 'r') if params.len() <= 1 + usize::from(action == 'r') => {
                self.moved = true;
                self.csi("", params, action);
            }
            (false, b"?", 'h' | 'l') => {
                for mode in params.iter().filter_map(|numbers| numbers.first()) {
                    self.mode(*mode, action == 'h');
                }
            }
            _ => {}
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], ignore: bool, byte: u8) {
        let passes = match (ignore, intermediates, byte) {
            // Where the cursor was; the line below, the next one, the one above.
            (false, b"", b'7' | b'8' | b'D' | b'E' | b'M') => {
                self.moved = true;
                "\x1b"
            }
            // Lines and corners in place of small letters, and back.
            (false, b"(", b'0' | b'B') => "\x1b(",
            _ => return,
        };
        self.out.push_str(passes);
        self.out.push(char::from(byte));
    }
}

#[cfg(test)]
mod tests;
