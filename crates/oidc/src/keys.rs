//! The provider's public keys (RFC 7517), and which algorithm each may verify.

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Failure, Fault, Part,
    http::{self, Http},
    text::shown,
};

/// Providers have a handful.
const MOST: usize = 64;

/// The keys that can verify an ID token.
#[derive(Debug)]
pub(crate) struct Keys(Vec<Key>);

#[derive(Debug)]
struct Key {
    id: Option<String>,
    /// What it may verify, by its own type and not by what a token says; never empty.
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

impl Keys {
    pub(crate) async fn fetch(http: &Http, url: &Url) -> Result<Self, Failure> {
        let set: Set = http::json(Part::Keys, &http.get(Part::Keys, url).await?)?;
        if set.keys.len() > MOST {
            let why = format!("it has {} keys, of which at most {MOST} are taken", set.keys.len());
            return Err(Failure::Malformed { part: Part::Keys, why });
        }
        // Keys of other kinds stand beside ours, for encryption as an example, and say nothing against it.
        Ok(Self(set.keys.into_iter().filter_map(Key::read).collect()))
    }

    /// The key with this id. A token without one has a key if there is but one that it could be.
    pub(crate) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<&DecodingKey, Fault> {
        let mut named = self.0.iter().filter(|key| id.is_none() || key.id.as_deref() == id).peekable();
        let told = id.map(shown);
        if named.peek().is_none() {
            return Err(Fault::UnknownKey { id: told });
        }
        let mut fitting = named.filter(|key| key.algorithms.contains(&algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(&key.key),
            (Some(_), Some(_)) => Err(Fault::UnknownKey { id: told }),
            (None, _) => Err(Fault::OtherAlgorithm { id: told, found: algorithm }),
        }
    }
}

impl Key {
    /// `None` for what verifies no ID token.
    fn read(value: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let usage = &jwk.common;
        let signs = usage.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
        let verifies = usage.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
        if !signs || !verifies {
            return None;
        }
        let own = jwk.common.key_algorithm;
        let mut algorithms = algorithms(&jwk.algorithm).to_vec();
        algorithms.retain(|algorithm| own.is_none_or(|own| own == KeyAlgorithm::from(*algorithm)));
        let key = DecodingKey::from_jwk(&jwk).ok().filter(|_key| !algorithms.is_empty())?;
        Some(Self { id: jwk.common.key_id, algorithms, key })
    }
}

/// The only algorithms there are here.
fn algorithms(parameters: &AlgorithmParameters) -> &'static [Algorithm] {
    match parameters {
        AlgorithmParameters::RSA(_) => &[Algorithm::RS256, Algorithm::PS256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[Algorithm::ES256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => &[Algorithm::ES384],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
        // The library's enum is open. Above all, a symmetric key is none of ours.
        _ => &[],
    }
}
