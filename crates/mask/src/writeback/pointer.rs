//! Places in a document, as JSON pointers (RFC 6901).

use serde_json::Value;

/// The most characters of one key that are told: keys are the client's own words, but need not be repeated without end.
const LONGEST: usize = 64;

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    /// An element, and its `name` if it has one: by that it is known in lists of containers and their like.
    Item {
        index: usize,
        name: Option<String>,
    },
}

/// A path that grows and shrinks while a document is walked.
#[derive(Debug, Default, Clone)]
pub(super) struct Pointer(Vec<Step>);

impl Pointer {
    /// The place of the member `key` of the member… and so on.
    pub(super) fn to(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| Step::Key((*key).to_owned())).collect())
    }

    /// Walks into the member `key`.
    pub(super) fn member<T>(&mut self, key: &str, look: impl FnOnce(&mut Self) -> T) -> T {
        self.within(Step::Key(key.to_owned()), look)
    }

    /// Walks into an element.
    pub(super) fn element<T>(
        &mut self,
        index: usize,
        name: Option<String>,
        look: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.within(Step::Item { index, name }, look)
    }

    fn within<T>(&mut self, step: Step, look: impl FnOnce(&mut Self) -> T) -> T {
        self.0.push(step);
        let found = look(self);
        self.0.pop();
        found
    }

    /// The place within what is at another, so many steps into the document.
    pub(super) fn past(&self, steps: usize) -> Self {
        Self(self.0.iter().skip(steps).cloned().collect())
    }

    /// What is there in `document`.
    pub(super) fn find<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(document, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Item { index, .. } => value.get(index),
        })
    }

    /// Whether a set of fields (`FieldsV1` in `k8s.io/apimachinery/pkg/apis/meta/v1`) has this one. Elements without a name are
    /// in none.
    pub(super) fn is_in(&self, fields: &Value) -> bool {
        let found = self.0.iter().try_fold(fields, |fields, step| match step {
            Step::Key(key) => fields.get(format!("f:{key}")),
            Step::Item { name, .. } => {
                let name = Value::from(name.as_deref()?);
                fields.get(format!(r#"k:{{"name":{name}}}"#))
            }
        });
        found.is_some()
    }

    /// Whether it leads to a member of the whole document, or to that.
    pub(super) fn is_short(&self) -> bool {
        self.0.len() < 2
    }

    /// The pointer as it is told; `/` stands for the whole document.
    pub(super) fn text(&self) -> String {
        let step = |step: &Step| match step {
            Step::Key(key) => {
                let short: String = key.chars().take(LONGEST).collect();
                format!("/{}", short.replace('~', "~0").replace('/', "~1"))
            }
            Step::Item { index, .. } => format!("/{index}"),
        };
        let text: String = self.0.iter().map(step).collect();
        if text.is_empty() { "/".to_owned() } else { text }
    }
}

/// The `name` of an element of a list.
pub(super) fn name(item: &Value) -> Option<&str> {
    item.get("name").and_then(Value::as_str)
}

/// The first place, in the document's order, at which `wanted` says so of a key or a value.
pub(super) fn first(
    value: &Value,
    at: &mut Pointer,
    wanted: &mut dyn FnMut(Found<'_>, &Pointer) -> bool,
) -> Option<Pointer> {
    if wanted(Found::Value(value), at) {
        return Some(at.clone());
    }
    match value {
        Value::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
            at.element(index, name(item).map(str::to_owned), |at| first(item, at, wanted))
        }),
        Value::Object(members) => members.iter().find_map(|(key, member)| {
            at.member(key, |at| {
                if wanted(Found::Key(key), at) { Some(at.clone()) } else { first(member, at, wanted) }
            })
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// What a walk comes by.
pub(super) enum Found<'a> {
    Key(&'a str),
    Value(&'a Value),
}
