//! Which values may be looked for at all.
//!
//! Whoever may write an object and read it back can put a guess into it and see whether it comes back masked. So only what
//! nobody guesses is looked for. The estimate is our own: a password meter (such as zxcvbn) says how long a password withstands
//! guessing, while here are hostnames, addresses and whole files too, and those who rely on the rule must be told it in a
//! few sentences.
//!
//! The rule: at least 12 bytes; at least 6 different ones; and at least [`ENOUGH`] bits in *tokens that look random*. Tokens are
//! what stands between separators. A token looks random if it mixes letters with digits or symbols several times over, or if
//! its letters read like no word: one in six pairs of neighbours or more is rare in English. Words count nothing however many
//! there are (nor do words with digits before or after them, or digits for letters: `Pa55w0rd`), neither do numbers of fewer
//! than 16 digits, repetitions, rows on a keyboard (`qwert`), or words of hexadecimal digits (`deadbeef`).
//!
//! Since symbols separate tokens, a value with many of them is looked for too if it has small letters, capitals, digits and
//! three different symbols (or 16 characters with letters of one case, digits and five symbols), and most of its characters are
//! of another of these kinds than the one before.

use super::forms::{LONGEST, SHORTEST};
use crate::placeholder::placeholder_in;

/// Bits that tokens that look random must have in sum. A request that writes a megabyte, and one that reads it, test some
/// 2^16 guesses, so that 2^36 take a million of them; and the estimate is low.
const ENOUGH: f64 = 36.0;

/// Bits of a random character of a kind: one of 26, 10 and some 16.
const LETTER: f64 = 4.7;
const DIGIT: f64 = 3.3;
const SYMBOL: f64 = 4.0;

/// From how many digits on a number looks random: not a date, a phone's or a time in milliseconds.
const LONG_NUMBER: usize = 16;

/// The most of a value that is judged.
const JUDGED: usize = 4 << 10;

/// What separates tokens.
const SEPARATORS: &[u8] = b"-_./:,;=@?&\"'{}[]() \t\r\n\\";

/// Rows on keyboards, and words of hexadecimal digits.
const ROWS: [&str; 9] = ["qwert", "asdf", "zxcv", "1q2w", "q1w2", "qazwsx", "azerty", "deadbeef", "cafebabe"];

/// Whether `value` is long and random enough to be looked for.
pub(super) fn unguessable(value: &[u8]) -> bool {
    let judged = value.get(..JUDGED.min(value.len())).unwrap_or_default();
    if judged.len() < SHORTEST || different(judged) < 6 {
        return false;
    }
    let Ok(text) = std::str::from_utf8(judged) else {
        return not_text(judged);
    };
    let tokens = || once(judged).split(|byte| SEPARATORS.contains(byte));
    !placeholder_in(text) && (tokens().map(bits).sum::<f64>() >= ENOUGH || motley(once(judged)))
}

/// How many bytes at one of its ends, the first or the last ones, are long and random enough by themselves. None: not so many as are
/// looked for in one piece.
pub(super) fn telling(value: &[u8], end: End) -> Option<usize> {
    let most = value.len().min(LONGEST);
    let few = SHORTEST..=most.min(FINELY);
    // Not bisected: with more bytes, words may be seen in what looked random.
    few.chain((FINELY..=most).step_by(4)).find(|length| unguessable(without_halves(end.of(value, *length))))
}

/// Up to so many bytes, each more is tried.
const FINELY: usize = 64;

/// One end of a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    First,
    Last,
}

impl End {
    /// So many bytes at this end of `value`, or all.
    pub(super) fn of(self, value: &[u8], length: usize) -> &[u8] {
        let length = length.min(value.len());
        let (head, tail) = match self {
            Self::First => value.split_at(length),
            Self::Last => value.split_at(value.len() - length),
        };
        match self {
            Self::First => head,
            Self::Last => tail,
        }
    }
}

/// `part` without halves of characters at its ends, if there is nothing else in it that is no text: they make no words random.
fn without_halves(part: &[u8]) -> &[u8] {
    let begun = part.iter().take(3).take_while(|byte| matches!(byte, 0x80..=0xbf)).count();
    let whole = part.get(begun..).unwrap_or_default();
    match std::str::from_utf8(whole) {
        Ok(_) => whole,
        Err(error) if error.error_len().is_none() => whole.get(..error.valid_up_to()).unwrap_or_default(),
        Err(_) => part,
    }
}

/// Whether small letters, capitals, digits and symbols take turns, and do so for long enough.
fn motley(value: &[u8]) -> bool {
    let kind = |byte: &u8| match class(*byte) {
        Class::Letter if byte.is_ascii_uppercase() => 0,
        Class::Letter => 1,
        Class::Digit => 2,
        Class::Symbol => 3,
    };
    let has = |wanted: usize| value.iter().any(|byte| kind(byte) == wanted);
    let symbols: Vec<u8> = value.iter().copied().filter(|byte| kind(byte) == 3).collect();
    let turns =
        value.windows(2).filter(|pair| matches!(pair, [one, next] if kind(one) != kind(next))).count();
    let cases = usize::from(has(0)) + usize::from(has(1));
    let (length, symbols_needed) = if cases == 2 { (SHORTEST, 3) } else { (16, 5) };
    cases > 0
        && has(2)
        && value.len() >= length
        && different(&symbols) >= symbols_needed
        && turns * 5 >= value.len() * 3
}

fn different(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    for byte in bytes {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    seen.iter().filter(|seen| **seen).count()
}

/// Bytes that are no text, or are cut within a character: random if they differ much.
fn not_text(bytes: &[u8]) -> bool {
    match bytes.utf8_chunks().next() {
        Some(chunk) if bytes.len() == JUDGED && chunk.valid().len() > JUDGED - 4 => {
            unguessable(chunk.valid().as_bytes())
        }
        _ => different(bytes) >= 10,
    }
}

/// `bytes`, or what they repeat.
fn once(bytes: &[u8]) -> &[u8] {
    let repeats = |period: &usize| {
        bytes.iter().zip(bytes.iter().skip(*period)).all(|(one, next)| one.eq_ignore_ascii_case(next))
    };
    let period = (1..=bytes.len().min(128) / 2).find(repeats);
    bytes.get(..period.unwrap_or(bytes.len())).unwrap_or_default()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    Symbol,
}

fn class(byte: u8) -> Class {
    match byte {
        b'0'..=b'9' => Class::Digit,
        // What is not ASCII is a letter of some script.
        b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => Class::Letter,
        _ => Class::Symbol,
    }
}

/// Bits of one token.
fn bits(token: &[u8]) -> f64 {
    let lower = token.to_ascii_lowercase();
    let row = |row: &&str| memchr::memmem::find(&lower, row.as_bytes()).is_some();
    if token.len() < 4 || ROWS.iter().any(row) {
        return 0.0;
    }
    let runs: Vec<&[u8]> = token.chunk_by(|one, next| class(*one) == class(*next)).collect();
    let number = |run: &[u8]| run.first().is_some_and(u8::is_ascii_digit);
    match runs.as_slice() {
        [only] if number(only) && only.len() < LONG_NUMBER => 0.0,
        [run, other] | [other, run] if number(run) && other.len() < 6 => 0.0,
        [run, word] | [word, run] if number(run) && run.len() < LONG_NUMBER && is_word(word) => 0.0,
        _ if is_word(&plain(token)) => 0.0,
        runs => runs.iter().map(|run| run_bits(run)).sum(),
    }
}

/// Bits of letters, digits or symbols in a row.
fn run_bits(run: &[u8]) -> f64 {
    let surprising = surprising(run);
    match run.first().map_or(Class::Symbol, |first| class(*first)) {
        Class::Digit if run.len() == 4 && (run.starts_with(b"19") || run.starts_with(b"20")) => DIGIT,
        Class::Digit => DIGIT * surprising,
        Class::Symbol => SYMBOL * surprising,
        // Words count nothing; by chance, up to three letters look like one.
        Class::Letter if is_word(run) => LETTER * surprising.min(3.0),
        Class::Letter => LETTER * surprising,
    }
}

/// How many of the bytes neither repeat the one before nor go on counting.
fn surprising(run: &[u8]) -> f64 {
    let steps = run.windows(2).filter(|pair| {
        matches!(pair, [one, next] if one != next && one.wrapping_add(1) != *next && next.wrapping_add(1) != *one)
    });
    // A token has at most 4,096 bytes.
    f64::from(u16::try_from(steps.count()).unwrap_or(u16::MAX)) + 1.0
}

/// With letters for the digits and symbols that are written for them.
fn plain(token: &[u8]) -> Vec<u8> {
    let letter = |byte: &u8| match byte {
        b'0' => b'o',
        b'1' | b'!' | b'|' => b'i',
        b'3' => b'e',
        b'4' => b'a',
        b'5' | b'$' => b's',
        b'7' | b'+' => b't',
        other => *other,
    };
    token.iter().map(letter).collect()
}

/// Whether letters read like a word, or several.
fn is_word(letters: &[u8]) -> bool {
    if letters.iter().any(|byte| class(*byte) != Class::Letter) {
        return false;
    }
    if letters.len() < 6 && letters.is_ascii() && letters.len() > 3 && mixed_case(letters) {
        return false;
    }
    let rare = letters.windows(2).filter(|pair| matches!(pair, [one, next] if is_rare(*one, *next))).count();
    rare * 6 < letters.len() && !(mixed_case(letters) && humps(letters) * 3 > letters.len())
}

/// Whether capital letters stand elsewhere than at the beginning.
fn mixed_case(letters: &[u8]) -> bool {
    let capitals = letters.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    capitals != 0
        && capitals != letters.len()
        && !(capitals == 1 && letters.first().is_some_and(u8::is_ascii_uppercase))
}

/// How often small letters are followed by a capital one: in `camelCase`, seldom.
fn humps(letters: &[u8]) -> usize {
    let hump =
        |pair: &&[u8]| matches!(pair, [one, next] if one.is_ascii_lowercase() && next.is_ascii_uppercase());
    letters.windows(2).filter(hump).count()
}

/// Whether English seldom has `next` after `one`.
fn is_rare(one: u8, next: u8) -> bool {
    /// What often follows each letter from `a` on.
    const FOLLOWERS: [&str; 26] = [
        "bcdfghiklmnprstuvwyz",
        "aeiloruysb",
        "aehiklortuyc",
        "aeidogrsuyvlw",
        "abcdefgilmnopqrstuvwxyk",
        "aeiforlutys",
        "aeghilnorsuyt",
        "aeiortuyns",
        "abcdefglmnoprstvzk",
        "aeou",
        "aeiklnosuy",
        "abdefiklmoprstuvy",
        "abeimnopsuy",
        "acdefgiknostuvy",
        "abcdefgiklmnoprstuvwx",
        "aehiloprstuy",
        "ul",
        "abcdefgiklmnoprstuvy",
        "acehiklmnopqrstuwy",
        "acehilmoprstuwy",
        "abcdegiklmnprstz",
        "aeioy",
        "aehinorsk",
        "aceiptu",
        "aceilmnoprstdw",
        "aeiozuy",
    ];
    let (one, next) = (one.to_ascii_lowercase(), next.to_ascii_lowercase());
    let row = one.checked_sub(b'a').and_then(|row| FOLLOWERS.get(usize::from(row)));
    next.is_ascii() && row.is_some_and(|row| !row.as_bytes().contains(&next))
}

#[cfg(test)]
#[path = "rule/tests.rs"]
mod tests;
