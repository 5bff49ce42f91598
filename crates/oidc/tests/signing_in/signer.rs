//! Keys of a provider, and tokens that are put together by hand, so that anything can be wrong with them.

use std::sync::LazyLock;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The key that tokens are signed with where it does not matter.
pub(crate) static ED: LazyLock<Signer> = LazyLock::new(|| ed("ed", 7));
/// One that no provider publishes, under the same name.
pub(crate) static FORGED: LazyLock<Signer> = LazyLock::new(|| ed("ed", 8));
pub(crate) static RSA: LazyLock<Signer> =
    LazyLock::new(|| Signer { id: "rsa", key: Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()) });
pub(crate) static P256: LazyLock<Signer> = LazyLock::new(|| Signer {
    id: "p256",
    key: Key::Ec("P-256", EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
});
pub(crate) static P384: LazyLock<Signer> = LazyLock::new(|| Signer {
    id: "p384",
    key: Key::Ec("P-384", EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap()),
});

pub(crate) struct Signer {
    pub(crate) id: &'static str,
    key: Key,
}

enum Key {
    Rsa(RsaKeyPair),
    Ec(&'static str, EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

pub(crate) fn ed(id: &'static str, seed: u8) -> Signer {
    Signer { id, key: Key::Ed(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()) }
}

pub(crate) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    /// Its public half.
    pub(crate) fn jwk(&self) -> Value {
        match &self.key {
            Key::Rsa(key) => {
                let (n, e) = (key.public_key().modulus(), key.public_key().exponent());
                let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
                json!({ "kid": self.id, "kty": "RSA", "use": "sig", "n": encoded(n), "e": encoded(e) })
            }
            Key::Ec(curve, key) => {
                let point = &key.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({ "kid": self.id, "kty": "EC", "crv": curve, "x": encoded(x), "y": encoded(y) })
            }
            Key::Ed(key) => {
                let x = encoded(key.public_key());
                json!({ "kid": self.id, "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": x })
            }
        }
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::Rsa(key) => {
                let encoding: &dyn RsaEncoding =
                    if algorithm == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
            Key::Ec(_, key) => key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Key::Ed(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// A token with this header and these claims.
    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        let algorithm = header["alg"].as_str().unwrap_or_default();
        token(header, claims, |message| self.sign(algorithm, message))
    }
}

/// A token that is signed in whatever way.
pub(crate) fn token(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
    let signature = encoded(sign(message.as_bytes()));
    format!("{message}.{signature}")
}
