//! What is kept of a passkey.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{PublicKey, Refusal, base64url};

/// A passkey as it was registered (§4, "credential record"). Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// Its ID.
    pub id: CredentialId,
    /// What its signatures are verified with.
    pub public_key: PublicKey,
    /// What model of authenticator it says it is in. Nobody vouches for that.
    pub aaguid: Aaguid,
    /// How often it had signed; 0 for all who do not count. To be replaced by [`Verified::sign_count`](crate::Verified::sign_count).
    pub sign_count: u32,
    /// Whether it may be copied to other devices: it is for its whole life.
    pub backup_eligible: bool,
    /// Whether it has been copied.
    pub backed_up: bool,
}

/// What an authenticator calls a passkey: 16 to 1023 bytes (§4, "credential ID"). Its text is base64url.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CredentialId(Vec<u8>);

/// A model of authenticator (§6.5). Its text is that of a UUID, as in lists of authenticators.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Aaguid([u8; 16]);

// === impl CredentialId ===

impl CredentialId {
    /// These bytes.
    ///
    /// # Errors
    /// They are fewer than 16 or more than 1023.
    pub fn new(bytes: &[u8]) -> Result<Self, Refusal> {
        base64url::sized("credential ID", bytes.to_vec(), 16..=1023).map(Self)
    }

    /// The ID in this text.
    ///
    /// # Errors
    /// It is not base64url, or not of 16 to 1023 bytes.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        base64url::decode("credential ID", text, 16..=1023).map(Self)
    }
}

impl TryFrom<String> for CredentialId {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::parse(&text)
    }
}

impl From<CredentialId> for String {
    fn from(id: CredentialId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(&self.0))
    }
}

impl fmt::Debug for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CredentialId({self})")
    }
}

// === impl Aaguid ===

impl Aaguid {
    pub(crate) fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<String> for Aaguid {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self, Refusal> {
        let digits = text.replace('-', "");
        let number = u128::from_str_radix(&digits, 16).map_err(|_| Refusal::Aaguid)?;
        let aaguid = Self(number.to_be_bytes());
        // One text for one model.
        if aaguid.to_string() == text { Ok(aaguid) } else { Err(Refusal::Aaguid) }
    }
}

impl From<Aaguid> for String {
    fn from(aaguid: Aaguid) -> Self {
        aaguid.to_string()
    }
}

impl fmt::Display for Aaguid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            f.write_str(if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" })?;
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Aaguid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aaguid({self})")
    }
}
