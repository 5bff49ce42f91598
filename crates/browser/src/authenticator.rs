//! Passkeys without hardware.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use serde::Deserialize;
use serde_json::json;

use crate::{field, session::Session};

/// A platform authenticator (CTAP2, resident keys, user verification) whose user is always there, and agrees.
///
/// It belongs to one page, and is gone with it.
#[derive(Debug)]
pub struct Authenticator {
    session: Arc<Session>,
    id: String,
    patience: Duration,
}

/// A passkey. Its private key stays in the browser.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credential {
    /// Its id, in base64.
    #[serde(rename = "credentialId")]
    pub id: String,
    /// Whether it can be found without being named.
    #[serde(rename = "isResidentCredential")]
    pub resident: bool,
    /// The site it is for, such as `localhost`.
    #[serde(rename = "rpId")]
    pub relying_party: Option<String>,
    /// The user it is for, in base64.
    pub user_handle: Option<String>,
    /// How often it signed.
    pub sign_count: u32,
}

// === impl Authenticator ===

impl Authenticator {
    pub(crate) fn plug_in(session: &Arc<Session>, patience: Duration) -> anyhow::Result<Self> {
        let options = json!({ "options": {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserVerified": true, "automaticPresenceSimulation": true,
        }});
        session.call("WebAuthn.enable", &json!({}), patience)?;
        let answer = session.call("WebAuthn.addVirtualAuthenticator", &options, patience)?;
        Ok(Self { session: Arc::clone(session), id: field::name(&answer, "/authenticatorId")?, patience })
    }

    /// Whether the user's finger or PIN is the right one from now on.
    ///
    /// # Errors
    /// Chromium has ended, or the page is gone.
    pub fn set_user_verified(&self, verified: bool) -> anyhow::Result<()> {
        let parameters = json!({ "authenticatorId": self.id, "isUserVerified": verified });
        self.session.call("WebAuthn.setUserVerified", &parameters, self.patience)?;
        Ok(())
    }

    /// The passkeys it holds.
    ///
    /// # Errors
    /// As [`Authenticator::set_user_verified`].
    pub fn credentials(&self) -> anyhow::Result<Vec<Credential>> {
        let parameters = json!({ "authenticatorId": self.id });
        let answer = self.session.call("WebAuthn.getCredentials", &parameters, self.patience)?;
        serde_json::from_value(field::take(answer, "/credentials"))
            .context("Chromium tells the passkeys in another form")
    }
}
