//! Where what is masked begins and ends.

use std::ops::Range;

use super::RunsOn;
use crate::known::Flags;

/// How many backslashes before a match are masked with it: enough for JSON within JSON six times over.
const BACKSLASHES: usize = 64;

/// How many bytes before a match are masked at most: a base64 character, and an escape that it ends within.
pub(super) const BACK: usize = 1 + "uXXX".len() + BACKSLASHES;

/// `range` with the characters beside it that must go too.
///
/// In JSON an escape that the match begins within is one: text that is a newline and then `ew-password` has the bytes
/// `\new-password`, and a lone backslash must not stay.
pub(super) fn widen(window: &[u8], range: Range<usize>, flags: Flags, json: bool) -> Range<usize> {
    let Range { mut start, mut end } = range;
    let base64 = |at: usize| {
        window
            .get(at)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_'))
    };
    if flags.has(Flags::AFTER) && base64(end) {
        end += 1;
    }
    if flags.has(Flags::BEFORE) && start > 0 && base64(start - 1) {
        start -= 1;
    }
    let before = window.get(..start).unwrap_or_default();
    if json && !before.is_empty() {
        let digits = before.iter().rev().take(3).take_while(|byte| byte.is_ascii_hexdigit()).count();
        start -= (0..=digits).filter_map(|digits| begun_escape(before, digits)).max().unwrap_or(0);
    }
    start..end
}

/// `range` so that it breaks no JSON: not beyond the end of its string, and with the escape that it begins within, but
/// without one that it ends within, unless it runs on.
pub(super) fn within_string(
    window: &[u8],
    range: Range<usize>,
    runs_on: bool,
    escaping: bool,
) -> Range<usize> {
    let string = string_end(window, range.start, escaping).filter(|end| *end <= range.end);
    let end = string.unwrap_or_else(|| {
        let matched = window.get(range.clone()).unwrap_or_default();
        if runs_on { range.end } else { range.end - backslashes(matched) }
    });
    widen(window, range.start..end, Flags::default(), true)
}

/// How many bytes at the end of `before` are the beginning of an escape: backslashes, or with those a `u` and so many digits.
fn begun_escape(before: &[u8], digits: usize) -> Option<usize> {
    let backslashes = |text: &[u8]| backslashes(text).min(BACKSLASHES);
    let unicode = before.len().checked_sub(digits).and_then(|at| before.get(..at)?.strip_suffix(b"u"));
    match unicode.map_or(0, backslashes) {
        0 if digits == 0 => Some(backslashes(before)),
        0 => None,
        count => Some(count + 1 + digits),
    }
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
    let count = backslashes(text);
    (count % 2 == 1) ^ (before && count == text.len())
}

/// How many backslashes are at the end of `text`.
fn backslashes(text: &[u8]) -> usize {
    text.iter().rev().take_while(|byte| **byte == b'\\').count()
}
