//! The bounded pieces that leaves are made of, so that a leaf fits whatever a client sends: what is too long is cut
//! and says so.

use crate::canonical::escaped_len;
use crate::tree::sha256;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// A name from configuration or an identity provider.
pub type Name = Text<256>;
/// Who a person is, in any script: 254 characters, which is the longest name that a session may be opened for, are whole.
pub type Person = Text<1024>;

/// Text of at most `MAX` bytes in canonical JSON (quotes not counted).
///
/// Longer text is cut: the leaf then has `{"bytes":…,"prefix":…,"sha256":…}` in place of the string, where `bytes`
/// and `sha256` are those of the whole.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Text<const MAX: usize>(Piece);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Piece {
    Whole(String),
    Cut(Cut),
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cut {
    bytes: u64,
    prefix: String,
    sha256: Digest,
}

/// At most `MAX` items. Of more, the leaf has `{"first":[…],"total":n}` in place of the array.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct List<T, const MAX: usize> {
    items: Vec<T>,
    total: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ListForm<I> {
    Whole(I),
    Cut(CutList<I>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CutList<I> {
    first: I,
    total: u64,
}

/// An identifier that Portcullis made: 1 to 64 of `A-Z a-z 0-9 . _ : -`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct Id(String);

/// Why text is not an [`Id`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: 1 to 64 letters, digits, `.`, `_`, `:` or `-` are wanted")]
pub struct InvalidId;

/// A SHA-256 value, written `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// What the agent says of itself: recorded, verified by nobody, never judged by. Written `{"self_asserted":…}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asserted<T> {
    /// What was said.
    pub self_asserted: T,
}

// === impl Text ===

impl<const MAX: usize> Text<MAX> {
    /// The text, cut at a character if it is too long.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut used = 0;
        for (at, c) in text.char_indices() {
            used += escaped_len(c);
            if used > MAX {
                let prefix = text.get(..at).unwrap_or_default().to_owned();
                let sha256 = Digest::of(text.as_bytes());
                return Self(Piece::Cut(Cut { bytes: text.len() as u64, prefix, sha256 }));
            }
        }
        Self(Piece::Whole(text.to_owned()))
    }

    /// The text, or as much of it as there was room for.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Piece::Whole(text) => text,
            Piece::Cut(cut) => &cut.prefix,
        }
    }

    /// Whether there was more.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        matches!(self.0, Piece::Cut(_))
    }
}

impl<const MAX: usize> From<&str> for Text<MAX> {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl<const MAX: usize> From<&String> for Text<MAX> {
    fn from(text: &String) -> Self {
        Self::new(text)
    }
}

impl<const MAX: usize> From<String> for Text<MAX> {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        if self.is_cut() { f.write_str("…") } else { Ok(()) }
    }
}

impl<const MAX: usize> Serialize for Text<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Self(Piece::deserialize(deserializer)?);
        let len: usize = text.as_str().chars().map(escaped_len).sum();
        if len > MAX { Err(D::Error::custom(format!("text longer than {MAX} bytes"))) } else { Ok(text) }
    }
}

// === impl List ===

impl<T, const MAX: usize> List<T, MAX> {
    /// The items kept.
    #[must_use]
    pub fn items(&self) -> &[T] {
        &self.items
    }

    pub(super) fn items_mut(&mut self) -> &mut [T] {
        &mut self.items
    }

    /// How many there were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn is_empty(&self) -> bool {
        self.total == 0
    }
}

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self { items: Vec::new(), total: 0 }
    }
}

impl<T, const MAX: usize> FromIterator<T> for List<T, MAX> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        let mut list = Self::default();
        for item in iter {
            list.total += 1;
            if list.items.len() < MAX {
                list.items.push(item);
            }
        }
        list
    }
}

impl<T: Serialize, const MAX: usize> Serialize for List<T, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.total == self.items.len() as u64 {
            ListForm::Whole(&self.items).serialize(serializer)
        } else {
            ListForm::Cut(CutList { first: &self.items, total: self.total }).serialize(serializer)
        }
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (items, total) = match ListForm::<Vec<T>>::deserialize(deserializer)? {
            ListForm::Whole(items) => (items, None),
            ListForm::Cut(cut) => (cut.first, Some(cut.total)),
        };
        let len = items.len() as u64;
        if items.len() > MAX || total.is_some_and(|total| total <= len) {
            return Err(D::Error::custom(format!("a list of more than {MAX} items, or a wrong total")));
        }
        Ok(Self { items, total: total.unwrap_or(len) })
    }
}

// === impl Id ===

impl Id {
    /// Takes an identifier as it is.
    ///
    /// # Errors
    /// [`InvalidId`] for anything but 1 to 64 of the characters allowed.
    pub fn new(text: &str) -> Result<Self, InvalidId> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId)
        }
    }

    /// The identifier of a 128-bit number, in the form of a UUID: `8-4-4-4-12` hexadecimal digits.
    #[must_use]
    pub fn from_u128(n: u128) -> Self {
        let group = |shift: u32, bits: u32| (n >> shift) & ((1 << bits) - 1);
        Self(format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            group(96, 32),
            group(80, 16),
            group(64, 16),
            group(48, 16),
            group(0, 48)
        ))
    }

    /// The identifier's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

// === impl Digest ===

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha256(&[bytes]).0)
    }

    /// Reads `sha256:` and 64 lower-case hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        unhex(text.strip_prefix("sha256:")?).map(Self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", Hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not `sha256:` and 64 hexadecimal digits"))
    }
}

// === Hexadecimal digits ===

/// Writes bytes as lower-case hexadecimal digits.
pub(super) struct Hex<'a>(pub(super) &'a [u8; 32]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).map_or('0', |digit| char::from(*digit));
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            text.push(digit(byte >> 4));
            text.push(digit(byte & 15));
        }
        f.write_str(&text)
    }
}

/// Reads 64 lower-case hexadecimal digits.
pub(super) fn unhex(text: &str) -> Option<[u8; 32]> {
    let nibble = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> = pairs.iter().map(|[a, b]| Some((nibble(*a)? << 4) | nibble(*b)?)).collect();
    if rest.is_empty() { bytes?.try_into().ok() } else { None }
}
