//! Objects, as undoing looks at them: whether two are the same but for what the API server and controllers set by themselves, and how one is
//! made anew or changed back.

use approval::{APPLIED, Outcome};
use mask::{placeholder_in, unbound};
use serde_json::{Map, Value, json};

use crate::{place::Place, why::Why};

/// Annotations that controllers set on what others made: the revision of a Deployment (k8s.io/kubectl/pkg/util/deployment), what binds a claim
/// to its volume (k8s.io/component-helpers/storage/volume).
const BY_CONTROLLERS: [&str; 7] = [
    "deployment.kubernetes.io/revision",
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/selected-node",
    "volume.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/storage-resizer",
];

/// The annotation by which the gate lets each write of a Secret change it (`mask::writeback`).
const MARK: &str = "portcullis.dev/call";

/// Fields that are set once something is made: by the scheduler, and by what binds volumes.
const SET_LATER: [(&str, &str, &str); 2] =
    [("", "pods", "nodeName"), ("", "persistentvolumeclaims", "volumeName")];

/// Whether an answer is the object itself: an agent may ask for its metadata alone, or for a table of it (`PartialObjectMetadata` and `Table` in
/// k8s.io/apimachinery/pkg/apis/meta/v1), of a change as well.
pub(crate) fn is_whole(answer: &Value) -> bool {
    let version = answer.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    answer.pointer("/metadata/uid").is_some() && !version.starts_with("meta.k8s.io/")
}

/// Whether what was answered may be the same object; there may have been none.
pub(crate) fn is_same_kind(before: &Value, answer: &Value) -> bool {
    before.is_null() || ["apiVersion", "kind"].iter().all(|field| before.get(field) == answer.get(field))
}

/// What the API server sets on what is created (`ObjectMeta` in k8s.io/apimachinery/pkg/apis/meta/v1).
const SET_BY_SERVER: [&str; 8] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Labels that tie a Job's pods to the uid it had (`pkg/registry/batch/job/strategy.go` in k8s.io/kubernetes).
const OF_JOB: [&str; 4] =
    ["controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"];

/// Of what went with an object, nothing is in the object.
const WITH_CONTENTS: [(&str, &str); 5] = [
    ("", "namespaces"),
    ("", "nodes"),
    ("", "persistentvolumeclaims"),
    ("", "persistentvolumes"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
];

/// Pointers that a message names.
const NAMED: usize = 5;

/// An object without what the API server and controllers set by themselves.
pub(crate) fn comparable(place: &Place, object: &Value) -> Value {
    let Outcome { object, applied } = Outcome::of(object, false);
    let mut object = object;
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
        strip(object, "metadata", &["selfLink"]);
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            strip(metadata, "annotations", &BY_CONTROLLERS);
            strip(metadata, "annotations", &[MARK]);
        }
        for (_, _, field) in SET_LATER.iter().filter(|(group, resource, _)| place.is(group, resource)) {
            strip(object, "spec", &[field]);
        }
    }
    unbind(&mut object);
    let mut applied = applied.unwrap_or_default();
    unbind(&mut applied);
    json!({ "object": object, APPLIED: applied })
}

/// An object without what the API server sets: what is written of it is all of this but `status`, which controllers write meanwhile.
pub(crate) fn strictly(object: &Value) -> Value {
    let Outcome { object, applied } = Outcome::of(object, false);
    let mut object = object;
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
        unmark(object);
    }
    unbind(&mut object);
    json!({ "object": object, APPLIED: applied })
}

/// Where two objects differ that are [`comparable`], at most a few places; none: they are the same.
pub(crate) fn differences(one: &Value, other: &Value) -> Vec<String> {
    let mut found = Vec::new();
    differ(one, other, &mut String::new(), &mut found);
    found
}

/// Whether it holds a masked value.
pub(crate) fn is_masked(value: &Value) -> bool {
    match value {
        Value::String(text) => placeholder_in(text),
        Value::Array(items) => items.iter().any(is_masked),
        Value::Object(members) => members.iter().any(|(key, value)| placeholder_in(key) || is_masked(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether somebody else's change lies between the two: it is another object of that name, or a server that counts the generations of an
/// object's spec has counted more than one.
pub(crate) fn is_more_than_one_step(before: &Value, after: &Value) -> bool {
    let uid = |object: &Value| object.pointer("/metadata/uid")?.as_str().map(str::to_owned);
    let generation = |object: &Value| object.pointer("/metadata/generation")?.as_u64();
    let is_step = |(before, after): (u64, u64)| (before..=before.saturating_add(1)).contains(&after);
    uid(before).zip(uid(after)).is_some_and(|(before, after)| before != after)
        || generation(before).zip(generation(after)).is_some_and(|steps| !is_step(steps))
}

/// Whether nobody can have changed a masked value between these two images of an object: it is the same version, and the same generation where
/// there is one, or the same generation of its spec and has masked values nowhere else. What `kubectl apply` notes of its manifest does not count, nor does `status`.
pub(crate) fn is_untouched(one: &Value, other: &Value) -> bool {
    let same = |path: &str| {
        let at = one.pointer(path).filter(|at| !at.is_null());
        at.is_some() && at == other.pointer(path)
    };
    let known = |object: &Value| object.pointer("/metadata/generation").is_some_and(|at| !at.is_null());
    let generation = same("/metadata/generation");
    // An API server that is put back to an older state gives versions out once more.
    let version = same("/metadata/resourceVersion") && (generation || !known(one) || !known(other));
    let in_spec_alone = !is_masked_beside_spec(one) && !is_masked_beside_spec(other);
    same("/metadata/uid") && (version || (in_spec_alone && generation))
}

fn is_masked_beside_spec(object: &Value) -> bool {
    any_member(object, |key, value| match key {
        "spec" | "status" => false,
        "metadata" => any_member(value, |key, value| match key {
            "annotations" => any_member(value, |key, value| key != APPLIED && is_masked(value)),
            _ => is_masked(value),
        }),
        _ => is_masked(value),
    })
}

fn any_member(object: &Value, is_such: impl Fn(&str, &Value) -> bool) -> bool {
    object.as_object().into_iter().flatten().any(|(key, value)| is_such(key, value))
}

/// Whether its masked values cannot have been changed, nor be changed back (`mask::writeback` refuses to write them, since that would
/// tell what they are).
pub(crate) fn keeps_values(place: &Place, object: &Value) -> bool {
    let kinds = [("", "pods"), ("batch", "jobs"), ("apps", "controllerrevisions")];
    kinds.iter().any(|(group, resource)| place.is(group, resource))
        || object.get("immutable") == Some(&Value::Bool(true))
}

/// Secrets that the cluster makes: the gate lets nobody write them (`fixed/token-secrets` in docs/policy.md).
pub(crate) fn is_minted(place: &Place, object: &Value) -> bool {
    let kind = object.get("type").and_then(Value::as_str);
    let minted = ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"];
    place.is("", "secrets") && kind.is_some_and(|kind| minted.contains(&kind))
}

/// Whether what is in it, or stored by it, goes with it.
pub(crate) fn with_contents(place: &Place) -> bool {
    WITH_CONTENTS.iter().any(|(group, resource)| place.is(group, resource))
}

/// A deleted object, to be created as it was. If the gate `restores` its values, the placeholders stay: they are what it knows them by.
pub(crate) fn recreated(place: &Place, before: &Value, restores: bool) -> Result<Value, Why> {
    if with_contents(place) {
        return Err(Why::Contents);
    }
    if let Some(owner) = controller_of(before) {
        return Err(Why::Owned { owner });
    }
    if is_masked(before) && !restores {
        return Err(Why::Masked);
    }
    let mut object = before.clone();
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
        strip(object, "metadata", &SET_BY_SERVER);
        unmark(object);
        for (_, _, field) in SET_LATER.iter().filter(|(group, resource, _)| place.is(group, resource)) {
            strip(object, "spec", &[field]);
        }
    }
    if place.is("batch", "jobs") && before.pointer("/spec/manualSelector") != Some(&Value::Bool(true)) {
        forget_job(&mut object);
    }
    Ok(object)
}

/// The object as it was before, to be written over what it is `now`: its values that are masked stay as they are, unless the gate
/// `restores` them.
pub(crate) fn restored(place: &Place, before: &Value, now: &Value, restores: bool) -> Result<Value, Why> {
    let mut object = if restores { before.clone() } else { with_values(before, now, &mut String::new())? };
    let keep = |path: &[&str], object: &mut Value| {
        let (Some((field, parents)), mut from, mut to) = (path.split_last(), now, object) else { return };
        for parent in parents {
            let Some(next) = from.get(parent) else { return };
            from = next;
            let Some(members) = to.as_object_mut() else { return };
            to = members.entry(*parent).or_insert_with(|| Value::Object(Map::new()));
        }
        let Some(members) = to.as_object_mut() else { return };
        match from.get(field) {
            Some(value) => drop(members.insert((*field).to_owned(), value.clone())),
            None => drop(members.remove(*field)),
        }
    };
    keep(&["status"], &mut object);
    for field in SET_BY_SERVER {
        keep(&["metadata", field], &mut object);
    }
    // What manages its fields is for the server to say.
    object
        .pointer_mut("/metadata")
        .and_then(Value::as_object_mut)
        .map(|fields| fields.remove("managedFields"));
    for annotation in BY_CONTROLLERS.iter().chain([&MARK]) {
        keep(&["metadata", "annotations", annotation], &mut object);
    }
    for (_, _, field) in SET_LATER.iter().filter(|(group, resource, _)| place.is(group, resource)) {
        keep(&["spec", field], &mut object);
    }
    Ok(object)
}

/// `before`, with the placeholders of what is there `now`. An item of a list has no name: there, masked values stay where they are only if
/// the whole list is as it was.
fn with_values(before: &Value, now: &Value, at: &mut String) -> Result<Value, Why> {
    let moved = |at: &str| Err(Why::MaskedMoved { at: at.to_owned() });
    match (before, now) {
        (before, now) if !is_masked(before) && !is_masked(now) => Ok(before.clone()),
        (Value::Object(before), Value::Object(now)) => {
            let mut members = Map::new();
            for (key, value) in before {
                let length = at.len();
                at.push('/');
                at.push_str(key);
                let there = now.get(key).unwrap_or(&Value::Null);
                members.insert(key.clone(), with_values(value, there, at)?);
                at.truncate(length);
            }
            Ok(Value::Object(members))
        }
        (Value::String(_), Value::String(_)) | (Value::Array(_), Value::Array(_))
            if same_but_for_values(before, now) =>
        {
            Ok(now.clone())
        }
        // Nothing is taken from what is masked now.
        (before, _) if !is_masked(before) => Ok(before.clone()),
        _ => moved(at),
    }
}

fn same_but_for_values(one: &Value, other: &Value) -> bool {
    let (mut one, mut other) = (one.clone(), other.clone());
    unbind(&mut one);
    unbind(&mut other);
    one == other
}

/// Placeholders of two sessions differ by what they are bound to.
pub(crate) fn unbind(value: &mut Value) {
    match value {
        Value::String(text) => *text = unbound(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(unbind),
        Value::Object(members) => members.values_mut().for_each(unbind),
        _ => {}
    }
}

fn unmark(object: &mut Map<String, Value>) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        strip(metadata, "annotations", &[MARK]);
    }
}

/// Takes fields out of a part, which goes if nothing is left of it.
fn strip(object: &mut Map<String, Value>, part: &str, fields: &[&str]) {
    let Some(members) = object.get_mut(part).and_then(Value::as_object_mut) else { return };
    members.retain(|name, _| !fields.contains(&name.as_str()));
    if members.is_empty() {
        object.remove(part);
    }
}

/// What selects a Job's pods is made up for each Job.
fn forget_job(job: &mut Value) {
    if let Some(spec) = job.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("selector");
    }
    for labels in ["/metadata/labels", "/spec/template/metadata/labels"] {
        if let Some(labels) = job.pointer_mut(labels).and_then(Value::as_object_mut) {
            labels.retain(|name, _| !OF_JOB.contains(&name.as_str()));
        }
    }
}

/// Whose controller has it, if one has: `ReplicaSet web-5d4f`.
fn controller_of(object: &Value) -> Option<String> {
    let owners = object.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners.iter().find(|owner| owner.get("controller") == Some(&Value::Bool(true)))?;
    let text = |name: &str| owner.get(name).and_then(Value::as_str).unwrap_or("?");
    Some(format!("{} {}", text("kind"), text("name")))
}

fn differ(one: &Value, other: &Value, at: &mut String, found: &mut Vec<String>) {
    if one == other || found.len() >= NAMED {
        return;
    }
    let (Value::Object(one), Value::Object(other)) = (one, other) else {
        let shown = at.strip_prefix("/object").unwrap_or(at);
        found.push(if shown.is_empty() { "/".to_owned() } else { shown.to_owned() });
        return;
    };
    let keys = one.keys().chain(other.keys().filter(|key| !one.contains_key(*key)));
    for key in keys {
        let length = at.len();
        at.push('/');
        at.push_str(key);
        let part = |members: &Map<String, Value>| members.get(key).cloned().unwrap_or_default();
        differ(&part(one), &part(other), at, found);
        at.truncate(length);
    }
}
