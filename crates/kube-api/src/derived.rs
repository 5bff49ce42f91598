//! Requests that the gate makes of a client's: still canonical, since they go through the checks of parsing again.
//!
//! None of them changes target or name, but for those that say so. A [`Request`] is no permission: what came of one has to be
//! judged.

use std::num::NonZeroU16;

use http::Method;
use serde_json::{Map, Value, json};

use crate::{
    Accept, Body, ContentType, Head, MAX_BODY_BYTES, Options, Refusal, Request, Resource, Target, Verb,
    content::Syntax,
    delete_options,
    parameter::tables,
    subresource::{Upgrade, honours_dry_run},
};

/// The resource version of no object: etcd begins at revision 1, before anything is written.
const NEVER: &str = "1";

impl Request {
    /// The same request with `dryRun=All`, and answered with the object itself, whatever forms the client accepts. `None` if
    /// it is no create, update or patch, or one that the server would do all the same.
    ///
    /// An apply patch loses its `metadata.resourceVersion`: if there is no object, the server answers with that version as
    /// if there were one (seen on 1.37.2).
    #[must_use]
    pub fn as_dry_run(&self) -> Option<Self> {
        let writes = matches!(self.verb(), Verb::Create | Verb::Update | Verb::Patch);
        if !writes || !self.resource().is_some_and(honours_dry_run) {
            return None;
        }
        let mut head = self.head.clone();
        head.options = head.options.with("dryRun", "All");
        head.accept = Accept::object();
        let mut body = self.body.clone();
        if let Some(body) = body.as_mut().filter(|body| body.content() == ContentType::ApplyPatch) {
            body.remove_resource_version();
        }
        self.remade(head, body).ok()
    }

    /// A read of the object that this request is about, answered with the object itself. An eviction is about its pod.
    ///
    /// # Errors
    /// None that a request has which was parsed.
    pub fn as_read(&self) -> Result<Self, Refusal> {
        let target = match self.target() {
            Target::Resource(resource) if self.is_eviction() || self.upgrade().is_some() => {
                Target::Resource(resource.without_subresource())
            }
            target => target.clone(),
        };
        Self::new(Head::of(Method::GET, Verb::Get, target, Options::default(), Accept::object()), None)
    }

    /// A read of the object whose subresource this request is about, answered with the object itself. `None` if it is about no
    /// subresource.
    #[must_use]
    pub fn as_read_of_whole(&self) -> Option<Self> {
        let resource = self.resource().filter(|resource| resource.subresource().is_some())?;
        let target = Target::Resource(resource.without_subresource());
        Self::new(Head::of(Method::GET, Verb::Get, target, Options::default(), Accept::object()), None).ok()
    }

    /// A connection through this port-forward, to one port. `None` if it is none.
    #[must_use]
    pub fn forwarding(&self, port: NonZeroU16) -> Option<Self> {
        if self.upgrade() != Some(Upgrade::PortForward) {
            return None;
        }
        let mut head = self.head.clone();
        head.options = head.options.with("ports", &port.to_string());
        self.remade(head, self.body.clone()).ok()
    }

    /// The ports that this port-forward names, in its order, each as often as it does. None if it is no port-forward.
    pub fn forwarded_ports(&self) -> impl Iterator<Item = NonZeroU16> {
        let ports = self.options().all("ports").filter(|_| self.upgrade() == Some(Upgrade::PortForward));
        ports.filter_map(|port| port.parse().ok())
    }

    /// The port that this port-forward is to. `None` if it is none, or to none or several.
    #[must_use]
    pub fn forwarded_port(&self) -> Option<NonZeroU16> {
        let mut ports = self.forwarded_ports();
        ports.next().filter(|_| ports.next().is_none())
    }

    /// A page of at most `most` of the objects that this deletion of a collection covers, from where a page before ended. `None` if it
    /// is none, or asks for pages itself: what a server takes these for differs.
    #[must_use]
    pub fn as_list(&self, most: u32, from: Option<&str>) -> Option<Self> {
        const PAGES: [&str; 2] = ["limit", "continue"];
        let paged = PAGES.iter().any(|name| self.options().get(name).is_some());
        if self.verb() != Verb::DeleteCollection || paged {
            return None;
        }
        let selectors = self.options().only(|name| ["labelSelector", "fieldSelector"].contains(&name));
        let options = selectors.with("limit", &most.to_string());
        let options = from.into_iter().fold(options, |options, from| options.with("continue", from));
        Self::list(self.target().clone(), options, Accept::names())
    }

    /// The delete of one object that this deletion of a collection covers, with the same options and these preconditions. It names
    /// what the collection's name leaves open.
    ///
    /// # Errors
    /// It is none, or the object is not in the collection; preconditions of the client's own that differ.
    pub fn as_delete_of(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
        version: &str,
    ) -> Result<Self, Refusal> {
        let collection = self.resource().filter(|_| self.verb() == Verb::DeleteCollection);
        let member = collection.and_then(|collection| collection.member(namespace, name));
        let member = member.ok_or_else(|| refused("the collection has no such object"))?;
        let options = self.options().only(|name| delete_options::IN_QUERY.contains(&name));
        let target = Target::Resource(member);
        let head = Head::of(Method::DELETE, Verb::Delete, target, options, self.accept().clone());
        Self::new(head, self.body.clone())?.with_preconditions(uid, version)
    }

    /// A list of at most `most` objects of another `collection`, answered with the objects themselves, or with their names alone.
    /// `None` if it is no collection.
    #[must_use]
    pub fn list_of(collection: Resource, most: u32, names: bool) -> Option<Self> {
        let accept = if names { Accept::names() } else { Accept::object() };
        let options = Options::default().with("limit", &most.to_string());
        let is_one = !collection.is_object() && collection.subresource().is_none();
        is_one.then(|| Self::list(Target::Resource(collection), options, accept)).flatten()
    }

    /// What the API server serves, but for the core group: all of it at once, where it can tell that.
    ///
    /// # Errors
    /// Never: it is a request like any.
    pub fn discovery() -> Result<Self, Refusal> {
        const ALL: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        let mut request = http::Request::new(());
        *request.uri_mut() = http::Uri::from_static("/apis");
        request.headers_mut().insert(http::header::ACCEPT, http::HeaderValue::from_static(ALL));
        Head::parse(&request.into_parts().0)?.with_body(&[])
    }

    fn list(target: Target, options: Options, accept: Accept) -> Option<Self> {
        Self::new(Head::of(Method::GET, Verb::List, target, options, accept), None).ok()
    }

    /// The update that puts `object` in the place of the object that this request patches. Dry run, field manager and
    /// validation stay as they were asked for. What the gate put into `object` is not the client's:
    /// [`Request::is_restored`].
    ///
    /// # Errors
    /// As [`Request::with_body_value`].
    pub fn as_update(&self, object: &Value) -> Result<Self, Refusal> {
        let known = tables(Verb::Update, self.target());
        let options = self.options().only(|name| known.iter().copied().flatten().any(|it| it.0 == name));
        let head = Head::of(Method::PUT, Verb::Update, self.target().clone(), options, self.accept().clone());
        Ok(Self::new(head, Some(body_of(ContentType::Json, object)?))?.restored())
    }

    /// The same request with another body, in which the gate put right what the client could not know.
    ///
    /// # Errors
    /// As [`Request::with_body_value`].
    pub fn with_restored_body(&self, value: &Value) -> Result<Self, Refusal> {
        Ok(self.with_body_value(value)?.restored())
    }

    /// The same write with `version` as precondition: the server answers 409 if the object has another by then. An empty
    /// version means that there is no object yet: if there is one by then, the server answers 409 too, and if there is none,
    /// it ignores what stands there (`Update` in k8s.io/apiserver/pkg/registry/generic/registry/store.go, and
    /// `PrepareObjectForStorage` in its storage).
    ///
    /// A JSON patch gets an operation at its end, so that no other undoes it; other bodies get
    /// `metadata.resourceVersion`.
    ///
    /// # Errors
    /// No body, or a `metadata` that is no object; a version of the client's own that differs; too large a body.
    pub fn with_resource_version(&self, version: &str) -> Result<Self, Refusal> {
        let wanted = if version.is_empty() { NEVER } else { version };
        let body = self.body.as_ref().ok_or_else(|| refused("there is none"))?;
        let mut value = body.value().clone();
        if body.content() == ContentType::JsonPatch {
            let operations = value.as_array_mut().ok_or_else(|| refused("it is no array"))?;
            operations.push(json!({ "op": "add", "path": "/metadata/resourceVersion", "value": wanted }));
        } else {
            let object = value.as_object_mut().ok_or_else(|| refused("it is no object"))?;
            let metadata = object.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
            let metadata = metadata.as_object_mut().ok_or_else(|| refused("its `metadata` is no object"))?;
            match metadata.get("resourceVersion") {
                None | Some(Value::Null) => {}
                Some(own) if own == version || own == wanted => {}
                Some(_) => {
                    return Err(refused(
                        "its `metadata.resourceVersion` is not the object's; read the object again",
                    ));
                }
            }
            metadata.insert("resourceVersion".to_owned(), wanted.into());
        }
        self.with_body_value(&value)
    }

    /// The same delete, or eviction, with these preconditions: the server answers 409 if the object is another by then, or has another
    /// version (`Preconditions` in k8s.io/apimachinery/pkg/apis/meta/v1). Options of the query move into the body, since with a
    /// body the server ignores them.
    ///
    /// # Errors
    /// Preconditions of the client's own that differ.
    pub fn with_preconditions(&self, uid: &str, version: &str) -> Result<Self, Refusal> {
        let body = self.body.as_ref().map(Body::value);
        if self.is_eviction() {
            let mut eviction = body.cloned().unwrap_or_else(|| json!({}));
            let options = eviction.get("deleteOptions").and_then(Value::as_object).cloned();
            let options = bound_to(options.unwrap_or_default(), uid, version)?;
            let members = eviction.as_object_mut().ok_or_else(|| refused("it is no object"))?;
            members.insert("deleteOptions".to_owned(), Value::Object(options));
            return self.with_body_value(&eviction);
        }
        let options = bound_to(self.delete_options(), uid, version)?;
        let mut head = self.head.clone();
        head.options = head.options.only(|name| !delete_options::IN_QUERY.contains(&name));
        self.remade(head, Some(body_of(ContentType::Json, &Value::Object(options))?))
    }

    /// How this delete is to be done: `DeleteOptions`, wherever its client wrote them.
    #[must_use]
    pub fn delete_options(&self) -> Map<String, Value> {
        match self.body.as_ref().map(Body::value) {
            Some(Value::Object(options)) => options.clone(),
            _ => delete_options::of_query(self.options()),
        }
    }

    /// The same request with another body of the same content type. It is written out and read again, so that it obeys every
    /// rule that a client's body has to: size, depth, count of values, form, names.
    ///
    /// # Errors
    /// No body before; otherwise those of [`crate::Head::with_body`].
    pub fn with_body_value(&self, value: &Value) -> Result<Self, Refusal> {
        let content = self.body.as_ref().ok_or_else(|| refused("there is none"))?.content();
        self.remade(self.head.clone(), Some(body_of(content, value)?))
    }

    fn remade(&self, head: Head, body: Option<Body>) -> Result<Self, Refusal> {
        let request = Self::new(head, body)?;
        Ok(if self.is_restored() { request.restored() } else { request })
    }
}

/// The options with these preconditions, unless they have others.
fn bound_to(
    mut options: Map<String, Value>,
    uid: &str,
    version: &str,
) -> Result<Map<String, Value>, Refusal> {
    let own = options.get("preconditions").cloned().unwrap_or(Value::Null);
    for (name, wanted) in [("uid", uid), ("resourceVersion", version)] {
        match own.get(name) {
            None | Some(Value::Null) => {}
            Some(given) if given == wanted => {}
            Some(_) => {
                return Err(refused("its `preconditions` are not the object's; read the object again"));
            }
        }
    }
    options.insert("preconditions".to_owned(), json!({ "uid": uid, "resourceVersion": version }));
    Ok(options)
}

/// Written out and read again.
fn body_of(content: ContentType, value: &Value) -> Result<Body, Refusal> {
    let bytes = value.to_string();
    if bytes.len() > MAX_BODY_BYTES {
        return Err(Refusal::TooLarge { most: MAX_BODY_BYTES });
    }
    Body::parse(bytes.as_bytes(), content, Syntax::Json)
}

fn refused(problem: &str) -> Refusal {
    Refusal::Body { expected: "an object or a patch that can be changed", problem: problem.to_owned() }
}
