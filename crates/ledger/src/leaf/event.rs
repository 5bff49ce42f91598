//! The events that leaves tell of. A closed set: a reader that does not know a type says so.

use super::call::{Actor, Answered, Decision, Intent, Outcome, Refusal, Request};
use super::text::{Asserted, Digest, Id, List, Name, Person, Text};
use crate::canonical;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// The closed set of events: for each its type, and what its leaf calls it.
macro_rules! events {
    ($($(#[$doc:meta])* $event:ident($type:ty) = $name:literal,)*) => {
        /// Something that happened.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Event {
            $($(#[$doc])* $event($type),)*
        }

        /// The type of an event, as it stands in the leaf.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[$doc])* #[serde(rename = $name)] $event,)*
        }

        impl Event {
            /// The event's type.
            #[must_use]
            pub fn kind(&self) -> Kind {
                match self {
                    $(Self::$event(_) => Kind::$event,)*
                }
            }

            pub(super) fn serialize(&self) -> Result<Vec<u8>, canonical::Error> {
                match self {
                    $(Self::$event(event) => canonical::serialize(event),)*
                }
            }

            pub(super) fn decode(kind: Kind, value: Value) -> Result<Self, serde_json::Error> {
                Ok(match kind {
                    $(Kind::$event => Self::$event(serde_json::from_value(value)?),)*
                })
            }
        }

        impl fmt::Display for Kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$event => $name,)*
                })
            }
        }
    };
}

events! {
    /// The gateway started: the first leaf of every boot.
    Start(Start) = "start",
    /// The gateway stopped in order: the last leaf of a boot that did not crash.
    Stop(Stop) = "stop",
    /// A call was permitted and is about to be sent. Its outcome follows.
    Intent(Box<Intent>) = "intent",
    /// How a permitted call ended.
    Outcome(Outcome) = "outcome",
    /// A call that was never sent, and why.
    Refusal(Box<Refusal>) = "refusal",
    /// A call that the gate answered by itself: a question about the caller's own rights, or one that it sent in parts.
    Answered(Box<Answered>) = "answered",
    /// Calls turned away at the door, counted together.
    Rejections(Rejections) = "rejections",
    /// A session began.
    SessionOpened(Box<SessionOpened>) = "session_opened",
    /// A session was ended by someone.
    SessionRevoked(SessionRevoked) = "session_revoked",
    /// A session's time was over.
    SessionExpired(SessionExpired) = "session_expired",
    /// A session is refused until it is thawed.
    SessionFrozen(SessionFrozen) = "session_frozen",
    /// A frozen session may be used again.
    SessionThawed(SessionThawed) = "session_thawed",
    /// An agent sent secret values that the gate knows.
    KnownValueSent(KnownValueSent) = "known_value_sent",
    /// Which Secrets of a cluster the gate reads from now on.
    SecretsRead(SecretsRead) = "secrets_read",
    /// A policy bundle came into force.
    PolicyLoaded(PolicyLoaded) = "policy_loaded",
    /// Humans were asked to decide.
    ApprovalAsked(Box<ApprovalAsked>) = "approval_asked",
    /// What became of it, step by step.
    ApprovalStep(ApprovalStep) = "approval_step",
    /// A human was signed in to the console.
    SignedIn(Box<SignedIn>) = "signed_in",
    /// A human enrolled a passkey: from now on it can sign what they decide.
    PasskeyEnrolled(Box<PasskeyEnrolled>) = "passkey_enrolled",
    /// A passkey signs nothing any more.
    PasskeyRemoved(PasskeyRemoved) = "passkey_removed",
    /// A segment of a session's recording is on disk.
    Recorded(Recorded) = "recorded",
    /// A session's recording was erased.
    RecordingErased(RecordingErased) = "recording_erased",
}

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

/// A segment of a session's recording is on disk: what comes out of it can be held against this. After a crash the last
/// segment of a recording may be told again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// Whose recording it is.
    pub session: Id,
    /// Its place in the recording, from 1.
    pub segment: u64,
    /// The digest of its file.
    pub sha256: Digest,
    /// The digest of the segment before; the first has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// Bytes of its file.
    pub bytes: u64,
    /// Records in it.
    pub records: u64,
}

/// A session's recording was erased. What it held is gone; its leaves stay, and say that it was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordingErased {
    /// Whose recording it was.
    pub session: Id,
    /// Why: a rule for how long recordings are kept, or a person's words.
    pub why: Text<1024>,
    /// How many segments it had.
    pub segments: u64,
    /// The number of the last, if it had any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
    /// The digest of the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
}

/// The gateway started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Name and version of the binary.
    pub build: Name,
    /// Digest of the configuration file, byte for byte.
    pub config: Digest,
    /// Digest of the policy bundle in force.
    pub policy: Digest,
    /// The clusters served, by name.
    pub clusters: List<Name, 32>,
    /// Fixed denials that the operator's configuration lifted.
    pub lifted: List<Lifted, 32>,
    /// How the boot before this one ended. The ledger sets it from what it finds on disk.
    #[serde(default)]
    pub previous: Previous,
}

/// A fixed denial that does not hold on a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifted {
    /// The cluster.
    pub cluster: Name,
    /// The denial's name.
    pub denial: Name,
}

/// How the boot before ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Previous {
    /// There was none.
    #[default]
    None,
    /// With a stop leaf.
    Clean,
    /// Without one: a crash, a kill, or a ledger that could not write.
    Unclean,
}

/// The gateway stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Whether every open call had come to its end.
    pub clean: bool,
}

/// Calls that are counted, not told one by one, so that a flood of them does not fill the disk: those of which nothing
/// was known but their credential, and the refusals and self-reviews of a session that had more than its budget of
/// them. Calls that came while there is no such leaf: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rejections {
    /// All of them came within this many seconds before the leaf.
    pub period_s: u64,
    /// Calls without a valid session token: 401.
    pub unauthenticated: u64,
    /// Calls of sessions that had as many open as they may: 429.
    pub over_limit: u64,
    /// Whose those were. Once 32 sessions are listed, calls of further ones are in `over_limit` alone.
    #[serde(default)]
    pub sessions: List<Share, 32>,
    /// Calls that were refused, as a [`Refusal`] would tell, beyond what their session may have told one by one.
    #[serde(default)]
    pub refused: u64,
    /// Whose those were, all of them: for more than 32 sessions there are several leaves.
    #[serde(default)]
    pub refused_sessions: List<Share, 32>,
    /// Calls that the gate answered by itself, as an [`Answered`] would tell, beyond what their session may have told
    /// one by one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub answered: u64,
    /// Whose those were, as above.
    #[serde(default, skip_serializing_if = "List::is_empty")]
    pub answered_sessions: List<Share, 32>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A session's share of calls that were counted together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The session.
    pub session: Id,
    /// How many of its calls they are.
    pub calls: u64,
}

/// A session began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionOpened {
    /// The session.
    pub session: Id,
    /// The agent.
    pub agent: Name,
    /// Its groups.
    pub groups: List<Name, 32>,
    /// The human on whose behalf.
    pub delegator: Person,
    /// The cluster, by name.
    pub cluster: Name,
    /// What for.
    pub reason: Asserted<Text<2048>>,
    /// Who opened it.
    pub by: Person,
    /// When it ends by itself, RFC 3339.
    pub expires: Text<64>,
}

/// A session was ended by someone. After a crash a session may have a second such leaf, with a later time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionRevoked {
    /// The session.
    pub session: Id,
    /// Who ended it.
    pub by: Person,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<2048>>,
}

/// A session's time was over: written within a second of it, or at the next start when no gate ran then. The exact
/// time is [`SessionOpened::expires`]. After a crash a session may have a second such leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionExpired {
    /// The session.
    pub session: Id,
}

/// A session was frozen, by someone or by the gate. After a crash a session may have a second such leaf, with a later
/// time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionFrozen {
    /// The session.
    pub session: Id,
    /// Who froze it; `portcullis` for the gate itself.
    pub by: Person,
    /// Why.
    pub reason: Text<2048>,
}

/// A frozen session may be used again: written before it can be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionThawed {
    /// The session.
    pub session: Id,
    /// Who thawed it.
    pub by: Person,
}

/// What an agent sent holds values of Secrets: how many different ones, neither which nor where. Written beside the
/// call's other leaves, before or after them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownValueSent {
    /// The call.
    pub call: Id,
    /// Its session.
    pub session: Id,
    /// How many.
    pub values: u32,
}

/// Which Secrets of a cluster the gate reads from now on, as a user of its own, so that their values are masked wherever they
/// appear. Written before the first is read; for each cluster, also where none are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretsRead {
    /// The cluster.
    pub cluster: Name,
    /// The user that reads them, at the API server.
    pub by: Name,
    /// Of namespaces that one of these matches, in which `*` stands for any characters. Empty: none are read, and values
    /// are masked at their places alone.
    pub namespaces: List<Name, 32>,
    /// But not of these types.
    pub except_types: List<Name, 32>,
}

/// A policy bundle came into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyLoaded {
    /// Digest of the bundle.
    pub policy: Digest,
    /// Digest of the one before, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Digest>,
    /// How many policies it has.
    pub policies: u64,
}
