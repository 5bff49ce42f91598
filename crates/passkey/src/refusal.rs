//! Why a registration or an assertion is not taken.

use serde::de::DeserializeOwned;

/// Why not. Says which part it is about and what can be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No passkeys there, or not as browsers write it.
    #[error(
        "`{0}` is no origin where passkeys work: write `https://`, the host's name in lower case and a port if it is not 443, \
         nothing after it; `http://` is for `localhost` alone"
    )]
    NotAnOrigin(String),
    /// An origin may use passkeys of its host and of the domains above it.
    #[error(
        "relying party ID `{id}` is neither the host of `{origin}` nor a domain above it: name one of those"
    )]
    NotTheOrigins {
        /// The relying party ID.
        id: String,
        /// The origin.
        origin: String,
    },
    /// Larger than any that is honest.
    #[error("the {part} has more than {most} bytes: send what `toJSON()` of the browser's credential gives")]
    TooLarge {
        /// What it was.
        part: &'static str,
        /// How many it may have.
        most: usize,
    },
    /// Not JSON, or not with the members that it must have.
    #[error(
        "the {part} is not what it should be at line {line}, column {column}: \
         send what `toJSON()` of the browser's credential gives"
    )]
    Json {
        /// What it was.
        part: &'static str,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// Not base64url, or with padding.
    #[error(
        "the {0} is not base64url without padding: send what `toJSON()` of the browser's credential gives"
    )]
    NotBase64Url(&'static str),
    /// Too short or too long.
    #[error("the {part} has to have {least} to {most} bytes")]
    Size {
        /// What it was.
        part: &'static str,
        /// The fewest.
        least: usize,
        /// The most.
        most: usize,
    },
    /// Not CBOR, not canonical, or not the members that it must have.
    #[error(
        "the {part} is not canonical CBOR with the members it must have, at byte {at}: use another authenticator"
    )]
    NotCbor {
        /// What it was.
        part: &'static str,
        /// Where.
        at: usize,
    },
    /// It ends too early.
    #[error("the {0} ends too early: use another authenticator")]
    Truncated(&'static str),
    /// Something follows it.
    #[error("the {0} is followed by bytes that do not belong there: use another authenticator")]
    Trailing(&'static str),
    /// Not the text of a UUID.
    #[error("an AAGUID is written as a UUID, in lower case")]
    Aaguid,
    /// Another kind of credential.
    #[error("the credential's `type` is not `public-key`: use a passkey")]
    NotPublicKey,
    /// `id`, `rawId` and the authenticator data do not name one credential.
    #[error("the credential has more than one ID: use another browser or authenticator")]
    Ids,
    /// Made where an assertion is needed, or the other way.
    #[error("the clientDataJSON is not of type `{expected}`: ask the browser for that")]
    OtherCeremony {
        /// What it should be.
        expected: &'static str,
    },
    /// Something else was signed.
    #[error("the passkey was asked to sign another challenge: load the page again and sign what it shows")]
    OtherChallenge,
    /// Another page asked for it.
    #[error("the passkey was used at `{found}` and not at `{expected}`: open that address, and no other")]
    OtherOrigin {
        /// Where it was used.
        found: String,
        /// Where it should be.
        expected: String,
    },
    /// A page around it may have shown something else.
    #[error("the passkey was used in a page inside another site's page: open it by itself")]
    Framed,
    /// The passkey is another relying party's.
    #[error("the passkey is not one of `{expected}`: use one that is")]
    OtherRelyingParty {
        /// Whose it should be.
        expected: String,
    },
    /// Nobody was there.
    #[error("the authenticator did not see that anybody was there: use one that is touched or asks")]
    NotPresent,
    /// Nobody was made sure of.
    #[error("the authenticator did not make sure of who used it: set a PIN, a finger or a face for it")]
    NotVerified,
    /// Backed up without being eligible, or no longer as eligible as it was.
    #[error("the authenticator contradicts itself about backups of the passkey: register it again")]
    Backup,
    /// A registration has to have a credential.
    #[error("the authenticator made no passkey: try again")]
    NoCredential,
    /// An assertion must not have one.
    #[error("the assertion holds a new passkey: use another authenticator")]
    Attested,
    /// Not one that was offered.
    #[error("the passkey signs by COSE algorithm {0}: use an authenticator that has ES256, EdDSA or RS256")]
    Algorithm(i64),
    /// Not on the curve, of another curve, or too short.
    #[error("the passkey's public key is not a valid key of its algorithm: use another authenticator")]
    PublicKey,
    /// Another passkey signed.
    #[error("another passkey signed than `{expected}`: use that one")]
    OtherCredential {
        /// Its ID.
        expected: String,
    },
    /// The key did not sign this.
    #[error("the signature is not the passkey's over this: sign again")]
    Signature,
    /// The signature counter did not grow.
    #[error(
        "the passkey's signature counter went from {previous} to {found}: there may be a copy of it, so remove it"
    )]
    Clone {
        /// What it was.
        previous: u32,
        /// What it is.
        found: u32,
    },
}

impl Refusal {
    pub(crate) fn json(part: &'static str, error: &serde_json::Error) -> Self {
        // What the error says may quote the input at any length.
        Self::Json { part, line: error.line(), column: error.column() }
    }

    /// Parses `json` if it has at most `most` bytes.
    pub(crate) fn parse<T: DeserializeOwned>(
        part: &'static str,
        json: &[u8],
        most: usize,
    ) -> Result<T, Self> {
        if json.len() > most {
            return Err(Self::TooLarge { part, most });
        }
        serde_json::from_slice(json).map_err(|error| Self::json(part, &error))
    }
}

/// Somebody else's text, fit for a line.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(100).flat_map(char::escape_debug).collect()
}
