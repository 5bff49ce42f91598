//! Recipients and identities, as `age-keygen` makes them, and what a file's key is wrapped in.

use super::header::{Stanza, decode, encode};
use super::{FILE_KEY, FileKey, derive};
use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::hkdf;
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

/// What a stanza calls it.
pub(super) const KIND: &str = "X25519";
const RECIPIENT: &str = "age";
const IDENTITY: &str = "AGE-SECRET-KEY-";
/// What the key that wraps is derived for.
const INFO: &[u8] = b"age-encryption.org/v1/X25519";
/// Bytes of a file's key, wrapped.
const WRAPPED: usize = FILE_KEY + 16;

/// A public key: one to whom files are encrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient([u8; 32]);

/// A secret key: one who decrypts them.
pub struct Identity {
    key: PrivateKey,
    public: [u8; 32],
}

/// Why text is no recipient. Nothing of the text is in it: it may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotARecipient {
    /// It is the other half.
    #[error(
        "a secret key (`AGE-SECRET-KEY-…`), which is now written where others read: make another with `age-keygen`, and name its recipient (`age1…`)"
    )]
    Secret,
    /// It is a key of another kind.
    #[error(
        "a recipient of a kind that recordings are not encrypted to: give one that plain `age-keygen` makes (`age1` and 58 letters and digits)"
    )]
    Kind,
    /// It is anything else.
    #[error(
        "no age recipient, or was mistyped or cut: give one that `age-keygen` makes (`age1` and 58 letters and digits)"
    )]
    Other,
}

/// Why a file is none of identities. Nothing of it is in this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotIdentities {
    /// It has no line that is one.
    #[error("has no age identity: give a file that `age-keygen` makes, with a line `AGE-SECRET-KEY-1…`")]
    None,
    /// One of its lines is something else.
    #[error(
        "line {0} is no age identity that recordings are encrypted to: give a file that `age-keygen` makes, with a line `AGE-SECRET-KEY-1…`"
    )]
    Line(usize),
    /// It has to be decrypted.
    #[error("is encrypted itself: decrypt it first, with `age -d`")]
    Encrypted,
}

/// A share with which nobody has a secret.
#[derive(Debug)]
pub(super) struct BadShare;

/// A file's key as one recipient gets it.
pub(super) struct Wrapped {
    share: [u8; 32],
    key: [u8; WRAPPED],
}

/// The identities in a file of them.
pub(in crate::at_rest) fn identities(file: &str) -> Result<Vec<Identity>, NotIdentities> {
    if file.starts_with("age-encryption.org/") || file.starts_with("-----BEGIN AGE") {
        return Err(NotIdentities::Encrypted);
    }
    let lines = file.lines().enumerate().map(|(place, line)| (place + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let identities = lines.map(|(number, line)| Identity::read(line).ok_or(NotIdentities::Line(number)));
    let identities: Vec<_> = identities.collect::<Result<_, _>>()?;
    if identities.is_empty() { Err(NotIdentities::None) } else { Ok(identities) }
}

/// The key in a text of this kind.
fn key(text: &str, kind: &str) -> Option<Zeroizing<[u8; 32]>> {
    // The library takes either case, and age one of each.
    text.strip_prefix(kind)?.starts_with('1').then_some(())?;
    let text = CheckedHrpstring::new::<Bech32>(text).ok()?;
    let mut key = Zeroizing::new([0; 32]);
    let mut bytes = text.byte_iter();
    (bytes.len() == key.len()).then_some(())?;
    key.iter_mut().zip(&mut bytes).for_each(|(place, byte)| *place = byte);
    Some(key)
}

/// The key that wraps, of the secret that two have.
fn wrapping(secret: &[u8], share: &[u8; 32], recipient: &[u8; 32]) -> Option<LessSafeKey> {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, &[*share, *recipient].concat());
    let key = derive(&salt, secret, INFO)?;
    Some(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &*key).ok()?))
}

/// Each key wraps once.
fn zero() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn public(key: &PrivateKey) -> Option<[u8; 32]> {
    key.compute_public_key().ok()?.as_ref().try_into().ok()
}

// === impl Recipient ===

impl Recipient {
    /// What this one needs: the line and the body of a stanza.
    pub(super) fn wrap(&self, file_key: &FileKey) -> Option<(String, Vec<u8>)> {
        let once = PrivateKey::generate(&X25519).ok()?;
        let share = public(&once)?;
        let key = agreement::agree(&once, UnparsedPublicKey::new(&X25519, self.0), (), |secret| {
            wrapping(secret, &share, &self.0).ok_or(())
        });
        // With room for the tag: what is moved leaves the key behind.
        let mut body = Vec::with_capacity(WRAPPED);
        body.extend_from_slice(&**file_key);
        key.ok()?.seal_in_place_append_tag(zero(), Aad::empty(), &mut body).ok()?;
        Some((format!("{KIND} {}", encode(&share)), body))
    }

    /// Whether this is the only text for it, and it is none of the keys with which anybody knows the secret.
    fn is_usable(&self, text: &str) -> bool {
        self.to_string() == text && self.wrap(&FileKey::default()).is_some()
    }
}

impl FromStr for Recipient {
    type Err = NotARecipient;

    fn from_str(text: &str) -> Result<Self, NotARecipient> {
        if text.to_ascii_uppercase().starts_with(IDENTITY) {
            return Err(NotARecipient::Secret);
        }
        match key(text, RECIPIENT) {
            Some(key) if Self(*key).is_usable(text) => Ok(Self(*key)),
            None if text.starts_with("ssh-") || text.starts_with("age1pq1") => Err(NotARecipient::Kind),
            Some(_) | None => Err(NotARecipient::Other),
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = Hrp::parse(RECIPIENT).map_err(|_| fmt::Error)?;
        bech32::encode_lower_to_fmt::<Bech32, _>(f, kind, &self.0).map_err(|_| fmt::Error)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// === impl Identity ===

impl Identity {
    fn read(text: &str) -> Option<Self> {
        let key = PrivateKey::from_private_key(&X25519, &*key(text, IDENTITY)?).ok()?;
        Some(Self { public: public(&key)?, key })
    }

    /// Whose it is.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        Recipient(self.public)
    }

    /// The file's key, if it was wrapped for this one.
    pub(super) fn unwrap(&self, wrapped: &Wrapped) -> Result<Option<FileKey>, BadShare> {
        let share = UnparsedPublicKey::new(&X25519, wrapped.share);
        let key = agreement::agree(&self.key, share, BadShare, |secret| {
            wrapping(secret, &wrapped.share, &self.public).ok_or(BadShare)
        })?;
        let mut body = Zeroizing::new(wrapped.key);
        let opened = key.open_in_place(zero(), Aad::empty(), &mut *body);
        Ok(opened.ok().and_then(|key| <[u8; FILE_KEY]>::try_from(&*key).ok()).map(Zeroizing::new))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.recipient())
    }
}

// === impl Wrapped ===

impl Wrapped {
    /// `None`: the stanza is not as one of this kind must be.
    pub(super) fn read(stanza: &Stanza<'_>) -> Option<Self> {
        let [_, share] = &*stanza.arguments else { return None };
        let share = decode(share)?.try_into().ok()?;
        Some(Self { share, key: stanza.body.as_slice().try_into().ok()? })
    }
}
