//! What an API server says about Secrets: a page of a list, an event of a watch.

use std::{collections::BTreeMap, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, de};
use zeroize::Zeroizing;

use super::{Problem, public::is_public, scope::Scope, value::Value};

/// Where a Secret is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) namespace: String,
    pub(super) name: String,
}

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) secrets: Vec<(Name, Vec<Value>)>,
    /// Where the next page begins.
    pub(super) next: Option<String>,
    /// The version that a watch goes on from.
    pub(super) version: String,
}

/// An event of a watch.
#[derive(Debug)]
pub(super) enum Event {
    /// A Secret is so now.
    Put(Name, Vec<Value>),
    /// A Secret is gone.
    Gone(Name),
    /// Nothing but the version moved on.
    Nothing,
}

#[derive(Deserialize)]
struct RawList {
    kind: String,
    #[serde(rename = "apiVersion")]
    version: String,
    #[serde(default)]
    metadata: Metadata,
    items: Option<Vec<Object>>,
}

#[derive(Deserialize)]
struct RawEvent {
    r#type: String,
    object: Object,
}

/// A Secret, or in an event a `Status`.
#[derive(Deserialize)]
struct Object {
    /// Items of a list have none.
    kind: Option<String>,
    #[serde(rename = "apiVersion")]
    version: Option<String>,
    #[serde(default)]
    metadata: Metadata,
    r#type: Option<String>,
    data: Option<BTreeMap<String, Field>>,
    /// Of a `Status`.
    code: Option<u16>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: String,
    namespace: String,
    resource_version: String,
    r#continue: String,
}

/// A value of `data`.
enum Field {
    Decoded(Zeroizing<Vec<u8>>),
    /// It is no base64.
    Undecoded(Zeroizing<Vec<u8>>),
}

impl Page {
    /// # Errors
    /// It is no list of Secrets.
    pub(super) fn parse(text: &[u8], scope: &Scope) -> Result<Self, Problem> {
        // Not the parser's error: it may quote what it found.
        let list: RawList = serde_json::from_slice(text)
            .map_err(|_error| Problem::NotUnderstood("it is not the JSON of a list"))?;
        if (list.kind.as_str(), list.version.as_str()) != ("SecretList", "v1") {
            return Err(Problem::NotUnderstood("it is of another kind than `SecretList`"));
        }
        let version = version(&list.metadata)?;
        let mut secrets = Vec::new();
        for item in list.items.into_iter().flatten() {
            if !item.is_kind_or_untold("Secret") {
                return Err(Problem::NotUnderstood("there is something else than a Secret in the list"));
            }
            let name = item.name()?;
            if scope.includes(&name.namespace, item.r#type()) {
                secrets.push((name, item.values()));
            }
        }
        let next = Some(list.metadata.r#continue).filter(|next| !next.is_empty());
        Ok(Self { secrets, next, version })
    }
}

impl Event {
    /// The event, and the version that a watch goes on from once it was taken.
    ///
    /// # Errors
    /// It is no event of a watch on Secrets, or says that the watch cannot go on.
    pub(super) fn parse(text: &[u8], scope: &Scope) -> Result<(Self, String), Problem> {
        let RawEvent { r#type, object } = serde_json::from_slice(text)
            .map_err(|_error| Problem::NotUnderstood("it is not the JSON of an event"))?;
        if r#type == "ERROR" {
            return Err(match object.code.and_then(|code| http::StatusCode::from_u16(code).ok()) {
                Some(http::StatusCode::GONE) => Problem::Expired,
                Some(status) => Problem::Status(status),
                None => Problem::NotUnderstood("an error without a code"),
            });
        }
        if object.kind.as_deref() != Some("Secret") || object.version.as_deref() != Some("v1") {
            return Err(Problem::NotUnderstood("an event about another kind than `Secret`"));
        }
        let version = version(&object.metadata)?;
        let event = match r#type.as_str() {
            "BOOKMARK" => Self::Nothing,
            "ADDED" | "MODIFIED" | "DELETED" => {
                let name = object.name()?;
                if !scope.includes(&name.namespace, object.r#type()) {
                    Self::Nothing
                } else if r#type == "DELETED" {
                    Self::Gone(name)
                } else {
                    Self::Put(name, object.values())
                }
            }
            _ => return Err(Problem::NotUnderstood("an event of an unknown type")),
        };
        Ok((event, version))
    }
}

fn version(metadata: &Metadata) -> Result<String, Problem> {
    match metadata.resource_version.as_str() {
        // To a watch, `0` would mean any version.
        "" | "0" => Err(Problem::NotUnderstood("it has no version to go on from")),
        version => Ok(version.to_owned()),
    }
}

impl Object {
    fn is_kind_or_untold(&self, kind: &str) -> bool {
        self.kind.as_deref().is_none_or(|other| other == kind)
    }

    fn r#type(&self) -> &str {
        self.r#type.as_deref().unwrap_or("Opaque")
    }

    fn name(&self) -> Result<Name, Problem> {
        let Metadata { name, namespace, .. } = &self.metadata;
        if name.is_empty() || namespace.is_empty() {
            return Err(Problem::NotUnderstood("a Secret without name or namespace"));
        }
        Ok(Name { namespace: namespace.clone(), name: name.clone() })
    }

    /// What of it is secret. What is no base64 is known as it stands: an API server gives none, but a value that is passed
    /// over would be shown.
    fn values(self) -> Vec<Value> {
        let kind = self.r#type().to_owned();
        let mut values = Vec::new();
        let mut undecoded = 0_usize;
        for (key, field) in self.data.into_iter().flatten() {
            match field {
                Field::Decoded(value) if value.is_empty() || is_public(&kind, &key, &value) => {}
                Field::Decoded(value) => values.push(Value::new(value)),
                Field::Undecoded(text) => {
                    undecoded += 1;
                    values.push(Value::undecoded(text));
                }
            }
        }
        if undecoded > 0 {
            let Metadata { namespace, name, .. } = &self.metadata;
            tracing::warn!(
                namespace,
                name,
                undecoded,
                "values of a Secret are no base64; they are known as they stand"
            );
        }
        values
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Base64;
        impl<'de> de::Visitor<'de> for Base64 {
            type Value = Field;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64 text")
            }

            fn visit_str<E>(self, text: &str) -> Result<Field, E> {
                let mut decoded = Zeroizing::new(Vec::with_capacity(text.len() / 4 * 3 + 3));
                Ok(match STANDARD.decode_vec(text, &mut decoded) {
                    Ok(()) => Field::Decoded(decoded),
                    Err(_no_base64) => Field::Undecoded(Zeroizing::new(text.as_bytes().to_vec())),
                })
            }

            fn visit_unit<E>(self) -> Result<Field, E> {
                // As Go reads it: no bytes.
                Ok(Field::Decoded(Zeroizing::default()))
            }
        }
        deserializer.deserialize_any(Base64)
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Field")
    }
}

#[cfg(test)]
mod tests;
