//! Requests that the gate makes of a client's: still canonical, since they go through the checks of parsing again.
//!
//! None of them changes method, target or name. A [`Request`] is no permission: what came of one has to be judged.

use serde_json::{Map, Value, json};

use crate::{
    Accept, Body, ContentType, MAX_BODY_BYTES, Refusal, Request, Verb, content::Syntax,
    subresource::honours_dry_run,
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
        Self::new(head, body).ok()
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

    /// The same request with another body of the same content type. It is written out and read again, so that it obeys every
    /// rule that a client's body has to: size, depth, count of values, form, names.
    ///
    /// # Errors
    /// No body before; otherwise those of [`crate::Head::with_body`].
    pub fn with_body_value(&self, value: &Value) -> Result<Self, Refusal> {
        let content = self.body.as_ref().ok_or_else(|| refused("there is none"))?.content();
        let bytes = value.to_string();
        if bytes.len() > MAX_BODY_BYTES {
            return Err(Refusal::TooLarge { most: MAX_BODY_BYTES });
        }
        Self::new(self.head.clone(), Some(Body::parse(bytes.as_bytes(), content, Syntax::Json)?))
    }
}

fn refused(problem: &str) -> Refusal {
    Refusal::Body { expected: "an object or a patch that can be changed", problem: problem.to_owned() }
}
