//! What was asked, and of whom.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Assurance, Bound, Human, Level};

/// A request for approval, as it was made. It never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub at: Timestamp,
    /// Until when it can be decided.
    pub decide_by: Timestamp,
    /// For how many seconds a yes can be used, once, or for each change once; access: as often as wanted.
    pub use_seconds: u32,
    /// What it is for.
    pub bound: Bound,
    /// Who must agree. Each of these, not any of them.
    pub demands: Vec<Demand>,
}

/// What one rule demands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demand {
    /// The rule's id.
    pub rule: String,
    /// Who may approve: people or groups.
    pub approvers: Vec<String>,
    /// How many distinct humans of them.
    pub quorum: u32,
    /// How sure it must be who decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assurance: Option<Level>,
    /// Whether each call has to be shown to those who decide: then access that was given ahead is no answer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub no_access: bool,
    /// Who wrote the rule: nobody approves by a rule of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Asked {
    /// Whether it can be approved at all: somebody is asked, nobody is asked for nothing, and its time limits are what a yes is
    /// bound to.
    pub(crate) fn can_be_met(&self) -> bool {
        let for_as_long = self.bound.access().is_none_or(|access| access.seconds == self.use_seconds);
        let in_time = self.decide_by.to_string() == self.bound.decide_by && for_as_long;
        in_time && !self.demands.is_empty() && self.demands.iter().all(|demand| demand.quorum > 0)
    }

    pub(crate) fn usable_until(&self, approved_at: Timestamp) -> Timestamp {
        approved_at.checked_add(SignedDuration::from_secs(self.use_seconds.into())).unwrap_or(Timestamp::MAX)
    }
}

/// `2 of sre, security by two-ask`.
impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, approvers, quorum, .. } = self;
        write!(f, "{quorum} of {} by {rule}", approvers.join(", "))
    }
}

impl Demand {
    /// Whether this human may decide, as far as this rule goes.
    pub(crate) fn is_for(&self, human: &Human) -> bool {
        human.is_among(&self.approvers) && !self.is_by(human)
    }

    /// Whether a decision of this sureness is sure enough.
    pub(crate) fn is_content_with(&self, assurance: &Assurance) -> bool {
        self.assurance.is_none_or(|level| assurance.meets(level))
    }

    pub(crate) fn is_by(&self, human: &Human) -> bool {
        self.authors.iter().any(|author| human.may_be_called(author))
    }
}
