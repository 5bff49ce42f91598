//! What judging yields. A [`Permit`] is proof: it owns the request it was granted for, and nothing
//! outside this crate can make one.

use approval::Consumed;
use kube_api::{Request, Status};

use crate::ask::Ask;
use crate::decision::Decision;
use crate::judge::Principal;
use crate::wording::Refused;

/// The judgement of one request.
#[must_use]
#[derive(Debug)]
pub enum Verdict {
    /// Policy allows exactly this request.
    Allow(Permit),
    /// Policy allows it once humans approve.
    Ask(Ask),
    /// Policy, or the gate itself, denies it.
    Deny(Denial),
}

/// Proof that policy allowed exactly the request inside. It cannot be cloned, nor built elsewhere.
#[derive(Debug)]
pub struct Permit {
    agent: String,
    groups: Vec<String>,
    cluster: String,
    request: Request,
    decision: Decision,
    approval: Option<Consumed>,
}

/// A denied request and why.
#[derive(Debug)]
pub struct Denial {
    request: Request,
    decision: Decision,
    refused: Refused,
}

// === impl Verdict ===

impl Verdict {
    /// The decision, whatever it is.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        match self {
            Self::Allow(permit) => &permit.decision,
            Self::Ask(ask) => ask.decision(),
            Self::Deny(denial) => &denial.decision,
        }
    }

    /// The request that was judged.
    #[must_use]
    pub fn request(&self) -> &Request {
        match self {
            Self::Allow(permit) => &permit.request,
            Self::Ask(ask) => ask.request(),
            Self::Deny(denial) => &denial.request,
        }
    }
}

// === impl Permit ===

impl Permit {
    pub(crate) fn new(who: &Principal<'_>, cluster: &str, request: Request, decision: Decision) -> Self {
        Self {
            agent: who.agent.to_owned(),
            groups: who.groups.to_vec(),
            cluster: cluster.to_owned(),
            request,
            decision,
            approval: None,
        }
    }

    /// The same, by an approval that was used for it.
    pub(crate) fn by(self, approval: Consumed) -> Self {
        Self { approval: Some(approval), ..self }
    }

    /// The approval that was used for it, if it took one: it is a permit for that one call.
    #[must_use]
    pub fn approval(&self) -> Option<&Consumed> {
        self.approval.as_ref()
    }

    /// The agent it was granted to.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// The groups that the agent was judged as a member of.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// The cluster it was granted for.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The request that may be sent.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The decision that allowed it.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.decision
    }
}

// === impl Denial ===

impl Denial {
    pub(crate) fn new(request: Request, decision: Decision, refused: Refused) -> Self {
        Self { request, decision, refused }
    }

    /// The request that was denied.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The decision to deny.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The refusal in words: what [`Denial::status`] says.
    #[must_use]
    pub fn message(&self) -> &str {
        self.refused.message()
    }

    /// The answer: 403 Forbidden with rule, reason and next step.
    #[must_use]
    pub fn status(&self) -> Status {
        self.refused.status()
    }
}
