//! What approvers are shown: who asks for what, which rules ask, and what would change, masked.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::diff::{Diff, yaml};

/// What approvers are shown of a call. All of it may hold what an agent wrote: it has to be escaped where it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// The Kubernetes verb.
    pub verb: String,
    /// Whether nothing would be persisted.
    pub dry_run: bool,
    /// What would be done, in words: `delete namespaces "shop" of cluster "prod"`.
    pub act: String,
    /// What the session was opened for, as somebody said.
    pub reason: String,
    /// The rules that ask.
    pub rules: Vec<Why>,
    /// How it is to be deleted, if it is.
    pub options: Vec<String>,
    /// The call that it undoes, in words: masked values are put back in it, as they were before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restores: Option<String>,
    /// Paths of masked values that would change: both look the same.
    pub hidden: Vec<String>,
    /// The object as it is, masked; `null`: there is none, or the call is about none.
    pub before: Value,
    /// What the API server says it would be, masked; `null`: it would be gone, or that cannot be told.
    pub after: Value,
    /// Of a deletion of a collection: what would be deleted, and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listing: Option<Listing>,
    /// Of exec and attach: what it runs, and where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<Runs>,
    /// What was looked at beside the object.
    #[serde(default, skip_serializing_if = "Beside::is_empty")]
    pub beside: Beside,
}

/// What runs in a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runs {
    /// The command, quoted as for a POSIX shell, masked; empty: what runs there already is attached to.
    pub command: String,
    /// The container.
    pub container: String,
    /// The image that it runs, by digest.
    pub image: String,
    /// Whether something can be typed in, which nobody has seen yet.
    pub stdin: bool,
    /// Whether it has a terminal.
    pub terminal: bool,
}

/// The objects that a deletion of a collection covered when it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// What they are: `deployments.apps`.
    pub resource: String,
    /// Each of them.
    pub objects: Vec<Listed>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Its namespace; empty if it is in none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// What the API server answered when it was asked about other objects, as the agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beside {
    /// Of a namespace that would go: how many objects of which kinds are in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contents: Vec<Count>,
    /// Of pods that would go: the disruption budgets that select them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budgets: Option<Budgets>,
}

/// How many objects of a kind there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// What they are: `deployments`.
    pub kind: String,
    /// How many; `None`: that could not be told.
    pub count: Option<u64>,
}

/// The disruption budgets that select pods which would go (`PodDisruptionBudget` in k8s.io/api/policy/v1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Budgets {
    /// Which, could not be told.
    Unknown,
    /// These.
    Known(Vec<Budget>),
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Its name.
    pub name: String,
    /// How many of its pods may be evicted now; `None`: its controller has not said.
    pub allows: Option<i64>,
}

/// A rule that asks, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// Its id.
    pub rule: String,
    /// Its `@reason`.
    pub reason: String,
}

impl Shown {
    /// How many bytes of JSON it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        serde_json::to_vec(self).map_or(usize::MAX, |json| json.len())
    }

    /// What would change. Nothing that changes is left out but what [`Diff::left_out`] names, and values that are masked before
    /// and after: those are among the [effects](Self::effects).
    #[must_use]
    pub fn diff(&self) -> Diff {
        match &self.listing {
            Some(listing) => Diff::removed(&listing.lines()),
            None => Diff::between(&self.before, &self.after),
        }
    }
}

impl Listing {
    /// In YAML, the names below their namespace.
    fn lines(&self) -> String {
        let mut namespaces: Map<String, Value> = Map::new();
        let mut names: Vec<&Listed> = self.objects.iter().collect();
        names.sort_unstable();
        for Listed { namespace, name } in names {
            let place = match namespace.as_str() {
                "" => self.resource.clone(),
                namespace => format!("{} in namespace {namespace}", self.resource),
            };
            let there = namespaces.entry(place).or_insert_with(|| Value::Array(Vec::new()));
            there.as_array_mut().into_iter().for_each(|there| there.push(name.as_str().into()));
        }
        yaml(&Value::Object(namespaces))
    }
}

impl Beside {
    /// Whether nothing was looked at.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contents.is_empty() && self.budgets.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Line;
    use serde_json::json;

    fn shown(before: Value, after: Value) -> String {
        let (verb, act, reason) = ("update".into(), String::new(), String::new());
        let (rules, options, hidden) = (vec![], vec![], vec![]);
        let (listing, beside) = (None, Beside::default());
        told(&Shown {
            verb,
            dry_run: false,
            act,
            reason,
            rules,
            options,
            restores: None,
            hidden,
            before,
            after,
            listing,
            runs: None,
            beside,
        })
    }

    fn told(shown: &Shown) -> String {
        let Diff { lines, left_out } = shown.diff();
        let text = |line: &Line| match line {
            Line::Same(line) => format!("  {line}"),
            Line::Added(line) => format!("+ {line}"),
            Line::Removed(line) => format!("- {line}"),
            Line::Folded(lines) => format!("… {}", lines.len()),
        };
        let lines: Vec<String> = lines.iter().map(text).collect();
        format!("{}\nleft out: {}", lines.join("\n"), left_out.join(", "))
    }

    #[test]
    fn what_changes_is_shown_with_what_is_around_it_and_without_noise() {
        let object = |image: &str, version: &str| {
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "web", "namespace": "shop", "resourceVersion": version, "managedFields": [{"manager": "me"}]},
                "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "web", "image": image, "env": [
                    {"name": "A", "value": "1"}, {"name": "B", "value": "2"}
                ]}]}}}
            })
        };
        insta::assert_snapshot!(shown(object("web:1.2", "7"), object("web:1.3", "8")));
    }

    #[test]
    fn what_goes_with_a_collection_is_listed() {
        let listed = |namespace: &str, name: &str| Listed { namespace: namespace.into(), name: name.into() };
        let objects =
            vec![listed("shop", "b"), listed("other", "c"), listed("shop", "a"), listed("", "d\n- e")];
        let shown = json!({
            "verb": "deletecollection", "dry_run": false, "act": "", "reason": "", "rules": [], "options": [], "hidden": [],
            "before": null, "after": null, "listing": Listing { resource: "configmaps".into(), objects }
        });
        insta::assert_snapshot!(told(&serde_json::from_value(shown).unwrap()));
    }

    #[test]
    fn what_is_made_or_gone_is_shown_whole() {
        let object = json!({"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"text": "one\ntwo\n"}});
        insta::assert_snapshot!(format!(
            "{}\n\n{}",
            shown(Value::Null, object.clone()),
            shown(object, Value::Null)
        ));
        assert_eq!(shown(Value::Null, Value::Null), "\nleft out: ");
    }
}
