//! How a request and a decision are told in leaves, whether they are sent or refused.

use kube_api::{Options, Request, Target};
use ledger::leaf::{self, Digest, Hidden, HiddenParameter, List};
use policy::Decision;

/// A request as leaves tell it, without its body.
#[must_use]
pub fn request(cluster: &str, request: &Request) -> leaf::Request {
    leaf::Request {
        name: request.object_name().map(Into::into),
        generate_name: request.generate_name().map(Into::into),
        dry_run: request.dry_run(),
        ..target(
            cluster,
            request.verb().as_str(),
            request.target(),
            &request.path_and_query(),
            request.options(),
        )
    }
}

/// What is known of a request once its head is parsed: `path` is its canonical target with these options.
#[must_use]
pub fn target(cluster: &str, verb: &str, target: &Target, path: &str, options: &Options) -> leaf::Request {
    let resource = match target {
        Target::Resource(resource) => Some(resource),
        Target::NonResource(_) => None,
    };
    leaf::Request {
        cluster: cluster.into(),
        verb: verb.into(),
        group: resource.map(|resource| resource.group().into()),
        version: resource.map(|resource| resource.version().into()),
        resource: resource.map(|resource| resource.resource().into()),
        subresource: resource.and_then(|resource| resource.subresource()).map(Into::into),
        namespace: resource.and_then(|resource| resource.namespace()).map(Into::into),
        name: resource.and_then(|resource| resource.name()).map(Into::into),
        generate_name: None,
        path: starred(path, options).into(),
        hidden: hidden(options).collect(),
        dry_run: false,
        body: None,
    }
}

/// The path with `*` in place of each value that leaves do not tell.
fn starred(path: &str, options: &Options) -> String {
    let Some((path, query)) = path.split_once('?') else { return path.to_owned() };
    // A canonical query is the options in their order, their values encoded.
    let told = query.split('&').zip(options.iter()).map(|(pair, (name, value))| {
        if is_told(name, value) { pair.to_owned() } else { format!("{name}=*") }
    });
    format!("{path}?{}", told.collect::<Vec<_>>().join("&"))
}

fn hidden(options: &Options) -> impl Iterator<Item = HiddenParameter> {
    let hidden = options.iter().filter(|(name, value)| !is_told(name, value));
    hidden.map(|(name, value)| HiddenParameter { name: name.into(), value: Hidden::new(value.to_owned()) })
}

/// Whether a leaf may have the value of this parameter: of those that select, and of those whose grammar leaves no room
/// for a secret. Not of free text, such as an exec's `command`, nor of a parameter that is not listed here.
fn is_told(name: &str, value: &str) -> bool {
    let label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    match name {
        "labelSelector" => true,
        "fieldSelector" => selects_by_known_fields(value),
        // A DNS label, or it is no container's name.
        "container" => value.len() <= 63 && value.bytes().all(label),
        "allowWatchBookmarks"
        | "dryRun"
        | "fieldValidation"
        | "follow"
        | "force"
        | "gracePeriodSeconds"
        | "includeObject"
        | "limit"
        | "orphanDependents"
        | "ports"
        | "pretty"
        | "previous"
        | "propagationPolicy"
        | "resourceVersion"
        | "resourceVersionMatch"
        | "sendInitialEvents"
        | "sinceSeconds"
        | "sinceTime"
        | "stderr"
        | "stdin"
        | "stdout"
        | "stream"
        | "tailLines"
        | "timeout"
        | "timeoutSeconds"
        | "timestamps"
        | "tty"
        | "verbose"
        | "watch" => true,
        _ => false,
    }
}

/// Whether a selector compares only fields that built-in kinds can be selected by (`GetAttrs` and the like in
/// k8s.io/kubernetes/pkg/registry), none of which holds a secret. What is compared with another field may be a guess at its
/// value, and right.
fn selects_by_known_fields(selector: &str) -> bool {
    const FIELDS: &[&str] = &[
        "spec.hostNetwork",
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.signerName",
        "spec.unschedulable",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ];
    const BELOW: &[&str] = &["metadata.", "involvedObject.", "status."];
    selector.split(',').filter(|term| !term.is_empty()).all(|term| {
        let field = term.split(['=', '!']).next().unwrap_or_default();
        FIELDS.contains(&field) || BELOW.iter().any(|prefix| field.starts_with(prefix))
    })
}

/// A decision as leaves tell it.
#[must_use]
pub fn decision(decision: &Decision) -> leaf::Decision {
    let policy = digest(decision.policy_digest().as_str());
    let rules: List<leaf::Rule, 16> = decision
        .rules()
        .iter()
        .map(|rule| leaf::Rule { id: rule.id().into(), policy: (!rule.is_fixed()).then_some(policy) })
        .collect();
    leaf::Decision {
        outcome: match decision.outcome() {
            policy::Outcome::Allow => leaf::Verdict::Allow,
            policy::Outcome::Ask => leaf::Verdict::Ask,
            policy::Outcome::Deny => leaf::Verdict::Deny,
        },
        rules,
        policy,
        masked_read: decision.masked_read(),
    }
}

/// Policy's digest text as the ledger's type; text that is no digest is told by its own digest.
#[must_use]
pub fn digest(text: &str) -> Digest {
    Digest::parse(text).unwrap_or_else(|| Digest::of(text.as_bytes()))
}

#[cfg(test)]
mod tests;
