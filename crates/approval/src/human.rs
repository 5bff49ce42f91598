//! Humans who decide.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// A human, as configuration or an identity provider names them at the moment they decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Human {
    /// What tells this human from any other, for good.
    pub subject: String,
    /// Other names of the same human: an address, an account. A human is never taken for two, nor for somebody else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Names that are theirs by somebody's word that nobody checked: they keep them from deciding, and never let them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claimed: Vec<String>,
    /// The groups they are in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

impl Human {
    /// The human of this name, and of no other and in no group.
    #[must_use]
    pub fn called(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), aliases: Vec::new(), claimed: Vec::new(), groups: Vec::new() }
    }

    /// Whether this is one of their names; letters' case makes no difference.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.names().any(|own| same(own, name))
    }

    /// Whether this may be one of their names, though nobody checked: enough to keep them from what is not theirs to decide.
    #[must_use]
    pub fn may_be_called(&self, name: &str) -> bool {
        self.names().chain(&self.claimed).any(|own| same(own, name))
    }

    /// Whether both may be one human: they share a name, checked or not. Then they are not two.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        other.names().chain(&other.claimed).any(|name| self.may_be_called(name))
    }

    /// Whether a rule that names these people and groups means this human: to the letter, but for the case of ASCII. What lets
    /// somebody decide is no other spelling of a name.
    #[must_use]
    pub fn is_among(&self, people_and_groups: &[String]) -> bool {
        people_and_groups.iter().any(|name| {
            self.names().any(|own| own.eq_ignore_ascii_case(name))
                || self.groups.iter().any(|group| group == name)
        })
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.subject).chain(&self.aliases)
    }
}

/// Whether both name the same, however they are typed: by compatibility (UAX #15, NFKC) and without regard to case.
fn same(one: &str, other: &str) -> bool {
    let folded =
        |name: &str| name.trim().nfkc().collect::<String>().to_lowercase().nfkc().collect::<String>();
    folded(one) == folded(other)
}
