//! What the ledger is told of a call.

use std::{net::SocketAddr, time::Duration};

use identity::Caller;
use kube_api::{Head, Request};
use ledger::leaf::{self, Actor, Cause, Event, Id, Refusal, Stage};
use mask::KnownValues;
use policy::Decision;

use crate::outcome::{Ending, Outcome};

/// A caller as leaves tell it.
///
/// # Errors
/// The session's id is none that the ledger takes, which `identity` does not make.
pub(crate) fn actor(caller: &Caller, peer: SocketAddr) -> Result<Actor, leaf::InvalidId> {
    Ok(Actor {
        agent: caller.agent().as_str().into(),
        groups: caller.groups().iter().map(|group| group.as_str().into()).collect(),
        delegator: caller.delegator().as_str().into(),
        session: Id::new(caller.session().as_str())?,
        src: peer.to_string().into(),
    })
}

/// The parts of a refusal that are the same whatever its cause.
pub(crate) struct Told<'a> {
    pub(crate) call: &'a Id,
    pub(crate) actor: &'a Actor,
    pub(crate) cluster: &'a str,
    pub(crate) status: u16,
    pub(crate) message: &'a str,
    /// The values of the cluster's Secrets, which are told nowhere.
    pub(crate) known: KnownValues,
}

impl Told<'_> {
    /// A request that was not understood; of its target only the path is told, since a query that nobody
    /// understood may hold anything.
    pub(crate) fn unparsed(&self, cause: Cause, head: Option<&Head>, method: &str, path: &str) -> Event {
        let request = head.map(|head| {
            let path = head.path_and_query();
            let verb = head.verb().as_str();
            upstream::target(self.cluster, verb, head.target(), &path, head.options(), &self.known)
        });
        let raw = request.is_none().then(|| leaf::RawRequest {
            method: upstream::text(method, &self.known),
            path: upstream::text(path, &self.known),
        });
        self.refusal(cause, request, raw, None)
    }

    /// A request that policy did not permit.
    pub(crate) fn judged(&self, cause: Cause, request: &Request, decision: &Decision) -> Event {
        let request = upstream::request(self.cluster, request, &self.known);
        self.refusal(cause, Some(request), None, Some(upstream::decision(decision)))
    }

    /// A request that could not be judged though it was understood.
    pub(crate) fn unjudged(&self, cause: Cause, request: &Request) -> Event {
        self.refusal(cause, Some(upstream::request(self.cluster, request, &self.known)), None, None)
    }

    fn refusal(
        &self,
        cause: Cause,
        request: Option<leaf::Request>,
        raw: Option<leaf::RawRequest>,
        decision: Option<leaf::Decision>,
    ) -> Event {
        Event::Refusal(Box::new(Refusal {
            call: self.call.clone(),
            cause,
            status: self.status,
            src: self.actor.src.clone(),
            actor: Some(self.actor.clone()),
            request,
            raw,
            decision,
            message: upstream::text(self.message, &self.known),
        }))
    }
}

/// A call that the gate answered itself; `status`, if it was sent in parts.
pub(crate) fn answered(
    call: &Id,
    actor: &Actor,
    cluster: &str,
    request: &Request,
    known: &KnownValues,
    status: Option<u16>,
) -> Event {
    Event::Answered(Box::new(leaf::Answered {
        call: call.clone(),
        actor: actor.clone(),
        request: Some(upstream::request(cluster, request, known)),
        raw: None,
        status,
    }))
}

/// A call at a path of the gate's own.
pub(crate) fn answered_own(
    call: &Id,
    actor: &Actor,
    (method, path): (&str, &str),
    known: &KnownValues,
    status: u16,
) -> Event {
    let raw = leaf::RawRequest { method: upstream::text(method, known), path: upstream::text(path, known) };
    Event::Answered(Box::new(leaf::Answered {
        call: call.clone(),
        actor: actor.clone(),
        request: None,
        raw: Some(raw),
        status: Some(status),
    }))
}

/// How a permitted call ended.
pub(crate) fn outcome(call: &Id, outcome: &Outcome, took: Duration) -> Event {
    Event::Outcome(ended(call, outcome, took))
}

/// How a stream ended that was upgraded.
pub(crate) fn streamed(call: &Id, outcome: &Outcome, took: Duration, stream: leaf::Streamed) -> Event {
    Event::Outcome(leaf::Outcome { stream: Some(stream), ..ended(call, outcome, took) })
}

/// How a try ended that is made again as `again`.
pub(crate) fn outdated(call: &Id, outcome: &Outcome, took: Duration, again: &Id) -> Event {
    Event::Outcome(leaf::Outcome { again_as: Some(again.clone()), ..ended(call, outcome, took) })
}

fn ended(call: &Id, outcome: &Outcome, took: Duration) -> leaf::Outcome {
    let stage = match outcome.ending {
        Ending::Completed if matches!(outcome.status.as_u16(), 401 | 403) => Stage::Denied,
        Ending::Completed => Stage::Completed,
        Ending::Failed(_) | Ending::Unsent(_) => Stage::Failed,
        Ending::Unmaskable
        | Ending::UpstreamBroke
        | Ending::ClientLeft
        | Ending::ClientStalled
        | Ending::ClientErred
        | Ending::Unrecordable
        | Ending::RecordedEnough
        | Ending::Changed
        | Ending::SessionEnded
        | Ending::SessionFrozen
        | Ending::AccessOver
        | Ending::Idle(_)
        | Ending::TooLong(_)
        | Ending::Unseen
        | Ending::GateStopping => Stage::Cut,
    };
    leaf::Outcome {
        call: call.clone(),
        stage,
        status: Some(outcome.status.as_u16()),
        delivered: outcome.bytes,
        masked: outcome.masked,
        duration_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        error: error(outcome).map(Into::into),
        again_as: None,
        stream: None,
    }
}

/// What kept the client from the API server's answer. What that was is told too: a write may have been done all the same.
fn error(outcome: &Outcome) -> Option<String> {
    let ending = outcome.ending;
    (ending != Ending::Completed).then(|| match outcome.answered {
        Some(answered) if answered != outcome.status => {
            format!("{ending}; the API server answered {}", answered.as_u16())
        }
        _ => ending.to_string(),
    })
}
