//! What judging yields. A [`Permit`] is proof: it owns the request it was granted for, and nothing
//! outside this crate can make one.

use kube_api::{Request, Status};
use serde::Serialize;

use crate::bundle::Digest;
use crate::judge::Principal;
use crate::rule::Rule;
use crate::wording::Refused;

/// The three outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Go ahead.
    Allow,
    /// A human must say yes first.
    Ask,
    /// No.
    Deny,
}

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
}

/// A request that waits for approval, and whose.
#[derive(Debug)]
pub struct Ask {
    request: Request,
    decision: Decision,
    requirements: Vec<Requirement>,
    refused: Refused,
}

/// A denied request and why.
#[derive(Debug)]
pub struct Denial {
    request: Request,
    decision: Decision,
    refused: Refused,
}

/// One rule's demand for approval. If several rules ask, each demand must be met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Requirement {
    rule: String,
    approvers: Vec<String>,
    quorum: u32,
}

/// What was decided, by what, under which bundle: what the ledger keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    outcome: Outcome,
    rules: Vec<RuleRef>,
    policy_digest: Digest,
    masked_read: bool,
    #[serde(skip_serializing_if = "Reveal::is_none")]
    reveal: Reveal,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    look: bool,
}

/// The keys of the named Secret whose values policy lets this call's answer show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reveal {
    keys: Vec<String>,
    /// INVARIANT: no key that rules single out is withheld.
    others: bool,
}

/// A rule that determined a decision, or a built-in denial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleRef {
    id: String,
    file: String,
    reason: String,
}

// === impl Reveal ===

impl Reveal {
    pub(crate) fn new(keys: Vec<String>, others: bool) -> Self {
        Self { keys, others }
    }

    /// Keys of `data`, exactly.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Whether every other key is shown too.
    #[must_use]
    pub fn others(&self) -> bool {
        self.others
    }

    /// Whether nothing is revealed.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.keys.is_empty() && !self.others
    }
}

// === impl Outcome ===

impl Outcome {
    /// `allow`, `ask`, `deny`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Verdict ===

impl Verdict {
    /// The decision, whatever it is.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        match self {
            Self::Allow(permit) => &permit.decision,
            Self::Ask(ask) => &ask.decision,
            Self::Deny(denial) => &denial.decision,
        }
    }

    /// The request that was judged.
    #[must_use]
    pub fn request(&self) -> &Request {
        match self {
            Self::Allow(permit) => &permit.request,
            Self::Ask(ask) => &ask.request,
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
        }
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

// === impl Ask ===

impl Ask {
    pub(crate) fn new(
        request: Request,
        decision: Decision,
        requirements: Vec<Requirement>,
        refused: Refused,
    ) -> Self {
        Self { request, decision, requirements, refused }
    }

    /// The request that waits.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The decision to ask.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Who must agree. Each of these, not any of them.
    #[must_use]
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Everyone named by any requirement, for display: whether enough agreed, [`Ask::requirements`] tells.
    #[must_use]
    pub fn approvers(&self) -> Vec<String> {
        let mut all: Vec<String> =
            self.requirements.iter().flat_map(|r| r.approvers.iter().cloned()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The largest quorum of any requirement, for display.
    #[must_use]
    pub fn quorum(&self) -> u32 {
        self.requirements.iter().map(|r| r.quorum).max().unwrap_or(1)
    }

    /// The refusal in words: what [`Ask::status`] says.
    #[must_use]
    pub fn message(&self) -> &str {
        self.refused.message()
    }

    /// The answer when the hold ran out: 403 Forbidden with `retryAfterSeconds`.
    #[must_use]
    pub fn status(&self) -> Status {
        self.refused.status()
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

// === impl Requirement ===

impl Requirement {
    /// The demand of `rule`, if it asks.
    pub(crate) fn of(rule: &Rule) -> Option<Self> {
        let approval = rule.approval.as_ref()?;
        Some(Self { rule: rule.id.clone(), approvers: approval.approvers.clone(), quorum: approval.quorum })
    }

    /// The id of the rule that asks.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// Who may approve: people or groups of people, as the bundle names them.
    #[must_use]
    pub fn approvers(&self) -> &[String] {
        &self.approvers
    }

    /// How many distinct humans of them, 1 to 10.
    #[must_use]
    pub fn quorum(&self) -> u32 {
        self.quorum
    }
}

// === impl Decision ===

impl Decision {
    pub(crate) fn new(outcome: Outcome, rules: Vec<RuleRef>, digest: &Digest, masked_read: bool) -> Self {
        Self {
            outcome,
            rules,
            policy_digest: digest.clone(),
            masked_read,
            reveal: Reveal::default(),
            look: false,
        }
    }

    pub(crate) fn revealing(self, reveal: Reveal) -> Self {
        Self { reveal, ..self }
    }

    /// The decision to look first.
    pub(crate) fn of_look(self) -> Self {
        Self { outcome: Outcome::Allow, look: true, ..self }
    }

    /// Whether the request is the gate's own: a dry run, by which it looks at what a request of the agent's would make of
    /// the object. The agent gets none of its answer.
    #[must_use]
    pub fn is_look(&self) -> bool {
        self.look
    }

    /// Allow, ask or deny.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// What determined it: the permits, the forbids, or one built-in denial. Empty if no rule permits the call.
    #[must_use]
    pub fn rules(&self) -> &[RuleRef] {
        &self.rules
    }

    /// Whether a built-in denial determined it, of calls whose answer would tell if a guess at a secret is right.
    #[must_use]
    pub fn tests_a_guess(&self) -> bool {
        self.rules.iter().any(|rule| crate::fixed::tests_a_guess(&rule.id))
    }

    /// The digest of the bundle.
    #[must_use]
    pub fn policy_digest(&self) -> &Digest {
        &self.policy_digest
    }

    /// True only for an allowed get, list or watch of core Secrets: the one kind of request for which
    /// the upstream adds the group that may read them.
    #[must_use]
    pub fn masked_read(&self) -> bool {
        self.masked_read
    }

    /// What the answer may show as it is.
    #[must_use]
    pub fn reveal(&self) -> &Reveal {
        &self.reveal
    }
}

// === impl RuleRef ===

impl RuleRef {
    pub(crate) fn new(id: &str, file: &str, reason: &str) -> Self {
        Self { id: id.to_owned(), file: file.to_owned(), reason: reason.to_owned() }
    }

    /// Whether it is a built-in denial, and no rule of the bundle.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        self.id.starts_with("fixed/")
    }

    /// The rule's `@id`, or `fixed/…`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The bundle file it stands in; `built-in` for fixed denials.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Its `@reason`, without a full stop; empty if it has none.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl From<&Rule> for RuleRef {
    fn from(rule: &Rule) -> Self {
        Self::new(&rule.id, &rule.file, rule.reason.as_deref().unwrap_or_default())
    }
}
