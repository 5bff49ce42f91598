//! A call as policy judges it: action, canonical identity, facts.

use serde_json::Value;

use crate::action::Action;
use crate::body::{Body, Form};
use crate::catalogue;
use crate::facts::Facts;

/// One call, or one question about a call that might be made.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// The verb as asked; for wording.
    pub(crate) verb: &'a str,
    /// `None` for verbs that no request can have (`use`, `impersonate`, `*`): never allowed.
    pub(crate) action: Option<Action>,
    pub(crate) subject: Subject<'a>,
    pub(crate) body: Option<Body<'a>>,
    pub(crate) dry_run: bool,
    /// A delete that tells the server to go on although it cannot read what it deletes.
    pub(crate) unsafe_delete: bool,
    pub(crate) facts: Facts,
    /// Whether an update or patch creates the object if it is not there: then it must be allowed as both.
    pub(crate) may_create: bool,
    /// Whether leaving out the namespace or the name means all of them.
    pub(crate) covers_all: bool,
    /// `metadata.generateName` of an object that is created without a name: it gets any name that begins so.
    pub(crate) generated: Option<&'a str>,
}

/// What a call is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'a> {
    Object(Object<'a>),
    /// A path that is no resource.
    Endpoint(&'a str),
}

/// An object or a collection, by its canonical group; empty strings for what the call does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Object<'a> {
    pub(crate) group: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) subresource: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> Call<'a> {
    /// A call on `path`, which is no resource; reading is all that can be done there.
    pub(crate) fn on_endpoint(verb: &'a str, path: &'a str) -> Self {
        Self {
            verb,
            action: (verb == "get").then_some(Action::Discover),
            subject: Subject::Endpoint(path),
            body: None,
            dry_run: false,
            unsafe_delete: false,
            facts: Facts::none(),
            may_create: false,
            covers_all: false,
            generated: None,
        }
    }

    /// A request on a resource, with its body if it has one.
    pub(crate) fn on_object(
        verb: &'a str,
        object: Object<'a>,
        body: Option<Body<'a>>,
        dry_run: bool,
    ) -> Self {
        let action = Action::of(verb, object.resource, object.subresource);
        let object = object.canonical(verb, body.as_ref());
        let is_data = object.group.is_empty() && matches!(object.resource, "configmaps" | "secrets");
        Self {
            verb,
            action,
            subject: Subject::Object(object),
            body,
            dry_run,
            unsafe_delete: false,
            facts: body.as_ref().map_or_else(Facts::none, |body| Facts::of(body, is_data)),
            may_create: action == Some(Action::Update)
                && object.subresource.is_empty()
                && catalogue::is_created_by_update(object.group, object.resource),
            covers_all: matches!(action, Some(Action::List | Action::Watch | Action::DeleteCollection)),
            generated: None,
        }
    }

    pub(crate) fn object(&self) -> Option<&Object<'a>> {
        match &self.subject {
            Subject::Object(object) => Some(object),
            Subject::Endpoint(_) => None,
        }
    }

    /// Whether the object's name begins with `prefix`, also one that the server generates. What it appends is five
    /// letters or digits, so that no prefix that ends in another character comes about by that.
    pub(crate) fn is_named(&self, prefix: &str) -> bool {
        let named = self.object().is_some_and(|object| object.name.starts_with(prefix));
        named || self.generated.is_some_and(|begin| begin.starts_with(prefix))
    }

    /// Whether it changes something, or reaches into something that runs.
    pub(crate) fn changes(&self) -> bool {
        self.action.is_none_or(Action::changes)
    }
}

impl<'a> Object<'a> {
    /// The storage identity: one group for an API served under several, the name in the body for a
    /// create, and a Namespace object inside the namespace it is.
    fn canonical(self, verb: &str, body: Option<&Body<'a>>) -> Self {
        let mut object = Self { group: catalogue::canonical_group(self.group, self.resource), ..self };
        if object.name.is_empty() && verb == "create" && object.subresource.is_empty() {
            object.name = body.and_then(name_in).unwrap_or_default();
        }
        if object.is("", "namespaces") && !object.name.is_empty() {
            object.namespace = object.name;
        }
        object
    }

    pub(crate) fn is(&self, group: &str, resource: &str) -> bool {
        self.group == group && self.resource == resource
    }

    /// `deployments.apps`, `pods`.
    pub(crate) fn kind(&self) -> String {
        match self.group {
            "" => self.resource.to_owned(),
            group => format!("{}.{group}", self.resource),
        }
    }

    pub(crate) fn is_cluster_scoped(&self) -> bool {
        catalogue::is_cluster_scoped(self.group, self.resource)
    }
}

fn name_in<'a>(body: &Body<'a>) -> Option<&'a str> {
    if body.form != Form::Whole {
        return None;
    }
    body.value.get("metadata")?.get("name").and_then(Value::as_str)
}
