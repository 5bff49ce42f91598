//! Rules sorted by whom and what they are about, so that a call meets only those that could apply.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use cedar_policy::PolicySet;
use parking_lot::RwLock;

use crate::action::Action;
use crate::bundle::Bundle;
use crate::judge::Principal;
use crate::places::Places;
use crate::rule::{PrincipalScope, Rule};

/// Most principals whose slices are kept. Principals that no rule tells apart share one.
const MAX_KEPT: usize = 256;

/// The rules of one principal, by action.
#[derive(Debug)]
pub(crate) struct Slice(Vec<ActionSlice>);

/// The rules of one principal for one action.
#[derive(Debug, Default)]
pub(crate) struct ActionSlice {
    pub(crate) policies: PolicySet,
    /// The namespaces and names that these rules tell apart.
    pub(crate) places: Places,
    /// The keys that these rules compare `context.key` with.
    pub(crate) keys: BTreeSet<String>,
    /// The ports that these rules tell apart: what they compare with, and the neighbours of that.
    pub(crate) ports: BTreeSet<u16>,
    /// Whether one of them permits something.
    pub(crate) permits: bool,
    /// Whether a rule could not be added, or the places not be told. Ids are unique in a bundle, and its places were
    /// counted, so this never is; if it were, a missing forbid must not become a permit.
    pub(crate) incomplete: bool,
}

/// Slices, built when a principal is first seen.
pub(crate) struct Slices {
    agents: BTreeSet<String>,
    groups: BTreeSet<String>,
    kept: RwLock<HashMap<Key, Arc<Slice>>>,
}

/// What rules can tell of a principal: its name if a rule names it, and those of its groups that rules name.
type Key = (Option<String>, BTreeSet<String>);

impl Slices {
    pub(crate) fn new(bundle: &Bundle) -> Self {
        let mut agents = BTreeSet::new();
        let mut groups = BTreeSet::new();
        for rule in bundle.rules() {
            match &rule.principal {
                PrincipalScope::Anyone => {}
                PrincipalScope::Agent(name) => _ = agents.insert(name.clone()),
                PrincipalScope::Group(name) => _ = groups.insert(name.clone()),
            }
        }
        Self { agents, groups, kept: RwLock::new(HashMap::new()) }
    }

    /// The slice for `who`.
    pub(crate) fn of(&self, bundle: &Bundle, who: &Principal<'_>) -> Arc<Slice> {
        let key: Key = (
            self.agents.get(who.agent).cloned(),
            who.groups.iter().filter(|group| self.groups.contains(*group)).cloned().collect(),
        );
        if let Some(slice) = self.kept.read().get(&key) {
            return Arc::clone(slice);
        }
        let slice = Arc::new(Slice::build(bundle, &key));
        let mut kept = self.kept.write();
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&slice));
        slice
    }
}

impl Slice {
    fn build(bundle: &Bundle, (agent, groups): &Key) -> Self {
        let applies = |rule: &&Rule| match &rule.principal {
            PrincipalScope::Anyone => true,
            PrincipalScope::Agent(name) => agent.as_ref() == Some(name),
            PrincipalScope::Group(name) => groups.contains(name),
        };
        let rules: Vec<&Rule> = bundle.rules().filter(applies).collect();
        Self(Action::ALL.into_iter().map(|action| ActionSlice::build(&rules, action)).collect())
    }

    pub(crate) fn action(&self, action: Action) -> Option<&ActionSlice> {
        self.0.get(action.index())
    }
}

impl ActionSlice {
    fn build(rules: &[&Rule], action: Action) -> Self {
        let mut slice = Self::default();
        let about = || rules.iter().filter(|rule| rule.actions.contains(&action));
        for rule in about() {
            slice.incomplete |= slice.policies.add(rule.policy.clone()).is_err();
            slice.keys.extend(rule.mentions.keys.iter().cloned());
            slice.ports.extend(rule.mentions.ports.iter().copied());
            slice.permits |= !rule.is_forbid();
        }
        match Places::of(about().map(|rule| &rule.mentions)) {
            Some(places) => slice.places = places,
            None => slice.incomplete = true,
        }
        slice
    }
}

impl fmt::Debug for Slices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slices").field("kept", &self.kept.read().len()).finish_non_exhaustive()
    }
}
