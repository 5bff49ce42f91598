//! What a provider says of itself (OpenID Connect Discovery 1.0, section 3).

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde::Deserialize;

use crate::{
    Failure, Part,
    address::checked,
    cache::Cached,
    http::{self, Http},
    keys::Keys,
    text::shown,
};

/// How long keys are used before the provider is asked for them again.
const KEEP_KEYS: SignedDuration = SignedDuration::from_hours(1);

/// How often a token with an unknown key may have them asked for. Providers publish a key before they use it.
const RENEW_KEYS: SignedDuration = SignedDuration::from_secs(10);

/// A provider as it was discovered. Its keys live with it, so that none outlives a change of their address.
#[derive(Debug)]
pub(crate) struct Metadata {
    pub(crate) authorization: Url,
    pub(crate) token: Url,
    /// Whether a secret goes into the `Authorization` header, which all must take who do not say otherwise, or a form.
    pub(crate) basic: bool,
    pub(crate) post: bool,
    /// Whether its answers by way of the browser tell who it is (RFC 9207).
    pub(crate) tells_issuer: bool,
    key_set: Url,
    keys: Cached<Keys>,
}

/// The document.
#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Asks the provider with this issuer, which must be what it calls itself.
    pub(crate) async fn discover(http: &Http, issuer: &str) -> Result<Self, Failure> {
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let address = address_of(Part::Discovery, &address)?;
        let document: Document = http::json(Part::Discovery, &http.get(Part::Discovery, &address).await?)?;
        if document.issuer != issuer {
            return Err(Failure::OtherIssuer { expected: issuer.to_owned(), found: shown(&document.issuer) });
        }
        document.metadata()
    }

    /// Its keys, as they were up to an hour ago.
    pub(crate) async fn keys(&self, http: &Http, now: Timestamp) -> Result<Arc<Keys>, Failure> {
        self.keys.get(KEEP_KEYS, now, Keys::fetch(http, &self.key_set)).await
    }

    /// Its keys, now that one was missing.
    pub(crate) async fn renewed_keys(&self, http: &Http, now: Timestamp) -> Result<Arc<Keys>, Failure> {
        self.keys.get(RENEW_KEYS, now, Keys::fetch(http, &self.key_set)).await
    }
}

impl Document {
    fn metadata(self) -> Result<Metadata, Failure> {
        // Not every provider has this field; one that has it means it.
        if self.code_challenge_methods_supported.is_some_and(|methods| !methods.iter().any(|m| m == "S256")) {
            return Err(Failure::NoPkce);
        }
        let methods = self.token_endpoint_auth_methods_supported;
        let takes = |method: &str| {
            methods.as_ref().is_some_and(|methods| methods.iter().any(|found| found == method))
        };
        Ok(Metadata {
            authorization: address_of(Part::Authorization, &self.authorization_endpoint)?,
            token: address_of(Part::Token, &self.token_endpoint)?,
            basic: methods.is_none() || takes("client_secret_basic"),
            post: takes("client_secret_post"),
            tells_issuer: self.authorization_response_iss_parameter_supported,
            key_set: address_of(Part::Keys, &self.jwks_uri)?,
            keys: Cached::new(),
        })
    }
}

fn address_of(part: Part, text: &str) -> Result<Url, Failure> {
    checked(text).map_err(|problem| Failure::Address { part, problem })
}
