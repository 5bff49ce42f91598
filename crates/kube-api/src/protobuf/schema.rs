//! Which messages there are: `schema.txt`, written from Kubernetes' own Go types by `cargo xtask protobuf`.
//!
//! ```text
//! kind v1 ConfigMap core.v1.ConfigMap
//! message core.v1.ConfigMap
//! 1 metadata nonzero meta.v1.ObjectMeta
//! 2 data map string
//! ```
//!
//! A field is its number, its name in JSON (`.` if its own fields stand in its place, as Go inlines a struct), how often
//! it may stand there, and its form.

use std::{collections::HashMap, sync::LazyLock};

static SCHEMA: LazyLock<Option<Schema>> = LazyLock::new(|| Schema::parse(include_str!("schema.txt")));

/// Every message that is read.
#[derive(Debug)]
pub(super) struct Schema {
    /// By `apiVersion` and `kind`.
    kinds: HashMap<(&'static str, &'static str), Index>,
    messages: Vec<Vec<Field>>,
}

/// Of a message in its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Index(usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    number: u32,
    pub(super) name: &'static str,
    pub(super) label: Label,
    pub(super) form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    One,
    /// Once or not at all, which are two things: Go's pointer.
    Optional,
    /// As [`One`](Self::One), and left out where it says nothing: Go's `omitempty`.
    NonZero,
    List,
    /// From text, in entries of a key (1) and a value (2).
    Map,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Message(Index),
    Text,
    /// Base64 in JSON.
    Bytes,
    Bool,
    Int32,
    Int64,
    /// A message that is nothing but a list of texts.
    Texts,
    Time,
    MicroTime,
    Quantity,
    IntOrString,
    /// JSON inside a message: `RawExtension` and `FieldsV1`.
    Json,
}

/// A `.` for a name.
pub(super) const INLINE: &str = ".";

impl Schema {
    /// The one that ships with the gate; `None` only if its text were broken, which a test rules out.
    pub(super) fn shipped() -> Option<&'static Self> {
        SCHEMA.as_ref()
    }

    pub(super) fn kind(&self, api_version: &str, kind: &str) -> Option<Index> {
        self.kinds.get(&(api_version, kind)).copied()
    }

    pub(super) fn field(&self, message: Index, number: u32) -> Option<&Field> {
        self.messages.get(message.0)?.iter().find(|field| field.number == number)
    }

    fn parse(text: &'static str) -> Option<Self> {
        let lines = || text.lines().filter(|line| !line.starts_with('#'));
        let indices: HashMap<&str, Index> = lines()
            .filter_map(|line| line.strip_prefix("message "))
            .enumerate()
            .map(|(at, name)| (name, Index(at)))
            .collect();
        let mut schema = Self { kinds: HashMap::new(), messages: Vec::new() };
        for line in lines() {
            let words: Vec<&'static str> = line.split(' ').collect();
            match *words.as_slice() {
                ["kind", api_version, kind, message] => {
                    schema.kinds.insert((api_version, kind), *indices.get(message)?);
                }
                ["message", _] => schema.messages.push(Vec::new()),
                [number, name, label, form] => {
                    let field = Field {
                        number: number.parse().ok()?,
                        name,
                        label: Label::parse(label)?,
                        form: Form::parse(form, &indices)?,
                    };
                    schema.messages.last_mut()?.push(field);
                }
                _ => return None,
            }
        }
        Some(schema)
    }
}

impl Label {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "one" => Self::One,
            "optional" => Self::Optional,
            "nonzero" => Self::NonZero,
            "list" => Self::List,
            "map" => Self::Map,
            _ => return None,
        })
    }
}

impl Form {
    fn parse(word: &str, messages: &HashMap<&str, Index>) -> Option<Self> {
        Some(match word {
            "string" => Self::Text,
            "bytes" => Self::Bytes,
            "bool" => Self::Bool,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "strings" => Self::Texts,
            "Time" => Self::Time,
            "MicroTime" => Self::MicroTime,
            "Quantity" => Self::Quantity,
            "IntOrString" => Self::IntOrString,
            "FieldsV1" | "RawExtension" => Self::Json,
            message => Self::Message(*messages.get(message)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_schema_is_whole() {
        let schema = Schema::shipped().unwrap();
        let pod = schema.kind("v1", "Pod").unwrap();
        assert_eq!(schema.field(pod, 1).unwrap().name, "metadata");
        assert!(schema.kinds.len() > 100, "{}", schema.kinds.len());
    }

    #[test]
    fn a_broken_text_is_no_schema() {
        for text in [
            "kind v1 Pod missing",
            "message a\n1 b one missing",
            "message a\nx b one string",
            "1 b one string",
            "x",
        ] {
            assert!(Schema::parse(text).is_none(), "{text}");
        }
    }
}
