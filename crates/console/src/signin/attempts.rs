//! Sign-ins by a provider that were begun. They are kept by the browsers that began them, in a cookie: a table of them could be filled up by
//! whoever reaches the console, so that nobody else comes back in time.
//!
//! The cookie has what is known of the attempt, under a seal. What the provider's answer is held against (`state`, `nonce`, the PKCE
//! verifier) is not in it, and follows from it by the same key.

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use identity::{Entropy, EntropyError};
use jiff::Timestamp;
use oidc::Random;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// More than the addresses of our pages have; a cookie has 4 KiB.
const LONGEST: usize = 1_024;

/// The key of this run of the gate: what was begun before is begun again.
pub(super) struct Attempts(hmac::Key);

/// A sign-in that was begun in one browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    /// Makes each different.
    mark: [u8; 16],
    /// When, in microseconds since the Unix epoch.
    at: i64,
    /// Whether they have to prove again who they are.
    pub(super) anew: bool,
    /// Where they wanted to go.
    pub(super) to: String,
}

impl Attempts {
    pub(super) fn new(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(&mut *key)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &*key)))
    }

    /// An attempt that begins, and its cookie.
    pub(super) fn begin(
        &self,
        to: &str,
        anew: bool,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<(Begun, String), EntropyError> {
        let mut mark = [0; 16];
        entropy.fill(&mut mark)?;
        let to = if to.len() > LONGEST { "/" } else { to }.to_owned();
        let begun = Begun { mark, at: now.as_microsecond(), anew, to };
        let told = URL_SAFE_NO_PAD.encode(begun.told());
        let seal = URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, told.as_bytes()));
        Ok((begun, format!("{told}.{seal}")))
    }

    /// The attempt of a cookie, if it is one of ours.
    pub(super) fn open(&self, shown: &str) -> Option<Begun> {
        let (told, seal) = shown.split_once('.')?;
        let seal = URL_SAFE_NO_PAD.decode(seal).ok()?;
        hmac::verify(&self.0, told.as_bytes(), &seal).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(told).ok()?).ok()
    }

    /// What the provider's answer is held against.
    pub(super) fn random(&self, begun: &Begun) -> Random {
        ["state", "nonce", "verifier"].map(|name| {
            // No cookie begins so: what is signed for one is never what is signed for the other.
            let signed = hmac::sign(&self.0, &[b"\0", name.as_bytes(), b"\0", &begun.told()].concat());
            let mut bytes = [0; 32];
            bytes.iter_mut().zip(signed.as_ref()).for_each(|(byte, signed)| *byte = *signed);
            bytes
        })
    }
}

impl Begun {
    pub(super) fn at(&self) -> Option<Timestamp> {
        Timestamp::from_microsecond(self.at).ok()
    }

    fn told(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl fmt::Debug for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attempts(…)")
    }
}

#[cfg(test)]
mod tests {
    use identity::SystemEntropy;

    use super::*;

    #[test]
    fn an_attempt_comes_back_as_it_began_and_no_other_does() {
        let (ours, other) = (Attempts::new(&SystemEntropy).unwrap(), Attempts::new(&SystemEntropy).unwrap());
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let begin = || ours.begin("/approvals/a-1", true, &SystemEntropy, now).unwrap();
        let (begun, cookie) = begin();
        assert_eq!(ours.open(&cookie), Some(begun.clone()));
        assert_eq!((begun.at(), &*begun.to, begun.anew), (Some(now), "/approvals/a-1", true));
        assert_eq!(other.open(&cookie), None);
        let random = ours.random(&begun);
        assert_eq!(random, ours.random(&begun));
        assert!(random[0] != random[1] && random[1] != random[2] && random[0] != random[2]);
        assert_ne!(random, ours.random(&begin().0), "each is another");
        assert_ne!(random, other.random(&begun));
        for at in 0..cookie.len() {
            let mut changed = cookie.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            // The last character of base64 has bits that stand for nothing; our decoder refuses them.
            assert_eq!(ours.open(&changed), None, "{at}");
        }
        for nothing in ["", ".", "a.b", cookie.trim_start_matches(char::is_alphanumeric)] {
            assert_eq!(ours.open(nothing), None);
        }
        let long = ours.begin(&"/x".repeat(4_096), false, &SystemEntropy, now).unwrap();
        assert!(long.0.to == "/" && long.1.len() < 1_024);
    }
}
