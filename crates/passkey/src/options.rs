//! What the page asks the browser for.

use serde_json::{Value, json};

use crate::{Algorithm, Challenge, CredentialId, Refusal, RelyingParty, base64url};

/// How long the human has, in milliseconds: what §15.1 recommends where they must be verified.
const TIMEOUT: u32 = 300_000;

/// Whom a passkey is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    handle: Vec<u8>,
    name: String,
    display_name: String,
}

impl User {
    /// The user with this handle, of 1 to 64 bytes that do not tell who it is (§14.6.1), an account name and a name to show.
    ///
    /// # Errors
    /// The handle is empty or longer than 64 bytes.
    pub fn new(handle: &[u8], name: &str, display_name: &str) -> Result<Self, Refusal> {
        let handle = base64url::sized("user handle", handle.to_vec(), 1..=64)?;
        Ok(Self { handle, name: name.into(), display_name: display_name.into() })
    }
}

/// What to ask for a new passkey: `PublicKeyCredentialCreationOptionsJSON` (§5.1), for
/// `PublicKeyCredential.parseCreationOptionsFromJSON`. An authenticator that has one of `exclude` makes no other.
#[must_use]
pub fn creation_options(
    rp: &RelyingParty,
    challenge: &Challenge,
    user: &User,
    exclude: &[CredentialId],
) -> Value {
    let parameters = Algorithm::ALL.map(|alg| json!({ "type": "public-key", "alg": alg.number() }));
    json!({
        "rp": { "id": rp.id(), "name": rp.id() },
        "user": {
            "id": base64url::encode(&user.handle),
            "name": user.name,
            "displayName": user.display_name,
        },
        "challenge": challenge.encoded(),
        "pubKeyCredParams": parameters,
        "timeout": TIMEOUT,
        "excludeCredentials": descriptors(exclude),
        "authenticatorSelection": { "residentKey": "preferred", "userVerification": "required" },
        "attestation": "none",
    })
}

/// What to ask for an assertion: `PublicKeyCredentialRequestOptionsJSON` (§5.1), for
/// `PublicKeyCredential.parseRequestOptionsFromJSON`. If `allow` is empty, the browser offers every passkey of the relying party.
#[must_use]
pub fn request_options(rp: &RelyingParty, challenge: &Challenge, allow: &[CredentialId]) -> Value {
    json!({
        "challenge": challenge.encoded(),
        "timeout": TIMEOUT,
        "rpId": rp.id(),
        "allowCredentials": descriptors(allow),
        "userVerification": "required",
    })
}

fn descriptors(ids: &[CredentialId]) -> Vec<Value> {
    ids.iter().map(|id| json!({ "type": "public-key", "id": id.to_string() })).collect()
}
