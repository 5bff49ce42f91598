//! Public keys in COSE form (RFC 9052 §7, RFC 9053), of the algorithms that are offered.

use std::fmt;

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    signature::{
        ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    },
};
use minicbor::Encoder;
use serde::{Deserialize, Serialize};

use crate::{Refusal, base64url, cbor::Reader};

/// What keys sign by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// EdDSA on Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256: what Windows' own authenticator may have.
    Rs256,
}

/// A key that signatures are verified with.
///
/// Its text, in JSON too, is its canonical COSE form in base64url; whatever is read is checked to be that and a key of its kind.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(Key);

#[derive(Clone, PartialEq, Eq)]
enum Key {
    Es256 { x: [u8; 32], y: [u8; 32] },
    EdDsa { x: [u8; 32] },
    Rs256 { n: Vec<u8>, e: Vec<u8> },
}

const PART: &str = "credential public key";

/// A modulus of 2048 to 4096 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

// === impl Algorithm ===

impl Algorithm {
    /// All that are offered, those first that are liked best.
    pub const ALL: [Self; 3] = [Self::Es256, Self::EdDsa, Self::Rs256];

    /// Its number in the IANA registry "COSE Algorithms".
    #[must_use]
    pub fn number(self) -> i16 {
        match self {
            Self::Es256 => -7,
            Self::EdDsa => -8,
            Self::Rs256 => -257,
        }
    }
}

// === impl PublicKey ===

impl PublicKey {
    /// What it signs by.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Key::Es256 { .. } => Algorithm::Es256,
            Key::EdDsa { .. } => Algorithm::EdDsa,
            Key::Rs256 { .. } => Algorithm::Rs256,
        }
    }

    /// The key that `bytes` begin with, and the bytes after it.
    pub(crate) fn read(bytes: &[u8]) -> Result<(Self, &[u8]), Refusal> {
        let mut reader = Reader::new(PART, bytes);
        let key = Self(Key::read(&mut reader)?);
        let (read, rest) = bytes.split_at_checked(reader.position()).ok_or_else(|| reader.refusal())?;
        // Two forms of one key would be two keys to whoever compares them.
        if key.to_cose() != read {
            return Err(reader.refusal());
        }
        key.parsed()?;
        Ok((key, rest))
    }

    /// Whether `signature` is this key's over `message`.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        self.parsed()?.verify_sig(message, signature).map_err(|_| Refusal::Signature)
    }

    fn parsed(&self) -> Result<ParsedPublicKey, Refusal> {
        match &self.0 {
            Key::Es256 { x, y } => ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, [&[4], &x[..], y].concat()),
            Key::EdDsa { x } => ParsedPublicKey::new(&ED25519, x),
            Key::Rs256 { n, e } => {
                let der: PublicKeyX509Der<'_> =
                    RsaPublicKeyComponents { n, e }.as_der().map_err(|_| Refusal::PublicKey)?;
                ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der.as_ref())
            }
        }
        .map_err(|_| Refusal::PublicKey)
    }

    #[expect(clippy::expect_used, reason = "a Vec takes every byte")]
    fn to_cose(&self) -> Vec<u8> {
        self.0.write().expect("a Vec takes every byte")
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        base64url::encode(&key.to_cose())
    }
}

impl TryFrom<String> for PublicKey {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self, Refusal> {
        let bytes = base64url::decode(PART, &text, 1..=1024)?;
        let (key, rest) = Self::read(&bytes)?;
        if rest.is_empty() { Ok(key) } else { Err(Refusal::Trailing(PART)) }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?} {})", self.algorithm(), base64url::encode(&self.to_cose()))
    }
}

// === impl Key ===

/// Labels of COSE keys. -1 and on mean something else in each type of key.
const TYPE: i64 = 1;
const ALGORITHM: i64 = 3;

impl Key {
    /// Reads the members in their canonical order, which leaves no place for any other.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let members = reader.map()?;
        let kind = integer(reader, TYPE)?;
        let algorithm = integer(reader, ALGORITHM)?;
        match (algorithm, kind, members) {
            (-7, 2, 5) => {
                curve(reader, 1)?;
                Ok(Self::Es256 { x: coordinate(reader, -2)?, y: coordinate(reader, -3)? })
            }
            (-8, 1, 4) => {
                curve(reader, 6)?;
                Ok(Self::EdDsa { x: coordinate(reader, -2)? })
            }
            (-257, 3, 4) => {
                let (n, e) = (bytes(reader, -1)?.to_vec(), bytes(reader, -2)?.to_vec());
                if MODULUS.contains(&n.len()) { Ok(Self::Rs256 { n, e }) } else { Err(Refusal::PublicKey) }
            }
            (-7 | -8 | -257, ..) => Err(Refusal::PublicKey),
            _ => Err(Refusal::Algorithm(algorithm)),
        }
    }

    fn write(&self) -> Result<Vec<u8>, minicbor::encode::Error<std::convert::Infallible>> {
        let mut cose = Encoder::new(Vec::new());
        match self {
            Self::Es256 { x, y } => {
                cose.map(5)?.i64(TYPE)?.u8(2)?.i64(ALGORITHM)?.i64(-7)?;
                cose.i64(-1)?.u8(1)?.i64(-2)?.bytes(x)?.i64(-3)?.bytes(y)?;
            }
            Self::EdDsa { x } => {
                cose.map(4)?.i64(TYPE)?.u8(1)?.i64(ALGORITHM)?.i64(-8)?;
                cose.i64(-1)?.u8(6)?.i64(-2)?.bytes(x)?;
            }
            Self::Rs256 { n, e } => {
                cose.map(4)?.i64(TYPE)?.u8(3)?.i64(ALGORITHM)?.i64(-257)?;
                cose.i64(-1)?.bytes(n)?.i64(-2)?.bytes(e)?;
            }
        }
        Ok(cose.into_writer())
    }
}

fn label(reader: &mut Reader<'_>, label: i64) -> Result<(), Refusal> {
    if reader.integer()? == label { Ok(()) } else { Err(reader.refusal()) }
}

fn integer(reader: &mut Reader<'_>, name: i64) -> Result<i64, Refusal> {
    label(reader, name)?;
    reader.integer()
}

fn bytes<'b>(reader: &mut Reader<'b>, name: i64) -> Result<&'b [u8], Refusal> {
    label(reader, name)?;
    reader.bytes()
}

fn curve(reader: &mut Reader<'_>, number: i64) -> Result<(), Refusal> {
    if integer(reader, -1)? == number { Ok(()) } else { Err(Refusal::PublicKey) }
}

fn coordinate(reader: &mut Reader<'_>, name: i64) -> Result<[u8; 32], Refusal> {
    bytes(reader, name)?.try_into().map_err(|_| Refusal::PublicKey)
}
