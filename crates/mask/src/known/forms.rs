//! The spellings of a value, and how long ones are cut.
//!
//! Matching runs over the bytes of an answer as they are. That suffices in JSON, since API servers write it with Go's
//! `encoding/json` and hand the strings of others on decoded and encoded anew: a plain character is never spelled as an escape.

mod pieces;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use zeroize::Zeroizing;

pub(super) use self::pieces::Ends;
use self::pieces::{Pieces, Spelling};
use super::parts::{Part, Spelled};

/// No pattern is shorter: the index samples text so sparsely that it would miss one.
pub(super) const SHORTEST: usize = 12;

/// No pattern is longer, so that little is held back; longer forms are cut into several.
pub(super) const LONGEST: usize = 256;

/// Bytes to look for.
pub(super) struct Form {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) flags: Flags,
    /// How many bytes at its ends would be looked for by themselves, if not all.
    pub(super) ends: Ends,
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
    /// The value goes on after it.
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
    let value = part.bytes.as_slice();
    let mut pieces = Pieces::of(value);
    if !value.contains(&b'\n') {
        // A newline as it is ends what is searched as one; the lines are parts of their own.
        pieces.add(&hex(value, b"", HEX[0], |_| true, false));
    }
    json(&mut pieces);
    if part.spelled == Spelled::Anyhow {
        base64(&mut pieces);
        for digits in HEX {
            pieces.add(&hex(value, b"", digits, |_| false, false));
            pieces.add(&hex(value, b"%", digits, |_| false, false));
            for (kept, plus) in PERCENT {
                let keep = |byte: u8| byte.is_ascii_alphanumeric() || kept.contains(&byte);
                let spelling = hex(value, b"%", digits, keep, plus);
                if spelling.bytes.as_slice() != value {
                    pieces.add(&spelling);
                }
            }
        }
    }
    pieces.forms
}

/// Escaped as a JSON string, and as one in a document that is a string itself (an annotation), which then Go wrote.
fn json(pieces: &mut Pieces<'_>) {
    let value = pieces.value;
    if value.iter().all(|byte| byte.is_ascii_graphic() && !br#""\/<>&"#.contains(byte)) {
        return;
    }
    let Ok(text) = std::str::from_utf8(value) else { return };
    for writer in WRITERS {
        let once = escape(text, writer);
        if once.bytes.as_slice() != value {
            pieces.add(&once);
        }
    }
    for inner in WRITERS {
        let once = escape(text, inner);
        let Ok(document) = std::str::from_utf8(&once.bytes) else { continue };
        for outer in [GO, GO_PLAIN] {
            let twice = escape(document, outer);
            if twice.bytes != once.bytes {
                let places = once.places.iter().map(|place| twice.of(place.clone())).collect();
                pieces.add(&Spelling { places, ..twice });
            }
        }
    }
}

fn escape(text: &str, writer: Json) -> Spelling {
    // Every character takes six times its bytes at most: the buffer never moves, leaving no copy behind.
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 6));
    let mut places = Vec::with_capacity(text.len());
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
        let start = out.len();
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
        places.extend(std::iter::repeat_n(start..out.len(), character.len_utf8()));
    }
    let bytes = Zeroizing::new(std::mem::take(&mut *out).into_bytes());
    Spelling { bytes, places, flags: Flags::default(), escaped: true }
}

/// In base64, after any number of other bytes: only the characters that depend on the value alone.
fn base64(pieces: &mut Pieces<'_>) {
    let value = pieces.value;
    for engine in [STANDARD, URL_SAFE] {
        for shift in 0..3 {
            let mut shifted = Zeroizing::new(Vec::with_capacity(shift + value.len()));
            shifted.resize(shift, 0);
            shifted.extend_from_slice(value);
            let encoded = Zeroizing::new(engine.encode(&shifted));
            let (first, end) = ((shift * 8).div_ceil(6), shifted.len() * 8 / 6);
            let bytes = Zeroizing::new(encoded.as_bytes().get(first..end).unwrap_or_default().to_vec());
            let place = |byte: usize| {
                let (from, to) = (byte * 8 / 6, (byte * 8 + 8).div_ceil(6));
                from.saturating_sub(first)..to - first
            };
            let before = if shift == 0 { Flags::default() } else { Flags::BEFORE };
            let after = if shifted.len() % 3 == 0 { Flags::default() } else { Flags::AFTER };
            let places = (shift..shifted.len()).map(place).collect();
            let spelling = Spelling { bytes, places, flags: before.with(after), escaped: false };
            if shift == 0 {
                // What is broken into lines has nothing before it.
                WIDTHS.iter().for_each(|width| pieces.add_lines(&spelling, *width));
            }
            pieces.add(&spelling);
        }
    }
}

/// In hexadecimal, each byte after `sign`, except for those that `keep` keeps; with `plus`, a space is one.
fn hex(value: &[u8], sign: &[u8], digits: &[u8; 16], keep: impl Fn(u8) -> bool, plus: bool) -> Spelling {
    let digit = |nibble: u8| digits.get(usize::from(nibble & 15)).copied().unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(value.len() * 3));
    let mut places = Vec::with_capacity(value.len());
    for byte in value.iter().copied() {
        let start = bytes.len();
        if keep(byte) {
            bytes.push(byte);
        } else if plus && byte == b' ' {
            bytes.push(b'+');
        } else {
            bytes.extend_from_slice(sign);
            bytes.extend_from_slice(&[digit(byte >> 4), digit(byte)]);
        }
        places.push(start..bytes.len());
    }
    Spelling { bytes, places, flags: Flags::default(), escaped: false }
}

#[cfg(test)]
#[path = "forms/tests.rs"]
mod tests;
