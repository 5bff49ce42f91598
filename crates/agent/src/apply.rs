//! The call that `kubectl apply` would make of a manifest (k8s.io/kubectl/pkg/cmd/apply).

mod json;
mod merge;
mod three_way;

use approval::{APPLIED, WantedCall};
use serde_json::{Map, Value, json};

use crate::{discovery::Place, manifests::Manifest};
pub(crate) use three_way::NoKey;
use three_way::Way;

/// Who finds out what changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// kubectl, from what it applied last.
    Client,
    /// The API server, from who manages which field (`kubectl apply --server-side`).
    Server {
        /// Whether fields are taken over that others manage.
        force: bool,
    },
}

impl How {
    /// Whether the call depends on the object that is there.
    pub(crate) fn looks(self) -> bool {
        self == Self::Client
    }

    /// The call; `None` if nothing would change. `live` is the object that is there.
    pub(crate) fn call(
        self,
        manifest: &Manifest,
        place: &Place,
        live: Option<&Map<String, Value>>,
    ) -> Result<Option<WantedCall>, NoKey> {
        let wanted = placed(manifest, place);
        match (self, live) {
            (Self::Server { force }, _) => Ok(Some(WantedCall {
                method: "PATCH".to_owned(),
                path: format!("{}?fieldManager=kubectl&fieldValidation=Strict&force={force}", place.object),
                content_type: "application/apply-patch+yaml".to_owned(),
                body: json::line(&Value::Object(wanted)),
                restores: None,
            })),
            (Self::Client, None) => Ok(Some(create(wanted, place))),
            (Self::Client, Some(live)) => patch(manifest, wanted, place, live),
        }
    }
}

/// The manifest with the namespace it goes to.
fn placed(manifest: &Manifest, place: &Place) -> Map<String, Value> {
    let mut object = manifest.object.clone();
    if let (Some(Value::Object(metadata)), Some(namespace)) = (object.get_mut("metadata"), &place.namespace) {
        metadata.insert("namespace".to_owned(), json!(namespace));
    }
    object
}

fn create(wanted: Map<String, Value>, place: &Place) -> WantedCall {
    let mut wanted = annotated(wanted);
    if let Some(Value::Object(metadata)) = wanted.get_mut("metadata") {
        metadata.remove("resourceVersion");
    }
    let mut wanted = Value::Object(wanted);
    without_nulls(&mut wanted);
    WantedCall {
        method: "POST".to_owned(),
        path: format!("{}?{CLIENT_SIDE}", place.collection),
        content_type: "application/json".to_owned(),
        body: json::line(&wanted),
        restores: None,
    }
}

/// What kubectl asks for, besides what the body says.
const CLIENT_SIDE: &str = "fieldManager=kubectl-client-side-apply&fieldValidation=Strict";

fn patch(
    manifest: &Manifest,
    wanted: Map<String, Value>,
    place: &Place,
    live: &Map<String, Value>,
) -> Result<Option<WantedCall>, NoKey> {
    let way = Way::of(&manifest.group, &manifest.kind);
    let patch = way.patch(&last_applied(live), &annotated(wanted), live)?;
    Ok((!patch.is_empty()).then(|| WantedCall {
        method: "PATCH".to_owned(),
        path: format!("{}?{CLIENT_SIDE}", place.object),
        content_type: way.content_type().to_owned(),
        body: json::text(&Value::Object(patch)),
        restores: None,
    }))
}

/// What was applied last, or nothing where that is not known: never applied, or masked.
fn last_applied(live: &Map<String, Value>) -> Map<String, Value> {
    let noted = live.get("metadata").and_then(|metadata| metadata.get("annotations")?.get(APPLIED));
    noted.and_then(Value::as_str).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// With the annotation that holds it as it is (`GetModifiedConfiguration` of k8s.io/kubectl/pkg/util).
fn annotated(mut object: Map<String, Value>) -> Map<String, Value> {
    let annotate = |object: &mut Map<String, Value>, text: Option<String>| {
        let Some(Value::Object(metadata)) = object.get_mut("metadata") else { return };
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        if annotations.is_null() {
            *annotations = json!({});
        }
        let Value::Object(annotations) = annotations else { return };
        annotations.remove(APPLIED);
        if let Some(text) = text {
            annotations.insert(APPLIED.to_owned(), Value::String(text));
        }
    };
    annotate(&mut object, None);
    let text = json::line(&Value::Object(object.clone()));
    annotate(&mut object, Some(text));
    object
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Object(fields) => {
            fields.retain(|_field, value| !value.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests;
