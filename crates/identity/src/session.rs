//! Opening a session: what is asked, what is refused, what is given.

use jiff::SignedDuration;
use store::Session;

use crate::{AgentName, ClusterName, Delegator, EntropyError, Reason, Token};

/// A session somebody asks for.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The software that will call.
    pub agent: AgentName,
    /// The human on whose behalf it will run.
    pub delegator: Delegator,
    /// The one cluster it may call.
    pub cluster: ClusterName,
    /// What it is to do.
    pub reason: Reason,
    /// For how long: a second up to the configured maximum.
    pub ttl: SignedDuration,
}

/// A session that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The session as stored.
    pub session: Session,
    /// Its token: here and never again.
    pub token: Token,
}

/// Why a session may not be opened, or may not go on. Lists what would be right, to at most ten names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The configuration names no such agent.
    #[error("unknown agent `{agent}`: configured are {configured}")]
    UnknownAgent {
        /// The agent asked for.
        agent: AgentName,
        /// Those there are, for people.
        configured: String,
    },
    /// The configuration names no such cluster.
    #[error("unknown cluster `{cluster}`: configured are {configured}")]
    UnknownCluster {
        /// The cluster asked for.
        cluster: ClusterName,
        /// Those there are, for people.
        configured: String,
    },
    /// The agent is not let to that cluster.
    #[error("agent `{agent}` may not use cluster `{cluster}`: it may use {allowed}")]
    ClusterNotAllowed {
        /// The agent.
        agent: AgentName,
        /// The cluster asked for.
        cluster: ClusterName,
        /// Those it may use, for people.
        allowed: String,
    },
    /// An agent would answer for an agent.
    #[error("delegator `{0}` is an agent: name the human on whose behalf the agent runs")]
    DelegatorIsAgent(Delegator),
    /// No time, or less than a second.
    #[error("ttl `{ttl:#}` is too short: give at least 1s")]
    TtlTooShort {
        /// The time asked for.
        ttl: SignedDuration,
    },
    /// More time than is allowed.
    #[error("ttl `{ttl:#}` is too long: at most {most:#} are allowed")]
    TtlTooLong {
        /// The time asked for.
        ttl: SignedDuration,
        /// The configured maximum.
        most: SignedDuration,
    },
    /// The registry is full.
    #[error("{most} sessions are open: revoke some, or wait until they expire")]
    TooMany {
        /// The most there can be.
        most: usize,
    },
}

/// Why a session was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It may not be.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There was nothing to make a token of.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] store::Error),
}
