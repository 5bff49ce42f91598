//! The inside of a string: escapes, UTF-8, and the way to its closing quotation mark (RFC 8259 section 7).

use std::ops::Range;

use super::plain;
use crate::malformed::{Fault, What};

/// The longest way to write one character: two `\uXXXX`.
const MAX_ESCAPE: usize = 12;

/// What a string's characters are given to, unescaped, in order.
pub(crate) trait Sink {
    /// Bytes of the string that stand for themselves: `range` of `input`. May end within a character.
    fn plain(&mut self, input: &[u8], range: Range<usize>);
    /// A character that was written as the escape `raw`.
    fn escape(&mut self, character: char, raw: &[u8]);
}

/// Takes no notice of a string's characters.
#[derive(Debug)]
pub(crate) struct Ignore;

impl Sink for Ignore {
    fn plain(&mut self, _: &[u8], _: Range<usize>) {}
    fn escape(&mut self, _: char, _: &[u8]) {}
}

/// How far the inside of a string is understood.
#[derive(Debug, Clone, Copy)]
enum Mode {
    /// Between characters.
    Plain,
    /// Within an escape, after its backslash.
    Backslash,
    /// Within `\uXXXX`: the digits seen so far and how many are missing.
    Hex { unit: u16, missing: u8 },
    /// After the escape of a high surrogate: a backslash must follow.
    High,
    /// After the backslash of a low surrogate: `u` must follow.
    HighBackslash,
    /// Within a character of several bytes: how many are missing, and what the next may be.
    Utf8 { missing: u8, low: u8, high: u8 },
}

/// Reads the inside of one string after the other, in pieces of any size.
#[derive(Debug)]
pub(crate) struct Text {
    mode: Mode,
    /// The high surrogate that waits for its low one.
    surrogate: Option<u16>,
    /// The escape being read, as written: a later piece may hold the end of it.
    raw: [u8; MAX_ESCAPE],
    raw_len: usize,
}

impl Text {
    pub(crate) fn new() -> Self {
        Self { mode: Mode::Plain, surrogate: None, raw: [0; MAX_ESCAPE], raw_len: 0 }
    }

    /// The length of the rest of a string, if it is all of `rest` up to a quotation mark and has nothing in it that must be
    /// understood: the way most strings go.
    #[inline(always)]
    pub(crate) fn whole(&self, rest: &[u8]) -> Option<usize> {
        plain::whole(rest).filter(|_| matches!(self.mode, Mode::Plain))
    }

    /// Reads on from `at`; answers with the position of the closing quotation mark, or none if `input` ends before it.
    #[inline(never)]
    pub(crate) fn advance<S: Sink>(
        &mut self,
        input: &[u8],
        mut at: usize,
        sink: &mut S,
    ) -> Result<Option<usize>, Fault> {
        loop {
            if let Mode::Plain = self.mode {
                let end = at + plain::prefix(input.get(at..).unwrap_or_default());
                if end > at {
                    sink.plain(input, at..end);
                }
                match input.get(end) {
                    None => return Ok(None),
                    Some(b'"') => return Ok(Some(end)),
                    Some(b'\\') => {
                        self.begin_escape();
                        at = end + 1;
                    }
                    Some(0x80..) => at = self.wide(input, end, sink)?,
                    Some(_) => return Err(Fault::new(end, What::ControlCharacter)),
                }
            } else {
                let Some(&byte) = input.get(at) else { return Ok(None) };
                self.byte(byte, input, at, sink).map_err(|what| Fault::new(at, what))?;
                at += 1;
            }
        }
    }

    /// Reads a run that begins with a character of several bytes, up to the next byte of interest.
    fn wide<S: Sink>(&mut self, input: &[u8], at: usize, sink: &mut S) -> Result<usize, Fault> {
        let rest = input.get(at..).unwrap_or_default();
        let run = rest.get(..plain::text_prefix(rest)).unwrap_or_default();
        let end = at + run.len();
        match std::str::from_utf8(run) {
            Ok(_) => {}
            // Byte by byte, so that the fault is told of the byte that is wrong, however the text is cut. The last character may
            // go on in the next piece, but only if this one ends here.
            Err(error) => {
                for (place, &byte) in input.iter().enumerate().skip(at + error.valid_up_to()) {
                    self.utf8(byte).map_err(|what| Fault::new(place, what))?;
                }
                if end != input.len() {
                    return Err(Fault::new(end, What::NotUtf8));
                }
            }
        }
        sink.plain(input, at..end);
        Ok(end)
    }

    fn byte<S: Sink>(&mut self, byte: u8, input: &[u8], at: usize, sink: &mut S) -> Result<(), What> {
        match self.mode {
            Mode::Plain | Mode::Utf8 { .. } => {
                self.utf8(byte)?;
                sink.plain(input, at..at + 1);
                return Ok(());
            }
            Mode::Backslash => {
                self.keep(byte);
                if byte == b'u' {
                    self.mode = Mode::Hex { unit: 0, missing: 4 };
                    return Ok(());
                }
                let character = simple_escape(byte).ok_or(What::BadEscape)?;
                self.finish_escape(character, sink);
            }
            Mode::Hex { unit, missing } => {
                self.keep(byte);
                let digit = hex_digit(byte).ok_or(What::BadEscape)?;
                let unit = unit << 4 | u16::from(digit);
                if missing > 1 {
                    self.mode = Mode::Hex { unit, missing: missing - 1 };
                    return Ok(());
                }
                return self.unit(unit, sink);
            }
            Mode::High if byte == b'\\' => {
                self.keep(byte);
                self.mode = Mode::HighBackslash;
            }
            Mode::HighBackslash if byte == b'u' => {
                self.keep(byte);
                self.mode = Mode::Hex { unit: 0, missing: 4 };
            }
            Mode::High | Mode::HighBackslash => return Err(What::LoneSurrogate),
        }
        Ok(())
    }

    /// A complete `\uXXXX`: a character, or half of one.
    fn unit<S: Sink>(&mut self, unit: u16, sink: &mut S) -> Result<(), What> {
        let character = match (self.surrogate.take(), unit) {
            (None, 0xD800..=0xDBFF) => {
                self.surrogate = Some(unit);
                self.mode = Mode::High;
                return Ok(());
            }
            (None, _) => char::from_u32(u32::from(unit)),
            (Some(high), 0xDC00..=0xDFFF) => {
                char::from_u32(0x10000 + ((u32::from(high) & 0x3FF) << 10) + (u32::from(unit) & 0x3FF))
            }
            (Some(_), _) => None,
        };
        self.finish_escape(character.ok_or(What::LoneSurrogate)?, sink);
        Ok(())
    }

    fn begin_escape(&mut self) {
        self.raw_len = 0;
        self.surrogate = None;
        self.keep(b'\\');
        self.mode = Mode::Backslash;
    }

    fn keep(&mut self, byte: u8) {
        if let Some(slot) = self.raw.get_mut(self.raw_len) {
            *slot = byte;
            self.raw_len += 1;
        }
    }

    fn finish_escape<S: Sink>(&mut self, character: char, sink: &mut S) {
        self.mode = Mode::Plain;
        sink.escape(character, self.raw.get(..self.raw_len).unwrap_or_default());
    }

    /// One byte of a character of several bytes (Unicode 16.0, table 3-7).
    fn utf8(&mut self, byte: u8) -> Result<(), What> {
        let (missing, low, high) = match self.mode {
            Mode::Utf8 { missing, low, high } if (low..=high).contains(&byte) => (missing - 1, 0x80, 0xBF),
            Mode::Utf8 { .. } => return Err(What::NotUtf8),
            _ => match byte {
                0xC2..=0xDF => (1, 0x80, 0xBF),
                0xE0 => (2, 0xA0, 0xBF),
                0xE1..=0xEC | 0xEE..=0xEF => (2, 0x80, 0xBF),
                0xED => (2, 0x80, 0x9F),
                0xF0 => (3, 0x90, 0xBF),
                0xF1..=0xF3 => (3, 0x80, 0xBF),
                0xF4 => (3, 0x80, 0x8F),
                _ => return Err(What::NotUtf8),
            },
        };
        self.mode = if missing == 0 { Mode::Plain } else { Mode::Utf8 { missing, low, high } };
        Ok(())
    }
}

fn simple_escape(byte: u8) -> Option<char> {
    Some(match byte {
        b'"' | b'\\' | b'/' => char::from(byte),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return None,
    })
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
