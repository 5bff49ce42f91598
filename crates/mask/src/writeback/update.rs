//! From a write that holds placeholders, or could test a guess, to the request that is sent in its place.

use http::StatusCode;
use kube_api::{ContentType, Refusal, Request, Verb};
use serde_json::{Map, Value};

use super::guess;
use super::live::Live;
use super::pointer::Pointer;
use super::restore::{Pair, Restoring};
use crate::placeholder::placeholder_in;

/// As a JSON pointer.
const LAST_APPLIED: &str = "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration";

/// Why a write cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// A placeholder that is shown at another place of the object.
    #[error(
        "`{path}` holds a placeholder that belongs at `{own}`; a placeholder stands for the value at its own place only, \
         so leave it there, and send the value here or leave the field out"
    )]
    Misplaced {
        /// Where it was written.
        path: String,
        /// Where it is shown.
        own: String,
    },
    /// A placeholder that the object does not show.
    #[error(
        "`{path}` holds a placeholder that the gate did not show for this version of the object in this session; get the \
         object again and edit that, send the value, or leave the field out"
    )]
    Foreign {
        /// Where it was written.
        path: String,
    },
    /// A placeholder as a key.
    #[error("`{path}` is a key made of a placeholder, which stands for nothing; name the key itself")]
    Key {
        /// Where it was written.
        path: String,
    },
    /// A placeholder where there is nothing yet for which it could stand.
    #[error(
        "`{path}` holds a placeholder, which stands for a value that an existing object has; it means nothing here, so \
         send the value or leave the field out"
    )]
    Nothing {
        /// Where it was written.
        path: String,
    },
    /// A placeholder in a patch that is not applied by the gate.
    #[error(
        "`{path}` holds a placeholder, and {form} cannot hold one; leave the field out of the patch, or send the whole object \
         with `kubectl replace`"
    )]
    Patch {
        /// Where it was written.
        path: String,
        /// What kind of patch it is.
        form: &'static str,
    },
    /// Server-side apply of a value that another manager set.
    #[error(
        "`{path}` holds a placeholder, and the field manager `{manager}` does not own that field; leave the field out, which \
         keeps its value"
    )]
    NotOwned {
        /// Where it was written.
        path: String,
        /// Who applies.
        manager: String,
    },
    /// The object is another version than the one that was edited.
    #[error("the object has been modified; get it again and apply your changes to the latest version")]
    Changed,
    /// Values of an immutable Secret.
    #[error(
        "the Secret is immutable, so its `data` cannot be written, the same or another; leave `data` and `stringData` as \
         shown, or make a new Secret"
    )]
    Immutable,
    /// A patch of a Secret in a form that the gate cannot mark.
    #[error("`{path}` cannot be in a patch of a Secret through the gate; {remedy}")]
    Form {
        /// The part.
        path: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The result is none that the API server takes.
    #[error("{0}")]
    Result(#[from] Refusal),
}

impl Unwritable {
    /// The HTTP status that says it: 409 where a new read helps, else 422, as the API server has them.
    #[must_use]
    pub fn code(&self) -> StatusCode {
        match self {
            Self::Changed => StatusCode::CONFLICT,
            Self::Misplaced { .. }
            | Self::Foreign { .. }
            | Self::Key { .. }
            | Self::Nothing { .. }
            | Self::Patch { .. }
            | Self::NotOwned { .. }
            | Self::Immutable
            | Self::Form { .. }
            | Self::Result(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

/// Where a body holds a placeholder, as a JSON pointer.
#[must_use]
pub fn placeholder_path(request: &Request) -> Option<String> {
    first(request.body()?.value(), &mut Pointer::default())
}

fn first(value: &Value, at: &mut Pointer) -> Option<String> {
    match value {
        Value::String(text) => placeholder_in(text).then(|| at.text()),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| at.within(&index.to_string(), |at| first(item, at))),
        Value::Object(members) => members.iter().find_map(|(key, member)| {
            at.within(key, |at| if placeholder_in(key) { Some(at.text()) } else { first(member, at) })
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Whether a write can be sent only once the object is known as it is now: it holds placeholders, or is about a Secret,
/// whose values it could test.
///
/// # Errors
/// It holds a placeholder where there is nothing it could stand for.
pub fn needs_live(request: &Request) -> Result<bool, Unwritable> {
    let Some(resource) = request.resource() else { return Ok(false) };
    let changes = matches!(request.verb(), Verb::Update | Verb::Patch)
        && resource.is_object()
        && resource.subresource().is_none();
    match (placeholder_path(request), changes) {
        (Some(path), false) => Err(Unwritable::Nothing { path }),
        (Some(_), true) => Ok(true),
        (None, changes) => Ok(changes && resource.is_secret()),
    }
}

impl Live {
    /// The request that is sent in place of `request`, which changes this object: placeholders put right, bound to the
    /// version that was looked at, and, for a Secret, marked with `call`, so that it changes the object whatever it held.
    ///
    /// # Errors
    /// [`Unwritable`].
    pub fn update(&self, request: &Request, call: &str) -> Result<Request, Unwritable> {
        let Some(body) = request.body() else { return Ok(request.clone()) };
        let placeholder = placeholder_path(request);
        let secret = request.resource().is_some_and(kube_api::Resource::is_secret);
        if secret && guess::writes_values(body) {
            self.mutable()?;
        }
        let Some(path) = placeholder else {
            return if secret { self.marked(request, call) } else { Ok(request.clone()) };
        };
        if self.real.is_null() {
            return Err(Unwritable::Nothing { path });
        }
        self.unchanged(body.value())?;
        let mut written = body.value().clone();
        let update = match body.content() {
            ContentType::Json => {
                self.restore(&mut written)?;
                self.bind(&mut written)?;
                request.with_restored_body(&written)?
            }
            ContentType::ApplyPatch => {
                let restored = self.restore(&mut written)?;
                self.owned(request, restored)?;
                self.bind(&mut written)?;
                request.with_restored_body(&written)?
            }
            ContentType::MergePatch | ContentType::StrategicMergePatch if secret => {
                self.restore(&mut written)?;
                request.as_update(&self.patched(&written)?)?
            }
            ContentType::MergePatch | ContentType::StrategicMergePatch => {
                return Err(Unwritable::Patch { path, form: "a patch of this kind of object" });
            }
            ContentType::JsonPatch => return Err(Unwritable::Patch { path, form: "a JSON patch" }),
        };
        if secret { self.marked(&update, call) } else { Ok(update) }
    }

    fn mutable(&self) -> Result<(), Unwritable> {
        match self.real.get("immutable") {
            Some(Value::Bool(true)) => Err(Unwritable::Immutable),
            _ => Ok(()),
        }
    }

    /// A dry run tells of a write that changes nothing no more than of any other: it needs no mark, which `kubectl diff`
    /// would show.
    fn marked(&self, request: &Request, call: &str) -> Result<Request, Unwritable> {
        if request.dry_run() {
            return Ok(request.clone());
        }
        let Some(body) = request.body() else { return Ok(request.clone()) };
        let marked = request.with_body_value(&guess::marked(body, &self.real, call)?)?;
        // Annotations that have come in between must not be lost with the first of them.
        Ok(if guess::replaces_annotations(body, &self.real) {
            marked.with_resource_version(self.version().unwrap_or_default())?
        } else {
            marked
        })
    }

    /// Puts placeholders right, also those in what `kubectl apply` notes of the manifest; tells where.
    fn restore(&self, written: &mut Value) -> Result<Vec<String>, Unwritable> {
        let whole = Pair { real: Some(&self.real), shown: Some(&self.shown) };
        self.restore_last_applied(written, whole)?;
        let mut restoring = Restoring::new(&self.shown);
        restoring.value(written, whole, &mut Pointer::default())?;
        Ok(restoring.restored)
    }

    /// The manifest within a manifest is about the same object: what is shown of the object may stand in it, and what is
    /// shown of the manifest that was there.
    fn restore_last_applied(&self, written: &mut Value, whole: Pair<'_>) -> Result<(), Unwritable> {
        let Some(noted) = written.pointer_mut(LAST_APPLIED) else { return Ok(()) };
        let there = Pair { real: self.real.pointer(LAST_APPLIED), shown: self.shown.pointer(LAST_APPLIED) };
        if there.shown == Some(noted) || !noted.as_str().is_some_and(placeholder_in) {
            return Ok(());
        }
        let Some(manifest) = document(Some(noted)) else { return Ok(()) };
        let (real, shown) = (document(there.real), document(there.shown));
        let before = Pair { real: real.as_ref(), shown: shown.as_ref() };
        let restored = self.restored(manifest.clone(), whole);
        let restored = restored.or_else(|refused| self.restored(manifest, before).map_err(|_| refused))?;
        // As kubectl ends it.
        *noted = Value::String(format!("{restored}\n"));
        Ok(())
    }

    fn restored(&self, mut written: Value, pair: Pair<'_>) -> Result<Value, Unwritable> {
        let mut restoring = Restoring::new(&self.shown);
        Pointer::at(LAST_APPLIED, |at| restoring.value(&mut written, pair, at)).map(|()| written)
    }

    /// Whether a version that is written is the object's.
    fn unchanged(&self, written: &Value) -> Result<(), Unwritable> {
        match written.pointer("/metadata/resourceVersion").and_then(Value::as_str) {
            None | Some("") => Ok(()),
            asked if asked == self.version() => Ok(()),
            Some(_) => Err(Unwritable::Changed),
        }
    }

    /// Lets the write succeed on the version that was looked at, and on no other.
    fn bind(&self, written: &mut Value) -> Result<(), Unwritable> {
        let version = self.version().ok_or(Unwritable::Changed)?;
        let metadata = written.get_mut("metadata").and_then(Value::as_object_mut);
        let metadata = metadata.ok_or(Unwritable::Changed)?;
        metadata.insert("resourceVersion".to_owned(), version.into());
        Ok(())
    }

    /// The Secret with a patch applied (RFC 7386). Strategic merge patches of Secrets mean the same as far as they have no
    /// directives and no lists (`k8s.io/api/core/v1`: the only lists are in `metadata`).
    fn patched(&self, patch: &Value) -> Result<Value, Unwritable> {
        guess::plain(patch)?;
        let mut object = self.real.clone();
        merge(&mut object, patch);
        self.bind(&mut object)?;
        Ok(object)
    }

    /// Whether the manager that applies has set each of these fields by applying before: another's value must not become
    /// its own unseen (`metadata.managedFields`, `k8s.io/apimachinery/pkg/apis/meta/v1`, `FieldsV1`).
    fn owned(&self, request: &Request, restored: Vec<String>) -> Result<(), Unwritable> {
        let manager = request.options().get("fieldManager").unwrap_or_default();
        let entries = self.real.pointer("/metadata/managedFields").and_then(Value::as_array);
        let own: Vec<&Value> = entries
            .into_iter()
            .flatten()
            .filter(|entry| entry.get("manager").and_then(Value::as_str) == Some(manager))
            .filter(|entry| entry.get("operation").and_then(Value::as_str) == Some("Apply"))
            .filter_map(|entry| entry.get("fieldsV1"))
            .collect();
        let owns = |path: &str| {
            let field = path.replace('/', "/f:");
            own.iter().any(|fields| fields.pointer(&field).is_some())
        };
        match restored.into_iter().find(|path| !owns(path)) {
            Some(path) => Err(Unwritable::NotOwned { path, manager: manager.to_owned() }),
            None => Ok(()),
        }
    }
}

fn document(text: Option<&Value>) -> Option<Value> {
    serde_json::from_str(text?.as_str()?).ok()
}

/// RFC 7386, section 2.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(object) = target.as_object_mut() else { return };
    for (key, member) in members {
        if member.is_null() {
            object.shift_remove(key);
        } else {
            merge(object.entry(key.clone()).or_insert(Value::Null), member);
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
