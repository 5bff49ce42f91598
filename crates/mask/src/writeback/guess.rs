//! Writes that would tell whether a guess was right.
//!
//! A write that changes nothing leaves the version as it was, sends no event and claims no field: whoever may write a Secret
//! could try values until nothing happens. So each write carries a mark that no write before it had, and changes the object
//! whatever its values are. Values of an immutable Secret, of which the server takes the same and refuses others, cannot be
//! written at all.

use kube_api::{Body, ContentType, Request, Resource};
use serde_json::{Map, Value, json};

use super::Unwritable;
use super::live::Live;
use super::pointer::{Found, Pointer, first};
use crate::guard::Guard;
use crate::kind::Kind;
use crate::known::KnownValues;
use crate::masker::{Framing, Masker};
use crate::placeholder::placeholder_in;
use crate::redact::{Content, Redactor};

/// The annotation that names the call that last wrote a Secret through the gate.
const MARK: &str = "portcullis.dev/call";

/// A value of the client's at a masked place of an object that is no Secret, in a write whose answer would tell whether it is
/// the one that is there. A write that is none of these overwrites what it guesses at.
pub(super) struct Test {
    at: Pointer,
    by: By,
}

/// What would tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// Whether a generation rises.
    DryRun,
    /// Whether there is a conflict.
    YieldingApply,
    /// The same is taken, another value is not.
    Immutability,
}

impl By {
    fn of(request: &Request, body: &Body, live: Option<&Live>) -> Option<Self> {
        if request.dry_run() {
            Some(Self::DryRun)
        } else if body.content() == ContentType::ApplyPatch && !request.options().is_set("force") {
            Some(Self::YieldingApply)
        } else {
            request
                .resource()
                .is_some_and(|resource| keeps_values(resource, live))
                .then_some(Self::Immutability)
        }
    }
}

/// Whether values that may be masked cannot be changed in such an object, as far as that can be told before it was looked at:
/// the environments of containers (`ValidatePodUpdate`, `ValidatePodResize` and `ValidateJobUpdate` in
/// k8s.io/kubernetes/pkg/apis), a revision's `data`, that of a ConfigMap that says so.
fn keeps_values(resource: &Resource, live: Option<&Live>) -> bool {
    match (resource.group(), resource.resource(), resource.subresource()) {
        ("", "pods", None | Some("ephemeralcontainers" | "resize"))
        | ("batch", "jobs", None)
        | ("apps", "controllerrevisions", None) => true,
        ("", "configmaps", None) => live.is_none_or(Live::is_immutable),
        _ => false,
    }
}

impl Test {
    pub(super) fn refused(&self) -> Unwritable {
        let (how, remedy) = match self.by {
            By::DryRun => ("a dry run", "or send it without the dry run"),
            By::YieldingApply => {
                ("an apply that yields to other managers", "or apply with `--force-conflicts`")
            }
            By::Immutability => ("a write of what cannot be changed", "or make a new object"),
        };
        Unwritable::Guess { path: self.at.text(), how, remedy }
    }
}

/// What of a write could test a guess at what an object holds, or may hold where it was not looked at (`live`). What its manager
/// is known to have applied itself, an apply of it tells nothing of.
pub(super) fn tested(guard: &Guard, request: &Request, live: Option<&Live>) -> Option<Test> {
    let body = request.body()?;
    if request.resource()?.is_secret() {
        return None;
    }
    let by = By::of(request, body, live)?;
    let manager = request.options().get("fieldManager").unwrap_or_default();
    let tests = |at: &Pointer| by != By::YieldingApply || !live.is_some_and(|live| live.owns(manager, at));
    let at = match body.content() {
        ContentType::JsonPatch => masked_operation(guard, request, body)?,
        ContentType::Json
        | ContentType::MergePatch
        | ContentType::StrategicMergePatch
        | ContentType::ApplyPatch => masked_literal(guard, request, body.value(), &tests)?,
    };
    Some(Test { at, by })
}

/// Whether a write that puts a value back at a place would tell if it is the one that is there.
pub(super) fn tested_by(request: &Request, live: &Live, at: &Pointer) -> Option<Test> {
    let by = By::of(request, request.body()?, Some(live))?;
    // Each write of a Secret changes it.
    let tells = !request.resource()?.is_secret();
    tells.then(|| Test { at: at.clone(), by })
}

/// Where a document has a value of its own that would be masked by its place or its shape, and that `tests`. What is known of
/// Secrets does not matter: whether a value is would be told.
fn masked_literal(
    guard: &Guard,
    request: &Request,
    written: &Value,
    tests: &dyn Fn(&Pointer) -> bool,
) -> Option<Pointer> {
    let kind = Kind::of(guard.catalogue(), request);
    let mut masker = Masker::new(Framing::One, &kind.rules(guard.catalogue()));
    // What cannot be masked has no value of its own; whoever sends it gets the API server's refusal.
    let by_place = masker.push(written.to_string().into()).ok()?;
    let (shown, _) = Redactor::whole(&KnownValues::none(), Content::Json, by_place, &[]);
    let shown: Value = serde_json::from_slice(&shown).ok()?;
    let mut literal = |found: Found<'_>, at: &Pointer| {
        let Found::Value(value) = found else { return false };
        let scalar = !value.is_array() && !value.is_object();
        scalar && at.find(&shown) != Some(value) && !value.as_str().is_some_and(placeholder_in) && tests(at)
    };
    first(written, &mut Pointer::default(), &mut literal)
}

/// Where a JSON patch writes what would be masked, at least in part: its value is looked at as in an object that holds
/// nothing else.
fn masked_operation(guard: &Guard, request: &Request, body: &Body) -> Option<Pointer> {
    operations(body.value()).find_map(|(path, operation)| {
        let value = operation.get("value")?.clone();
        let keys = keys_of(path);
        let is_index = |key: &str| key == "-" || key.bytes().all(|byte| byte.is_ascii_digit());
        let object = keys.iter().rev().fold(value, |value, key| {
            if is_index(key) {
                Value::Array(vec![value])
            } else {
                Value::Object(Map::from_iter([(key.clone(), value)]))
            }
        });
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        masked_literal(guard, request, &object, &|_| true).map(|_| Pointer::to(&keys))
    })
}

/// Where values are (`k8s.io/api/core/v1`, `Secret`).
const VALUES: [&str; 2] = ["data", "stringData"];

/// Members of a strategic merge patch that change the meaning of what stands beside them.
const DIRECTIVES: [&str; 2] = ["$patch", "$retainKeys"];

/// Whether a body has values for a Secret other than as shown.
pub(super) fn writes_values(body: &Body) -> bool {
    let literal = |value: &Value| value.as_str().is_none_or(|text| !placeholder_in(text));
    match body.content() {
        ContentType::JsonPatch => operations(body.value()).any(|(path, _)| {
            path.is_empty() || VALUES.iter().any(|name| path.split('/').nth(1) == Some(name))
        }),
        ContentType::Json
        | ContentType::MergePatch
        | ContentType::StrategicMergePatch
        | ContentType::ApplyPatch => VALUES.iter().any(|name| match body.value().get(name) {
            None | Some(Value::Null) => false,
            Some(Value::Object(values)) => values.values().any(literal),
            Some(_) => true,
        }),
    }
}

/// The body with the mark of `call`, for a Secret that is `real` now.
pub(super) fn marked(body: &Body, real: &Value, call: &str) -> Result<Value, Unwritable> {
    let mut value = body.value().clone();
    match body.content() {
        ContentType::JsonPatch => mark_operations(&mut value, real, call)?,
        ContentType::MergePatch | ContentType::StrategicMergePatch => {
            undirected(&value)?;
            for path in ["/metadata", "/metadata/annotations"] {
                if value.pointer(path).is_some_and(|part| !part.is_object()) {
                    let remedy = "take annotations away one by one, each with null";
                    return Err(Unwritable::Form { path: path.to_owned(), remedy });
                }
            }
            annotate(&mut value, call);
        }
        ContentType::Json | ContentType::ApplyPatch => annotate(&mut value, call),
    }
    Ok(value)
}

/// Whether a patch of a Secret means the same as a merge patch.
pub(super) fn plain(patch: &Value) -> Result<(), Unwritable> {
    undirected(patch)?;
    let list = ["finalizers", "ownerReferences"]
        .into_iter()
        .find(|name| patch.pointer(&format!("/metadata/{name}")).is_some_and(Value::is_array));
    match list {
        Some(name) => Err(Unwritable::Form {
            path: format!("/metadata/{name}"),
            remedy: "a patch with placeholders is applied by the gate, which does not merge lists: send the whole object with \
                     `kubectl replace`",
        }),
        None => Ok(()),
    }
}

fn undirected(patch: &Value) -> Result<(), Unwritable> {
    let mut directive =
        |found: Found<'_>, _: &Pointer| matches!(found, Found::Key(key) if DIRECTIVES.contains(&key));
    match first(patch, &mut Pointer::default(), &mut directive) {
        Some(at) => {
            Err(Unwritable::Form { path: at.text(), remedy: "send a merge patch without directives" })
        }
        None => Ok(()),
    }
}

fn annotate(value: &mut Value, call: &str) {
    let annotations = ["metadata", "annotations"].into_iter().fold(value, |value, key| {
        if !value.is_object() {
            *value = Value::Object(Map::new());
        }
        match value {
            Value::Object(members) => members.entry(key).or_insert_with(|| Value::Object(Map::new())),
            other => other,
        }
    });
    if !annotations.is_object() {
        *annotations = Value::Object(Map::new());
    }
    if let Value::Object(all) = annotations {
        all.insert(MARK.to_owned(), call.into());
    }
}

/// The mark comes last, so that nothing takes it away again. An operation on all annotations could: it is refused.
fn mark_operations(patch: &mut Value, real: &Value, call: &str) -> Result<(), Unwritable> {
    let whole = operations(patch)
        .map(|(path, _)| path)
        .find(|path| matches!(*path, "" | "/metadata" | "/metadata/annotations"));
    if let Some(path) = whole {
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        return Err(Unwritable::Form { path, remedy: "name the annotation, or send a merge patch" });
    }
    let Some(list) = patch.as_array_mut() else { return Ok(()) };
    if has_annotations(real) {
        let path = format!("/metadata/annotations/{}", MARK.replace('/', "~1"));
        list.push(json!({ "op": "add", "path": path, "value": call }));
    } else {
        list.push(json!({ "op": "add", "path": "/metadata/annotations", "value": { MARK: call } }));
    }
    Ok(())
}

/// Whether the mark of this body brings all annotations with it, as only a JSON patch has to.
pub(super) fn replaces_annotations(body: &Body, real: &Value) -> bool {
    body.content() == ContentType::JsonPatch && !has_annotations(real)
}

fn has_annotations(real: &Value) -> bool {
    real.pointer("/metadata/annotations").is_some_and(Value::is_object)
}

/// The keys of a JSON pointer (RFC 6901).
pub(super) fn keys_of(path: &str) -> Vec<String> {
    path.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")).collect()
}

pub(super) fn operations(patch: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let all = patch.as_array().into_iter().flatten();
    all.filter_map(|operation| Some((operation.get("path")?.as_str()?, operation)))
}
