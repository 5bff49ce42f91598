//! The two halves of signing in.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::{
    Attempt, Failure, Fault, Identity, Problem, Random, Refusal, Settings, cache::Cached, callback::Callback,
    discovery::Metadata, exchange::exchange, id_token::Expected, settings::Resolved,
};

/// How long what was discovered is used.
const KEEP: SignedDuration = SignedDuration::from_hours(1);

/// An OpenID provider that people sign in with.
#[derive(Debug)]
pub struct Provider {
    settings: Resolved,
    metadata: Cached<Metadata>,
}

impl Provider {
    /// Takes the settings and reads the files that they name. The provider is not asked before somebody signs in, so
    /// that a gate starts without it.
    ///
    /// # Errors
    /// Every problem there is.
    pub fn new(settings: Settings) -> Result<Self, Vec<Problem>> {
        Ok(Self { settings: settings.resolve()?, metadata: Cached::new() })
    }

    /// Begins to sign somebody in: the address that the browser is to be sent to, and what is to be kept until it comes
    /// back. With `max_age`, the person must have proved who they are to the provider no longer ago than that; zero has
    /// them do it again.
    ///
    /// # Errors
    /// The provider cannot be reached, or is not as it should be.
    pub async fn begin(
        &self,
        random: Random,
        max_age: Option<SignedDuration>,
        now: Timestamp,
    ) -> Result<(String, Attempt), Failure> {
        let metadata = self.metadata(now).await?;
        let attempt = self.attempt(random, max_age, now);
        let mut address = metadata.authorization.clone();
        let mut query = address.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client.id)
            .append_pair("redirect_uri", &self.settings.redirect_uri)
            .append_pair("scope", &self.settings.scope)
            .append_pair("state", &attempt.state)
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &attempt.challenge())
            .append_pair("code_challenge_method", "S256");
        if let Some(max_age) = max_age {
            query.append_pair("max_age", &max_age.as_secs().max(0).to_string());
            // Not every provider takes an age of zero for what it means.
            if !max_age.is_positive() {
                query.append_pair("prompt", "login");
            }
        }
        drop(query);
        Ok((address.into(), attempt))
    }

    /// The attempt again, from what [`Provider::begin`] was given: for whoever keeps that, and not the attempt.
    #[must_use]
    pub fn attempt(&self, random: Random, max_age: Option<SignedDuration>, begun: Timestamp) -> Attempt {
        Attempt::new(&self.settings.issuer, random, max_age, begun)
    }

    /// Ends the attempt with what the browser came back with: the query of its address, without `?`. Takes as long as
    /// the provider does for up to three answers, of which each has 10 s.
    ///
    /// # Errors
    /// Why the person is not signed in.
    pub async fn finish(&self, attempt: Attempt, query: &str, now: Timestamp) -> Result<Identity, Refusal> {
        let callback = Callback::parse(query)?;
        callback.answers(&attempt)?;
        if attempt.issuer != self.settings.issuer {
            return Err(Refusal::State);
        }
        if attempt.is_over(now) {
            return Err(Refusal::Over);
        }
        let metadata = self.metadata(now).await?;
        let code = callback.code(&self.settings.issuer, &metadata)?;
        let tokens = exchange(&self.settings, &metadata, &attempt, &code).await?;
        let access_token = tokens.access_token.as_ref().map(|token| token.as_str());
        let expected = Expected { settings: &self.settings, attempt: &attempt, access_token };
        let keys = metadata.keys(&self.settings.http, now).await?;
        match expected.verify(&tokens.id_token, &keys, now) {
            Err(Fault::UnknownKey { .. }) => {
                let keys = metadata.renewed_keys(&self.settings.http, now).await?;
                Ok(expected.verify(&tokens.id_token, &keys, now)?)
            }
            verified => Ok(verified?),
        }
    }

    async fn metadata(&self, now: Timestamp) -> Result<Arc<Metadata>, Failure> {
        let discovery = Metadata::discover(&self.settings.http, &self.settings.issuer);
        self.metadata.get(KEEP, now, discovery).await
    }
}
