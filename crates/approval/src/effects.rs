//! What a call does, in words: computed from the object as it is and as the API server says it would be, and from what was looked at
//! beside it.
//!
//! Only what can be told from these is told. The fields are those of the kinds in k8s.io/api (core/v1, apps/v1, batch/v1,
//! rbac/v1, autoscaling/v1); other kinds have the same fields for the same things, or are told by their diff alone.

mod others;

use std::collections::BTreeMap;

use serde_json::Value;

use self::others::{contents, deletes_each, disrupts};
use crate::{Runs, Shown};

/// Kinds whose objects run pods, which go with them.
const RUN_PODS: [&str; 7] =
    ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob"];

impl Shown {
    /// What it does, each in a line; nothing where only the diff tells. May hold what an agent wrote.
    #[must_use]
    pub fn effects(&self) -> Vec<String> {
        let Self { verb, dry_run, before, after, .. } = self;
        let mut effects = match verb.as_str() {
            _ if *dry_run => vec!["changes nothing: it is a dry run".to_owned()],
            "delete" => deletes(before),
            "deletecollection" => self.listing.as_ref().map(deletes_each).unwrap_or_default(),
            "create" if before.is_null() && !after.is_null() => vec![format!("creates {}", named(after))],
            "create" if !before.is_null() => vec![format!("evicts {}", named(before))],
            _ if before.is_null() && !after.is_null() => {
                vec![format!("creates {}, which is not there", named(after))]
            }
            _ => Vec::new(),
        };
        effects.extend(self.runs.iter().flat_map(runs));
        effects.extend(contents(&self.beside.contents));
        effects
            .extend(self.beside.budgets.as_ref().map(|budgets| disrupts(budgets, verb)).unwrap_or_default());
        effects.extend(self.options.iter().map(|option| format!("with {option}")));
        effects.extend(
            self.restores
                .iter()
                .map(|call| format!("puts masked values back as the gate kept them, from before {call}")),
        );
        effects
            .extend(self.hidden.iter().map(|path| format!("changes the value at {path}, which is masked")));
        if !after.is_null() {
            effects.extend(images(before, after));
            effects.extend(replicas(before, after));
            effects.extend(suspension(before, after));
            effects.extend(keys(before, after));
            effects.extend(exposure(before, after));
            effects.extend(grants(before, after));
        }
        effects
    }
}

fn runs(runs: &Runs) -> Vec<String> {
    let Runs { command, container, image, stdin, terminal } = runs;
    let terminal = if *terminal { ", in a terminal" } else { "" };
    let mut effects = vec![if command.is_empty() {
        format!("attaches to what runs in container {container}{terminal}")
    } else {
        format!("runs in container {container}{terminal}: {command}")
    }];
    effects.push(format!("the container runs image {image}"));
    if *stdin {
        effects.push("what is typed in comes later: nobody can tell what it will be".to_owned());
    }
    effects.push("what a command does is not undone by the gate; what passes is recorded".to_owned());
    effects
}

fn deletes(object: &Value) -> Vec<String> {
    if object.is_null() {
        return Vec::new();
    }
    let mut effects = vec![format!("deletes {}", named(object))];
    let kind = text(object, "/kind");
    match kind {
        "Namespace" => effects.push("everything in the namespace goes with it".to_owned()),
        "CustomResourceDefinition" => {
            let what = text(object, "/spec/names/kind");
            effects.push(format!("every {what} in the cluster goes with it"));
        }
        "PersistentVolumeClaim" => {
            effects.push(format!("lets go of volume {}", text(object, "/spec/volumeName")));
        }
        _ if RUN_PODS.contains(&kind) => {
            let pods = ["/status/replicas", "/status/currentNumberScheduled", "/status/active"];
            let count = pods.iter().find_map(|path| object.pointer(path)?.as_i64()).unwrap_or(0);
            effects.push(format!("its pods go with it, unless it is told to leave them: {count} now"));
        }
        _ => {}
    }
    let finalizers = list(object, "/metadata/finalizers");
    if !finalizers.is_empty() {
        effects.push(format!("waits until finalizers are done: {}", finalizers.join(", ")));
    }
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    for owner in owners.into_iter().flatten() {
        let owner = format!("{} {}", text(owner, "/kind"), text(owner, "/name"));
        effects.push(format!("it belongs to {owner}, which may make another"));
    }
    effects
}

fn images(before: &Value, after: &Value) -> Vec<String> {
    let (had, has) = (containers(before), containers(after));
    let mut effects = Vec::new();
    for (name, image) in &has {
        match had.get(name) {
            Some(old) if old == image => {}
            Some(old) => effects.push(format!("image of container {name}: {old} → {image}")),
            None if !before.is_null() => effects.push(format!("adds container {name} with image {image}")),
            None => effects.push(format!("runs image {image} as container {name}")),
        }
    }
    let gone = had.keys().filter(|name| !has.contains_key(*name));
    effects.extend(gone.map(|name| format!("removes container {name}")));
    effects
}

/// Containers by name, with their images, wherever the pod or its template is.
fn containers(object: &Value) -> BTreeMap<&str, &str> {
    let specs = ["/spec", "/spec/template/spec", "/spec/jobTemplate/spec/template/spec"];
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    let mut found = BTreeMap::new();
    for spec in specs.iter().filter_map(|path| object.pointer(path)) {
        for container in lists.iter().filter_map(|name| spec.get(name)?.as_array()).flatten() {
            found.insert(text(container, "/name"), text(container, "/image"));
        }
    }
    found
}

fn replicas(before: &Value, after: &Value) -> Option<String> {
    // Of a `Scale`, zero is left out (`ScaleSpec` in k8s.io/api/autoscaling/v1).
    let count = |object: &Value| {
        let none = (text(object, "/kind") == "Scale").then_some(0);
        object.pointer("/spec/replicas").map_or(none, Value::as_i64)
    };
    let (had, has) = (count(before), count(after)?);
    match had {
        Some(had) if had == has => None,
        Some(had) if has == 0 => Some(format!("scales from {had} to 0: nothing of it runs any more")),
        Some(had) => Some(format!("scales from {had} to {has}")),
        None => None,
    }
}

fn suspension(before: &Value, after: &Value) -> Option<String> {
    let suspended = |object: &Value| object.pointer("/spec/suspend").and_then(Value::as_bool);
    match (suspended(before).unwrap_or(false), suspended(after)?) {
        (false, true) => Some("suspends it: it starts nothing any more".to_owned()),
        (true, false) => Some("resumes it: it starts what is due".to_owned()),
        _ => None,
    }
}

/// Keys of ConfigMaps and Secrets. Which values of a Secret change is not seen here.
fn keys(before: &Value, after: &Value) -> Vec<String> {
    let kind = text(after, "/kind");
    if before.is_null() || !["ConfigMap", "Secret"].contains(&kind) {
        return Vec::new();
    }
    let members = |object: &Value, field: &str| {
        object.get(field).and_then(Value::as_object).cloned().unwrap_or_default()
    };
    let mut effects = Vec::new();
    for field in ["data", "binaryData"] {
        let (had, has) = (members(before, field), members(after, field));
        for (key, value) in &has {
            match had.get(key) {
                None => effects.push(format!("adds key {key}")),
                Some(old) if old != value && kind == "ConfigMap" => {
                    effects.push(format!("changes key {key}"))
                }
                Some(_) => {}
            }
        }
        effects
            .extend(had.keys().filter(|key| !has.contains_key(*key)).map(|key| format!("removes key {key}")));
    }
    effects
}

fn exposure(before: &Value, after: &Value) -> Option<String> {
    if text(after, "/kind") != "Service" {
        return None;
    }
    let (had, has) = (text(before, "/spec/type"), text(after, "/spec/type"));
    let outside = ["NodePort", "LoadBalancer"].contains(&has);
    (had != has && outside).then(|| format!("can be reached from outside the cluster, as {has}"))
}

/// Rights that somebody has and had not.
fn grants(before: &Value, after: &Value) -> Vec<String> {
    match text(after, "/kind") {
        "RoleBinding" | "ClusterRoleBinding" => {
            let subjects = |object: &Value| {
                let subjects = object.get("subjects").and_then(Value::as_array).cloned().unwrap_or_default();
                subjects.iter().map(subject).collect::<Vec<_>>()
            };
            let role = format!("{} {}", text(after, "/roleRef/kind"), text(after, "/roleRef/name"));
            let had = subjects(before);
            let new = subjects(after).into_iter().filter(|subject| !had.contains(subject));
            new.map(|subject| format!("grants {role} to {subject}")).collect()
        }
        "Role" | "ClusterRole" => {
            let had = before.get("rules").and_then(Value::as_array).cloned().unwrap_or_default();
            let has = after.get("rules").and_then(Value::as_array).into_iter().flatten();
            has.filter(|rule| !had.contains(rule)).map(right).collect()
        }
        _ => Vec::new(),
    }
}

fn subject(subject: &Value) -> String {
    let namespace = match text(subject, "/namespace") {
        "" => String::new(),
        namespace => format!(" of namespace {namespace}"),
    };
    format!("{} {}{namespace}", text(subject, "/kind"), text(subject, "/name"))
}

fn right(rule: &Value) -> String {
    let what = [list(rule, "/resources"), list(rule, "/nonResourceURLs")].concat();
    format!("lets its holders {} {}", list(rule, "/verbs").join(", "), what.join(", "))
}

fn named(object: &Value) -> String {
    let namespace = match text(object, "/metadata/namespace") {
        "" => String::new(),
        namespace => format!(" in namespace {namespace}"),
    };
    format!("{} {}{namespace}", text(object, "/kind"), text(object, "/metadata/name"))
}

fn list<'a>(object: &'a Value, path: &str) -> Vec<&'a str> {
    let items = object.pointer(path).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str).collect()
}

fn text<'a>(object: &'a Value, path: &str) -> &'a str {
    object.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Beside;
    use serde_json::json;

    pub(super) fn shown(verb: &str, before: Value, after: Value) -> Shown {
        Shown {
            verb: verb.into(),
            dry_run: false,
            act: String::new(),
            reason: String::new(),
            rules: vec![],
            options: vec![],
            restores: None,
            hidden: vec![],
            before,
            after,
            listing: None,
            runs: None,
            beside: Beside::default(),
        }
    }

    fn effects(verb: &str, before: Value, after: Value) -> String {
        format!("{verb}: {}", shown(verb, before, after).effects().join("; "))
    }

    fn deployment(image: &str, replicas: i64) -> Value {
        let containers = json!([{"name": "web", "image": image}]);
        json!({
            "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "status": {"replicas": 3},
            "spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}}
        })
    }

    #[test]
    fn what_a_command_is_run_by_is_told() {
        let told = |command: &str, stdin| {
            let (command, container, image) =
                (command.to_owned(), "web".to_owned(), "shop@sha256:00".to_owned());
            let runs = Runs { command, container, image, stdin, terminal: stdin };
            Shown { runs: Some(runs), ..shown("create", Value::Null, Value::Null) }.effects().join("; ")
        };
        insta::assert_snapshot!([told("cat /etc/hosts", false), told("", true)].join("\n"), @"
        runs in container web: cat /etc/hosts; the container runs image shop@sha256:00; what a command does is not undone by the gate; what passes is recorded
        attaches to what runs in container web, in a terminal; the container runs image shop@sha256:00; what is typed in comes later: nobody can tell what it will be; what a command does is not undone by the gate; what passes is recorded
        ");
    }

    #[test]
    fn what_a_call_does_is_told_in_words() {
        let namespace = json!({"kind": "Namespace", "metadata": {"name": "shop", "finalizers": ["a/b"]}});
        let pod = json!({"kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop", "ownerReferences": [{"kind": "ReplicaSet", "name": "web"}]}});
        let crd = json!({"kind": "CustomResourceDefinition", "metadata": {"name": "w"}, "spec": {"names": {"kind": "Widget"}}});
        let cron = |suspend: bool| json!({"kind": "CronJob", "spec": {"suspend": suspend}});
        let scale = |spec: Value| json!({"kind": "Scale", "spec": spec});
        let map = |data: Value| json!({"kind": "ConfigMap", "data": data});
        let service = |kind: &str| json!({"kind": "Service", "spec": {"type": kind}});
        let binding = |subjects: Value| json!({"kind": "ClusterRoleBinding", "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}, "subjects": subjects});
        let role = json!({"kind": "ClusterRole", "rules": [{"verbs": ["*"], "resources": ["secrets"]}]});
        let me = json!([{"kind": "ServiceAccount", "name": "default", "namespace": "shop"}]);
        let table = [
            effects("delete", namespace, Value::Null),
            effects("delete", deployment("web:1", 3), Value::Null),
            effects("delete", pod.clone(), Value::Null),
            effects("delete", crd, Value::Null),
            effects("create", pod, Value::Null),
            effects("create", Value::Null, deployment("web:1", 3)),
            effects("patch", Value::Null, deployment("web:1", 3)),
            effects("patch", deployment("web:1", 3), deployment("web:2", 0)),
            effects("patch", deployment("web:1", 3), deployment("web:1", 5)),
            effects("patch", scale(json!({"replicas": 2})), scale(json!({}))),
            effects("patch", scale(json!({})), scale(json!({"replicas": 2}))),
            effects("update", cron(false), cron(true)),
            effects("update", cron(true), cron(false)),
            effects("update", map(json!({"a": "1", "b": "2"})), map(json!({"a": "1", "b": "3", "c": ""}))),
            effects("update", map(json!({"a": "1"})), map(json!({}))),
            effects("patch", service("ClusterIP"), service("LoadBalancer")),
            effects("update", binding(json!([])), binding(me)),
            effects("update", json!({"kind": "ClusterRole"}), role),
            effects("update", deployment("web:1", 3), deployment("web:1", 3)),
        ];
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn options_and_what_is_masked_are_told() {
        let shown = Shown {
            options: vec!["gracePeriodSeconds: 0".into()],
            restores: Some("call c-2 of session s-1".into()),
            hidden: vec!["data.password".into()],
            ..shown("delete", Value::Null, Value::Null)
        };
        let expected = [
            "with gracePeriodSeconds: 0",
            "puts masked values back as the gate kept them, from before call c-2 of session s-1",
            "changes the value at data.password, which is masked",
        ];
        assert_eq!(shown.effects(), expected);
    }

    #[test]
    fn a_dry_run_does_nothing_and_odd_objects_are_told_by_their_diff() {
        let dry = Shown { dry_run: true, ..shown("update", deployment("a", 1), deployment("a", 1)) };
        assert_eq!(dry.effects(), ["changes nothing: it is a dry run"]);
        for odd in [json!(1), json!([]), json!({"spec": {"replicas": "x", "template": 5}, "kind": {}})] {
            assert_eq!(shown("update", odd.clone(), odd).effects(), [""; 0]);
        }
    }
}
