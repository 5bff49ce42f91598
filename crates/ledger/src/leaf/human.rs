//! What humans are asked, how they decide, and as whom they were signed in.

use super::call::{Actor, Decision, Request};
use super::text::{Id, Text};
use serde::{Deserialize, Serialize};

/// Humans were asked to decide: about a call, several changes, or access for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalAsked {
    /// What they were asked, and who may decide. A yes is bound to the digest of its `bound`.
    pub asked: approval::Asked,
    /// The call that waited first, or that asked ahead of others.
    pub call: Id,
    /// Who calls.
    pub actor: Actor,
    /// The one call, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Judged>,
}

/// A call that policy asks humans about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// What is asked, as it would be sent.
    pub request: Request,
    /// The decision to ask.
    pub decision: Decision,
}

/// A step of an approval: a yes, a no, its use, its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalStep {
    /// The approval.
    pub approval: Id,
    /// Which step, when and what. It comes from the state machine, which checks that it may follow.
    pub step: approval::Transition,
}

/// A human was signed in to the console: written before they can do anything there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedIn {
    /// Who, with the groups they were in.
    pub human: approval::Human,
    /// How sure that is.
    pub assurance: approval::Assurance,
    /// The browser's address and port.
    pub src: Text<64>,
}

/// A human enrolled a passkey: written before it can sign anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeyEnrolled {
    /// Whose it is.
    pub human: approval::Human,
    /// What they call it.
    pub name: Text<256>,
    /// The origin of the pages where it can be used.
    pub origin: Text<512>,
    /// It.
    pub passkey: passkey::Credential,
    /// How they were signed in when they enrolled it.
    pub assurance: approval::Assurance,
    /// The browser's address and port.
    pub src: Text<64>,
}

/// A passkey signs nothing any more. Written after it was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeyRemoved {
    /// Whose it was.
    pub human: approval::Human,
    /// Its id.
    pub passkey: passkey::CredentialId,
}
