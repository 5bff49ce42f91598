//! The options of a request: what the client gave in the query, canonical.

use crate::{
    Verb,
    parameter::{Parameter, tables},
    path,
    refusal::{Refusal, quoted},
    target::Target,
};

/// The options that the client gave, canonical, in the client's order; what the server decodes from the query as
/// `ListOptions` and its like (k8s.io/apimachinery/pkg/apis/meta/v1/types.go), which a differential test compares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options(Vec<(&'static str, String)>);

impl Options {
    /// Checks each pair against the request's tables.
    ///
    /// # Errors
    /// Unknown, doubled, refused, or unreadable parameters.
    pub(crate) fn parse(verb: Verb, target: &Target, pairs: &[(String, String)]) -> Result<Self, Refusal> {
        let tables = tables(verb, target);
        let mut options = Self(Vec::with_capacity(pairs.len()));
        for (name, value) in pairs {
            let known = tables.iter().copied().flatten().find(|parameter| parameter.0 == name);
            let Some(Parameter(name, kind, list)) = known else {
                return Err(Refusal::UnknownParameter {
                    name: quoted(name),
                    request: describe(verb, target),
                });
            };
            if !list && options.get(name).is_some() {
                return Err(Refusal::DuplicateParameter { name });
            }
            for value in kind.values(value) {
                options.0.push((name, kind.canonical(name, value)?));
            }
        }
        Ok(options)
    }

    /// The (first) value of an option, canonical: a boolean is `true` or `false`, whatever the client wrote; other values are
    /// what the client gave, decoded.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of an option that is a list, such as `command`.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a boolean option is true.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// The same options with this one, in place of what was given for it.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value.to_owned()));
        self
    }

    /// Names and values, in the client's order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Those whose name is wanted.
    pub(crate) fn only(&self, wanted: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(name, _)| wanted(name)).cloned().collect())
    }

    /// `?name=value&…`, or nothing.
    pub(crate) fn write(&self, target: &mut String) {
        let mut separator = '?';
        for (name, value) in &self.0 {
            target.push(separator);
            target.push_str(name);
            target.push('=');
            target.push_str(&path::encode_value(value));
            separator = '&';
        }
    }
}

fn describe(verb: Verb, target: &Target) -> String {
    match target {
        Target::Resource(resource) => match resource.subresource() {
            Some(subresource) => format!("{verb} {}/{subresource}", resource.group_resource()),
            None => format!("{verb} {}", resource.group_resource()),
        },
        Target::NonResource(other) => quoted(other.path()),
    }
}
