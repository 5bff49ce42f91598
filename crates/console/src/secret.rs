//! Secrets that a browser holds, of which the console keeps a digest.

use aws_lc_rs::constant_time;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use identity::{Entropy, EntropyError};
use sha2::{Digest as _, Sha256};

/// What a browser shows to be let in: 32 random bytes as base64url. Not in `Debug`.
pub(crate) struct Secret(String);

/// What the console keeps of a secret: whoever reads the memory of a gate, or its core dump, cannot sign in by that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Kept([u8; 32]);

impl Secret {
    pub(crate) fn new(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    pub(crate) fn kept(&self) -> Kept {
        Kept::of(&self.0)
    }
}

impl Kept {
    /// What would be kept of what a browser shows.
    pub(crate) fn of(shown: &str) -> Self {
        Self(Sha256::digest(shown.as_bytes()).into())
    }
}

/// Whether both are the same, found out without telling by its time where they differ.
pub(crate) fn same(one: &str, other: &str) -> bool {
    constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}
