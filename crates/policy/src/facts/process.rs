//! Whether a change decides what a container runs, or what it is given to run with. A patch does not show what the
//! object holds already: a new command alone can print a Secret that has been mounted all along.

use serde_json::{Map, Value};

use crate::body::{Body, Form, Operation};

use super::is_index;

/// Fields of pods and containers (k8s.io/api/core/v1) that set a process, or put something within its reach.
const KEYS: &[&str] = &[
    "args",
    "automountServiceAccountToken",
    "command",
    "dnsConfig",
    "env",
    "envFrom",
    "ephemeralContainers",
    "exec",
    "hostAliases",
    "initContainers",
    "lifecycle",
    "shareProcessNamespace",
    "terminationMessagePath",
    "volumeDevices",
    "volumeMounts",
    "volumes",
    "workingDir",
];

/// Maps whose keys are the user's: a label may be called `env`.
const FREE_MAPS: &[&str] = &[
    "annotations",
    "labels",
    "limits",
    "managedFields",
    "matchLabels",
    "nodeSelector",
    "requests",
    "selector",
];

const DATA: &[&str] = &["binaryData", "data", "stringData"];

/// Where a pod template stands, and whatever holds all of one. What is replaced here as a whole keeps nothing of what
/// was there, so that the other facts tell everything; `kubectl rollout undo` does that.
const TEMPLATES: &[&[&str]] = &[
    &[],
    &["spec"],
    &["template"],
    &["template", "spec"],
    &["spec", "template"],
    &["spec", "template", "spec"],
    &["spec", "jobTemplate"],
    &["spec", "jobTemplate", "spec"],
    &["spec", "jobTemplate", "spec", "template"],
    &["spec", "jobTemplate", "spec", "template", "spec"],
];

/// Whether `body` sets, removes or replaces any of it. For ConfigMaps and Secrets (`is_data`) the payload does not count.
pub(super) fn touched(body: &Body<'_>, is_data: bool) -> bool {
    if body.form == Form::JsonPatch {
        return body.operations().map_or(true, |operations| {
            operations.iter().filter(|o| o.op != "test").any(|o| operation(o, is_data))
        });
    }
    Walk { form: body.form, is_data, path: Vec::new() }.value(body.value)
}

fn operation(operation: &Operation<'_>, is_data: bool) -> bool {
    let path: Vec<&str> = operation.path.iter().map(AsRef::as_ref).collect();
    if is_data && path.first().is_some_and(|first| DATA.contains(first)) {
        return false;
    }
    for segment in &path {
        if FREE_MAPS.contains(segment) {
            return false;
        }
        if KEYS.contains(segment) {
            return true;
        }
    }
    if !operation.writes() || TEMPLATES.contains(&path.as_slice()) {
        return false;
    }
    let named = path.iter().rev().find(|segment| !is_index(segment));
    let replaces_container = named == Some(&"containers") && path.last() != Some(&"image");
    let value = operation.value.unwrap_or(&Value::Null);
    replaces_container || Walk { form: Form::Whole, is_data, path }.value(value)
}

/// A value and where it is put.
struct Walk<'a> {
    form: Form,
    is_data: bool,
    path: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, value: &'a Value) -> bool {
        match value {
            Value::Object(map) => self.map(map),
            Value::Array(items) => items.iter().any(|item| {
                self.path.push("-");
                let touched = self.value(item);
                self.path.pop();
                touched
            }),
            _ => false,
        }
    }

    fn map(&mut self, map: &'a Map<String, Value>) -> bool {
        // Other kinds of patch do not know the directive, and would merge what stands beside it.
        if self.form == Form::Strategic && map.get("$patch").and_then(Value::as_str) == Some("replace") {
            return !TEMPLATES.contains(&self.path.as_slice());
        }
        map.iter().any(|(key, value)| self.entry(key, value))
    }

    fn entry(&mut self, key: &'a str, value: &'a Value) -> bool {
        if KEYS.contains(&key.strip_prefix("$deleteFromPrimitiveList/").unwrap_or(key)) {
            return true;
        }
        if self.form == Form::Merge && key == "containers" {
            return true;
        }
        let is_payload = self.is_data && self.path.is_empty() && DATA.contains(&key);
        if is_payload || key.starts_with('$') || FREE_MAPS.contains(&key) {
            return false;
        }
        self.path.push(key);
        let touched = self.value(value);
        self.path.pop();
        touched
    }
}

#[cfg(test)]
mod tests;
