//! Questions about one's own rights, answered from policy: the API server knows only what it would allow the
//! impersonated user, and `kubectl auth can-i` must tell what the gate would do.

use bytes::Bytes;
use kube_api::{Refusal, Request, Resource, Status, Verb};
use policy::{Judge, Principal, Probe};
use serde_json::{Value, json};
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::refuse::Refused;

const GROUP: &str = "authorization.k8s.io";
/// More than any verb has, and any path that a request line could hold.
const MAX_VERB: usize = 63;
const MAX_PATH: usize = 4096;

/// Why the list of rules is never complete; `kubectl auth can-i --list` prints it above the list.
const INCOMPLETE: &str =
    "portcullis: custom resources, and what depends on names, contents or an approval, are not listed";

/// A self-review, understood.
#[derive(Debug)]
pub(crate) enum Question {
    /// `SelfSubjectAccessReview`: `spec` as sent.
    Access { spec: Value },
    /// `SelfSubjectRulesReview`: all rules in one namespace.
    Rules { namespace: String },
}

/// The question that a request asks; `None` for any other request.
pub(crate) fn question(request: &Request) -> Option<Question> {
    let resource = request.resource()?;
    if request.verb() != Verb::Create || resource.group() != GROUP || resource.version() != "v1" {
        return None;
    }
    let spec = request.body()?.value().get("spec").cloned().unwrap_or_default();
    match resource.resource() {
        "selfsubjectaccessreviews" => Some(Question::Access { spec }),
        "selfsubjectrulesreviews" => Some(Question::Rules { namespace: text(&spec, "namespace").to_owned() }),
        _ => None,
    }
}

/// The review with its `status` filled in, as the API server would answer it.
///
/// # Errors
/// The question names something that cannot be a resource.
pub(crate) fn answer(
    judge: &Judge,
    principal: &Principal<'_>,
    cluster: &str,
    question: &Question,
) -> Result<Bytes, Refused> {
    let (kind, spec, status) = match question {
        Question::Access { spec } => (
            "SelfSubjectAccessReview",
            understood(spec),
            access(judge, principal, cluster, spec).map_err(Refused::Unparsed)?,
        ),
        Question::Rules { namespace } => (
            "SelfSubjectRulesReview",
            json!({ "namespace": namespace }),
            rules(judge, principal, cluster, namespace).map_err(Refused::Unparsed)?,
        ),
    };
    let review = json!({
        "kind": kind,
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {"creationTimestamp": null},
        "spec": spec,
        "status": status,
    });
    Ok(Bytes::from(review.to_string()))
}

/// Of what was asked, what is judged: the rest could be of any size, and would be sent back as it came.
fn understood(spec: &Value) -> Value {
    const ATTRIBUTES: &[(&str, &[&str])] = &[
        ("nonResourceAttributes", &["verb", "path"]),
        ("resourceAttributes", &["verb", "group", "version", "resource", "subresource", "namespace", "name"]),
    ];
    let texts = |asked: &Value, keys: &[&str]| -> Value {
        let told = keys.iter().filter_map(|key| Some(((*key).to_owned(), json!(optional(asked, key)?))));
        Value::Object(told.collect())
    };
    let judged = ATTRIBUTES.iter().find_map(|(key, keys)| Some((*key, texts(spec.get(*key)?, keys))));
    judged.map_or_else(|| json!({}), |(key, asked)| json!({ key: asked }))
}

fn access(
    judge: &Judge,
    principal: &Principal<'_>,
    cluster: &str,
    spec: &Value,
) -> Result<Value, Box<Status>> {
    let probe = if let Some(asked) = spec.get("nonResourceAttributes") {
        bounded(asked, "verb", MAX_VERB)?;
        bounded(asked, "path", MAX_PATH)?;
        judge.probe_path(principal, cluster, text(asked, "verb"), text(asked, "path"))
    } else if let Some(asked) = spec.get("resourceAttributes") {
        bounded(asked, "verb", MAX_VERB)?;
        let resource = Resource::asked(
            text(asked, "group"),
            text(asked, "version"),
            text(asked, "resource"),
            optional(asked, "subresource"),
            optional(asked, "namespace"),
            optional(asked, "name"),
        )
        .map_err(|refusal| Box::new(refusal.status()))?;
        judge.probe(principal, cluster, text(asked, "verb"), &resource)
    } else {
        return Ok(json!({"allowed": false, "reason": "portcullis: the review asks about nothing"}));
    };
    Ok(match probe {
        Probe::Allowed { reason } => json!({"allowed": true, "reason": reason}),
        // Nobody can approve yet, so such a call ends in a 403; no rule denies it.
        Probe::Asks { reason } => json!({"allowed": false, "reason": reason}),
        Probe::Denied { reason } => json!({"allowed": false, "denied": true, "reason": reason}),
    })
}

fn rules(
    judge: &Judge,
    principal: &Principal<'_>,
    cluster: &str,
    namespace: &str,
) -> Result<Value, Box<Status>> {
    if namespace.is_empty() {
        // As the API server has it.
        return Err(refused("it names no `namespace`"));
    }
    Resource::asked("", "", "*", None, Some(namespace), None)
        .map_err(|refusal| Box::new(refusal.status()))?;
    let resource_rules: Vec<Value> = aside(|| judge.rules_for(principal, cluster, namespace))
        .into_iter()
        .map(|rule| json!({"verbs": rule.verbs, "apiGroups": rule.api_groups, "resources": rule.resources}))
        .collect();
    Ok(json!({
        "resourceRules": resource_rules,
        "nonResourceRules": [],
        "incomplete": true,
        "evaluationError": INCOMPLETE,
    }))
}

/// Hundreds of judgements, which must not keep other calls of this thread waiting.
fn aside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

fn bounded(asked: &Value, key: &str, most: usize) -> Result<(), Box<Status>> {
    if text(asked, key).len() <= most {
        return Ok(());
    }
    Err(refused(&format!("`{key}` has more than {most} characters")))
}

fn refused(problem: &str) -> Box<Status> {
    Box::new(Refusal::Body { expected: "a self-review", problem: problem.to_owned() }.status())
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn optional<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
