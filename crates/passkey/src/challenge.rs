//! What a passkey is asked to sign.

use std::fmt;

use crate::{Refusal, base64url};

/// What is signed: 16 bytes or more that nobody can foresee, or the digest of what is agreed to.
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge(Vec<u8>);

impl Challenge {
    /// These bytes.
    ///
    /// # Errors
    /// They are fewer than 16, so that they could be guessed or come twice (§13.4.3), or more than 1024.
    pub fn new(bytes: &[u8]) -> Result<Self, Refusal> {
        base64url::sized("challenge", bytes.to_vec(), 16..=1024).map(Self)
    }

    /// As `challenge` in options and client data: base64url.
    pub(crate) fn encoded(&self) -> String {
        base64url::encode(&self.0)
    }
}

impl From<[u8; 32]> for Challenge {
    fn from(digest: [u8; 32]) -> Self {
        Self(digest.into())
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Challenge({})", self.encoded())
    }
}
