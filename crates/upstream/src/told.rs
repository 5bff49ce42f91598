//! How a request and a decision are told in leaves, whether they are sent or refused. A value of a Secret that an agent
//! wrote into what it asks for is not told.

use kube_api::{Options, Request, Target};
use ledger::leaf::{self, Digest, Hidden, HiddenParameter, List, Text};
use mask::KnownValues;
use policy::Decision;

/// What a leaf has in place of a text that it must not hold.
const WITHHELD: &str = "*";

/// Whether a text holds a value of a Secret.
type IsKnown<'a> = &'a dyn Fn(&str) -> bool;

/// A request as leaves tell it, without its body and without what is known of Secrets.
#[must_use]
pub fn request(cluster: &str, request: &Request, known: &KnownValues) -> leaf::Request {
    told(cluster, request, &is_known(known))
}

/// What is known of a request once its head is parsed: `path` is its canonical target with these options.
#[must_use]
pub fn target(
    cluster: &str,
    verb: &str,
    target: &Target,
    path: &str,
    options: &Options,
    known: &KnownValues,
) -> leaf::Request {
    told_target(cluster, verb, target, path, options, &is_known(known))
}

/// A text that quotes a request, such as a refusal's message: as it is, or withheld as a whole.
#[must_use]
pub fn text<const MAX: usize>(text: &str, known: &KnownValues) -> Text<MAX> {
    shown(text, &is_known(known))
}

fn is_known(known: &KnownValues) -> impl Fn(&str) -> bool {
    |text| known.count_in(text.as_bytes()) > 0
}

fn shown<const MAX: usize>(text: &str, is_known: IsKnown<'_>) -> Text<MAX> {
    if is_known(text) { WITHHELD.into() } else { text.into() }
}

fn told(cluster: &str, request: &Request, is_known: IsKnown<'_>) -> leaf::Request {
    leaf::Request {
        name: request.object_name().map(|name| shown(name, is_known)),
        generate_name: request.generate_name().map(|name| shown(name, is_known)),
        dry_run: request.dry_run(),
        restores: request.restores().map(|restores| shown(&restores.to_string(), is_known)),
        ..told_target(
            cluster,
            request.verb().as_str(),
            request.target(),
            &request.path_and_query(),
            request.options(),
            is_known,
        )
    }
}

fn told_target(
    cluster: &str,
    verb: &str,
    target: &Target,
    path: &str,
    options: &Options,
    is_known: IsKnown<'_>,
) -> leaf::Request {
    let resource = match target {
        Target::Resource(resource) => Some(resource),
        Target::NonResource(_) => None,
    };
    let path = Path::of(target, path, options, is_known);
    leaf::Request {
        cluster: cluster.into(),
        verb: verb.into(),
        group: resource.map(|resource| shown(resource.group(), is_known)),
        version: resource.map(|resource| shown(resource.version(), is_known)),
        resource: resource.map(|resource| shown(resource.resource(), is_known)),
        subresource: resource.and_then(|resource| resource.subresource()).map(|name| shown(name, is_known)),
        namespace: resource.and_then(|resource| resource.namespace()).map(|name| shown(name, is_known)),
        name: resource.and_then(|resource| resource.name()).map(|name| shown(name, is_known)),
        generate_name: None,
        path: path.text.into(),
        hidden: path.hidden.into_iter().collect(),
        dry_run: false,
        restores: None,
        body: None,
    }
}

/// Path and query with `*` in place of what leaves do not tell, and what that was.
struct Path {
    text: String,
    hidden: Vec<HiddenParameter>,
}

impl Path {
    fn of(target: &Target, path: &str, options: &Options, is_known: IsKnown<'_>) -> Self {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let mut hidden = Vec::new();
        let mut hide = |name: &str, value: &str| {
            hidden.push(HiddenParameter { name: name.into(), value: Hidden::new(value.to_owned()) });
        };
        let mut text = path.to_owned();
        if is_known(path) || is_known(&target.path()) {
            WITHHELD.clone_into(&mut text);
            hide("path", path);
        }
        if let Some(query) = query {
            // A canonical query is the options in their order, their values encoded.
            let told = query.split('&').zip(options.iter()).map(|(pair, (name, value))| {
                if is_told(name, value) && !is_known(value) && !is_known(pair) {
                    return pair.to_owned();
                }
                hide(name, value);
                format!("{name}={WITHHELD}")
            });
            text = format!("{text}?{}", told.collect::<Vec<_>>().join("&"));
        }
        Self { text, hidden }
    }
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
        reveal: reveal(decision.reveal()),
    }
}

fn reveal(reveal: &policy::Reveal) -> Option<leaf::Reveal> {
    (!reveal.is_none()).then(|| leaf::Reveal {
        keys: reveal.keys().iter().map(|key| key.as_str().into()).collect(),
        others: reveal.others(),
        rules: reveal.rules().iter().map(|rule| rule.id().into()).collect(),
    })
}

/// Policy's digest text as the ledger's type; text that is no digest is told by its own digest.
#[must_use]
pub fn digest(text: &str) -> Digest {
    Digest::parse(text).unwrap_or_else(|| Digest::of(text.as_bytes()))
}

#[cfg(test)]
mod tests;
