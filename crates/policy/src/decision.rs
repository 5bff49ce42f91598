//! A decision, as the ledger keeps it: its outcome and what determined it.

use serde::Serialize;

use crate::bundle::Digest;
use crate::limits::Limits;
use crate::rule::Rule;

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
    #[serde(skip)]
    limits: Limits,
}

/// The keys of the named Secret whose values policy lets this call's answer show, and which rules do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reveal {
    keys: Vec<String>,
    /// INVARIANT: no key that rules single out is withheld.
    others: bool,
    rules: Vec<RuleRef>,
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
    pub(crate) fn new(keys: Vec<String>, others: bool, rules: &[&Rule]) -> Self {
        Self { keys, others, rules: rules.iter().map(|rule| RuleRef::from(*rule)).collect() }
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

    /// The rules that permit it.
    #[must_use]
    pub fn rules(&self) -> &[RuleRef] {
        &self.rules
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
            limits: Limits::default(),
        }
    }

    pub(crate) fn lasting(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    pub(crate) fn revealing(self, reveal: Reveal) -> Self {
        Self { reveal, ..self }
    }

    /// The decision to look first, at what `rules` permit or would once it is approved.
    pub(crate) fn look(rules: Vec<RuleRef>, digest: &Digest) -> Self {
        Self { look: true, ..Self::new(Outcome::Allow, rules, digest, false) }
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

    /// What determined it: the permits of all that the call does, the forbids, or one built-in denial. Empty if no rule permits
    /// the call. What permits showing values is in [`Decision::reveal`].
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

    /// How long it may last if it is a stream, by all rules that permit it.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
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
