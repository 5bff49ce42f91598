//! Signed notes as C2SP signed-note lays them out, with Ed25519 (type `0x01`). No I/O.

use crate::mac::MacKey;
use crate::tree::sha256;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt;
use zeroize::Zeroizing;

/// The signature type of Ed25519.
const ED25519_TYPE: u8 = 0x01;

/// More than this is no note that we or a witness wrote.
const MAX_NOTE: usize = 1 << 20;

/// A key that signs notes. Its `Debug` shows only the public half.
pub struct Signer {
    pair: Ed25519KeyPair,
    seed: Zeroizing<[u8; 32]>,
    verifier: Verifier,
}

/// A key that verifies notes: a `vkey`, `NAME+HEXID+BASE64`.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    id: u32,
    public: [u8; 32],
}

/// A note whose text the key given has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The text with its final newline.
    pub text: String,
    /// The names on the other signatures. Nobody has verified those.
    pub others: Vec<String>,
}

/// Why a note or a key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A name with spaces or `+`, or none.
    #[error("the key name `{0}` is empty or has a space, a `+` or a control character")]
    Name(String),
    /// Text that a note cannot carry.
    #[error("the text of a note must end in a newline and have no other control characters")]
    Text,
    /// A `vkey` or private key of another form.
    #[error(
        "not a key: the form is `NAME+ID+KEY` for the public half, `PRIVATE+KEY+NAME+ID+KEY` for the private"
    )]
    Key,
    /// The key's id is not that of its name and bytes.
    #[error("the key's id does not match its name and bytes")]
    KeyId,
    /// Bytes that are not a signed note.
    #[error("not a signed note: {0}")]
    Malformed(&'static str),
    /// No line by this key.
    #[error("not signed by `{name}+{id:08x}`")]
    Unsigned {
        /// The key's name.
        name: String,
        /// The key's id.
        id: u32,
    },
    /// A line by this key that does not verify.
    #[error("the signature by `{name}+{id:08x}` does not verify")]
    Forged {
        /// The key's name.
        name: String,
        /// The key's id.
        id: u32,
    },
}

// === impl Signer ===

impl Signer {
    /// The key with this name over this Ed25519 seed.
    ///
    /// # Errors
    /// [`Error::Name`] for a name that a note cannot carry.
    pub fn from_seed(name: &str, seed: Zeroizing<[u8; 32]>) -> Result<Self, Error> {
        check_name(name)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map_err(|_| Error::Key)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| Error::Key)?;
        Ok(Self { pair, seed, verifier: Verifier::new(name, public)? })
    }

    /// Reads `PRIVATE+KEY+NAME+ID+KEY`, the form of Go's `sumdb/note`.
    ///
    /// # Errors
    /// When it has another form, or an id that is not its own.
    pub fn parse(skey: &str) -> Result<Self, Error> {
        let rest = skey.strip_prefix("PRIVATE+KEY+").ok_or(Error::Key)?;
        let (name, id, key) = split_key(rest)?;
        let signer = Self::from_seed(name, Zeroizing::new(key))?;
        if signer.verifier.id == id { Ok(signer) } else { Err(Error::KeyId) }
    }

    /// The private key's text form: handle as the secret it is.
    #[must_use]
    pub fn to_private(&self) -> Zeroizing<String> {
        let Verifier { name, id, .. } = &self.verifier;
        let mut key = Zeroizing::new(vec![ED25519_TYPE]);
        key.extend_from_slice(self.seed.as_slice());
        Zeroizing::new(format!("PRIVATE+KEY+{name}+{id:08x}+{}", STANDARD.encode(&*key)))
    }

    /// A key of its own for this purpose, which whoever has the public half cannot know.
    pub(crate) fn derive(&self, purpose: &str) -> MacKey {
        MacKey::derive(&self.seed, purpose)
    }

    /// The public half.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The note: the text, an empty line, and the signature line.
    ///
    /// # Errors
    /// [`Error::Text`] for text that a note cannot carry.
    pub fn sign(&self, text: &str) -> Result<String, Error> {
        if !text.ends_with('\n') || has_control(text) {
            return Err(Error::Text);
        }
        let Verifier { name, id, .. } = &self.verifier;
        let mut signature = id.to_be_bytes().to_vec();
        signature.extend_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        Ok(format!("{text}\n— {name} {}\n", STANDARD.encode(&signature)))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.verifier)
    }
}

// === impl Verifier ===

impl Verifier {
    /// Reads a `vkey`.
    ///
    /// # Errors
    /// When it has another form or type, or an id that is not its own.
    pub fn parse(vkey: &str) -> Result<Self, Error> {
        let (name, id, public) = split_key(vkey.trim_end_matches('\n'))?;
        let verifier = Self::new(name, public)?;
        if verifier.id == id { Ok(verifier) } else { Err(Error::KeyId) }
    }

    /// The key's name; for a log, its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens a note that this key must have signed.
    ///
    /// # Errors
    /// When the bytes are no note, carry no signature by this key, or one that does not verify.
    pub fn open(&self, note: &[u8]) -> Result<Verified, Error> {
        if note.len() > MAX_NOTE {
            return Err(Error::Malformed("longer than 1 MiB"));
        }
        let note = std::str::from_utf8(note).map_err(|_| Error::Malformed("not UTF-8"))?;
        if has_control(note) {
            return Err(Error::Malformed("control characters"));
        }
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(Error::Malformed("no empty line"))?;
        let signatures = signatures.strip_suffix('\n').ok_or(Error::Malformed("no newline at the end"))?;
        let text = format!("{text}\n");
        let (mut signed, mut others) = (false, Vec::new());
        for line in signatures.split('\n') {
            let (name, id, signature) = split_signature(line)?;
            if name != self.name || id != self.id {
                others.push(name.to_owned());
                continue;
            }
            let key = UnparsedPublicKey::new(&ED25519, &self.public);
            if key.verify(text.as_bytes(), &signature).is_err() {
                return Err(Error::Forged { name: self.name.clone(), id });
            }
            signed = true;
        }
        if signed {
            Ok(Verified { text, others })
        } else {
            Err(Error::Unsigned { name: self.name.clone(), id: self.id })
        }
    }

    fn new(name: &str, public: [u8; 32]) -> Result<Self, Error> {
        check_name(name)?;
        let [a, b, c, d, ..] = sha256(&[name.as_bytes(), b"\n", &[ED25519_TYPE], &public]).0;
        Ok(Self { name: name.to_owned(), id: u32::from_be_bytes([a, b, c, d]), public })
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519_TYPE];
        key.extend_from_slice(&self.public);
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(&key))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({self})")
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let refused = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.contains(refused) { Err(Error::Name(name.to_owned())) } else { Ok(()) }
}

fn has_control(text: &str) -> bool {
    text.bytes().any(|b| b < 0x20 && b != b'\n')
}

/// `NAME+ID+KEY`, where the key is base64 of the type and 32 bytes.
fn split_key(text: &str) -> Result<(&str, u32, [u8; 32]), Error> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Error::Key);
    };
    let id = (id.len() == 8).then(|| u32::from_str_radix(id, 16).ok()).flatten().ok_or(Error::Key)?;
    let key = Zeroizing::new(STANDARD.decode(key).map_err(|_| Error::Key)?);
    match key.split_first() {
        Some((&ED25519_TYPE, bytes)) => Ok((name, id, bytes.try_into().map_err(|_| Error::Key)?)),
        _ => Err(Error::Key),
    }
}

/// `— NAME BASE64`, where the bytes are the key's id and the signature.
fn split_signature(line: &str) -> Result<(&str, u32, Vec<u8>), Error> {
    let malformed = Error::Malformed("a signature line of another form");
    let Some((name, encoded)) = line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')) else {
        return Err(malformed);
    };
    check_name(name)?;
    let Ok(bytes) = STANDARD.decode(encoded) else { return Err(malformed) };
    let Some((id, signature)) = bytes.split_first_chunk::<4>() else { return Err(malformed) };
    Ok((name, u32::from_be_bytes(*id), signature.to_vec()))
}

#[cfg(test)]
mod tests;
