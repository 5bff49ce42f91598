//! The places that a call covers without naming them and that rules tell apart.

use std::collections::BTreeSet;

use crate::action::Action;
use crate::call::{Call, Object};
use crate::est::Mentions;
use crate::glob::{Glob, witnesses};

/// Stands for every namespace or name that no rule singles out. No object can have this name.
pub(crate) const ANY_OTHER: &str = "(any other)";

/// How much of `generateName` the server keeps: `MaxGeneratedNameLength` in k8s.io/apiserver/pkg/storage/names.
const KEPT_OF_PREFIX: usize = 58;

/// A namespace and a name that a call covers without naming them; empty where the call itself speaks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// What a set of rules tells apart. Judging a call at each pair of a namespace and a name judges it everywhere, since
/// rules look at them only by comparing with strings and patterns.
#[derive(Debug, Default)]
pub(crate) struct Places {
    namespaces: Side,
    names: Side,
}

/// Namespaces, or names.
#[derive(Debug, Default)]
struct Side {
    globs: BTreeSet<Glob>,
    /// Empty if no rule looks at them.
    witnesses: BTreeSet<String>,
}

impl Places {
    /// What rules with these mentions tell apart together. `None` if that is too much.
    pub(crate) fn of<'a>(mentions: impl Iterator<Item = &'a Mentions>) -> Option<Self> {
        let (mut namespaces, mut names) = (None, None);
        let extend = |into: &mut Option<BTreeSet<Glob>>, globs: &Option<BTreeSet<Glob>>| {
            if let Some(globs) = globs {
                into.get_or_insert_default().extend(globs.iter().cloned());
            }
        };
        for mentions in mentions {
            extend(&mut namespaces, &mentions.namespaces);
            extend(&mut names, &mentions.names);
        }
        Some(Self { namespaces: Side::of(namespaces)?, names: Side::of(names)? })
    }

    /// How many places a call can cover at most.
    pub(crate) fn count(&self) -> usize {
        self.namespaces.witnesses.len().max(1) * self.names.witnesses.len().max(1)
    }

    /// Those that `call` on `object` covers.
    pub(crate) fn covered(&self, call: &Call<'_>, object: Object<'_>) -> BTreeSet<Place> {
        let none = BTreeSet::new;
        let (namespaces, names) = if call.covers_all {
            let all_namespaces = object.namespace.is_empty() && !object.is_cluster_scoped();
            let all_names = object.name.is_empty() && call.action != Some(Action::Create);
            let pick = |all: bool, side: &Side| if all { side.witnesses.clone() } else { none() };
            (pick(all_namespaces, &self.namespaces), pick(all_names, &self.names))
        } else if let Some(prefix) = call.generated.filter(|_| object.name.is_empty()) {
            let kept: String = prefix.chars().take(KEPT_OF_PREFIX).collect();
            // A Namespace is in the namespace it is. Judging pairs judges more than there can be, never less.
            let namespaces =
                if object.is("", "namespaces") { self.namespaces.beginning(&kept) } else { none() };
            (namespaces, self.names.beginning(&kept))
        } else {
            return BTreeSet::new();
        };
        let mut places = BTreeSet::new();
        for namespace in or_empty(&namespaces) {
            for name in or_empty(&names) {
                places.insert(Place { namespace: namespace.to_owned(), name: name.to_owned() });
            }
        }
        places.remove(&Place { namespace: String::new(), name: String::new() });
        places
    }
}

impl Side {
    fn of(globs: Option<BTreeSet<Glob>>) -> Option<Self> {
        let Some(globs) = globs else { return Some(Self::default()) };
        Some(Self { witnesses: witnesses(&globs, ANY_OTHER)?, globs })
    }

    /// Witnesses for the names that begin with `prefix`: a combination of patterns is left out only if one of them
    /// matches no such name.
    fn beginning(&self, prefix: &str) -> BTreeSet<String> {
        let possible = |witness: &&String| {
            self.globs.iter().filter(|glob| glob.matches(witness)).all(|glob| glob.can_begin_with(prefix))
        };
        self.witnesses.iter().filter(possible).cloned().collect()
    }
}

fn or_empty(set: &BTreeSet<String>) -> impl Iterator<Item = &str> {
    let none = set.is_empty().then_some("");
    set.iter().map(String::as_str).chain(none)
}
