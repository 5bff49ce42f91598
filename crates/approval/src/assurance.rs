//! How sure it is who decided.

use std::fmt;

use passkey::{Assertion, Challenge, Credential, RelyingParty, Verified};
use serde::{Deserialize, Serialize};

use crate::{Digest, Refusal};

/// How it is known that this human decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assurance {
    /// A browser that was signed in by a link, which their account on the gate's own machine was given once.
    Link,
    /// Their account on the gate's own machine.
    LocalAccount,
    /// A browser that was signed in by an OpenID provider.
    Provider,
    /// Their passkey signed what they decided.
    Passkey(Box<Signed>),
}

/// A decision that a passkey signed, with all that it takes to verify it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// The origin of the page where it was signed; its host is the relying party's id.
    pub origin: String,
    /// The passkey, as it was when it was enrolled.
    pub passkey: Credential,
    /// How sure it was who enrolled it: it is worth no more.
    pub enrolled: Level,
    /// What it signed: the challenge in it is the digest of what was asked.
    pub assertion: Assertion,
}

/// How sure a rule wants to be, from the least on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// [`Assurance::Link`].
    Link,
    /// [`Assurance::LocalAccount`].
    LocalAccount,
    /// [`Assurance::Provider`].
    Provider,
    /// [`Assurance::Passkey`].
    Passkey,
}

// === impl Assurance, Signed ===

impl Assurance {
    /// How sure that is.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::Link => Level::Link,
            Self::LocalAccount => Level::LocalAccount,
            Self::Provider => Level::Provider,
            Self::Passkey(_) => Level::Passkey,
        }
    }

    /// Whether it is as sure as that. A passkey is a signature whoever enrolled it, and a sign-in by a provider only if it was enrolled
    /// by one.
    #[must_use]
    pub fn meets(&self, level: Level) -> bool {
        match self {
            Self::Passkey(signed) => level == Level::Passkey || signed.enrolled >= level,
            other => other.level() >= level,
        }
    }

    /// Whether it holds for a decision about what has this digest.
    pub(crate) fn holds_for(&self, digest: Digest) -> Result<(), Refusal> {
        match self {
            Self::Passkey(signed) => signed.verify(digest).map(drop).map_err(Refusal::Passkey),
            Self::Link | Self::LocalAccount | Self::Provider => Ok(()),
        }
    }
}

impl Signed {
    /// Whether the passkey signed this digest, at this origin, by somebody who was there and made sure of.
    ///
    /// # Errors
    /// It did not.
    pub fn verify(&self, digest: Digest) -> Result<Verified, passkey::Refusal> {
        let party = relying_party(&self.origin)?;
        self.assertion.verify(&party, &Challenge::from(digest.bytes()), &self.passkey)
    }
}

/// The relying party of a console at this origin.
///
/// # Errors
/// Passkeys do not work there.
pub fn relying_party(origin: &str) -> Result<RelyingParty, passkey::Refusal> {
    let host = origin.rsplit_once("://").map_or(origin, |(_, rest)| rest);
    let host = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(host, |(host, _)| host);
    RelyingParty::new(host, origin)
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link => "by a one-time link",
            Self::LocalAccount => "by their account on the gate's machine",
            Self::Provider => "signed in by the OpenID provider",
            Self::Passkey(_) => "signed by their passkey",
        })
    }
}

// === impl Level ===

impl Level {
    /// As rules write it in `@assurance`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::LocalAccount => "account",
            Self::Provider => "provider",
            Self::Passkey => "passkey",
        }
    }

    /// What a rule wrote; `None`: rules cannot ask for that.
    #[must_use]
    pub fn of_rule(text: &str) -> Option<Self> {
        [Self::LocalAccount, Self::Provider, Self::Passkey].into_iter().find(|level| level.as_str() == text)
    }
}
