//! What judging yields. A [`Permit`] is proof: it owns the request it was granted for, and nothing
//! outside this crate can make one.

use approval::{Consumed, Grant, Making};
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
    approval: Option<Box<Approved>>,
}

/// Proof that humans approved what policy asks them about.
#[derive(Debug)]
pub enum Approved {
    /// Exactly this, once.
    Once(Consumed),
    /// One of several changes, which this makes.
    Change(Making),
    /// Access that covers it.
    Access(Grant),
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

    /// The same, by an approval.
    pub(crate) fn by(self, approval: Approved) -> Self {
        Self { approval: Some(Box::new(approval)), ..self }
    }

    /// The approval by which it is permitted, if it took one.
    #[must_use]
    pub fn approval(&self) -> Option<&Approved> {
        self.approval.as_deref()
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

// === impl Approved ===

impl Approved {
    /// The approval's id.
    #[must_use]
    pub fn approval(&self) -> &str {
        match self {
            Self::Once(consumed) => consumed.approval(),
            Self::Change(making) => making.approval(),
            Self::Access(grant) => grant.approval(),
        }
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
