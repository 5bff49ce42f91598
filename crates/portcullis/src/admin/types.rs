//! What goes over the admin socket.

use std::fmt;

use approval::{Bound, Demand, Shown};
use identity::{AgentName, ClusterName, Delegator, Reason, Session, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `POST /v1/sessions`: a session to be opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenSession {
    /// The software that will call.
    pub agent: AgentName,
    /// The human on whose behalf it will run.
    pub delegator: Delegator,
    /// The one cluster it may call.
    pub cluster: ClusterName,
    /// What it is to do.
    pub reason: Reason,
    /// For how many seconds.
    pub ttl_seconds: u32,
}

/// Its answer: all that a kubeconfig needs.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedSession {
    /// The session.
    pub session: SessionView,
    /// Its token: here and never again. Not in `Debug`.
    pub token: String,
    /// The gate's address, for `server` in a kubeconfig.
    pub server: String,
    /// PEM of the CA to trust; `None`: the system's trust will do.
    pub ca: Option<String>,
}

/// A session, as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionView {
    /// `s-…`.
    pub id: String,
    /// `active`, `frozen`, `expired` or `revoked`.
    pub state: String,
    /// The software that calls.
    pub agent: String,
    /// The human on whose behalf.
    pub delegator: String,
    /// The cluster.
    pub cluster: String,
    /// What for.
    pub reason: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends, or ended, by itself.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// By whom.
    pub revoked_by: Option<String>,
    /// Why.
    pub revoked_why: Option<String>,
    /// Since when it is frozen, or was when it ended.
    pub frozen_at: Option<Timestamp>,
    /// By whom.
    pub frozen_by: Option<String>,
    /// Why.
    pub frozen_why: Option<String>,
}

/// `GET /v1/sessions?all=true`: its query.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    /// Those that ended, too.
    #[serde(default)]
    pub(super) all: bool,
}

/// `GET /v1/approvals?all=true`, `GET /v1/approvals?unreviewed=true`: its query.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Those that ended, too.
    #[serde(default)]
    pub(super) all: bool,
    /// Those by which the glass was broken, and which nobody has signed off.
    #[serde(default)]
    pub(super) unreviewed: bool,
}

/// `POST /v1/sessions/ID/revoke`, `…/freeze`, `…/recording/erase`, `POST /v1/approvals/ID/refuse`, `…/end`, `…/review`: why, or what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Because {
    /// In someone's own words.
    pub why: Reason,
}

/// Their answer, and that of `POST /v1/sessions/ID/thaw`, which has no body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangedSession {
    /// The session as it is now.
    pub session: SessionView,
    /// Whether this call changed it; otherwise it was so, or over, before.
    pub changed_now: bool,
    /// Why the ledger does not tell of it, if so. The session is ended, or frozen, all the same.
    pub unrecorded: Option<String>,
}

/// `POST /v1/sessions/ID/recording/erase`: its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasedRecording {
    /// What stays of it.
    pub erased: recording::Tombstone,
    /// Why the ledger does not tell of it yet, if so.
    pub unrecorded: Option<String>,
}

/// `GET /v1/approvals?all=true`: one of the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalView {
    /// `a-…`.
    pub id: String,
    /// `pending`, `approved`, `refused`, `expired`, `withdrawn`, `consumed` or `superseded`.
    pub state: String,
    /// What became of it, in words; empty while it is pending.
    pub how: String,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Until when it can be decided or used; none once it has ended.
    pub deadline: Option<Timestamp>,
    /// What would be done, in words. Holds what the agent wrote.
    pub act: String,
    /// The software that asks.
    pub agent: String,
    /// The human on whose behalf.
    pub delegator: String,
    /// The session.
    pub session: String,
    /// What the session is for.
    pub reason: String,
    /// Who must agree.
    pub demands: Vec<Demand>,
    /// What is still missing: how many humans, by which rule.
    pub missing: Vec<(u32, String)>,
    /// Who said yes so far, and when.
    pub votes: Vec<(String, Timestamp)>,
    /// Who may sign it off: since the glass was broken, and nobody has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviewers: Vec<String>,
    /// Who signed it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewView>,
}

/// A human's word that they have looked at what was done by breaking the glass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewView {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What they found.
    pub found: String,
}

/// `GET /v1/approvals/ID`: one of them, with what approvers are shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalDetail {
    /// Where it stands.
    pub approval: ApprovalView,
    /// What exactly is asked: a yes is bound to the digest of it.
    pub bound: Bound,
    /// That digest.
    pub digest: String,
    /// What would change, masked: of several changes, each; of access, nothing.
    pub shown: Vec<Shown>,
}

/// `POST /v1/console/links`: a way into the console.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsoleLink {
    /// The link: a secret until it is used, once. Not in `Debug`.
    pub url: String,
    /// Until when it can be.
    pub until: Timestamp,
    /// Whom it signs in.
    pub who: String,
}

/// Any answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// What was wrong and what would be right.
    pub error: String,
}

impl SessionView {
    pub(super) fn of(session: Session, now: Timestamp) -> Self {
        let state = match session.state(now) {
            State::Active => "active",
            State::Frozen => "frozen",
            State::Expired => "expired",
            State::Revoked => "revoked",
        };
        let (revoked, frozen) = (session.revoked, session.frozen);
        Self {
            id: session.id,
            state: state.to_owned(),
            agent: session.agent,
            delegator: session.delegator,
            cluster: session.cluster,
            reason: session.reason,
            created_at: session.created_at,
            expires_at: session.expires_at,
            revoked_at: revoked.as_ref().map(|revoked| revoked.at),
            revoked_by: revoked.as_ref().map(|revoked| revoked.by.clone()),
            revoked_why: revoked.map(|revoked| revoked.why),
            frozen_at: frozen.as_ref().map(|frozen| frozen.at),
            frozen_by: frozen.as_ref().map(|frozen| frozen.by.clone()),
            frozen_why: frozen.map(|frozen| frozen.why),
        }
    }
}

impl fmt::Debug for ConsoleLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { until, who, .. } = self;
        f.debug_struct("ConsoleLink").field("until", until).field("who", who).finish_non_exhaustive()
    }
}

impl fmt::Debug for OpenedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, server, .. } = self;
        f.debug_struct("OpenedSession")
            .field("session", session)
            .field("server", server)
            .finish_non_exhaustive()
    }
}
