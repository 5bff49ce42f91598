//! Signatures of webhooks: Standard Webhooks 1.0, symmetric (`v1`).

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::Id;

/// What a webhook is signed with, and its receiver checks with. `Debug` does not show it.
pub struct SigningSecret(hmac::Key);

impl SigningSecret {
    /// A secret as Standard Webhooks writes it: `whsec_` and 24 to 64 bytes in base64. `None`: it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(BASE64_STANDARD.decode(text.strip_prefix("whsec_")?).ok()?);
        (24..=64).contains(&bytes.len()).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The header `webhook-signature` of a body that is sent at this time.
    #[must_use]
    pub fn sign(&self, id: &Id, at: Timestamp, body: &str) -> String {
        let signed = format!("{id}.{}.{body}", at.as_second());
        format!("v1,{}", BASE64_STANDARD.encode(hmac::sign(&self.0, signed.as_bytes())))
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn signs_as_standard_webhooks_does() {
        let secret = SigningSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let id = Id::try_from("msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned()).unwrap();
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        assert_eq!(
            secret.sign(&id, at, r#"{"test": 2432232314}"#),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        let of = |bytes: usize| format!("whsec_{}", BASE64_STANDARD.encode(vec![7; bytes]));
        assert!(SigningSecret::parse(&of(24)).is_some() && SigningSecret::parse(&of(64)).is_some());
        for bad in [
            of(23),
            of(65),
            of(24).replace("whsec_", ""),
            "whsec_?".into(),
            "whsk_AAAA".into(),
            String::new(),
        ] {
            assert!(SigningSecret::parse(&bad).is_none(), "{bad}");
        }
    }
}
