//! Where secrets hide: a catalogue of places in documents, as data (`places/catalogue.txt`), compiled into the trees that the
//! scanner walks.
//!
//! Which places an answer is held against follows from the resource in the request's path, never from what the answer says it
//! is: a lie can only add places. An object that says `kind: Secret` in an answer about other things is masked as one, from
//! there on; one that gives its `data` before its kind, as Go does where it has no type, is taken for a Secret if its
//! `apiVersion` is `v1`.

mod compile;
mod glob;
mod names;
mod parse;
mod tree;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use compile::{SECRETS, Source};
use names::Names;
pub(crate) use names::Telling;
use parse::Entry;
pub use tree::Rules;
use tree::Step;
pub(crate) use tree::{ANYWHERE, Check, MAX_KEY, NOTHING, Node, Note, ROOT, Treatment, Whose, Wrapped};

use crate::placeholder::Placeholder;

/// The most places that configuration may add.
const MAX_CUSTOM: usize = 1000;

/// The catalogue in force: what ships with the gate, and what its configuration adds. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalogue(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    entries: Vec<Entry>,
    names: Arc<Names>,
    /// For each resource that has entries of its own.
    rules: BTreeMap<String, Rules>,
    others: Rules,
}

/// An entry that configuration adds: `resource` as kubectl writes it (`widgets.example.com`), and the path of a field in it
/// (`spec.users[].token`), whose value is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomPlace {
    /// Plural resource name and group.
    pub resource: String,
    /// Keys from the root, separated by dots; `[]` after a key means every element, `*` every member; a key with dots in it is
    /// written `["example.com/key"]`.
    pub path: String,
}

/// An entry that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` of `{resource}` is no place: {problem}")]
pub struct BadPlace {
    resource: String,
    path: String,
    problem: &'static str,
}

impl Catalogue {
    /// What ships with the gate.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the file is a part of the program, and every test reads it")]
    pub fn builtin() -> Self {
        static BUILTIN: LazyLock<Catalogue> = LazyLock::new(|| {
            let (entries, names) =
                parse::file(include_str!("places/catalogue.txt")).expect("the catalogue can be read");
            Catalogue::compile(entries, Arc::new(names))
        });
        BUILTIN.clone()
    }

    /// The same with more places.
    ///
    /// # Errors
    /// The first entry that cannot be read, and what is wrong with it.
    pub fn with(self, places: &[CustomPlace]) -> Result<Self, BadPlace> {
        let mut entries = self.0.entries.clone();
        for (index, place) in places.iter().enumerate() {
            let entry = if index < MAX_CUSTOM { custom(place) } else { Err("it is one of more than 1000") };
            let CustomPlace { resource, path } = place.clone();
            entries.push(entry.map_err(|problem| BadPlace { resource, path, problem })?);
        }
        Ok(Self::compile(entries, self.0.names.clone()))
    }

    /// The rules for answers about a resource; a subresource that has none of its own answers with its parent's object.
    #[must_use]
    pub fn rules_for(&self, group: &str, resource: &str, subresource: Option<&str>) -> Rules {
        self.0.rules.get(self.named(group, resource, subresource).as_str()).unwrap_or(&self.0.others).clone()
    }

    /// The rules for a document within a string that says it is of this kind. The resource is guessed from the kind as Kubernetes
    /// does (`k8s.io/apimachinery/pkg/api/meta`, `UnsafeGuessKindToResource`).
    pub(crate) fn rules_of_kind(&self, api_version: &str, kind: &str) -> Option<Rules> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let singular = kind.to_ascii_lowercase();
        let plural = match singular.strip_suffix('y') {
            _ if singular.ends_with('s') => format!("{singular}es"),
            Some(stem) => format!("{stem}ies"),
            None => format!("{singular}s"),
        };
        self.rules_for(group, &plural, None).embedded(Whose::Own).cloned()
    }

    /// What the key of a value in a chart's values tells about it.
    pub(crate) fn key_tells(&self, key: &str) -> Option<Telling> {
        self.0.names.key_tells(key)
    }

    /// Whether the value beside this `name` is replaced.
    pub(crate) fn name_tells(&self, name: &str) -> bool {
        self.0.names.telling(name.as_bytes())
    }

    /// Whether an object of this resource has values at places of its own, which messages about it can quote.
    pub(crate) fn sensitive(&self, group: &str, resource: &str, subresource: Option<&str>) -> bool {
        self.source().sensitive(&self.named(group, resource, subresource))
    }

    /// The rules for documents that describe the API, and have no place.
    pub(crate) fn nowhere() -> Rules {
        static NOWHERE: LazyLock<Rules> = LazyLock::new(compile::nowhere);
        NOWHERE.clone()
    }

    /// The resource as the catalogue names it.
    fn named(&self, group: &str, resource: &str, subresource: Option<&str>) -> String {
        let dot = if group.is_empty() { "" } else { "." };
        let object = format!("{resource}{dot}{group}");
        let whole = subresource.map(|subresource| format!("{object}/{subresource}"));
        whole.filter(|whole| self.0.rules.contains_key(whole)).unwrap_or(object)
    }

    fn source(&self) -> Source<'_> {
        Source { entries: &self.0.entries, names: &self.0.names }
    }

    fn compile(entries: Vec<Entry>, names: Arc<Names>) -> Self {
        let source = Source { entries: &entries, names: &names };
        let secret = source.compile_embedded(SECRETS);
        let rules = entries
            .iter()
            .map(|entry| entry.resource.as_str())
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .map(|resource| (resource.to_owned(), source.compile(resource, &secret)))
            .collect();
        let others = source.compile("", &secret);
        Self(Arc::new(Compiled { entries, names, rules, others }))
    }
}

impl Default for Catalogue {
    fn default() -> Self {
        Self::builtin()
    }
}

impl Rules {
    /// No place: the document is checked and passes as it is.
    #[must_use]
    pub fn nowhere() -> Self {
        Catalogue::nowhere()
    }
}

/// The entry for a place from configuration.
fn custom(place: &CustomPlace) -> Result<Entry, &'static str> {
    let CustomPlace { resource, path } = place;
    let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-/".contains(&byte);
    if resource.is_empty() || !resource.bytes().all(named) {
        return Err(
            "the resource must be a plural name and a group in lower case, as in `widgets.example.com`",
        );
    }
    let entry = parse::entry(resource, path, Treatment::Replace(Placeholder::Text), true)?;
    if entry.steps.iter().any(|step| matches!(step, Step::Glob(_))) {
        return Err("a key has `*` in it; name each key, or use `*` for every member");
    }
    if needed(&entry.steps) {
        return Err(
            "clients and the gate itself need what is there: `kind`, `apiVersion`, `metadata` and who the object is",
        );
    }
    Ok(entry)
}

/// Whether masking what `steps` lead to would take away what tells the object.
fn needed(steps: &[Step]) -> bool {
    fn key(step: &Step) -> &str {
        match step {
            Step::Key(key) => key,
            Step::Glob(_) | Step::Any | Step::Each => "*",
        }
    }
    match steps.iter().map(key).collect::<Vec<&str>>()[..] {
        ["*" | "kind" | "apiversion" | "items" | "object" | "rows", ..] | ["metadata"] => true,
        ["metadata", second, ..] => {
            matches!(second, "*" | "uid" | "resourceversion" | "name" | "namespace" | "generation")
        }
        _ => false,
    }
}

#[cfg(test)]
#[path = "places/tests.rs"]
mod tests;
