//! A canonical request: what is judged, recorded and sent.

use bytes::Bytes;
use http::{HeaderValue, Method, Uri, header};
use serde_json::Value;

use crate::{
    Accept, Body, ContentType, Options, Refusal, Resource, Target, Verb, delete_options,
    field_selector::selected_fields,
    head::Head,
    parameter::LIMIT_BYTES,
    restores::Restores,
    subresource::{Shape, Upgrade, honours_dry_run, shape, upgrade},
};

/// The longest name there is: `DNS1123SubdomainMaxLength` in k8s.io/apimachinery/pkg/util/validation.
const MAX_NAME: usize = 253;

/// One request, understood. What goes upstream is written out from this value.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub(crate) head: Head,
    pub(crate) body: Option<Body>,
    /// As it is sent.
    uri: Uri,
    restored: bool,
}

impl Request {
    pub(crate) fn new(head: Head, body: Option<Body>) -> Result<Self, Refusal> {
        let uri = Uri::try_from(head.sent_path_and_query()).map_err(|_| Refusal::Path {
            problem: "a form that no URI has".to_owned(),
            remedy: "address the resource directly",
        })?;
        if let (Verb::Delete | Verb::DeleteCollection, Some(body)) = (head.verb, &body) {
            delete_options::check(body, &head.options)?;
        }
        let request = Self { head, body, uri, restored: false };
        request.check_names()?;
        Ok(request)
    }

    pub(crate) fn restored(self) -> Self {
        Self { restored: true, ..self }
    }

    /// Whether its body holds values that its client did not send and may not see. What the API server says of it, an
    /// error above all, can quote them.
    #[must_use]
    pub fn is_restored(&self) -> bool {
        self.restored
    }

    /// The call that it undoes: values that the object held before that are put back.
    #[must_use]
    pub fn restores(&self) -> Option<&Restores> {
        self.head.restores.as_ref()
    }

    /// A name in a body is judged, recorded and told like one in the path, which the size of the head bounds.
    fn check_names(&self) -> Result<(), Refusal> {
        for field in ["name", "generateName", "namespace"] {
            if self.created_metadata(field).is_some_and(|name| name.len() > MAX_NAME) {
                return Err(Refusal::Body {
                    expected: "an object",
                    problem: format!("`metadata.{field}` has more than {MAX_NAME} characters"),
                });
            }
        }
        Ok(())
    }

    /// The method, as sent.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// What is done.
    #[must_use]
    pub fn verb(&self) -> Verb {
        self.head.verb
    }

    /// What it is done to.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.head.target
    }

    /// The resource, if the target is one.
    #[must_use]
    pub fn resource(&self) -> Option<&Resource> {
        self.head.target.resource()
    }

    /// The query's options.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.head.options
    }

    /// What the answer may come in.
    #[must_use]
    pub fn accept(&self) -> &Accept {
        &self.head.accept
    }

    /// The body, decoded.
    #[must_use]
    pub fn body(&self) -> Option<&Body> {
        self.body.as_ref()
    }

    /// Whether nothing is to be persisted, computed as the server does: by the query; for a delete with a body by the
    /// body alone; for an eviction also by its `deleteOptions`. Never where the server ignores the option.
    #[must_use]
    pub fn dry_run(&self) -> bool {
        let all = |options: Option<&Value>| {
            options
                .and_then(|options| options.get("dryRun")?.as_array())
                .is_some_and(|values| *values == ["All"])
        };
        let body = self.body.as_ref().map(Body::value);
        let by_body = match self.verb() {
            Verb::Delete | Verb::DeleteCollection => all(body),
            Verb::Create if self.is_eviction() => all(body.and_then(|b| b.get("deleteOptions"))),
            _ => false,
        };
        let asked = by_body || self.head.options.get("dryRun") == Some("All");
        asked && self.resource().is_some_and(honours_dry_run)
    }

    /// What the connection is upgraded to, if it is.
    #[must_use]
    pub fn upgrade(&self) -> Option<Upgrade> {
        self.resource().and_then(upgrade)
    }

    /// Whether it reaches into a running pod: it opens a stream, or adds a container to look at it with.
    #[must_use]
    pub fn reaches_into_pod(&self) -> bool {
        let debugs = |resource: &Resource| resource.subresource() == Some("ephemeralcontainers");
        let changes = !matches!(self.verb(), Verb::Get | Verb::List | Verb::Watch);
        self.upgrade().is_some() || (changes && self.resource().is_some_and(debugs))
    }

    /// Whether it stays open for as long as the client likes: a watch, or logs followed.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        let log = self.resource().is_some_and(|resource| shape(resource) == Shape::Log);
        self.verb() == Verb::Watch || (log && self.head.options.is_set("follow"))
    }

    /// The name of the object: from the target, or of an object that is created, from its metadata.
    #[must_use]
    pub fn object_name(&self) -> Option<&str> {
        self.resource()?.name().or_else(|| self.created_metadata("name"))
    }

    /// `metadata.generateName` of an object that is created without a name: the server appends to it.
    #[must_use]
    pub fn generate_name(&self) -> Option<&str> {
        let named = self.object_name().is_some_and(|name| !name.is_empty());
        if named { None } else { self.created_metadata("generateName") }
    }

    /// The fields that a field selector looks at, in its order; none without one.
    #[must_use]
    pub fn selected_fields(&self) -> Vec<&str> {
        self.head.options.get("fieldSelector").map(selected_fields).unwrap_or_default()
    }

    /// Whether its body names a version of the object, as a precondition or otherwise: `metadata.resourceVersion`, unless it is
    /// empty, or a JSON patch operation on it or on what holds it; of a delete, `preconditions`.
    #[must_use]
    pub fn names_version(&self) -> bool {
        let Some(body) = &self.body else { return false };
        if body.content() == ContentType::JsonPatch {
            let mut operations = body.value().as_array().into_iter().flatten();
            return operations.any(|operation| {
                let path = operation.get("path").and_then(Value::as_str);
                matches!(path, Some("" | "/metadata" | "/metadata/resourceVersion"))
            });
        }
        if self.verb() == Verb::Delete || self.is_eviction() {
            let options = body.value().get("deleteOptions").filter(|_| self.is_eviction());
            let preconditions =
                options.unwrap_or_else(|| body.value()).get("preconditions").and_then(Value::as_object);
            return preconditions.is_some_and(|named| named.values().any(|value| !value.is_null()));
        }
        let version = body.value().get("metadata").and_then(|metadata| metadata.get("resourceVersion"));
        version.is_some_and(|version| !version.is_null() && version != "")
    }

    fn created_metadata(&self, field: &str) -> Option<&str> {
        let body = self.body.as_ref().filter(|_| self.verb() == Verb::Create)?;
        body.value().get("metadata")?.get(field)?.as_str()
    }

    /// The canonical path and query.
    #[must_use]
    pub fn path_and_query(&self) -> String {
        self.head.path_and_query()
    }

    /// How many bytes of a log are wanted at most (`limitBytes` of `PodLogOptions`). It is no part of what is sent: the first so many of
    /// what may be shown are meant.
    #[must_use]
    pub fn limit_bytes(&self) -> Option<u64> {
        self.options().get(LIMIT_BYTES)?.parse().ok()
    }

    /// Whether it evicts a pod (`POST …/pods/NAME/eviction`).
    #[must_use]
    pub fn is_eviction(&self) -> bool {
        self.verb() == Verb::Create && self.subresource() == Some("eviction")
    }

    fn subresource(&self) -> Option<&str> {
        self.resource().and_then(Resource::subresource)
    }

    /// The request as it goes upstream, but for who sends it: origin-form URI, `Accept`, `Accept-Encoding: identity`,
    /// `Content-Type`, body. Built from empty.
    #[must_use]
    pub fn to_http(&self) -> http::Request<Bytes> {
        let mut request = http::Request::new(self.body.as_ref().map(Body::to_bytes).unwrap_or_default());
        *request.method_mut() = self.head.method.clone();
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, self.head.accept.header_value().clone());
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(body) = &self.body {
            headers.insert(header::CONTENT_TYPE, body.content().header_value());
        }
        request
    }
}
