//! What configuration adds to the rules: the gate's own objects, and the built-in denials it lifts.

use std::collections::{BTreeMap, BTreeSet};

use crate::fixed::{FixedDenial, fixed_denials};
use crate::problem::{Problem, Problems};

/// How the names of the gate's own RBAC objects, users and groups begin.
pub(crate) const OWN_PREFIX: &str = "portcullis:";

/// The gate's own objects, which no agent may change: everything in its namespace, in every cluster,
/// and RBAC objects named `portcullis:…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    namespace: String,
}

/// Settings of a judge.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    own: Own,
    lifted: BTreeMap<String, BTreeSet<String>>,
}

impl Own {
    /// The namespace the gate runs in, or would run in: `portcullis` unless configured.
    #[must_use]
    pub fn in_namespace(namespace: impl Into<String>) -> Self {
        Self { namespace: namespace.into() }
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }
}

impl Default for Own {
    fn default() -> Self {
        Self::in_namespace("portcullis")
    }
}

impl Settings {
    /// Settings that protect `own` and lift, for each cluster by name, the built-in denials with these ids.
    /// Ids that do not exist or cannot be lifted are problems, listed under `lifted`.
    pub fn new(own: Own, lifted: BTreeMap<String, BTreeSet<String>>) -> Result<Self, Problems> {
        let mut found = Vec::new();
        if own.namespace.is_empty() {
            found.push(Problem::new("own", "the gate's namespace must not be empty"));
        }
        for (cluster, ids) in &lifted {
            for id in ids {
                let message = match fixed_denials().iter().find(|denial| denial.id() == id) {
                    None => format!("cluster `{cluster}`: there is no built-in denial `{id}`"),
                    Some(denial) if !denial.is_liftable() => {
                        format!("cluster `{cluster}`: `{id}` cannot be lifted")
                    }
                    Some(_) => continue,
                };
                found.push(Problem::new("lifted", message));
            }
        }
        Problems::none_or(found, Self { own, lifted })
    }

    /// Each lifted denial with its cluster; what it costs is to be told at start-up and recorded.
    pub fn lifted(&self) -> impl Iterator<Item = (&str, &'static FixedDenial)> {
        self.lifted.iter().flat_map(|(cluster, ids)| {
            let denials = fixed_denials().iter().filter(|denial| ids.contains(denial.id()));
            denials.map(move |denial| (cluster.as_str(), denial))
        })
    }

    pub(crate) fn own(&self) -> &Own {
        &self.own
    }

    pub(crate) fn is_lifted(&self, cluster: &str, id: &str) -> bool {
        self.lifted.get(cluster).is_some_and(|ids| ids.contains(id))
    }
}
