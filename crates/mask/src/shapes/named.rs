//! Values that are told by what they are called: `password: …`, `"token":"…"`, `SECRET_KEY=…`, also as text within JSON strings.

use super::Found;
use super::text::{Atom, ReadValue, Text, is_any_base64, is_base64, is_blank, is_plain};
use super::value::{LOOK, holds_mark, is_basic, is_placeholder, looks_random, mark_at, stands_for_another};

/// What a named value must be to be taken for a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// Anything that stands for nothing else.
    Password,
    /// Something that looks random.
    Token,
    /// Something that begins with so many characters of base64; at most `LOOK`.
    Base64(usize),
    /// base64 of `USER:PASSWORD`.
    Basic,
}

/// How much more of a value is read once it is known to be one, before its rest is taken up to its next quotation mark,
/// escape or space.
const MAX_VALUE: usize = 1024;

/// Shorter passwords are matched by nothing: text is full of them, and they protect little.
const MIN_PASSWORD: usize = 6;
const MIN_TOKEN: usize = 16;

/// Most bytes between name and value, which with the name are no more than `BEFORE`: enough for a document within a document
/// within a document within a document.
const MAX_SEPARATION: usize = 40;

/// Most spaces on one side of `:` or `=`.
const MAX_SPACES: usize = 8;

/// Most bytes of one character as it is written: 31 backslashes and `uXXXX`.
const LONGEST_ATOM: usize = 36;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quote {
    None,
    Single,
    /// Within so many strings.
    Double(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    Colon,
    Equals,
    Space,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    begin: usize,
    quote: Quote,
    separator: Separator,
}

/// The value of the name that ends at `name_end`; with `flag`, a space may stand in place of `:` or `=`.
pub(super) fn find(text: &Text<'_>, name_end: usize, value: Value, flag: bool) -> Option<Found> {
    let place = place(text, name_end, flag).filter(|place| place.begin <= name_end + MAX_SEPARATION)?;
    // What is masked by place already is the most common value of all.
    if is_placeholder(text, place.begin) || is_masked(text, place) {
        return None;
    }
    let looked_at = read(text, place, LOOK).range.end.min(place.begin + LOOK);
    // What ends with a placeholder was more when it was judged.
    let cut = looked_at < place.begin + LOOK && mark_at(text, looked_at);
    if cut || !is_credential(text, place, looked_at, value) {
        return None;
    }
    let mut read = read(text, place, LOOK + MAX_VALUE);
    let found = if read.ends {
        Found { range: place.begin..read.range.end, runs_on: None }
    } else {
        Found::run(text, place.begin, read.range.end, is_plain)
    };
    read.masked = found.range.clone();
    text.note(read);
    Some(found)
}

/// Whether the value is within one that is masked, and ends no later.
fn is_masked(text: &Text<'_>, place: Place) -> bool {
    text.read(place.kind()).is_some_and(|read| {
        let ends = read.ends && read.masked.end == read.range.end;
        let longest = place.begin + LOOK + MAX_VALUE + LONGEST_ATOM;
        read.masked.contains(&place.begin) && (ends || longest <= read.masked.end)
    })
}

impl Place {
    /// Values of the same kind that one text holds end at the same places.
    fn kind(self) -> u32 {
        let quote = match self.quote {
            Quote::None => 0,
            Quote::Single => 1,
            Quote::Double(depth) => 2 + depth,
        };
        quote * 2 + u32::from(self.separator == Separator::Equals)
    }
}

fn place(text: &Text<'_>, name_end: usize, flag: bool) -> Option<Place> {
    let (name_quote, after_name) = quote(text, name_end);
    let after_spaces = spaces(text, after_name);
    let (separator, after) = match text.at(after_spaces)? {
        b':' => (Separator::Colon, after_spaces + 1),
        b'=' if !matches!(text.at(after_spaces + 1), Some(b'=' | b'>')) => {
            (Separator::Equals, after_spaces + 1)
        }
        _ if flag && after_spaces > after_name && name_quote == Quote::None => {
            (Separator::Space, after_spaces)
        }
        _ => return None,
    };
    let (quote, begin) = quote(text, spaces(text, after));
    let fits = match (name_quote, quote) {
        // A bare value after a quoted name is a number or a word of JSON, which no text can stand for.
        (Quote::Double(_), Quote::None) => false,
        (Quote::Double(of_name), Quote::Double(of_value)) => of_name == of_value,
        // If the quotation mark ends the string that the name is in, what follows is JSON's.
        (Quote::None | Quote::Single, Quote::Double(_)) => !matches!(
            text.atom(begin),
            Atom::Char(b',' | b':' | b'}' | b']' | b' ', _) | Atom::Newline(_) | Atom::End
        ),
        (_, Quote::Single) | (Quote::None | Quote::Single, Quote::None) => true,
    };
    fits.then_some(Place { begin, quote, separator })
}

/// Which quotation mark is at `at`, and where it ends.
fn quote(text: &Text<'_>, at: usize) -> (Quote, usize) {
    match text.atom(at) {
        Atom::Quote(depth, len) => (Quote::Double(depth), at + len),
        Atom::Char(b'\'', 1) => (Quote::Single, at + 1),
        Atom::Char(..) | Atom::Newline(_) | Atom::End => (Quote::None, at),
    }
}

fn spaces(text: &Text<'_>, at: usize) -> usize {
    text.run_of(at, is_blank, MAX_SPACES)
}

/// The value up to its end, or about `most` bytes of it.
fn read(text: &Text<'_>, place: Place, most: usize) -> ReadValue {
    // What begins within a value that has been read goes on like that: names end with whole characters.
    let known =
        text.read(place.kind()).filter(|read| (read.range.start..=read.range.end).contains(&place.begin));
    let mut read = known.unwrap_or_else(|| ReadValue {
        kind: place.kind(),
        range: place.begin..place.begin,
        ends: false,
        masked: 0..0,
    });
    read.range.start = place.begin;
    while !read.ends && read.range.end < place.begin + most {
        match step(text, place, read.range.end) {
            Some(len) => read.range.end += len,
            None => read.ends = true,
        }
    }
    text.note(read.clone());
    read
}

/// How long the character at `at` is, if the value goes on with it.
fn step(text: &Text<'_>, place: Place, at: usize) -> Option<usize> {
    match (text.atom(at), place.quote) {
        (Atom::End, _) => None,
        // Within a quoted value, deeper quotation marks and line feeds are its own.
        (Atom::Quote(depth, len), Quote::Double(outer)) if depth > outer => Some(len),
        (Atom::Newline(backslashes), Quote::Double(outer)) if backslashes >= 1 << outer.min(16) => {
            Some(backslashes + 1)
        }
        (Atom::Quote(..) | Atom::Newline(_), _) => None,
        (Atom::Char(b' ' | b'\t', _), Quote::None) | (Atom::Char(b'\'', _), Quote::Single) => None,
        // The next part of a query or of a connection string.
        (Atom::Char(b'&' | b';', _), Quote::None) if place.separator == Separator::Equals => None,
        // A private key in PEM goes on for longer than a value, and is known by itself.
        (Atom::Char(b'-', _), _) if text.starts_with(at, b"-----BEGIN ") => None,
        // What has been masked before is no part of what is left.
        (Atom::Char(b'm', _), _) if mark_at(text, at) => None,
        (Atom::Char(_, len), _) => Some(len),
    }
}

/// Whether what stands there up to `end`, the whole value or its beginning, is such a value.
fn is_credential(text: &Text<'_>, place: Place, end: usize, value: Value) -> bool {
    let trimmed = trim(text.slice(place.begin, end));
    let holds_mark = || holds_mark(text, place.begin, end);
    let is_structure =
        place.quote == Quote::None && matches!(trimmed.first(), Some(b'{' | b'[' | b'(' | b'&' | b'*'));
    let is_such = match value {
        Value::Password => trimmed.len() >= MIN_PASSWORD && !is_prose(text, place, end, trimmed),
        Value::Token => {
            let is_text = trimmed.iter().fold(true, |all, byte| all & byte.is_ascii_graphic());
            trimmed.len() >= MIN_TOKEN && looks_random(trimmed) && is_text && !holds_mark()
        }
        // Whatever follows so much base64 goes with it.
        Value::Base64(least) => {
            let is_text = trimmed.iter().copied().take(least).all(is_any_base64);
            trimmed.len() >= least && is_text && !holds_mark()
        }
        Value::Basic => trimmed.iter().copied().all(is_base64) && is_basic(trimmed),
    };
    is_such && !is_structure && !stands_for_another(trimmed)
}

/// Whether the value is a word of a sentence: `password: authentication failed`.
fn is_prose(text: &Text<'_>, place: Place, end: usize, trimmed: &[u8]) -> bool {
    let goes_on = || match place.separator {
        Separator::Colon => text.at(end) == Some(b' '),
        Separator::Equals => false,
        Separator::Space => true,
    };
    place.quote == Quote::None && trimmed.iter().all(u8::is_ascii_alphabetic) && goes_on()
}

/// Without the punctuation that may follow a value.
fn trim(value: &[u8]) -> &[u8] {
    let punctuation = |byte: &u8| matches!(byte, b',' | b';' | b'.' | b':' | b'!' | b')' | b'}' | b']');
    let end = value.iter().rposition(|byte| !punctuation(byte)).map_or(0, |last| last + 1);
    value.get(..end).unwrap_or_default()
}
