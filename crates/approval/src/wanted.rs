//! What an agent sends the gate to ask humans ahead of its calls, and what it is answered: JSON, at paths of the gate's own.
//!
//! | | |
//! |---|---|
//! | `POST /portcullis/v1/access` | a [`WantedAccess`]; answers 201 and an [`Answer`] |
//! | `POST /portcullis/v1/changes` | a [`WantedChanges`]; answers 201 and an [`Answer`] |
//! | `GET /portcullis/v1/approvals/ID` | answers an [`Answer`]; with `?wait=true` once it is pending no longer, or after the hold time |
//!
//! Everything else is answered by a Kubernetes `Status`, as any other call.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::State;

/// Where access is asked for.
pub const ACCESS_PATH: &str = "/portcullis/v1/access";
/// Where changes are proposed.
pub const CHANGES_PATH: &str = "/portcullis/v1/changes";
/// Where it is asked how an approval stands: its id follows.
pub const APPROVALS_PATH: &str = "/portcullis/v1/approvals/";
/// The header of a call that says which call it undoes, as [`WantedCall::restores`] does.
pub const RESTORE_HEADER: &str = "portcullis-restore";
/// So many changes can be proposed at once: what a yes is bound to has to fit into a leaf.
pub const MOST_CHANGES: usize = 64;

/// Access to a scope, for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedAccess {
    /// What for, for people to read.
    pub reason: String,
    /// To what: each as `Scope` reads it.
    pub scopes: Vec<String>,
    /// For how long, from the yes on.
    pub seconds: u32,
    /// The incident, if the glass is to be broken for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
}

/// Several changes, to be decided at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedChanges {
    /// What for, for people to read.
    pub reason: String,
    /// The calls that would make them. Nothing of them is sent but dry runs: the changes are made by calls that follow.
    pub calls: Vec<WantedCall>,
}

/// A call that would make a change.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedCall {
    /// The HTTP method.
    pub method: String,
    /// Path and query, as they would be sent.
    pub path: String,
    /// The body's media type.
    pub content_type: String,
    /// The body.
    pub body: String,
    /// The call that it undoes, as `SESSION/CALL`: the placeholders in the body are those that the recording of that session has, and
    /// the values of before are put back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restores: Option<String>,
}

/// Where what an agent asked for stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Its id. `None`: there was nothing to ask, since policy permits all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
    /// Where it stands.
    pub state: Standing,
    /// What that means, in words; empty while it is pending.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub how: String,
    /// Who must still agree, in words; empty once nobody must.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub needs: String,
    /// Until when it can be decided or, once approved, used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Its page, for humans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// What is asked for, a line each.
    pub asked: Vec<String>,
    /// Of changes: those that policy permits without asking.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
}

/// Where what was asked for stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// There was nothing to ask: policy permits all of it.
    Allowed,
    /// Humans have yet to decide.
    Pending,
    /// It can be used.
    Approved,
    /// A human said no.
    Refused,
    /// Time ran out.
    Expired,
    /// Nobody wants it any more, or somebody ended it.
    Withdrawn,
    /// Each of the changes was made.
    Consumed,
    /// Another was asked in its place.
    Superseded,
}

impl Standing {
    /// In a word, as it is sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::Consumed => "consumed",
            Self::Superseded => "superseded",
        }
    }
}

impl From<&State> for Standing {
    fn from(state: &State) -> Self {
        match state {
            State::Pending => Self::Pending,
            State::Approved { .. } => Self::Approved,
            State::Refused { .. } => Self::Refused,
            State::Expired => Self::Expired,
            State::Withdrawn { .. } => Self::Withdrawn,
            State::Consumed { .. } => Self::Consumed,
            State::Superseded { .. } => Self::Superseded,
        }
    }
}

impl std::fmt::Debug for WantedCall {
    /// Without the body, which may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { method, path, content_type, body, restores } = self;
        let restores = restores.as_ref().map(|call| format!(", restores {call}")).unwrap_or_default();
        write!(f, "{method} {path} ({content_type}, {} bytes{restores})", body.len())
    }
}
