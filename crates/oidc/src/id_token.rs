//! Whether an ID token proves who somebody is (OpenID Connect Core 1.0, section 3.1.3.7).

use aws_lc_rs::digest::{self, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, crypto};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Attempt, Fault, Identity, claims::Claims, keys::Keys, settings::Resolved, text::shown};

/// How far clocks may be apart.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// What counts of a token's header. What it says of keys (`jku`, `jwk`, `x5u`, `x5c`) does not: a token does not say
/// which key it is to be believed by.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// What a token is held against.
pub(crate) struct Expected<'a> {
    pub(crate) settings: &'a Resolved,
    pub(crate) attempt: &'a Attempt,
    pub(crate) access_token: Option<&'a str>,
}

impl Expected<'_> {
    /// Whom the token names, if everything about it is right.
    pub(crate) fn verify(&self, token: &str, keys: &Keys, now: Timestamp) -> Result<Identity, Fault> {
        let (algorithm, payload) = signed(token, keys)?;
        let claims = Claims::read(&payload)?;
        self.check_parties(&claims)?;
        check_times(&claims, now)?;
        if !self.attempt.nonce.is(claims.nonce.as_deref()) {
            return Err(Fault::Nonce);
        }
        self.check_access_token(&claims, algorithm)?;
        self.check_age(&claims)?;
        claims.identity(&self.settings.groups_claim)
    }

    fn check_parties(&self, claims: &Claims) -> Result<(), Fault> {
        let Resolved { issuer, client, .. } = self.settings;
        if claims.iss.is_empty() {
            return Err(Fault::Missing { claim: "iss" });
        }
        if claims.iss != *issuer {
            return Err(Fault::Issuer { expected: issuer.clone(), found: shown(&claims.iss) });
        }
        if !claims.aud.contains(&client.id) {
            return Err(Fault::Audience { client: client.id.clone() });
        }
        match &claims.azp {
            Some(party) if *party != client.id => Err(Fault::Party { client: client.id.clone() }),
            None if claims.aud.len() > 1 => Err(Fault::Party { client: client.id.clone() }),
            Some(_) | None => Ok(()),
        }
    }

    /// OpenID Connect Core 1.0, section 3.1.3.6.
    fn check_access_token(&self, claims: &Claims, algorithm: Algorithm) -> Result<(), Fault> {
        let Some(hash) = &claims.at_hash else { return Ok(()) };
        let token = self.access_token.ok_or(Fault::AccessToken)?;
        let whole = digest(hash_of(algorithm), token.as_bytes());
        let half = whole.as_ref().chunks(whole.as_ref().len() / 2).next().unwrap_or_default();
        if URL_SAFE_NO_PAD.encode(half) == *hash { Ok(()) } else { Err(Fault::AccessToken) }
    }

    /// Whether the person proved who they are as lately as was asked for when the attempt began.
    fn check_age(&self, claims: &Claims) -> Result<(), Fault> {
        let Some(max_age) = self.attempt.max_age else { return Ok(()) };
        let at = claims.auth_time.ok_or(Fault::Missing { claim: "auth_time" })?;
        let age = self.attempt.begun.duration_since(at);
        if age <= max_age.saturating_add(LEEWAY) { Ok(()) } else { Err(Fault::TooLongAgo { at }) }
    }
}

/// The algorithm and the payload of a token with a good signature, by the provider's keys alone.
fn signed(token: &str, keys: &Keys) -> Result<(Algorithm, Vec<u8>), Fault> {
    let parts: Vec<&str> = token.splitn(4, '.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        return Err(Fault::Malformed { problem: "it has not three parts" });
    };
    let Header { alg, kid, crit } = json(&decoded(header)?, "its header is not what it should be")?;
    let algorithm = known(&alg)?;
    if crit.is_some() {
        return Err(Fault::Critical);
    }
    let key = keys.find(kid.as_deref(), algorithm)?;
    let message = token.strip_suffix(signature).and_then(|rest| rest.strip_suffix('.')).unwrap_or_default();
    match crypto::verify(signature, message.as_bytes(), key, algorithm) {
        Ok(true) => Ok((algorithm, decoded(payload)?)),
        Ok(false) | Err(_) => Err(Fault::Signature),
    }
}

fn known(name: &str) -> Result<Algorithm, Fault> {
    match name {
        "RS256" => Ok(Algorithm::RS256),
        "PS256" => Ok(Algorithm::PS256),
        "ES256" => Ok(Algorithm::ES256),
        "ES384" => Ok(Algorithm::ES384),
        "EdDSA" => Ok(Algorithm::EdDSA),
        _ => Err(Fault::Algorithm { found: shown(name) }),
    }
}

/// The hash inside the signature.
fn hash_of(algorithm: Algorithm) -> &'static digest::Algorithm {
    match algorithm {
        Algorithm::EdDSA => &digest::SHA512,
        Algorithm::ES384 => &digest::SHA384,
        // The others that `known` lets in.
        _ => &digest::SHA256,
    }
}

fn check_times(claims: &Claims, now: Timestamp) -> Result<(), Fault> {
    let exp = claims.exp.ok_or(Fault::Missing { claim: "exp" })?;
    if now.duration_since(exp) >= LEEWAY {
        return Err(Fault::Expired { at: exp, now });
    }
    let iat = claims.iat.ok_or(Fault::Missing { claim: "iat" })?;
    for (claim, at) in [("iat", Some(iat)), ("nbf", claims.nbf)] {
        if let Some(at) = at.filter(|at| at.duration_since(now) > LEEWAY) {
            return Err(Fault::NotYet { claim, at, now });
        }
    }
    Ok(())
}

fn decoded(part: &str) -> Result<Vec<u8>, Fault> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Fault::Malformed { problem: "it is not in base64url" })
}

/// What the parser would say of it may quote it.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8], problem: &'static str) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|_| Fault::Malformed { problem })
}
