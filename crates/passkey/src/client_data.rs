//! What the browser says that it was asked (§5.8.1).

use serde::{Deserialize, de::IgnoredAny};

use crate::{Challenge, Refusal, RelyingParty, refusal};

/// What is done with a passkey.
#[derive(Clone, Copy)]
pub(crate) enum Ceremony {
    Registration,
    Authentication,
}

/// What is wanted of client data. Browsers add members as they like.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    cross_origin: Option<bool>,
    top_origin: Option<IgnoredAny>,
}

/// Whether the browser was asked for this, for this challenge, by the relying party's own page and by no page around it.
pub(crate) fn check(
    json: &[u8],
    ceremony: Ceremony,
    rp: &RelyingParty,
    challenge: &Challenge,
) -> Result<(), Refusal> {
    let data: ClientData =
        serde_json::from_slice(json).map_err(|error| Refusal::json("clientDataJSON", &error))?;
    if data.r#type != ceremony.as_str() {
        return Err(Refusal::OtherCeremony { expected: ceremony.as_str() });
    }
    if data.challenge != challenge.encoded() {
        return Err(Refusal::OtherChallenge);
    }
    if data.origin != rp.origin() {
        let found = refusal::excerpt(&data.origin);
        return Err(Refusal::OtherOrigin { found, expected: rp.origin().into() });
    }
    if data.cross_origin == Some(true) || data.top_origin.is_some() {
        return Err(Refusal::Framed);
    }
    Ok(())
}

impl Ceremony {
    fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "webauthn.create",
            Self::Authentication => "webauthn.get",
        }
    }
}
