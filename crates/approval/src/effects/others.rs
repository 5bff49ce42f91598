//! What a call does to other objects than the one it names, in words.

use super::RUN_PODS;
use crate::{Budget, Budgets, Count, Listing};

/// What disruption budgets say of it. They hold evictions back, and nothing else.
pub(super) fn disrupts(budgets: &Budgets, verb: &str) -> Vec<String> {
    let evicts = verb == "create";
    let one = |Budget { name, allows }: &Budget| {
        let allowed = match allows {
            Some(1) => format!("PodDisruptionBudget {name} allows 1 disruption now"),
            Some(allows) => format!("PodDisruptionBudget {name} allows {allows} disruptions now"),
            None => format!("PodDisruptionBudget {name} has not said how many disruptions it allows"),
        };
        if evicts { allowed } else { format!("{allowed}, and does not hold this back") }
    };
    match budgets {
        Budgets::Unknown => vec!["which disruption budgets its pods have could not be told".to_owned()],
        Budgets::Known(budgets) => budgets.iter().map(one).collect(),
    }
}

/// Most names that are told in a line: all of them are listed below.
const MOST_NAMED: usize = 10;

pub(super) fn deletes_each(listing: &Listing) -> Vec<String> {
    let Listing { resource, objects } = listing;
    let names: Vec<&str> = objects.iter().take(MOST_NAMED).map(|object| object.name.as_str()).collect();
    let more = objects.len().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let mut effects = vec![format!("deletes {} {resource}: {}{more}", objects.len(), names.join(", "))];
    let mut namespaces: Vec<&str> = objects.iter().map(|object| object.namespace.as_str()).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    if namespaces.len() > 1 {
        effects.push(format!("they are in {} namespaces", namespaces.len()));
    }
    effects.push("one by one, as they are now: what has changed by then, or is new, stays".to_owned());
    let plain = resource.split('.').next().unwrap_or_default();
    if RUN_PODS.iter().any(|kind| kind.to_lowercase() + "s" == plain) {
        effects.push("their pods go with them, unless they are told to leave them".to_owned());
    }
    effects
}

/// What is in a namespace that goes.
pub(super) fn contents(counts: &[Count]) -> Vec<String> {
    let known: Vec<(&str, u64)> =
        counts.iter().filter_map(|Count { kind, count }| Some((kind.as_str(), (*count)?))).collect();
    let unknown: Vec<&str> =
        counts.iter().filter(|count| count.count.is_none()).map(|count| count.kind.as_str()).collect();
    let mut effects = Vec::new();
    if !known.is_empty() {
        let total: u64 = known.iter().map(|(_, count)| count).sum();
        let there = known.iter().filter(|(_, count)| *count > 0);
        let there: Vec<String> = there.map(|(kind, count)| counted(*count, kind)).collect();
        effects.push(match total {
            0 => format!("none of these are in it: {}", list_of(known.iter().map(|(kind, _)| *kind))),
            1 => format!("1 object of common and custom kinds is in it: {}", there.join(", ")),
            _ => format!("{total} objects of common and custom kinds are in it: {}", there.join(", ")),
        });
    }
    if !unknown.is_empty() {
        let what = if known.is_empty() { "objects".to_owned() } else { list_of(unknown) };
        effects.push(format!("how many {what} are in it could not be told"));
    }
    effects
}

/// `3 pods`, `1 pod`.
fn counted(count: u64, kinds: &str) -> String {
    let one = kinds.strip_suffix("ses").map(|kind| format!("{kind}s"));
    let one = one.or_else(|| kinds.strip_suffix('s').map(str::to_owned)).filter(|_| count == 1);
    format!("{count} {}", one.as_deref().unwrap_or(kinds))
}

fn list_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::shown;
    use super::*;
    use crate::{Beside, Listed, Shown};

    #[test]
    fn what_was_looked_at_beside_the_object_is_told() {
        let namespace = || json!({"kind": "Namespace", "metadata": {"name": "shop"}});
        let with = |verb: &str, before: Value, beside: Beside| {
            let shown = Shown { beside, ..shown(verb, before, Value::Null) };
            format!("{verb}: {}", shown.effects().join("; "))
        };
        let counted = |counts: &[(&str, Option<u64>)]| {
            let counts = counts.iter().map(|(kind, count)| Count { kind: (*kind).into(), count: *count });
            with("delete", namespace(), Beside { contents: counts.collect(), budgets: None })
        };
        let pod = || json!({"kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop"}});
        let budgets =
            |verb: &str, budgets| with(verb, pod(), Beside { contents: vec![], budgets: Some(budgets) });
        let budget = |allows| Budget { name: "web-pdb".into(), allows };
        let table = [
            counted(&[("pods", Some(3)), ("services", Some(0)), ("configmaps", Some(11))]),
            counted(&[("pods", Some(0)), ("configmaps", Some(1))]),
            counted(&[("pods", Some(0)), ("services", Some(0))]),
            counted(&[("pods", Some(3)), ("secrets", None), ("jobs", None)]),
            counted(&[("pods", None), ("secrets", None)]),
            budgets("create", Budgets::Known(vec![budget(Some(0)), budget(Some(1))])),
            budgets("delete", Budgets::Known(vec![budget(Some(0)), budget(None)])),
            budgets("delete", Budgets::Unknown),
            budgets("delete", Budgets::Known(vec![])),
        ];
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn what_a_deletion_of_a_collection_deletes_is_named_and_counted() {
        let each = |resource: &str, namespaces: &[&str], count: usize| {
            let listed = |at: usize| Listed {
                namespace: namespaces.get(at % namespaces.len()).copied().unwrap_or_default().into(),
                name: format!("n{at}"),
            };
            let listing = Listing { resource: resource.into(), objects: (0..count).map(listed).collect() };
            let shown =
                Shown { listing: Some(listing), ..shown("deletecollection", Value::Null, Value::Null) };
            shown.effects().join("; ")
        };
        let table = [
            each("configmaps", &["shop"], 2),
            each("deployments.apps", &["shop", "other"], 12),
            each("widgets.example.com", &[""], 1),
        ];
        insta::assert_snapshot!(table.join("\n"));
    }
}
