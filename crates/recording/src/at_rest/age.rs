//! The age file format, version 1 (<https://c2sp.org/age>), with recipients of the kind X25519, on our provider of cryptography.
//!
//! ```text
//! header ── for each recipient the file's key, wrapped; and a MAC under that key
//! payload ─ 64 KiB at a time, each sealed, the last marked as such
//! ```
//!
//! Whole files in memory: a segment has a few mebibytes at most. What this writes, any tool for age reads.

mod header;
mod keys;
mod payload;

pub use keys::{Identity, NotARecipient, NotIdentities, Recipient};

pub(super) use keys::identities;

use aws_lc_rs::{hkdf, hmac, rand};
use header::{Header, Stanza};
use zeroize::Zeroizing;

/// Bytes of a file's key.
const FILE_KEY: usize = 16;
/// Bytes of the nonce before the payload.
const NONCE: usize = 16;

type FileKey = Zeroizing<[u8; FILE_KEY]>;

/// Why a file cannot be decrypted; the check that came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Error {
    /// Its header is none.
    Header,
    /// It is for others.
    NoMatch,
    /// Its header was changed.
    Mac,
    /// What it holds was changed, or cut.
    Payload,
}

/// A file of this, for each of these. `None`: the provider failed.
pub(super) fn encrypt(recipients: &[Recipient], plain: &[u8]) -> Option<Vec<u8>> {
    let mut key: FileKey = Zeroizing::default();
    let mut nonce = [0; NONCE];
    rand::fill(&mut *key).ok()?;
    rand::fill(&mut nonce).ok()?;
    let stanzas: Vec<_> = recipients.iter().map(|recipient| recipient.wrap(&key)).collect::<Option<_>>()?;
    let mut file = header::write(&stanzas, |header| mac(&key, header))?;
    file.extend_from_slice(&nonce);
    let key = payload_key(&key, &nonce)?;
    payload::seal(&key, plain, &mut file)?;
    Some(file)
}

/// What is in a file that is for any of these.
pub(super) fn decrypt(identities: &[Identity], file: &[u8]) -> Result<Vec<u8>, Error> {
    let (header, payload) = Header::read(file).ok_or(Error::Header)?;
    let key = unwrap(identities, &header.stanzas)?.ok_or(Error::NoMatch)?;
    let mac_key = mac_key(&key).ok_or(Error::Mac)?;
    hmac::verify(&mac_key, header.signed, &header.mac).map_err(|_| Error::Mac)?;
    let (nonce, payload) = payload.split_first_chunk::<NONCE>().ok_or(Error::Header)?;
    let key = payload_key(&key, nonce).ok_or(Error::Payload)?;
    payload::open(&key, payload).ok_or(Error::Payload)
}

/// The file's key, if any of them is for one of these.
fn unwrap(identities: &[Identity], stanzas: &[Stanza<'_>]) -> Result<Option<FileKey>, Error> {
    // A passphrase comes alone: whoever knows it could make the file, too.
    if stanzas.len() > 1 && stanzas.iter().any(|stanza| stanza.kind() == "scrypt") {
        return Err(Error::Header);
    }
    let mut found = None;
    for stanza in stanzas.iter().filter(|stanza| stanza.kind() == keys::KIND) {
        let wrapped = keys::Wrapped::read(stanza).ok_or(Error::Header)?;
        for identity in identities {
            // A share that gives no secret with anybody's key is none.
            let key = identity.unwrap(&wrapped).map_err(|keys::BadShare| Error::Header)?;
            found = found.or(key);
        }
    }
    Ok(found)
}

fn mac(key: &FileKey, header: &[u8]) -> Option<[u8; 32]> {
    hmac::sign(&mac_key(key)?, header).as_ref().try_into().ok()
}

fn mac_key(key: &FileKey) -> Option<hmac::Key> {
    let key = derive(&hkdf::Salt::none(hkdf::HKDF_SHA256), &**key, b"header")?;
    Some(hmac::Key::new(hmac::HMAC_SHA256, &*key))
}

fn payload_key(key: &FileKey, nonce: &[u8; NONCE]) -> Option<Zeroizing<[u8; 32]>> {
    derive(&hkdf::Salt::new(hkdf::HKDF_SHA256, nonce), &**key, b"payload")
}

fn derive(salt: &hkdf::Salt, secret: &[u8], info: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    salt.extract(secret).expand(&[info], hkdf::HKDF_SHA256).ok()?.fill(&mut *key).ok()?;
    Some(key)
}

#[cfg(test)]
mod tests;
