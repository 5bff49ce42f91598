//! Where what is masked begins and ends.

use std::ops::Range;

use super::RunsOn;
use crate::known::Flags;

/// How many backslashes before a match are masked with it at most: enough for JSON within JSON six times over. Even, so that of
/// more of them an even number stays.
const BACKSLASHES: usize = 64;

/// A window, and what has been found out about it: matches are many, and the text around them is not read again for each.
#[derive(Debug)]
pub(super) struct Edges<'w> {
    window: &'w [u8],
    json: bool,
    /// Whether the backslashes right before the window are of an odd number.
    escaping: bool,
    /// The backslashes that were counted last.
    row: Range<usize>,
    /// The end of the string that was looked for last, from where on that is the next.
    string: Option<(usize, Option<usize>)>,
}

impl<'w> Edges<'w> {
    pub(super) fn new(window: &'w [u8], json: bool, escaping: bool) -> Self {
        Self { window, json, escaping, row: 0..0, string: None }
    }

    /// `range` with the characters beside it that must go too.
    ///
    /// In JSON an escape that the match begins within is one: text that is a newline and then `ew-password` has the bytes
    /// `\new-password`, and a lone backslash must not stay.
    pub(super) fn widen(&mut self, range: Range<usize>, flags: Flags) -> Range<usize> {
        let Range { mut start, mut end } = range;
        let base64 = |at: usize| self.window.get(at).is_some_and(is_base64);
        if flags.has(Flags::AFTER) && base64(end) {
            end += 1;
        }
        if flags.has(Flags::BEFORE) && start > 0 && base64(start - 1) {
            start -= 1;
        }
        start - self.begun_escape(start)..end
    }

    /// `range` so that it breaks no JSON: not beyond the end of its string, and with the escape that it begins within, but
    /// without one that it ends within, unless it runs on.
    pub(super) fn within_string(&mut self, range: Range<usize>, runs_on: bool) -> Range<usize> {
        let string = self.string_end(range.start).filter(|end| *end <= range.end);
        let end = string.unwrap_or_else(|| {
            let escape = if runs_on { 0 } else { self.backslashes(range.end).min(range.len()) };
            range.end - escape
        });
        self.widen(range.start..end, Flags::default())
    }

    /// How many bytes before `at` are the beginning of an escape: backslashes, or with those a `u` and up to three digits.
    pub(super) fn begun_escape(&mut self, at: usize) -> usize {
        let before = self.window.get(..at).unwrap_or_default();
        if !self.json || before.is_empty() {
            return 0;
        }
        let digits = before.iter().rev().take(3).take_while(|byte| byte.is_ascii_hexdigit()).count();
        let with_digits = |edges: &mut Self, digits: usize| {
            let unicode = at.checked_sub(digits + 1).filter(|at| edges.window.get(*at) == Some(&b'u'))?;
            let backslashes = edges.taken(unicode);
            (backslashes > 0).then_some(backslashes + 1 + digits)
        };
        (0..=digits).rev().find_map(|digits| with_digits(self, digits)).unwrap_or_else(|| self.taken(at))
    }

    /// How many backslashes before `at` go: of those that stay, each two are one.
    fn taken(&mut self, at: usize) -> usize {
        let count = self.backslashes(at);
        let odd = (count % 2 == 1) ^ (self.escaping && count == at);
        if count < BACKSLASHES { count } else { BACKSLASHES - usize::from(odd) }
    }

    /// How many backslashes are right before `at`.
    fn backslashes(&mut self, at: usize) -> usize {
        let mut from = at;
        while from > 0 && self.window.get(from - 1) == Some(&b'\\') {
            if from > self.row.start && from <= self.row.end {
                from = self.row.start;
                break;
            }
            from -= 1;
        }
        if from < at {
            self.row = from..at;
        }
        at - from
    }

    /// The first quotation mark at or after `from` that is not escaped, or newline.
    fn string_end(&mut self, from: usize) -> Option<usize> {
        let end = match self.string {
            Some((known_from, end)) if known_from <= from && end.is_none_or(|end| from <= end) => return end,
            Some((known_from, end)) if from < known_from => {
                let before = self.window.get(..known_from).unwrap_or_default();
                string_end(before, from, self.escaping).or(end)
            }
            _ => string_end(self.window, from, self.escaping),
        };
        self.string = Some((from, end));
        end
    }
}

/// Of either alphabet.
pub(super) fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Where a match ends that began before `came` and runs on, at least as far as `came`, and whether it goes on after the window.
/// In JSON, `escaping` says whether an odd number of backslashes is before the window.
pub(super) fn run_end(
    how: RunsOn,
    window: &[u8],
    held: usize,
    came: usize,
    escaping: Option<bool>,
) -> (usize, bool) {
    let new = window.get(came..).unwrap_or_default();
    let end = match how {
        RunsOn::While(within) => new.iter().position(|byte| !within(*byte)).map(|length| came + length),
        RunsOn::Through(text) => {
            // The text may have begun in what is held.
            let from = held.max((came + 1).saturating_sub(text.len()));
            let rest = window.get(from..).unwrap_or_default();
            memchr::memmem::find(rest, text).map(|at| from + at + text.len())
        }
    };
    let limit = escaping.and_then(|escaping| string_end(window, came, escaping));
    let end = match (end, limit) {
        (Some(end), Some(limit)) => Some(end.min(limit)),
        (end, limit) => end.or(limit),
    };
    (end.unwrap_or(window.len()).max(came), end.is_none())
}

/// The first quotation mark at or after `from` that is not escaped, or newline.
fn string_end(window: &[u8], from: usize, before: bool) -> Option<usize> {
    let rest = window.get(from..).unwrap_or_default();
    memchr::memchr2_iter(b'"', b'\n', rest).map(|at| from + at).find(|at| {
        window.get(*at) == Some(&b'\n') || !escaping(window.get(..*at).unwrap_or_default(), before)
    })
}

/// Whether what follows `text` is escaped: the backslashes at its end are of an odd number, with those `before` it.
pub(super) fn escaping(text: &[u8], before: bool) -> bool {
    let count = text.iter().rev().take_while(|byte| **byte == b'\\').count();
    (count % 2 == 1) ^ (before && count == text.len())
}
