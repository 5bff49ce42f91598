//! A window of text as verification reads it: nothing is read beyond its end without a note of it.

use std::cell::{Cell, RefCell};
use std::ops::Range;

/// Set of bytes.
pub(super) type Set = fn(u8) -> bool;

/// A window, and whether what was asked about it depends on bytes that have not come yet.
#[derive(Debug)]
pub(super) struct Text<'a> {
    bytes: &'a [u8],
    beyond: Cell<bool>,
    /// Runs whose ends are known, the last one of each set: text that is full of beginnings is not read again for each.
    runs: RefCell<Vec<Run>>,
    /// The values of names that were read last, one of each kind.
    values: RefCell<Vec<ReadValue>>,
}

#[derive(Debug)]
struct Run {
    set: Set,
    range: Range<usize>,
    /// What of the text is masked up to this run's end.
    masked: Range<usize>,
}

/// How far a value has been read: text that is full of names is not read again for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReadValue {
    /// Values of one kind that have an end in common are read alike.
    pub(super) kind: u32,
    pub(super) range: Range<usize>,
    /// Whether the value ends there.
    pub(super) ends: bool,
    /// What of it is masked.
    pub(super) masked: Range<usize>,
}

/// One character as it is written within any number of JSON strings inside one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Atom {
    /// What it stands for (0: something that is not ASCII), and how many bytes it takes.
    Char(u8, usize),
    /// A quotation mark: in how many strings inside one another it stands, and how many bytes it takes.
    Quote(u32, usize),
    /// `\n` or `\r` with this many backslashes.
    Newline(usize),
    /// A control character, or the text's end, or something that is no character.
    End,
}

/// So many bytes of a run are looked at again rather than remembered.
const FEW: usize = 16;

/// More backslashes in a row than documents within documents have.
const MAX_BACKSLASHES: usize = 31;

impl<'a> Text<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, beyond: Cell::new(false), runs: RefCell::default(), values: RefCell::default() }
    }

    /// Whether an answer since the last time this was asked would perhaps be another one if the text went on.
    pub(super) fn looked_beyond(&self) -> bool {
        self.beyond.take()
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn at(&self, index: usize) -> Option<u8> {
        let byte = self.bytes.get(index).copied();
        if byte.is_none() {
            self.beyond.set(true);
        }
        byte
    }

    pub(super) fn slice(&self, from: usize, to: usize) -> &'a [u8] {
        self.bytes.get(from..to).unwrap_or_default()
    }

    pub(super) fn starts_with(&self, from: usize, prefix: &[u8]) -> bool {
        prefix.iter().zip(from..).all(|(&byte, index)| self.at(index) == Some(byte))
    }

    /// Where the run of `set` ends that begins at `from`; it may well be the text's end.
    pub(super) fn run(&self, from: usize, set: Set) -> usize {
        let mut runs = self.runs.borrow_mut();
        let known = runs.iter().position(|run| std::ptr::fn_addr_eq(run.set, set));
        if let Some(run) = known.and_then(|index| runs.get(index))
            && run.range.contains(&from)
        {
            return run.range.end;
        }
        let rest = self.bytes.get(from..).unwrap_or_default();
        let end = from + rest.iter().position(|&byte| !set(byte)).unwrap_or(rest.len());
        match known.and_then(|index| runs.get_mut(index)) {
            Some(run) => run.range = from..end,
            None => runs.push(Run { set, range: from..end, masked: 0..0 }),
        }
        end
    }

    /// Notes that `range`, which ends with a run of `set`, is masked.
    pub(super) fn mask(&self, range: Range<usize>, set: Set) {
        let mut runs = self.runs.borrow_mut();
        if let Some(run) = runs.iter_mut().find(|run| std::ptr::fn_addr_eq(run.set, set)) {
            run.masked = range;
        }
    }

    /// Whether what begins at `begin` and goes on with a run of `set` at `after` is masked with what began before.
    pub(super) fn is_masked(&self, begin: usize, after: usize, set: Set) -> bool {
        let runs = self.runs.borrow();
        let run = runs.iter().find(|run| std::ptr::fn_addr_eq(run.set, set));
        run.is_some_and(|run| {
            run.range.contains(&after) && run.masked.end == run.range.end && run.masked.contains(&begin)
        })
    }

    /// What has been read of values of this kind.
    pub(super) fn read(&self, kind: u32) -> Option<ReadValue> {
        self.values.borrow().iter().find(|value| value.kind == kind).cloned()
    }

    /// Notes what has been read.
    pub(super) fn note(&self, read: ReadValue) {
        let mut values = self.values.borrow_mut();
        match values.iter_mut().find(|value| value.kind == read.kind) {
            Some(value) => *value = read,
            None => values.push(read),
        }
    }

    /// Like `run`, of which no more than `most` bytes are looked at.
    pub(super) fn run_of(&self, from: usize, set: Set, most: usize) -> usize {
        if most > FEW {
            let end = self.run(from, set);
            if end - from < most && end >= self.bytes.len() {
                self.beyond.set(true);
            }
            return end.min(from + most);
        }
        let rest = self.bytes.get(from..).unwrap_or_default();
        let rest = rest.get(..most).unwrap_or(rest);
        let len = rest.iter().position(|&byte| !set(byte)).unwrap_or(rest.len());
        if len < most && from + len >= self.bytes.len() {
            self.beyond.set(true);
        }
        from + len
    }

    /// Whether a word may begin here: what comes before is no letter, digit or `_`, or is the end of an escape.
    pub(super) fn word_begins(&self, at: usize) -> bool {
        let before = self.slice(at.saturating_sub(ESCAPE), at);
        match before.last() {
            None => true,
            Some(&last) if !is_word(last) => true,
            Some(_) => ends_with_escape(before),
        }
    }

    /// The character at `index`.
    pub(super) fn atom(&self, index: usize) -> Atom {
        if let Some(&byte) = self.bytes.get(index)
            && is_plain(byte)
            && byte.is_ascii()
        {
            return Atom::Char(byte, 1);
        }
        let mut backslashes = 0;
        while self.at(index + backslashes) == Some(b'\\') {
            backslashes += 1;
            if backslashes > MAX_BACKSLASHES {
                return Atom::End;
            }
        }
        let Some(byte) = self.at(index + backslashes) else { return Atom::End };
        match byte {
            b'"' => Atom::Quote(depth(backslashes), backslashes + 1),
            0..b' ' | 0x7f => Atom::End,
            b'n' | b'r' if backslashes > 0 => Atom::Newline(backslashes),
            b't' if backslashes > 0 => Atom::Char(b'\t', backslashes + 1),
            b'u' if backslashes > 0 => self.unicode(index + backslashes + 1, backslashes + 5),
            _ => Atom::Char(if byte.is_ascii() { byte } else { 0 }, backslashes + 1),
        }
    }

    fn unicode(&self, digits: usize, len: usize) -> Atom {
        let mut value = 0_u32;
        for index in digits..digits + 4 {
            match self.at(index).and_then(|byte| char::from(byte).to_digit(16)) {
                Some(digit) => value = value * 16 + digit,
                None => return Atom::End,
            }
        }
        Atom::Char(u8::try_from(value).ok().filter(u8::is_ascii).unwrap_or(0), len)
    }
}

/// In how many strings a quotation mark stands that is written after so many backslashes: an even number of them are escaped
/// backslashes, before a mark of the outermost document.
fn depth(backslashes: usize) -> u32 {
    (backslashes + 1).trailing_zeros()
}

fn ends_with_escape(before: &[u8]) -> bool {
    match before {
        [.., b'\\', b'n' | b'r' | b't' | b'b' | b'f'] => true,
        [.., b'%', one, two] if one.is_ascii_hexdigit() && two.is_ascii_hexdigit() => true,
        [.., b'\\', b'u', a, b, c, d] => [a, b, c, d].into_iter().all(u8::is_ascii_hexdigit),
        _ => false,
    }
}

/// How many bytes before a word tell whether it begins there: those of `\u0026`.
pub(super) const ESCAPE: usize = 6;

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

pub(super) fn is_upper_or_digit(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

pub(super) fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

pub(super) fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

/// base64url (RFC 4648 §5) without padding.
pub(super) fn is_base64url(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}

/// Parts in base64url with dots between, as in a JWT (RFC 7519).
pub(super) fn is_dotted(byte: u8) -> bool {
    is_base64url(byte) || byte == b'.'
}

/// base64 (RFC 4648 §4) with padding.
pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Either base64, with padding.
pub(super) fn is_any_base64(byte: u8) -> bool {
    is_base64(byte) || matches!(byte, b'-' | b'_')
}

/// `token68` of RFC 9110 §11.2.
pub(super) fn is_token68(byte: u8) -> bool {
    is_any_base64(byte) || matches!(byte, b'.' | b'~')
}

/// What goes on within a value however it is quoted, and is no part of an escape.
pub(super) fn is_plain(byte: u8) -> bool {
    byte > b' ' && !matches!(byte, b'"' | b'\'' | b'\\' | 0x7f)
}
