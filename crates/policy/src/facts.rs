//! Facts about a call that rules are written about: found by walking it, wherever they stand, so that
//! every kind with a pod template, a patch fragment and a custom resource are read alike. Nobody
//! gets around a rule about images by a kind that its author did not think of.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::body::{Body, Form, Operation};

mod deputies;
mod forward;
mod process;
mod run;
mod secrets;

pub(crate) use deputies::is_deputy_kind;
pub(crate) use forward::Forward;
pub use forward::Pod;
pub(crate) use run::Run;
pub(crate) use secrets::{Reference, References};

/// Stands in a set for a name or path that the body does not tell.
pub(crate) const UNKNOWN: &str = "*";

/// Capabilities that the Baseline pod security standard lets a container add
/// (k8s.io/pod-security-admission, `check_capabilities_baseline.go`).
const BASELINE_CAPABILITIES: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// What a body sets, and what is run; the context of the schema without `approved` and `dryRun`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) body_complete: bool,
    pub(crate) images: BTreeSet<String>,
    pub(crate) secrets: References,
    pub(crate) service_accounts: BTreeSet<String>,
    pub(crate) host_paths: BTreeSet<String>,
    pub(crate) external_addresses: BTreeSet<String>,
    pub(crate) deputy_annotations: BTreeSet<String>,
    pub(crate) target_containers: BTreeSet<String>,
    pub(crate) privileged: bool,
    pub(crate) host_namespaces: bool,
    pub(crate) token_projections: bool,
    pub(crate) touches_process: bool,
    /// Every value set for `spec.replicas`; more than one makes the body opaque.
    pub(crate) replicas: BTreeSet<i64>,
    pub(crate) run: Run,
    pub(crate) forward: Forward,
}

impl Facts {
    /// How many items its sets have: what it costs to tell them to the rules.
    pub(crate) fn items(&self) -> usize {
        let sets = [
            &self.images,
            &self.secrets.names,
            &self.service_accounts,
            &self.host_paths,
            &self.external_addresses,
            &self.deputy_annotations,
            &self.target_containers,
            &self.run.arguments,
            &self.forward.pod.labels,
        ];
        sets.into_iter().map(BTreeSet::len).sum()
    }

    /// The facts of a call without a body.
    pub(crate) fn none() -> Self {
        Self { body_complete: true, ..Self::default() }
    }

    /// The facts of `body`. For ConfigMaps and Secrets (`is_data`) the payload is not walked: its keys
    /// are the user's, and its values must not end up among the facts.
    pub(crate) fn of(body: &Body<'_>, is_data: bool) -> Self {
        let mut facts = Self { body_complete: body.form == Form::Whole, ..Self::default() };
        for value in body.assigned(&["spec", "replicas"]) {
            facts.replicas.extend(integer(value));
        }
        if body.form == Form::JsonPatch {
            for operation in body.operations().unwrap_or_default().iter().filter(|o| o.writes()) {
                facts.operation(operation, is_data);
            }
        } else {
            facts.root(body.value, is_data);
        }
        facts.touches_process = process::touched(body, is_data);
        facts
    }

    /// Wraps the operation's value in its path, so that `…/secretKeyRef/name` reads like an object.
    fn operation(&mut self, operation: &Operation<'_>, is_data: bool) {
        let value = operation.value.cloned().unwrap_or_default();
        let nested = operation.path.iter().rev().fold(value, |value, segment| {
            if is_index(segment) {
                return Value::Array(vec![value]);
            }
            Value::Object(Map::from_iter([(segment.to_string(), value)]))
        });
        self.root(&nested, is_data);
    }

    fn root(&mut self, value: &Value, is_data: bool) {
        let Some(map) = value.as_object() else { return self.walk(value, false) };
        for (key, value) in map {
            match (key.as_str(), value) {
                ("data" | "stringData" | "binaryData", _) if is_data => {}
                // Field sets of the server (`f:secretName: {}`): they repeat keys, not values.
                ("metadata", Value::Object(metadata)) => {
                    let own = metadata.iter().filter(|(key, _)| *key != "managedFields");
                    own.for_each(|(key, value)| self.entry(metadata, key, value, false));
                }
                _ => self.entry(map, key, value, false),
            }
        }
    }

    /// `is_free`: below annotations or labels.
    fn walk(&mut self, value: &Value, is_free: bool) {
        match value {
            Value::Object(map) => {
                self.secrets.by_kind(map);
                for (key, value) in map {
                    self.entry(map, key, value, is_free);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.walk(item, is_free)),
            _ => {}
        }
    }

    fn entry(&mut self, map: &Map<String, Value>, key: &str, value: &Value, is_free: bool) {
        // Strategic merge directives (`$setElementOrder/…`, `$retainKeys`) order and remove.
        if key.starts_with('$') {
            return;
        }
        match (key, value) {
            ("image", Value::String(image)) => _ = self.images.insert(image.clone()),
            ("image", Value::Object(volume)) => self.images.extend(text(volume.get("reference"))),
            ("privileged", _) => self.privileged |= is_set(value),
            ("hostProcess", _) if is_set(value) => {
                self.privileged = true;
                self.host_namespaces = true;
            }
            ("procMount", Value::String(mount)) if mount != "Default" => self.privileged = true,
            ("capabilities", Value::Object(map)) => self.privileged |= adds_capability(map),
            ("hostNetwork" | "hostPID" | "hostIPC", _) => self.host_namespaces |= is_set(value),
            ("hostPath" | "local", Value::Object(volume))
                if key == "hostPath" || volume.contains_key("path") =>
            {
                self.host_paths.insert(text_or_unknown(volume.get("path")));
            }
            // Without a name it is the namespace's default account.
            ("serviceAccountName" | "serviceAccount", _) => insert_name(&mut self.service_accounts, value),
            ("targetContainerName", _) => insert_name(&mut self.target_containers, value),
            ("externalIPs" | "externalName" | "loadBalancerIP", _) => self.external(value),
            ("type", Value::String(kind)) if kind == "ExternalName" => self.external(value),
            ("serviceAccountToken" | "podCertificate", _) => self.token_projections |= !value.is_null(),
            _ => {}
        }
        if deputies::is_deputy(key) && !value.is_null() {
            self.deputy_annotations.insert(key.to_owned());
        }
        self.secrets.entry(map, key, value, is_free);
        self.walk(value, is_free || matches!(key, "annotations" | "labels" | "matchLabels"));
    }

    /// An address or a list of them, as a Service leads to.
    fn external(&mut self, value: &Value) {
        match value {
            Value::Null => {}
            // The name stands beside it, or stood there before.
            Value::String(text) if text == "ExternalName" => {
                _ = self.external_addresses.insert(UNKNOWN.to_owned())
            }
            Value::String(text) if text.is_empty() => {}
            Value::String(text) => _ = self.external_addresses.insert(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| self.external(item)),
            _ => _ = self.external_addresses.insert(UNKNOWN.to_owned()),
        }
    }
}

/// An empty name is as good as none.
fn insert_name(names: &mut BTreeSet<String>, value: &Value) {
    match value {
        Value::Null => {}
        Value::String(name) if name.is_empty() => {}
        Value::String(name) => _ = names.insert(name.clone()),
        _ => _ = names.insert(UNKNOWN.to_owned()),
    }
}

/// What is no list of names is not understood, and counts.
fn adds_capability(capabilities: &Map<String, Value>) -> bool {
    let harmless = |item: &Value| item.as_str().is_some_and(|name| BASELINE_CAPABILITIES.contains(&name));
    match capabilities.get("add") {
        None | Some(Value::Null) => false,
        Some(Value::Array(list)) => !list.iter().all(harmless),
        Some(_) => true,
    }
}

/// Whether a switch is, or might be read as, on. An object is no switch: a schema that describes one.
fn is_set(switch: &Value) -> bool {
    match switch {
        Value::Null | Value::Bool(false) | Value::Object(_) => false,
        Value::Bool(true) | Value::Number(_) | Value::String(_) | Value::Array(_) => true,
    }
}

/// Whether a JSON Patch segment is one that the server takes for an index: `-`, or whatever Go's
/// `strconv.Atoi` reads.
fn is_index(segment: &str) -> bool {
    let digits = segment.strip_prefix(['+', '-']).unwrap_or(segment);
    segment == "-" || (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_owned)
}

fn text_or_unknown(value: Option<&Value>) -> String {
    text(value).filter(|name| !name.is_empty()).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// A whole number, also when written as `3.0`, as the server reads it for custom resources.
fn integer(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and within ±2^53")]
    let whole = |n: f64| (n.fract() == 0.0 && n.abs() < 9.0e15).then_some(n as i64);
    value.as_i64().or_else(|| value.as_f64().and_then(whole))
}

#[cfg(test)]
mod tests;
