//! What the gate tells of itself: boots, what it reads, the policy in force, and calls that it only counts.

use super::text::{Digest, Id, List, Name};
use serde::{Deserialize, Serialize};

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
    /// Calls that were refused, as a [`Refusal`](super::Refusal) would tell, beyond what their session may have told one by one.
    #[serde(default)]
    pub refused: u64,
    /// Whose those were, all of them: for more than 32 sessions there are several leaves.
    #[serde(default)]
    pub refused_sessions: List<Share, 32>,
    /// Calls that the gate answered by itself, as an [`Answered`](super::Answered) would tell, beyond what their session may have told
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
