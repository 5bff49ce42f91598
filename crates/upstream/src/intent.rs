//! What is about to be done, as the ledger records it and as it is then sent.

use std::fmt;

use approval::Demand;
use bytes::Bytes;
use http::HeaderValue;
use kube_api::Request;
use ledger::{
    Entry,
    leaf::{self, Actor, Event, Hidden, Id},
};
use mask::{KnownValues, View};
use policy::{Approved, Permit};

use crate::{
    impersonation::{Impersonation, MASKED_READER_GROUP, NotImpersonable, STREAMER_GROUP},
    told,
};

/// Whence a call came: what is recorded of it, and judged by nobody.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The human on whose behalf the agent runs.
    pub delegator: leaf::Person,
    /// The session it belongs to.
    pub session: Id,
    /// The client's address and port.
    pub src: leaf::Text<64>,
    /// What is not recorded wherever the call holds it: the values of its cluster's Secrets.
    pub known: KnownValues,
    /// The agent's call for which the gate itself asks, if it does.
    pub looks_for: Option<Id>,
    /// The agent's call that opened the way for it, if it is a connection through a port-forward.
    pub through: Option<Id>,
}

/// One permitted call: who, on which cluster, under which decision, and the request itself.
///
/// Built only from a [`Permit`], which owns the request that policy judged, and says for whom and for which cluster:
/// nobody else can be impersonated with it, and it can be sent nowhere else.
pub struct Intent {
    call: Id,
    audit_id: HeaderValue,
    actor: Actor,
    looks_for: Option<Id>,
    through: Option<Id>,
    approval: Option<Id>,
    demands: Vec<Demand>,
    part: Option<leaf::Part>,
    permit: Permit,
    impersonation: Impersonation,
    known: KnownValues,
    /// The request as it will be sent, made once: the leaf's digest is over these bytes, under the ledger's key.
    outgoing: http::Request<Bytes>,
}

impl Intent {
    /// The intent to send what was permitted, for whom it was permitted, under the id `call`.
    ///
    /// # Errors
    /// The agent cannot be impersonated, or what was approved is another call.
    pub fn new(call: Id, origin: Origin, permit: Permit) -> Result<Self, Unintendable> {
        let Origin { delegator, session, src, known, looks_for, through } = origin;
        let groups = permit.groups().iter().map(|group| group.as_str().into()).collect();
        let actor = Actor { agent: permit.agent().into(), groups, delegator, session, src };
        let impersonation = Impersonation::of(&actor, &lent(&permit))?;
        let audit_id = crate::impersonation::value("call", call.as_str())?;
        let part = part_of(&permit, &call)?;
        let approval = permit.approval().map(|approval| Id::new(approval.approval())).transpose();
        let approval = approval.map_err(Unintendable::Approval)?;
        let demands = match permit.approval() {
            None | Some(Approved::Once(_)) => Vec::new(),
            Some(Approved::Change(making)) => making.demands().to_vec(),
            Some(Approved::Access(grant)) => grant.demands().to_vec(),
        };
        let outgoing = permit.request().to_http();
        Ok(Self {
            call,
            audit_id,
            actor,
            looks_for,
            through,
            approval,
            demands,
            part,
            permit,
            impersonation,
            known,
            outgoing,
        })
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

    /// The agent it was judged for.
    pub(crate) fn agent(&self) -> &str {
        self.permit.agent()
    }

    /// To whom the answer is shown, and what of it is revealed.
    pub(crate) fn view(&self) -> View {
        let reveal = self.permit.decision().reveal();
        View {
            session: self.actor.session.to_string(),
            reveal: mask::Reveal { keys: reveal.keys().to_vec(), others: reveal.others() },
        }
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

/// The rights that no agent has, but for what was permitted.
fn lent(permit: &Permit) -> Vec<&'static str> {
    let masked_read = permit.decision().masked_read().then_some(MASKED_READER_GROUP);
    let stream = permit.request().reaches_into_pod().then_some(STREAMER_GROUP);
    masked_read.into_iter().chain(stream).collect()
}

/// Which part of the call, for which an approval was used, is sent as `call`; `None` if that is the whole of it.
fn part_of(permit: &Permit, call: &Id) -> Result<Option<leaf::Part>, Unintendable> {
    let consumed = match permit.approval() {
        None | Some(Approved::Access(_)) => return Ok(None),
        Some(Approved::Change(making)) if making.call() == call.as_str() => return Ok(None),
        Some(Approved::Change(_)) => return Err(Unintendable::OtherCall),
        Some(Approved::Once(consumed)) => consumed,
    };
    let is_call = consumed.call() == call.as_str();
    match consumed.part() {
        None if is_call => Ok(None),
        Some(object) if !is_call => {
            let of = Id::new(consumed.call()).map_err(Unintendable::Approval)?;
            Ok(Some(leaf::Part { of, object: object.clone() }))
        }
        None | Some(_) => Err(Unintendable::OtherCall),
    }
}

/// Why what was permitted cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum Unintendable {
    /// The agent's name is none for the API server.
    #[error(transparent)]
    Impersonation(#[from] NotImpersonable),
    /// The approval has an id that cannot be recorded.
    #[error("the approval's id: {0}")]
    Approval(leaf::InvalidId),
    /// An approval was used for one call, and this is another.
    #[error("the approval was used for another call")]
    OtherCall,
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
                ..told::request(self.cluster(), self.request(), &self.known)
            },
            decision: told::decision(self.permit.decision()),
            impersonated: leaf::Impersonated {
                user: self.impersonation.user().into(),
                groups: self.impersonation.groups().iter().map(|group| group.as_str().into()).collect(),
            },
            audit_id: self.call.clone(),
            looks_for: self.looks_for.clone(),
            through: self.through.clone(),
            approval: self.approval.clone(),
            demands: self.demands.clone(),
            part: self.part.clone(),
        }))
    }
}
