//! The life of a session, and what is told of it beside its calls.

use super::text::{Asserted, Id, List, Name, Person, Text};
use serde::{Deserialize, Serialize};

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
