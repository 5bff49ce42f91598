//! What was signed with a passkey (§7.2).

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::{
    Challenge, Credential, CredentialId, Refusal, RelyingParty,
    authenticator_data::AuthenticatorData,
    base64url,
    client_data::{self, Ceremony},
    registration::credential_id,
};

/// The largest authentication response, in bytes.
const LIMIT: usize = 16 * 1024;

/// A signature and what it is over, as it is kept. It proves nothing until it is [verified](Self::verify).
///
/// The handle that some authenticators send beside it is not kept: nobody signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Text", into = "Text")]
pub struct Assertion {
    credential: CredentialId,
    authenticator_data: Vec<u8>,
    client_data_json: Vec<u8>,
    signature: Vec<u8>,
}

/// Proof that the holder of a passkey, present and made sure of, signed one challenge. Made only by [`Assertion::verify`].
#[derive(Debug)]
pub struct Verified {
    credential: CredentialId,
    challenge: Challenge,
    sign_count: u32,
    backed_up: bool,
}

/// An assertion as it is kept in JSON: all of it is base64url.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    authenticator_data: String,
    client_data_json: String,
    credential_id: CredentialId,
    signature: String,
}

/// What is wanted of an `AuthenticationResponseJSON` (§5.1).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    id: String,
    raw_id: String,
    r#type: String,
    response: AssertionResponse,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssertionResponse {
    authenticator_data: String,
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    signature: String,
}

// === impl Assertion ===

impl Assertion {
    /// What the page's `credential.toJSON()` gave.
    ///
    /// # Errors
    /// It is malformed or too large.
    pub fn from_response(response: &[u8]) -> Result<Self, Refusal> {
        let Response { id, raw_id, r#type, response } =
            Refusal::parse("authentication response", response, LIMIT)?;
        let AssertionResponse { authenticator_data, client_data_json, signature } = response;
        let credential_id = credential_id(&id, &raw_id, &r#type)?;
        Text { authenticator_data, client_data_json, credential_id, signature }.try_into()
    }

    /// The passkey that it says it is of: what to look up the [`Credential`] by.
    #[must_use]
    pub fn credential_id(&self) -> &CredentialId {
        &self.credential
    }

    /// Whether it is a signature by this passkey, over this challenge, at this relying party.
    ///
    /// # Errors
    /// It is not.
    pub fn verify(
        &self,
        rp: &RelyingParty,
        challenge: &Challenge,
        credential: &Credential,
    ) -> Result<Verified, Refusal> {
        if self.credential != credential.id {
            return Err(Refusal::OtherCredential { expected: credential.id.to_string() });
        }
        client_data::check(&self.client_data_json, Ceremony::Authentication, rp, challenge)?;
        let data = AuthenticatorData::parse(&self.authenticator_data)?;
        data.check(rp)?;
        if data.attested.is_some() {
            return Err(Refusal::Attested);
        }
        if data.backup_eligible() != credential.backup_eligible {
            return Err(Refusal::Backup);
        }
        let client_data_hash = digest(&SHA256, &self.client_data_json);
        let signed = [&self.authenticator_data, client_data_hash.as_ref()].concat();
        credential.public_key.verify(&signed, &self.signature)?;
        let (credential, challenge) = (credential.id.clone(), challenge.clone());
        Ok(Verified { credential, challenge, sign_count: data.sign_count, backed_up: data.backed_up() })
    }
}

impl TryFrom<Text> for Assertion {
    type Error = Refusal;

    fn try_from(text: Text) -> Result<Self, Refusal> {
        Ok(Self {
            credential: text.credential_id,
            authenticator_data: base64url::decode("authenticatorData", &text.authenticator_data, 37..=2048)?,
            client_data_json: base64url::decode("clientDataJSON", &text.client_data_json, 1..=4096)?,
            signature: base64url::decode("signature", &text.signature, 1..=512)?,
        })
    }
}

impl From<Assertion> for Text {
    fn from(assertion: Assertion) -> Self {
        Self {
            authenticator_data: base64url::encode(&assertion.authenticator_data),
            client_data_json: base64url::encode(&assertion.client_data_json),
            credential_id: assertion.credential,
            signature: base64url::encode(&assertion.signature),
        }
    }
}

// === impl Verified ===

impl Verified {
    /// The passkey that signed.
    #[must_use]
    pub fn credential_id(&self) -> &CredentialId {
        &self.credential
    }

    /// What it signed.
    #[must_use]
    pub fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// How often the authenticator says it has signed; 0 if it does not count.
    #[must_use]
    pub fn sign_count(&self) -> u32 {
        self.sign_count
    }

    /// Whether the passkey has been copied to other devices by now.
    #[must_use]
    pub fn backed_up(&self) -> bool {
        self.backed_up
    }

    /// Whether it was signed after a signature with this count (§7.2, step 22).
    ///
    /// # Errors
    /// The count did not grow, so there may be a copy of the key that somebody else signs with.
    pub fn follows(&self, previous: u32) -> Result<(), Refusal> {
        let counts = self.sign_count != 0 || previous != 0;
        if counts && self.sign_count <= previous {
            return Err(Refusal::Clone { previous, found: self.sign_count });
        }
        Ok(())
    }
}
