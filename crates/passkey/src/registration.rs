//! A passkey that was made (§7.1).

use serde::Deserialize;

use crate::{
    Challenge, Credential, CredentialId, Refusal, RelyingParty, authenticator_data::AuthenticatorData,
    base64url, cbor::Reader, client_data,
};

/// The largest registration response, in bytes. Certificates in attestation statements are most of it.
const LIMIT: usize = 64 * 1024;

const PART: &str = "attestationObject";

/// What is wanted of a `RegistrationResponseJSON` (§5.1): the rest says again what is in these, or what nobody signed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    id: String,
    raw_id: String,
    r#type: String,
    response: AttestationResponse,
}

#[derive(Deserialize)]
struct AttestationResponse {
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    #[serde(rename = "attestationObject")]
    attestation_object: String,
}

/// The passkey that was made for this challenge, from what the page's `credential.toJSON()` gave.
///
/// Whatever the authenticator attests is left unread, see the [crate]'s page. Whether the passkey's ID is registered already,
/// and for whom, is the caller's to check (§7.1).
///
/// # Errors
/// It is malformed, too large, or not what was asked for.
pub fn register(rp: &RelyingParty, challenge: &Challenge, response: &[u8]) -> Result<Credential, Refusal> {
    let response: Response = Refusal::parse("registration response", response, LIMIT)?;
    let id = credential_id(&response.id, &response.raw_id, &response.r#type)?;
    let parts = &response.response;
    let client_data = base64url::decode("clientDataJSON", &parts.client_data_json, 1..=4096)?;
    client_data::check(&client_data, client_data::Ceremony::Registration, rp, challenge)?;
    let attestation = base64url::decode(PART, &parts.attestation_object, 1..=LIMIT)?;
    let data = AuthenticatorData::parse(authenticator_data(&attestation)?)?;
    data.check(rp)?;
    let (backup_eligible, backed_up) = (data.backup_eligible(), data.backed_up());
    let attested = data.attested.ok_or(Refusal::NoCredential)?;
    if attested.id != id {
        return Err(Refusal::Ids);
    }
    let (public_key, aaguid, sign_count) = (attested.public_key, attested.aaguid, data.sign_count);
    Ok(Credential { id, public_key, aaguid, sign_count, backup_eligible, backed_up })
}

/// The ID that a response is of: it has it twice.
pub(crate) fn credential_id(id: &str, raw_id: &str, kind: &str) -> Result<CredentialId, Refusal> {
    if kind != "public-key" {
        return Err(Refusal::NotPublicKey);
    }
    if id == raw_id { CredentialId::parse(raw_id) } else { Err(Refusal::Ids) }
}

/// The authenticator data in an attestation object (§6.5): a map of that, the statement and the statement's format.
fn authenticator_data(attestation: &[u8]) -> Result<&[u8], Refusal> {
    let mut reader = Reader::new(PART, attestation);
    let (mut format, mut statement, mut data) = (None, None, None);
    for _ in 0..reader.map()? {
        let twice = match reader.text()? {
            "fmt" => format.replace(reader.text()?).is_some(),
            "attStmt" => statement.replace(reader.skip_item()?).is_some(),
            "authData" => data.replace(reader.bytes()?).is_some(),
            _ => true,
        };
        if twice {
            return Err(reader.refusal());
        }
    }
    if reader.position() != attestation.len() {
        return Err(Refusal::Trailing(PART));
    }
    match (format, statement, data) {
        (Some(_), Some(()), Some(data)) => Ok(data),
        _ => Err(reader.refusal()),
    }
}
