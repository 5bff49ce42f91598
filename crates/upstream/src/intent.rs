//! What is about to be done, as the ledger records it and as it is then sent.

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use kube_api::{Options, Request, Target};
use ledger::{
    Entry,
    leaf::{self, Actor, Digest, Event, Hidden, HiddenParameter, Id, List},
};
use policy::{Decision, Permit};

use crate::impersonation::{Impersonation, NotImpersonable};

/// Whence a call came: what is recorded of it, and judged by nobody.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The human on whose behalf the agent runs.
    pub delegator: leaf::Person,
    /// The session it belongs to.
    pub session: Id,
    /// The client's address and port.
    pub src: leaf::Text<64>,
}

/// One permitted call: who, on which cluster, under which decision, and the request itself.
///
/// Built only from a [`Permit`], which owns the request that policy judged, and says for whom and for which cluster:
/// nobody else can be impersonated with it, and it can be sent nowhere else.
pub struct Intent {
    call: Id,
    audit_id: HeaderValue,
    actor: Actor,
    permit: Permit,
    impersonation: Impersonation,
    /// The request as it will be sent, made once: the leaf's digest is over these bytes, under the ledger's key.
    outgoing: http::Request<Bytes>,
}

impl Intent {
    /// The intent to send what was permitted, for whom it was permitted, under the id `call`.
    ///
    /// # Errors
    /// The agent cannot be impersonated; see [`NotImpersonable`].
    pub fn new(call: Id, origin: Origin, permit: Permit) -> Result<Self, NotImpersonable> {
        let Origin { delegator, session, src } = origin;
        let groups = permit.groups().iter().map(|group| group.as_str().into()).collect();
        let actor = Actor { agent: permit.agent().into(), groups, delegator, session, src };
        let impersonation = Impersonation::of(&actor, permit.decision().masked_read())?;
        let audit_id = crate::impersonation::value("call", call.as_str())?;
        let outgoing = permit.request().to_http();
        Ok(Self { call, audit_id, actor, permit, impersonation, outgoing })
    }

    /// The request that was judged.
    #[must_use]
    pub fn request(&self) -> &Request {
        self.permit.request()
    }

    /// The cluster it was judged for.
    #[must_use]
    pub fn cluster(&self) -> &str {
        self.permit.cluster()
    }

    pub(crate) fn impersonation(&self) -> &Impersonation {
        &self.impersonation
    }

    pub(crate) fn audit_id(&self) -> &HeaderValue {
        &self.audit_id
    }

    pub(crate) fn outgoing(&self) -> &http::Request<Bytes> {
        &self.outgoing
    }
}

/// Not the request: its body and its query may hold secrets.
impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intent").field("call", &self.call).finish_non_exhaustive()
    }
}

impl Entry for Intent {
    fn event(&self) -> Event {
        let body = self.outgoing.body();
        Event::Intent(Box::new(leaf::Intent {
            call: self.call.clone(),
            actor: self.actor.clone(),
            request: leaf::Request {
                body: (!body.is_empty()).then(|| Hidden::new(body.clone())),
                ..request(self.cluster(), self.request())
            },
            decision: decision(self.permit.decision()),
            impersonated: leaf::Impersonated {
                user: self.impersonation.user().into(),
                groups: self.impersonation.groups().iter().map(|group| group.as_str().into()).collect(),
            },
            audit_id: self.call.clone(),
        }))
    }
}

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
        "labelSelector" | "fieldSelector" => true,
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
