//! Keys derived from the ledger's seed, for what only the gate itself may make and check. No I/O.

use aws_lc_rs::hmac;
use std::fmt;

/// A value that only a holder of the key can make.
pub(crate) type Tag = [u8; 32];

/// A key for HMAC-SHA256. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub(crate) struct MacKey(hmac::Key);

impl MacKey {
    /// The key for this purpose: HMAC-SHA256 of its name under the seed, which is HKDF-Expand (RFC 5869) of one block
    /// but for its counter. Keys of different purposes tell nothing of each other or of the seed.
    pub(crate) fn derive(seed: &[u8; 32], purpose: &str) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, seed);
        Self(hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, purpose.as_bytes()).as_ref()))
    }

    /// The tag of these bytes.
    pub(crate) fn tag(&self, bytes: &[u8]) -> Tag {
        let mut tag = Tag::default();
        // HMAC-SHA256 has as many bytes as a tag.
        tag.iter_mut().zip(hmac::sign(&self.0, bytes).as_ref()).for_each(|(to, from)| *to = *from);
        tag
    }

    /// Whether this is the tag of these bytes; takes as long either way.
    pub(crate) fn made(&self, tag: &Tag, bytes: &[u8]) -> bool {
        hmac::verify(&self.0, bytes, tag).is_ok()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_has_its_own_key() {
        let (one, two) = (MacKey::derive(&[7; 32], "one"), MacKey::derive(&[7; 32], "two"));
        assert!(one.made(&one.tag(b"x"), b"x"));
        assert!(!one.made(&one.tag(b"x"), b"y"));
        assert!(!two.made(&one.tag(b"x"), b"x"));
        assert!(!MacKey::derive(&[8; 32], "one").made(&one.tag(b"x"), b"x"));
    }
}
