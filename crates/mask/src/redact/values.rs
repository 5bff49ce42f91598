//! Known values in a text, and what is masked with them where nothing more may come.
//!
//! Whoever decides what is written, and when, must not learn with what a value goes on that they know the beginning of. So what is done
//! depends on whole values, and on parts of them that would be looked for by themselves, and on nothing between.

use std::ops::Range;

use super::{RunsOn, detector::is_in_line};
use crate::known::{Flags, Layers};

/// One of them.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) range: Range<usize>,
    pub(super) flags: Flags,
    reach: Reach,
}

/// What is masked with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Itself,
    /// What comes right after it: it may be the beginning of a longer one.
    Word,
    /// All of the line after it: there is more of it, of which nobody knows where it ends.
    Line,
}

/// Where to look for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looking {
    pub(super) json: bool,
    /// Nothing more may come.
    pub(super) idle: bool,
    /// The text may begin in the middle of a value.
    pub(super) cut: bool,
}

/// The values in `text`.
pub(super) fn values(index: &Layers, text: &[u8], looking: Looking) -> Vec<Value> {
    let Looking { json, idle, cut } = looking;
    let mut found = Vec::new();
    index.scan(text, json, |range, pattern| {
        let reach = match (idle, pattern.flags.has(Flags::MORE)) {
            (false, _) => Reach::Itself,
            (true, false) => Reach::Word,
            (true, true) => Reach::Line,
        };
        found.push(Value { range, flags: pattern.flags, reach });
    });
    let whole = found.len();
    let is_in_whole = |found: &[Value], part: &Range<usize>| {
        let mut whole = found.iter().take(whole).map(|value| &value.range);
        whole.any(|whole| whole.start <= part.start && part.end <= whole.end)
    };
    if idle {
        index.heads(text, |range| {
            if !is_in_whole(&found, &range) {
                // Whether the character of base64 before it is part of it, only what it goes on with could tell.
                found.push(Value { range, flags: Flags::BEFORE, reach: Reach::Line });
            }
        });
    }
    if cut {
        let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let stamp = timestamp(line);
        index.tails(line.get(stamp..).unwrap_or_default(), |Range { start, end }| {
            if !is_in_whole(&found, &(stamp + start..stamp + end)) {
                found.push(Value { range: stamp..stamp + end, flags: Flags::AFTER, reach: Reach::Itself });
            }
        });
    }
    found
}

impl Value {
    /// `range`, which is the value's in `text`, with what is masked with it; and how it goes on after the text, if it does.
    pub(super) fn extended(&self, range: Range<usize>, text: &[u8]) -> (Range<usize>, Option<RunsOn>) {
        let within: fn(u8) -> bool = match self.reach {
            Reach::Itself => return (range, None),
            Reach::Word => is_unbroken,
            Reach::Line => is_in_line,
        };
        let rest = text.get(range.end..).unwrap_or_default();
        let end = range.end + rest.iter().position(|byte| !within(*byte)).unwrap_or(rest.len());
        (range.start..end, (end == text.len()).then_some(RunsOn::While(within)))
    }
}

/// What a word goes on with, as far as nobody knows what it is.
pub(super) fn is_unbroken(byte: u8) -> bool {
    byte > b' ' && !matches!(byte, b'"' | b'\'' | 0x7f)
}

/// How many bytes the time takes that stands before a line if it is asked for (RFC 3339), with the space after it.
fn timestamp(line: &[u8]) -> usize {
    const LONGEST: usize = "2006-01-02T15:04:05.000000000+00:00 ".len();
    let head = line.get(..LONGEST.min(line.len())).unwrap_or_default();
    let end = head.iter().position(|byte| *byte == b' ').map_or(0, |space| space + 1);
    let stamp = head.get(..end).unwrap_or_default();
    let is_time = stamp.iter().enumerate().all(|(at, byte)| match at {
        4 | 7 => *byte == b'-',
        10 => *byte == b'T',
        0..=18 => byte.is_ascii_digit() || (*byte == b':' && matches!(at, 13 | 16)),
        _ => byte.is_ascii_digit() || b".Z+-: ".contains(byte),
    });
    if is_time && end > 19 { end } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_a_line() {
        for (line, expected) in [
            ("2026-11-27T04:40:24.123456789Z text", 31),
            ("2026-11-27T04:40:24Z text", 21),
            ("2026-11-27T04:40:24.123456789+01:00 text", 36),
            ("2026-11-27 04:40:24 text", 0),
            ("2026-11-27T04:40:24.123456789Z", 0),
            ("a text", 0),
            ("1 2", 0),
            ("", 0),
        ] {
            assert_eq!(timestamp(line.as_bytes()), expected, "{line}");
        }
    }
}
