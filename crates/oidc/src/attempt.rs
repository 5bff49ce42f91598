//! A sign-in that has begun.

use std::{fmt, ops::Deref};

use aws_lc_rs::{
    constant_time,
    digest::{SHA256, digest},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

/// How long a person may take at the provider.
const VALID: SignedDuration = SignedDuration::from_mins(10);

/// Unpredictable bytes for one attempt: its state, its nonce and its PKCE verifier.
pub type Random = [[u8; 32]; 3];

/// A sign-in that has begun: what the answer is held against. Keep it where only the browser that began can reach it,
/// behind a cookie of its own, or an attacker could sign somebody in as another. It is good for one answer within 10
/// minutes.
pub struct Attempt {
    /// Which provider it was begun with.
    pub(crate) issuer: String,
    pub(crate) state: Secret,
    pub(crate) nonce: Secret,
    /// RFC 7636, section 4.1.
    pub(crate) verifier: Secret,
    pub(crate) max_age: Option<SignedDuration>,
    pub(crate) begun: Timestamp,
}

/// 256 random bits in base64url. It is compared in constant time.
pub(crate) struct Secret(Zeroizing<String>);

impl Attempt {
    pub(crate) fn new(
        issuer: &str,
        [state, nonce, verifier]: Random,
        max_age: Option<SignedDuration>,
        begun: Timestamp,
    ) -> Self {
        let [state, nonce, verifier] = [state, nonce, verifier].map(Secret::new);
        Self { issuer: issuer.to_owned(), state, nonce, verifier, max_age, begun }
    }

    /// The PKCE challenge, by `S256` (RFC 7636, section 4.2).
    pub(crate) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.as_bytes()))
    }

    /// In both directions: a clock that was set back makes nothing good for longer.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.begun).abs() >= VALID
    }
}

impl Secret {
    fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(*Zeroizing::new(bytes))))
    }

    pub(crate) fn is(&self, other: Option<&str>) -> bool {
        other.is_some_and(|other| {
            constant_time::verify_slices_are_equal(self.0.as_bytes(), other.as_bytes()).is_ok()
        })
    }
}

impl Deref for Secret {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").field("begun", &self.begun).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        let verifier = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105,
            214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let attempt = Attempt::new("i", [[0; 32], [0; 32], verifier], None, Timestamp::UNIX_EPOCH);
        assert_eq!(&*attempt.verifier, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(attempt.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn an_attempt_shows_no_secret() {
        let attempt = Attempt::new("i", [[1; 32], [2; 32], [3; 32]], None, Timestamp::UNIX_EPOCH);
        assert_eq!(format!("{attempt:?}"), "Attempt { begun: 1970-01-01T00:00:00Z, .. }");
    }
}
