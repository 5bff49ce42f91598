//! Values that leaves must not hold, because they may be secret: bodies, and parameters that are free text.

use super::text::{Hex, Text, unhex};
use crate::mac::{MacKey, Tag};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};
use std::fmt;

const TOLD: &str = "portcullis.dev/ledger hidden values v1";
const ASKED: &str = "portcullis.dev/gate what is asked v1";
const KEPT: &str = "portcullis.dev/gate kept values v1";
const PREFIX: &str = "hmac-sha256:";

/// A value in whose place the leaf has `{"bytes":…,"digest":"hmac-sha256:…"}`: its length, and its digest under a key
/// that only the gate has. A plain digest would let whoever reads the ledger guess values that can be guessed, such as a
/// password, and see which guess is right. Equal values have equal digests; that much is told.
///
/// Until the ledger has digested it, which [`Ledger::append`](crate::Ledger::append) does, it has no JSON form.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(State);

#[derive(Clone, PartialEq, Eq)]
enum State {
    Value(Bytes),
    Digested(Digested),
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Digested {
    bytes: u64,
    digest: KeyedDigest,
}

/// A parameter whose value the leaf does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HiddenParameter {
    /// Its name; in the path it stands as `name=*`, in the same order. `path` is the path itself, which stands as `*`.
    pub name: Text<64>,
    /// What it was.
    pub value: Hidden,
}

/// What a digest is for. Each purpose has a key of its own: what leaves tell of values that a caller chose proves nothing elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To stand in leaves, in place of [`Hidden`] values, and in what humans agree to, which is held against leaves.
    Told,
    /// To find again what humans were asked about, and to tell whether what would come of it is still the same.
    Asked,
    /// To know values that the gate kept from those that somebody else wrote there.
    Kept,
}

/// What digests [`Hidden`] values, by a key derived from the ledger's seed. It never leaves the gate.
#[derive(Debug, Clone)]
pub struct Digester(MacKey);

/// An HMAC-SHA256 value, written `hmac-sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
struct KeyedDigest(Tag);

// === impl Hidden ===

impl Hidden {
    /// A value to be digested.
    #[must_use]
    pub fn new(value: impl Into<Bytes>) -> Self {
        Self(State::Value(value.into()))
    }

    /// The value's length in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        match &self.0 {
            State::Value(value) => value.len() as u64,
            State::Digested(digested) => digested.bytes,
        }
    }

    pub(super) fn digest(&mut self, digester: &Digester) {
        if let State::Value(value) = &self.0 {
            let digest = KeyedDigest(digester.0.tag(value));
            self.0 = State::Digested(Digested { bytes: value.len() as u64, digest });
        }
    }
}

/// Shows nothing of the value.
impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            State::Value(value) => write!(f, "Hidden({} bytes)", value.len()),
            State::Digested(Digested { bytes, digest }) => write!(f, "Hidden({bytes} bytes, {digest})"),
        }
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            State::Value(_) => Err(S::Error::custom("a hidden value that was not digested")),
            State::Digested(digested) => digested.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Digested::deserialize(deserializer).map(|digested| Self(State::Digested(digested)))
    }
}

// === impl Digester ===

impl Digester {
    pub(crate) fn new(seed: &crate::note::Signer) -> Self {
        Self::of(seed, Purpose::Told)
    }

    pub(crate) fn of(seed: &crate::note::Signer, purpose: Purpose) -> Self {
        let purpose = match purpose {
            Purpose::Told => TOLD,
            Purpose::Asked => ASKED,
            Purpose::Kept => KEPT,
        };
        Self(seed.derive(purpose))
    }

    /// The digest of a value as leaves tell it.
    pub(crate) fn text(&self, value: &[u8]) -> String {
        KeyedDigest(self.0.tag(value)).to_string()
    }

    /// Whether this is the digest of a value, as [`Digester::text`] has it; takes as long either way.
    pub(crate) fn made(&self, digest: &str, value: &[u8]) -> bool {
        digest.strip_prefix(PREFIX).and_then(unhex).is_some_and(|tag| self.0.made(&tag, value))
    }

    /// Whether this is the value that a leaf hides, byte for byte as it was sent upstream.
    #[must_use]
    pub fn matches(&self, hidden: &Hidden, value: &[u8]) -> bool {
        match &hidden.0 {
            State::Value(known) => known == value,
            State::Digested(Digested { digest, .. }) => self.0.made(&digest.0, value),
        }
    }
}

// === impl KeyedDigest ===

impl fmt::Display for KeyedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", Hex(&self.0))
    }
}

impl Serialize for KeyedDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyedDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digest = text.strip_prefix(PREFIX).and_then(unhex).map(Self);
        digest.ok_or_else(|| D::Error::custom("not `hmac-sha256:` and 64 hexadecimal digits"))
    }
}
