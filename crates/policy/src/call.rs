//! A call as policy judges it: action, canonical identity, facts.

use std::sync::Arc;

use kube_api::Restores;
use serde_json::Value;

use crate::action::Action;
use crate::body::{Body, Form};
use crate::catalogue;
use crate::facts::{Facts, Pod, Reference, is_deputy_kind};

/// One call, or one question about a call that might be made.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    /// The verb as asked; for wording.
    pub(crate) verb: &'a str,
    /// `None` for verbs that are no action (`bind`, `impersonate`, `*`): never allowed.
    pub(crate) action: Option<Action>,
    pub(crate) subject: Subject<'a>,
    pub(crate) body: Option<Body<'a>>,
    pub(crate) dry_run: bool,
    /// The call whose change it undoes: values of before are put back.
    pub(crate) restores: Option<&'a Restores>,
    /// A delete that tells the server to go on although it cannot read what it deletes.
    pub(crate) unsafe_delete: bool,
    pub(crate) facts: Arc<Facts>,
    pub(crate) deputy_kind: bool,
    /// For `reveal`, the key in question; without one, all of them.
    pub(crate) key: Option<&'a str>,
    /// Whether the answer is the one object that the call names, whole.
    pub(crate) shows_object: bool,
    /// Server-side apply that leaves to others what they own: it fails if, and only if, it would change that.
    pub(crate) yields: bool,
    /// A field selector on anything but name and namespace.
    pub(crate) selects_fields: bool,
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
            restores: None,
            unsafe_delete: false,
            facts: Arc::new(Facts::none()),
            deputy_kind: false,
            key: None,
            shows_object: false,
            yields: false,
            selects_fields: false,
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
        let action = Action::of(verb, object.group, object.resource, object.subresource);
        let object = object.canonical(verb, body.as_ref());
        let mut facts = body.as_ref().map_or_else(Facts::none, |body| Facts::of(body, object.is_data()));
        // Of a whole pod that is put here, the server takes the ephemeral containers alone.
        facts.body_complete &= body.is_none() || action != Some(Action::Debug);
        Self {
            verb,
            action,
            subject: Subject::Object(object),
            body,
            dry_run,
            restores: None,
            unsafe_delete: false,
            facts: Arc::new(facts),
            deputy_kind: is_deputy_kind(object.group, object.resource),
            key: None,
            shows_object: false,
            yields: false,
            selects_fields: false,
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

    /// The Secrets that it gives to what can show them.
    pub(crate) fn uses(&self) -> impl Iterator<Item = &Reference> {
        let writes =
            matches!(self.action, Some(Action::Create | Action::Update | Action::Patch | Action::Debug));
        let shows = self.object().is_some_and(|o| catalogue::can_show_secrets(o.group, o.resource));
        self.facts.secrets.all.iter().filter(move |_| writes && shows)
    }

    /// The same call as `use` of a Secret; an empty name or namespace stands for every one.
    pub(crate) fn using<'s>(&self, namespace: &'s str, name: &'s str) -> Call<'s>
    where
        'a: 's,
    {
        let secret = Object { group: "", resource: "secrets", subresource: "", namespace, name };
        Call {
            verb: "use",
            action: Some(Action::Use),
            subject: Subject::Object(secret),
            covers_all: true,
            // What the call does to its own object is no matter of the Secret's.
            body: None,
            generated: None,
            may_create: false,
            yields: false,
            ..self.clone()
        }
    }

    /// Showing the value of `key`, or of all keys, in the answer to this call.
    pub(crate) fn revealing<'s>(&self, key: Option<&'s str>) -> Call<'s>
    where
        'a: 's,
    {
        Call { verb: "reveal", action: Some(Action::Reveal), key, ..self.clone() }
    }

    /// The same port-forward, to this pod, in a cluster whose API server is reached at this port.
    pub(crate) fn reaching(mut self, pod: &Pod, api_server: Option<u16>) -> Self {
        let forward = &mut Arc::make_mut(&mut self.facts).forward;
        (forward.pod, forward.api_server) = (pod.clone(), api_server);
        self
    }

    /// Makes it a port-forward to this port.
    pub(crate) fn set_port(&mut self, port: u16) {
        Arc::make_mut(&mut self.facts).forward.ports = [port].into();
    }

    /// Whether what it makes of the object has to be seen before it can be judged: it shows a part alone, and changes what a
    /// container runs or is given.
    pub(crate) fn needs_look(&self) -> bool {
        let facts = &self.facts;
        let gives =
            facts.touches_process || !facts.service_accounts.is_empty() || self.uses().next().is_some();
        gives && !facts.body_complete && self.object().is_some_and(|object| !object.is_data())
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

    /// Kinds whose payload is the user's: it is not looked into.
    fn is_data(&self) -> bool {
        self.group.is_empty() && matches!(self.resource, "configmaps" | "secrets")
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
