//! What humans are told beside the object itself: what else goes with it, as the API server tells the agent.
//!
//! Each look is bounded and a call of its own. What cannot be told, since policy or the API server does not let the agent read it, is told as that.

mod kinds;
mod selector;

use approval::{Beside, Budget, Budgets, Count};
use kube_api::{Request, Resource, Verb};
use mask::Live;
use serde_json::Value;

use self::{
    kinds::{Kind, custom},
    selector::selects,
};
use super::{Prepared, listing::items};
use crate::{call::Call, look::Seen};

/// What is counted in a namespace that would go, beside custom kinds: group, version, resource.
const CONTENTS: [(&str, &str, &str); 10] = [
    ("", "v1", "pods"),
    ("apps", "v1", "deployments"),
    ("apps", "v1", "statefulsets"),
    ("apps", "v1", "daemonsets"),
    ("batch", "v1", "jobs"),
    ("batch", "v1", "cronjobs"),
    ("", "v1", "services"),
    ("", "v1", "configmaps"),
    ("", "v1", "secrets"),
    ("", "v1", "persistentvolumeclaims"),
];

/// Most disruption budgets of a namespace that are looked at: of more, nothing is told.
const MOST_BUDGETS: u32 = 100;

/// What there is to look at beside the object.
pub(super) enum Wanted {
    Nothing,
    /// What is in a namespace that would go.
    Contents {
        namespace: String,
    },
    /// The disruption budgets of pods that would go.
    Budgets {
        namespace: String,
        pods: Pods,
    },
}

/// Whose labels they are.
pub(super) enum Pods {
    /// Pods, or the template of pods: each with these labels.
    Labelled(Vec<Value>),
    /// Those of the object that this is a read of.
    Of(Box<Request>),
}

impl Wanted {
    pub(super) fn of(request: &Request, before: Option<&Live>, after: Option<&Live>) -> Self {
        let (Some(resource), Some(before)) = (request.resource(), before) else { return Self::Nothing };
        if request.dry_run() {
            return Self::Nothing;
        }
        let goes = request.verb() == Verb::Delete || request.is_eviction();
        match (resource.namespace(), resource.subresource()) {
            (Some(namespace), None) if goes && resource.group_resource() == "namespaces" => {
                Self::Contents { namespace: namespace.to_owned() }
            }
            (Some(namespace), Some("scale")) if shrinks(before, after) => {
                let Some(read) = request.as_read_of_whole() else { return Self::Nothing };
                Self::Budgets { namespace: namespace.to_owned(), pods: Pods::Of(Box::new(read)) }
            }
            (Some(namespace), None | Some("eviction")) if goes || shrinks(before, after) => {
                let Some(labels) = before.ask(labels) else { return Self::Nothing };
                Self::Budgets { namespace: namespace.to_owned(), pods: Pods::Labelled(vec![labels]) }
            }
            _ => Self::Nothing,
        }
    }

    /// Of objects that a deletion of a collection covers, with these labels.
    pub(super) fn of_each(request: &Request, labels: Vec<Value>) -> Self {
        let pods = request.resource().filter(|resource| resource.group_resource() == "pods");
        match pods.and_then(Resource::namespace).filter(|_| !request.dry_run()) {
            Some(namespace) => {
                Self::Budgets { namespace: namespace.to_owned(), pods: Pods::Labelled(labels) }
            }
            None => Self::Nothing,
        }
    }
}

impl Call {
    pub(super) async fn look_beside(&self, prepared: &Prepared) -> Beside {
        match &prepared.wanted {
            Wanted::Nothing => Beside::default(),
            Wanted::Contents { namespace } => {
                let mut contents = Vec::new();
                for (group, version, kind) in CONTENTS {
                    let count = self.count_in(namespace, group, version, kind).await;
                    contents.push(Count { kind: kind.to_owned(), count });
                }
                contents.extend(self.count_custom(namespace).await);
                Beside { contents, budgets: None }
            }
            Wanted::Budgets { namespace, pods } => {
                let budgets = self.budgets(namespace, pods).await;
                Beside { contents: Vec::new(), budgets: Some(budgets.unwrap_or(Budgets::Unknown)) }
            }
        }
    }

    /// How many objects of a kind are in a namespace. The API server tells how many follow the first, so no list is read whole.
    async fn count_in(&self, namespace: &str, group: &str, version: &str, kind: &str) -> Option<u64> {
        let collection = Resource::asked(group, version, kind, None, Some(namespace), None).ok()?;
        let live = self.see_beside(Request::list_of(collection, 1, true)?).await?;
        live.ask(count)
    }

    /// Those custom kinds of which there are objects, or of which that cannot be told.
    async fn count_custom(&self, namespace: &str) -> Vec<Count> {
        let unknown = |kind: String| Count { kind, count: None };
        let seen = match Request::discovery() {
            Ok(discovery) => self.see_beside(discovery).await,
            Err(_never) => None,
        };
        let Some(mut kinds) = seen.and_then(|live| live.ask(custom)) else {
            return vec![unknown("custom kinds".to_owned())];
        };
        let more = kinds.split_off(kinds.len().min(kinds::MOST)).len();
        let mut counts = Vec::new();
        for Kind { group, version, resource } in kinds {
            let count = self.count_in(namespace, &group, &version, &resource).await;
            if count != Some(0) {
                counts.push(Count { kind: format!("{resource}.{group}"), count });
            }
        }
        counts.extend((more > 0).then(|| unknown(format!("{more} more custom kinds"))));
        counts
    }

    async fn budgets(&self, namespace: &str, pods: &Pods) -> Option<Budgets> {
        let labels = match pods {
            Pods::Labelled(labels) => labels.clone(),
            Pods::Of(read) => vec![self.see_beside(Request::clone(read)).await?.ask(labels)?],
        };
        let asked =
            Resource::asked("policy", "v1", "poddisruptionbudgets", None, Some(namespace), None).ok()?;
        let live = self.see_beside(Request::list_of(asked, MOST_BUDGETS, false)?).await?;
        let selecting = live.ask(|list| selecting(list, &labels))?;
        let shown = items(live.shown())?;
        Some(Budgets::Known(selecting.into_iter().filter_map(|at| budget(shown.get(at)?)).collect()))
    }

    /// `None` if it cannot be seen, for whatever reason.
    async fn see_beside(&self, read: Request) -> Option<Box<Live>> {
        match self.look_by(read).await {
            Ok(Seen::Object(live)) => Some(live),
            Ok(Seen::Error(..)) | Err(_) => None,
        }
    }
}

/// Whether fewer pods are wanted than before.
fn shrinks(before: &Live, after: Option<&Live>) -> bool {
    let replicas = |live: &Live| live.ask(replicas);
    matches!((replicas(before), after.and_then(replicas)), (Some(had), Some(has)) if has < had)
}

/// Of a `Scale`, zero is left out (`ScaleSpec` in k8s.io/api/autoscaling/v1).
fn replicas(object: &Value) -> Option<i64> {
    let is_scale = object.get("kind").and_then(Value::as_str) == Some("Scale");
    object.pointer("/spec/replicas").map_or_else(|| is_scale.then_some(0), Value::as_i64)
}

/// The labels of a pod, or of the pods that an object runs.
fn labels(object: &Value) -> Option<Value> {
    let template = ["/spec/template/metadata", "/spec/jobTemplate/spec/template/metadata"];
    let is_pod = object.get("kind").and_then(Value::as_str) == Some("Pod");
    let metadata =
        if is_pod { object.get("metadata") } else { template.iter().find_map(|path| object.pointer(path)) };
    Some(metadata?.get("labels").cloned().unwrap_or_default())
}

/// How many objects there are, by the first page of their list. A server that does not tell how many follow tells nothing here.
fn count(list: &Value) -> Option<u64> {
    let here = u64::try_from(items(list)?.len()).ok()?;
    let metadata = list.get("metadata")?;
    match metadata.get("remainingItemCount") {
        Some(more) => more.as_u64()?.checked_add(here),
        None => {
            let more = metadata.get("continue").and_then(Value::as_str).is_some_and(|next| !next.is_empty());
            (!more).then_some(here)
        }
    }
}

/// Which budgets of the list select any of these pods. `None` if that cannot be told of each.
fn selecting(list: &Value, pods: &[Value]) -> Option<Vec<usize>> {
    let budgets = items(list)?;
    let more = list.pointer("/metadata/continue").and_then(Value::as_str).unwrap_or_default();
    if !more.is_empty() {
        return None;
    }
    let mut selecting = Vec::new();
    for (at, budget) in budgets.iter().enumerate() {
        let selector = budget.pointer("/spec/selector").unwrap_or(&Value::Null);
        let selected = pods.iter().map(|labels| selects(selector, labels)).collect::<Option<Vec<_>>>()?;
        if selected.contains(&true) {
            selecting.push(at);
        }
    }
    Some(selecting)
}

fn budget(shown: &Value) -> Option<Budget> {
    let name = shown.pointer("/metadata/name")?.as_str()?.to_owned();
    Some(Budget { name, allows: shown.pointer("/status/disruptionsAllowed").and_then(Value::as_i64) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_count_is_exact_or_none() {
        let list =
            |items: usize, metadata: Value| json!({"items": vec![json!({}); items], "metadata": metadata});
        for (list, expected) in [
            (list(0, json!({})), Some(0)),
            (list(1, json!({"continue": ""})), Some(1)),
            (list(1, json!({"continue": "x", "remainingItemCount": 13})), Some(14)),
            (list(1, json!({"continue": "x"})), None),
            (list(1, json!({"continue": "x", "remainingItemCount": -1})), None),
            (list(1, json!({"remainingItemCount": u64::MAX})), None),
            (json!({"items": null, "metadata": {}}), Some(0)),
            (json!({"metadata": {}}), None),
            (json!([]), None),
        ] {
            assert_eq!(count(&list), expected, "{list}");
        }
    }

    #[test]
    fn budgets_are_told_if_all_of_them_are_understood() {
        let budget = |selector: Value| json!({"spec": {"selector": selector}});
        let list = |budgets: &[Value]| json!({"items": budgets, "metadata": {}});
        let (web, all, odd) = (
            budget(json!({"matchLabels": {"app": "web"}})),
            budget(json!({})),
            budget(json!({"matchExpressions": [{"key": "app", "operator": "Like", "values": ["w*"]}]})),
        );
        let pods = [json!({"app": "db"}), json!({"app": "web"})];
        assert_eq!(selecting(&list(&[web.clone(), all.clone()]), &pods), Some(vec![0, 1]));
        assert_eq!(selecting(&list(&[web.clone(), all]), &pods[..1]), Some(vec![1]));
        assert_eq!(selecting(&list(&[web.clone(), odd]), &pods), None);
        assert_eq!(selecting(&json!({"items": [web], "metadata": {"continue": "x"}}), &pods), None);
    }
}
