//! The events that leaves tell of. A closed set: a reader that does not know a type says so.

use super::call::{Answered, Intent, Outcome, Refusal};
use super::gate::{PolicyLoaded, Rejections, SecretsRead, Start, Stop};
use super::human::{ApprovalAsked, ApprovalStep, PasskeyEnrolled, PasskeyRemoved, SignedIn};
use super::recording::{Recorded, RecordingErased};
use super::session::{
    KnownValueSent, SessionExpired, SessionFrozen, SessionOpened, SessionRevoked, SessionThawed,
};
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
