//! Which calls the built-in denials mean, where that takes more than a line.

use std::borrow::Cow;

use serde_json::Value;

use crate::action::Action;
use crate::body::Form;
use crate::call::{Call, Object};
use crate::catalogue;
use crate::settings::{OWN_PREFIX, Own};

const RBAC: &str = "rbac.authorization.k8s.io";
const TOKEN_TYPES: &[&str] = &["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"];
/// Verbs in a role that let its holder leave its own rights behind.
const ESCALATING_VERBS: &[&str] = &["impersonate", "escalate", "bind", "*"];

/// Discovery, OpenAPI, version, health: what clients need. Other paths serve metrics, logs and profiles of the API server.
pub(super) fn open_path(path: &str) -> bool {
    let trimmed = path.strip_suffix('/').unwrap_or(path);
    let below = |root: &str| trimmed.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
    matches!(trimmed, "/api" | "/apis" | "/version" | "/healthz" | "/livez" | "/readyz")
        || ["/api", "/apis", "/healthz", "/livez", "/readyz"].into_iter().any(below)
        || ["/openapi/v2", "/openapi/v3"].contains(&trimmed)
        || below("/openapi/v3")
}

/// Bytes that nobody looks at. Exec and attach of pods are recorded and masked, and of port-forwards to them it is recorded what they
/// carry; those of others (KubeVirt's) are another protocol.
pub(super) fn unrecorded_stream(call: &Call<'_>, _: &Own) -> bool {
    let of_pod = call.object().is_some_and(|object| (object.group, object.resource) == ("", "pods"));
    call.action.is_some_and(|action| action.is_tunnel() && !(of_pod && action != Action::Proxy))
}

pub(super) fn api_server_port(call: &Call<'_>, _: &Own) -> bool {
    call.action == Some(Action::PortForward) && call.facts.forward.pod.control_plane
}

pub(super) fn node_port(call: &Call<'_>, _: &Own) -> bool {
    call.action == Some(Action::PortForward) && call.facts.forward.pod.host_network
}

pub(super) fn node_api_server(call: &Call<'_>, _: &Own) -> bool {
    call.action == Some(Action::PortForward) && call.facts.forward.is_to_api_server()
}

pub(super) fn unknown_subresource(call: &Call<'_>, _: &Own) -> bool {
    call.object().is_some_and(|o| !catalogue::is_known_subresource(o.group, o.resource, o.subresource))
}

/// Changes to what the gate itself runs on and is allowed by: an agent could widen its own rights, or end the gate.
pub(super) fn own_objects(call: &Call<'_>, own: &Own) -> bool {
    let discloses = call.action.is_some_and(Action::discloses);
    let Some(object) = call.object().filter(|_| call.changes() || discloses) else { return false };
    let becomes_own = |begin: &str| object.is("", "namespaces") && own.namespace().starts_with(begin);
    if object.namespace == own.namespace() || call.generated.is_some_and(becomes_own) {
        return true;
    }
    let everywhere = call.action == Some(Action::DeleteCollection)
        && object.name.is_empty()
        && object.namespace.is_empty()
        && (!object.is_cluster_scoped() || object.is("", "namespaces") || object.group == RBAC);
    everywhere
        || (object.group == RBAC
            && (call.is_named(OWN_PREFIX) || call.body.is_some_and(|b| names_own(b.value))))
}

fn is_own(name: &str) -> bool {
    name.starts_with(OWN_PREFIX)
}

/// Whether any string in an RBAC body is one of the gate's names: a role it binds, a subject it grants to.
fn names_own(value: &Value) -> bool {
    any_string(value, &is_own)
}

pub(super) fn opaque_patch(call: &Call<'_>, _: &Own) -> bool {
    call.facts.replicas.len() > 1 || call.body.is_some_and(|body| body.operations().is_err())
}

/// Whether a `test` asks about a value that may be masked: in Secrets whatever it is; elsewhere, where a literal of the
/// environment, an annotation with a copy of the object, or a message may stand, and whatever holds one.
pub(super) fn secret_test(call: &Call<'_>, _: &Own) -> bool {
    let asks = |path: &[Cow<'_, str>]| is_secret(call) || !can_be_tested(path);
    call.body.is_some_and(|body| {
        body.operations().is_ok_and(|ops| ops.iter().any(|o| o.op == "test" && asks(&o.path)))
    })
}

/// What clients test to guard against a race.
fn can_be_tested(path: &[Cow<'_, str>]) -> bool {
    let path: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
    matches!(
        path.as_slice(),
        ["spec", "replicas"]
            | [
                "metadata",
                "finalizers" | "generation" | "labels" | "name" | "namespace" | "resourceVersion" | "uid",
                ..
            ]
    )
}

pub(super) fn impersonation(call: &Call<'_>, _: &Own) -> bool {
    let Some(object) = call.object() else { return false };
    let identities = matches!(object.group, "" | "authentication.k8s.io")
        && matches!(object.resource, "users" | "groups" | "uids" | "userextras");
    let is_role = object.group == RBAC && matches!(object.resource, "roles" | "clusterroles");
    let escalates = |text: &str| ESCALATING_VERBS.contains(&text);
    call.verb == "impersonate"
        || identities
        || (is_role
            && call.changes()
            && call.body.is_some_and(|body| grants(body.value, body.form, &escalates)))
}

/// Whether a role's body holds a verb that `escalates`: below `verbs`, or, in a JSON Patch, anywhere.
fn grants(value: &Value, form: Form, escalates: &dyn Fn(&str) -> bool) -> bool {
    match value {
        _ if form == Form::JsonPatch => any_string(value, escalates),
        Value::Object(map) => map.iter().any(|(key, value)| {
            if key == "verbs" { any_string(value, escalates) } else { grants(value, form, escalates) }
        }),
        Value::Array(items) => items.iter().any(|item| grants(item, form, escalates)),
        _ => false,
    }
}

pub(super) fn token_secret(call: &Call<'_>, _: &Own) -> bool {
    if !is_secret(call) || !call.changes() {
        return false;
    }
    let types = call.body.map(|body| body.assigned(&["type"])).unwrap_or_default();
    let writes = matches!(call.action, Some(Action::Create | Action::Update | Action::Patch));
    (writes && call.is_named("bootstrap-token-"))
        || types.iter().any(|value| value.as_str().is_some_and(|text| TOKEN_TYPES.contains(&text)))
}

pub(super) fn helm_release(call: &Call<'_>, _: &Own) -> bool {
    let typed = |value: &&Value| value.as_str().is_some_and(|text| text.starts_with("helm.sh/release"));
    let types = call.body.map(|body| body.assigned(&["type"])).unwrap_or_default();
    // With `HELM_DRIVER=configmap`.
    let in_map = call.object().is_some_and(|o| o.is("", "configmaps"));
    let named = (is_secret(call) || in_map) && call.is_named("sh.helm.release.v1.");
    call.changes() && (named || is_secret(call) && types.iter().any(typed))
}

/// Changes in `admissionregistration.k8s.io` to resources with one of two endings.
pub(super) fn changes_admission(call: &Call<'_>, ending: &str, other: &str) -> bool {
    let ends = |o: &Object<'_>| o.resource.ends_with(ending) || o.resource.ends_with(other);
    call.changes() && call.object().is_some_and(|o| o.group == "admissionregistration.k8s.io" && ends(o))
}

pub(super) fn conversion_webhook(call: &Call<'_>, _: &Own) -> bool {
    let path = &["spec", "conversion"];
    let is_crd = call.object().is_some_and(|o| o.is("apiextensions.k8s.io", "customresourcedefinitions"));
    let Some(body) = call.body.filter(|body| is_crd && call.changes() && body.touches(path)) else {
        return false;
    };
    // What the server fills in by default, and what an object read and written back therefore holds.
    let none = serde_json::json!({ "strategy": "None" });
    body.form != Form::Whole || body.assigned(path).into_iter().any(|value| *value != none)
}

pub(super) fn unsafe_delete(call: &Call<'_>, _: &Own) -> bool {
    let destroys = matches!(call.action, Some(Action::Delete | Action::DeleteCollection | Action::Evict));
    let asked = |value: &Value| any_key(value, "ignoreStoreReadErrorWithClusterBreakingPotential");
    destroys && (call.unsafe_delete || call.body.is_some_and(|body| asked(body.value)))
}

fn is_secret(call: &Call<'_>) -> bool {
    call.object().is_some_and(|o| o.is("", "secrets"))
}

fn any_string(value: &Value, test: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => test(text),
        Value::Array(items) => items.iter().any(|item| any_string(item, test)),
        Value::Object(map) => map.values().any(|value| any_string(value, test)),
        _ => false,
    }
}

/// Whether `key` stands anywhere in the value with anything but `false` or null.
fn any_key(value: &Value, key: &str) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(name, value)| {
            (name == key && !matches!(value, Value::Bool(false) | Value::Null)) || any_key(value, key)
        }),
        Value::Array(items) => items.iter().any(|item| any_key(item, key)),
        _ => false,
    }
}
