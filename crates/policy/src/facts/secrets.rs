//! Which Secrets a body refers to.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{UNKNOWN, text};

/// Endings of keys under which names of Secrets stand: `secretKeyRef`, `imagePullSecrets`,
/// `nodePublishSecretRef`, `…/auth-tls-secret`. Compared without regard to case and to `-`.
const SECRET_KEYS: &[&str] =
    &["secret", "secrets", "secretname", "secretnames", "secretref", "secretrefs", "secretkeyref", PROVIDER];

/// What a secrets store fetches: the name is not that of a Secret.
const PROVIDER: &str = "secretproviderclass";

/// Where the namespace stands for a name beside it: `azureFile.secretNamespace`, parameters of storage classes.
const NAMESPACE_KEY: &str = "secretnamespace";

/// A Secret that a body refers to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reference {
    /// `None`: the object's own. Empty: it cannot be told, and may be any.
    pub(crate) namespace: Option<String>,
    /// `None`: it cannot be told, and may be any.
    pub(crate) name: Option<String>,
    /// Whether the name stands where Kubernetes has names: anything else may hold what must not be repeated.
    pub(crate) is_plain: bool,
}

/// What of a body is found to be a reference: `names` are as the body has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct References {
    pub(crate) names: BTreeSet<String>,
    pub(crate) all: BTreeSet<Reference>,
}

impl References {
    /// An object with `kind: Secret`, by which custom resources refer.
    pub(super) fn by_kind(&mut self, map: &Map<String, Value>) {
        if map.get("kind").and_then(Value::as_str) == Some("Secret") {
            self.object(map);
        }
    }

    /// An entry of `map`. `is_free`: below annotations or labels, whose keys and values are the user's.
    pub(super) fn entry(&mut self, map: &Map<String, Value>, key: &str, value: &Value, is_free: bool) {
        if ends_with(key, &[NAMESPACE_KEY]) {
            let alone = !map.keys().any(|other| ends_with(other, SECRET_KEYS));
            if let Some(namespace) = text(Some(value)).filter(|namespace| alone && !namespace.is_empty()) {
                self.names.insert(UNKNOWN.to_owned());
                self.all.insert(Reference::told(Some(&namespace), None, false));
            }
        } else if ends_with(key, SECRET_KEYS) {
            self.value(map, key, value, is_free);
        }
    }

    /// A name, an object with a name, or a list of either.
    fn value(&mut self, map: &Map<String, Value>, key: &str, value: &Value, is_free: bool) {
        match value {
            Value::String(name) if !name.is_empty() => self.name(map, key, name, is_free),
            Value::Array(items) => items.iter().for_each(|item| self.value(map, key, item, is_free)),
            // `secretName` inside is found by itself; of two names the server may take either.
            Value::Object(inner) if inner.contains_key("secretName") && !inner.contains_key("name") => {}
            Value::Object(inner) => self.object(inner),
            _ => {}
        }
    }

    fn object(&mut self, map: &Map<String, Value>) {
        let namespace = text(map.get("namespace")).filter(|namespace| !namespace.is_empty());
        let name = text(map.get("name")).filter(|name| !name.is_empty());
        self.names.insert(name.clone().unwrap_or_else(|| UNKNOWN.to_owned()));
        self.all.insert(Reference::told(namespace.as_deref(), name.as_deref(), true));
    }

    fn name(&mut self, map: &Map<String, Value>, key: &str, name: &str, is_free: bool) {
        self.names.insert(name.to_owned());
        let is_provider = ends_with(key, &[PROVIDER]);
        let mut add = |namespace: Option<&str>, name: &str, is_plain| {
            let name = Some(name).filter(|_| !is_provider);
            self.all.insert(Reference::told(namespace, name, is_plain));
        };
        // As annotations of ingress controllers have it.
        if let Some((namespace, name)) = name.split_once('/') {
            return add(Some(namespace), name, false);
        }
        let is_plain = key == "secretName" && !is_free;
        let beside = map.iter().filter(|(key, _)| ends_with(key, &[NAMESPACE_KEY]));
        let namespaces: Vec<&str> =
            beside.filter_map(|(_, value)| value.as_str()).filter(|text| !text.is_empty()).collect();
        if namespaces.is_empty() {
            add(None, name, is_plain);
        }
        for namespace in namespaces {
            add(Some(namespace), name, is_plain);
        }
    }
}

impl Reference {
    /// What is no name of an object may be filled in later (`${pvc.name}`), and can be any.
    fn told(namespace: Option<&str>, name: Option<&str>, is_plain: bool) -> Self {
        let namespace = namespace.map(|namespace| if is_name(namespace) { namespace } else { "" });
        let name = name.filter(|name| is_name(name));
        Self { namespace: namespace.map(str::to_owned), name: name.map(str::to_owned), is_plain }
    }
}

/// Whether it looks like a name that Kubernetes lets an object have (RFC 1123), and not like something to be kept quiet.
fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    !text.is_empty() && text.len() <= 253 && text.bytes().all(allowed)
}

/// Whether `key` ends in one of `endings`, which are lower case.
fn ends_with(key: &str, endings: &[&str]) -> bool {
    let mut letters = key.bytes().rev().filter(|byte| *byte != b'-').map(|byte| byte.to_ascii_lowercase());
    let tail: Vec<u8> = letters.by_ref().take(PROVIDER.len()).collect();
    endings.iter().any(|ending| {
        tail.len() >= ending.len() && tail.iter().copied().zip(ending.bytes().rev()).all(|(a, b)| a == b)
    })
}

#[cfg(test)]
mod tests;
