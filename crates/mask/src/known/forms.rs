//! The spellings of a value, and how long ones are cut.
//!
//! Matching runs over the bytes of an answer as they are. That suffices in JSON, since API servers write it with Go's
//! `encoding/json` and hand the strings of others on decoded and encoded anew: a plain character is never spelled as an escape.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use zeroize::Zeroizing;

use super::parts::{Part, Spelled};
use super::rule::{End, telling};

/// No pattern is shorter: the index samples text so sparsely that it would miss one.
pub(super) const SHORTEST: usize = 12;

/// No pattern is longer, so that little is held back; longer forms are cut into several.
pub(super) const LONGEST: usize = 256;

/// No escape is longer in how it is spelled: of a longer row of backslashes, every 32 are one.
const ESCAPE: usize = 32;

/// Bytes to look for.
pub(super) struct Form {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) flags: Flags,
    /// How many bytes at its ends would be looked for by themselves, if not all.
    pub(super) ends: Ends,
}

/// How many bytes at each end of something nobody guesses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) first: Option<usize>,
    pub(super) last: Option<usize>,
}

/// What else there is to know about a pattern.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flags(u8);

impl Flags {
    /// It cannot be mistaken for structure of JSON: no unescaped quotation mark, no half of an escape.
    pub(crate) const JSON: Self = Self(1);
    /// The base64 character before it depends on the value too.
    pub(crate) const BEFORE: Self = Self(2);
    /// The base64 character after it does.
    pub(crate) const AFTER: Self = Self(4);
    /// The value goes on after it, or another does that begins with it.
    pub(crate) const MORE: Self = Self(8);

    pub(crate) const fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn only(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// How a writer of JSON spells what need not be as it is.
#[derive(Debug, Clone, Copy, Default)]
struct Json {
    /// `<`, `>`, `&`, U+2028 and U+2029 as escapes.
    html: bool,
    /// Everything outside ASCII as escapes.
    ascii: bool,
    /// Capital letters in hexadecimal digits.
    upper: bool,
    /// `/` as `\/`.
    slash: bool,
    /// Backspace and form feed as `\u0008` and `\u000c`.
    long: bool,
}

/// Go's `encoding/json`, and so every API server.
const GO: Json = Json { html: true, ascii: false, upper: false, slash: false, long: false };
/// Go's with `SetEscapeHTML(false)`: `kubectl`, `jq`, JavaScript. Go escapes U+2028 even so, the others do not.
const GO_PLAIN: Json = Json { html: false, ..GO };

/// Every writer of JSON.
const WRITERS: [Json; 8] = [
    GO,
    GO_PLAIN,
    // Go before 1.22.
    Json { long: true, ..GO },
    Json { long: true, ..GO_PLAIN },
    // Python.
    Json { ascii: true, ..GO_PLAIN },
    // Java, where set so.
    Json { ascii: true, upper: true, ..GO_PLAIN },
    // PHP, with and without JSON_UNESCAPED_UNICODE.
    Json { ascii: true, slash: true, ..GO_PLAIN },
    Json { slash: true, ..GO_PLAIN },
];

/// Characters that percent-encoding leaves as they are, beside letters and digits, and whether a space becomes `+`.
const PERCENT: [(&[u8], bool); 7] = [
    // RFC 3986, unreserved; Go's `url.PathEscape` keeps more, and so does its user information.
    (b"-_.~", false),
    (b"-_.~$&+=:@", false),
    (b"-_.~$&+,;=", false),
    // Go's `url.QueryEscape`, and HTML's forms.
    (b"-_.~", true),
    (b"-_.*", true),
    // JavaScript's `encodeURIComponent` and `encodeURI`.
    (b"-_.~!'()*", false),
    (b"-_.~!'()*;/?:@&=+$,#", false),
];

/// Alphabets of hexadecimal digits.
const HEX: [&[u8; 16]; 2] = [b"0123456789abcdef", b"0123456789ABCDEF"];

/// Widths at which base64 is broken into lines: MIME (RFC 2045) and `base64`, PEM (RFC 7468).
const WIDTHS: [usize; 2] = [76, 64];

/// All patterns of a part, none shorter than [`SHORTEST`] or longer than [`LONGEST`]; some may be equal.
pub(super) fn forms(part: &Part) -> Vec<Form> {
    let mut forms = Vec::new();
    let value = part.bytes.as_slice();
    let ends = Ends::of(value);
    if !value.contains(&b'\n') {
        // A newline as it is ends what is searched as one; the lines are parts of their own.
        cut(Whole { form: value, ends, ..Whole::default() }, &mut forms);
    }
    json(value, ends, &mut forms);
    if part.spelled == Spelled::Anyhow {
        base64(value, ends, &mut forms);
        let mut add = |spell: &dyn Fn(&[u8]) -> Zeroizing<Vec<u8>>| {
            let form = spell(value);
            if form.as_slice() != value {
                let ends = ends.map(|end, length| spell(end.of(value, length)).len());
                cut(Whole { form: &form, ends, ..Whole::default() }, &mut forms);
            }
        };
        for digits in HEX {
            add(&|bytes| hex(bytes, b"", digits, |_| false, false));
            add(&|bytes| hex(bytes, b"%", digits, |_| false, false));
            for (kept, plus) in PERCENT {
                let keep = |byte: u8| byte.is_ascii_alphanumeric() || kept.contains(&byte);
                add(&|bytes| hex(bytes, b"%", digits, keep, plus));
            }
        }
    }
    forms
}

impl Ends {
    fn of(value: &[u8]) -> Self {
        Self { first: telling(value, End::First), last: telling(value, End::Last) }
    }

    /// The same of a form in which so many bytes at an end of the value take as many as this says.
    fn map(self, spelled: impl Fn(End, usize) -> usize) -> Self {
        Self {
            first: self.first.map(|length| spelled(End::First, length)),
            last: self.last.map(|length| spelled(End::Last, length)),
        }
    }
}

/// Escaped as a JSON string, and as one in a document that is a string itself (an annotation), which then Go wrote.
fn json(value: &[u8], ends: Ends, forms: &mut Vec<Form>) {
    if value.iter().all(|byte| byte.is_ascii_graphic() && !br#""\/<>&"#.contains(byte)) {
        return;
    }
    let Ok(text) = std::str::from_utf8(value) else { return };
    let mut add = |spell: &dyn Fn(&str) -> Zeroizing<String>, plain: &str| {
        let form = spell(text);
        if form.as_str() != plain {
            let length = |end: End, length| {
                std::str::from_utf8(end.of(value, length)).map_or(0, |end| spell(end).len())
            };
            cut(
                Whole { form: form.as_bytes(), ends: ends.map(length), escaped: true, ..Whole::default() },
                forms,
            );
        }
    };
    for writer in WRITERS {
        add(&|text| escape(text, writer), text);
    }
    for inner in WRITERS {
        let once = escape(text, inner);
        for outer in [GO, GO_PLAIN] {
            add(&|text| escape(&escape(text, inner), outer), &once);
        }
    }
}

fn escape(text: &str, writer: Json) -> Zeroizing<String> {
    // Every character takes six times its bytes at most: the buffer never moves, leaving no copy behind.
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 6));
    for character in text.chars() {
        let short = match character {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '\n' => Some("\\n"),
            '\r' => Some("\\r"),
            '\t' => Some("\\t"),
            '\u{8}' if !writer.long => Some("\\b"),
            '\u{c}' if !writer.long => Some("\\f"),
            '/' if writer.slash => Some("\\/"),
            _ => None,
        };
        let escaped = character < ' '
            || (writer.html && matches!(character, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'))
            || (writer.ascii && !character.is_ascii());
        if let Some(short) = short {
            out.push_str(short);
        } else if escaped {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _infallible =
                    if writer.upper { write!(out, "\\u{unit:04X}") } else { write!(out, "\\u{unit:04x}") };
            }
        } else {
            out.push(character);
        }
    }
    out
}

/// In base64, after any number of other bytes: only the characters that depend on the value alone.
fn base64(value: &[u8], ends: Ends, forms: &mut Vec<Form>) {
    for engine in [STANDARD, URL_SAFE] {
        for shift in 0..3 {
            let mut shifted = Zeroizing::new(Vec::with_capacity(shift + value.len()));
            shifted.resize(shift, 0);
            shifted.extend_from_slice(value);
            let encoded = Zeroizing::new(engine.encode(&shifted));
            let whole = shifted.len() * 8 / 6;
            let first = (shift * 8).div_ceil(6);
            let form = encoded.as_bytes().get(first..whole).unwrap_or_default();
            let ends = ends.map(|end, length| match end {
                End::First => ((shift + length) * 8).div_ceil(6) - first,
                End::Last => whole - (shifted.len() - length) * 8 / 6,
            });
            let before = if shift == 0 { Flags::default() } else { Flags::BEFORE };
            let after = if shifted.len() % 3 == 0 { Flags::default() } else { Flags::AFTER };
            cut(Whole { form, flags: before.with(after), ends, escaped: false }, forms);
        }
    }
    let encoded = Zeroizing::new(STANDARD.encode(value));
    for width in WIDTHS {
        if encoded.len() > width {
            let lines = encoded.as_bytes().chunks(width);
            lines.for_each(|form| cut(Whole { form, ..Whole::default() }, forms));
        }
    }
}

/// In hexadecimal, each byte after `sign`, except for those that `keep` keeps; with `plus`, a space is one.
fn hex(
    value: &[u8],
    sign: &[u8],
    digits: &[u8; 16],
    keep: impl Fn(u8) -> bool,
    plus: bool,
) -> Zeroizing<Vec<u8>> {
    let digit = |nibble: u8| digits.get(usize::from(nibble & 15)).copied().unwrap_or_default();
    let mut out = Zeroizing::new(Vec::with_capacity(value.len() * 3));
    for byte in value.iter().copied() {
        if keep(byte) {
            out.push(byte);
        } else if plus && byte == b' ' {
            out.push(b'+');
        } else {
            out.extend_from_slice(sign);
            out.extend_from_slice(&[digit(byte >> 4), digit(byte)]);
        }
    }
    out
}

/// A form of any length.
#[derive(Clone, Copy, Default)]
struct Whole<'a> {
    form: &'a [u8],
    flags: Flags,
    ends: Ends,
    /// Whether there are escapes in it, none of which is to be cut in two.
    escaped: bool,
}

/// Adds a form, in several pieces if it is long, so that each byte is in one. The last is taken from the end.
fn cut(whole: Whole<'_>, forms: &mut Vec<Form>) {
    let Whole { form, flags, ends, escaped } = whole;
    // Both are boundaries; no piece is so short that the last one begins before the one before it.
    let (mut before, mut from) = (0, 0);
    loop {
        let last = form.len() - from <= LONGEST;
        if last && from > 0 {
            from = boundary(form, before, form.len() - LONGEST, escaped).1;
        }
        let to = if last { form.len() } else { boundary(form, from, from + LONGEST, escaped).0 };
        let bytes = form.get(from..to).unwrap_or_default();
        if bytes.len() >= SHORTEST {
            let mut flags = flags;
            if from > 0 {
                flags = flags.only(Flags::AFTER);
            }
            if !last {
                flags = flags.only(Flags::BEFORE).with(Flags::MORE);
            }
            if escaped || !bytes.iter().any(|byte| *byte < b' ' || matches!(byte, b'"' | b'\\')) {
                flags = flags.with(Flags::JSON);
            }
            let within = |length: &usize| (1..bytes.len()).contains(length);
            let ends = Ends {
                first: ends.first.filter(|length| from == 0 && within(length)),
                last: ends.last.filter(|length| last && within(length)),
            };
            forms.push(Form { bytes: Zeroizing::new(bytes.to_vec()), flags, ends });
        }
        if last {
            return;
        }
        (before, from) = (from, to);
    }
}

/// The places next to `at`, before and after it (some forty bytes away at most), where no escape is cut; `from` is one.
fn boundary(form: &[u8], from: usize, at: usize, escaped: bool) -> (usize, usize) {
    if !escaped {
        return (at, at);
    }
    let mut end = from;
    loop {
        let start = end;
        if start == at {
            return (at, at);
        }
        let rest = form.get(start..).unwrap_or_default();
        let backslashes = rest.iter().take(ESCAPE).take_while(|byte| **byte == b'\\').count();
        end += match (backslashes, rest.get(backslashes)) {
            (ESCAPE, _) => ESCAPE,
            (1.., Some(b'u')) => backslashes + 5,
            _ => backslashes + 1,
        };
        if end > at {
            return (start, end);
        }
    }
}

#[cfg(test)]
#[path = "forms/tests.rs"]
mod tests;
