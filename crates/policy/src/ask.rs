//! A request that waits for humans, and how it becomes a permit once they said yes.

use std::time::Duration;

use approval::{Approval, Bound, Call, Caller, Consumed, Demand, Target, Usage};
use jiff::Timestamp;
use kube_api::{Refusal, Request, Status, Verb};

use crate::decision::Decision;
use crate::judge::Principal;
use crate::request::call_of;
use crate::verdict::{Approved, Permit};
use crate::wording::Refused;

/// A request that waits for approval, and whose. There is no way from here to a permit but an approval: of exactly this
/// ([`Ask::approved`], [`Ask::approved_each`]), of the change that it makes ([`Ask::by_change`]), or of access that covers it
/// ([`Ask::by_access`]).
#[derive(Debug)]
pub struct Ask {
    agent: String,
    groups: Vec<String>,
    cluster: String,
    request: Request,
    /// The version that the request is bound to already, since it was judged by what it makes of that.
    version: Option<String>,
    /// Of a deletion of a collection: what is sent in its place, in the order of the objects' uids.
    each: Vec<One>,
    asking: Box<Asking>,
}

/// An object that a deletion of a collection covers, as it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its namespace; empty if it is in none.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Which it is, and in which version.
    pub object: Target,
}

/// The delete of one of them.
#[derive(Debug)]
struct One {
    object: Target,
    request: Request,
}

/// What policy says of it.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) decision: Decision,
    /// The decision once it is approved.
    pub(crate) granted: Decision,
    pub(crate) demands: Vec<Demand>,
    pub(crate) hold: Option<Duration>,
    pub(crate) refused: Refused,
}

impl Ask {
    pub(crate) fn new(who: &Principal<'_>, cluster: &str, request: Request, asking: Asking) -> Self {
        Self {
            agent: who.agent.to_owned(),
            groups: who.groups.to_vec(),
            cluster: cluster.to_owned(),
            request,
            version: None,
            each: Vec::new(),
            asking: Box::new(asking),
        }
    }

    /// The same, judged by what it makes of the object at `version`, to which it is bound.
    pub(crate) fn at_version(self, version: Option<String>) -> Self {
        Self { version, ..self }
    }

    /// The request that waits.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The decision to ask.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.asking.decision
    }

    /// Who must agree. Each of these, not any of them.
    #[must_use]
    pub fn demands(&self) -> &[Demand] {
        &self.asking.demands
    }

    /// For how long it waits for humans, if its rules say so: the longest of them.
    #[must_use]
    pub fn hold(&self) -> Option<Duration> {
        self.asking.hold
    }

    /// What would be done, in words: `delete deployments.apps "web" in namespace "shop" of cluster "prod"`.
    #[must_use]
    pub fn act(&self) -> &str {
        self.asking.refused.act()
    }

    /// The refusal in words: what [`Ask::status`] says.
    #[must_use]
    pub fn message(&self) -> &str {
        self.asking.refused.message()
    }

    /// The answer when the hold ran out: 403 Forbidden with `retryAfterSeconds`.
    #[must_use]
    pub fn status(&self) -> Status {
        self.asking.refused.status()
    }

    /// The answer when it ended like this, and what to do next (`None`: what the rules say): 403 Forbidden; with `again`, with
    /// `retryAfterSeconds`.
    #[must_use]
    pub fn ended(&self, how: &str, next: Option<&str>, again: bool) -> Status {
        self.asking.refused.ended(how, next, again)
    }

    /// The permit for the gate's own dry run of the request, by which approvers see what would come of it; `None` if it has
    /// none. Its decision says that it is a look ([`Decision::is_look`]); the agent must not get the answer.
    #[must_use]
    pub fn dry_run(&self) -> Option<Permit> {
        // What an eviction answers is no object.
        let dry = Some(&self.request).filter(|request| !request.is_eviction())?.as_dry_run()?;
        let decision = Decision::look(self.asking.granted.rules().to_vec(), self.decision().policy_digest());
        Some(Permit::new(&self.principal(), &self.cluster, dry, decision))
    }

    /// The same request, about this object at this version and no other: if the object is another by then, the API server
    /// answers 409.
    ///
    /// # Errors
    /// The client named an object or version of its own, and it is another.
    pub fn bind(self, target: &Target) -> Result<Self, Refusal> {
        let Target { uid, resource_version } = target;
        let request = match (self.request.verb(), &self.version) {
            (Verb::Delete, _) => self.request.with_preconditions(uid, resource_version)?,
            (Verb::Create, _) if self.request.is_eviction() => {
                self.request.with_preconditions(uid, resource_version)?
            }
            (_, Some(version)) if version == resource_version => return Ok(self),
            (_, Some(_)) => return Err(changed()),
            (Verb::Update | Verb::Patch, None) => self.request.with_resource_version(resource_version)?,
            _ => return Ok(self),
        };
        Ok(Self { request, ..self })
    }

    /// The same deletion of a collection, as the deletes of these objects and of no others: each of the object as it was looked at,
    /// or the API server answers 409.
    ///
    /// # Errors
    /// It is none, or has no such object; its client named an object or version of its own, and one of these is another.
    pub fn of_each(self, members: &[Member]) -> Result<Self, Refusal> {
        let one = |member: &Member| {
            let Member { namespace, name, object } = member;
            let (uid, version) = (&object.uid, &object.resource_version);
            let request = self.request.as_delete_of(namespace, name, uid, version)?;
            Ok(One { object: object.clone(), request })
        };
        let mut each = members.iter().map(one).collect::<Result<Vec<_>, _>>()?;
        each.sort_by(|one, other| one.object.uid.cmp(&other.object.uid));
        Ok(Self { each, ..self })
    }

    /// The objects of a deletion of a collection, once [`Ask::of_each`] named them, in the order in which they are approved.
    pub fn each(&self) -> impl Iterator<Item = &Target> {
        self.each.iter().map(|one| &one.object)
    }

    /// The permits for the deletes of each object, by one approval that was used for all of them: `bound` is what was approved, as for
    /// [`Ask::approved`].
    ///
    /// # Errors
    /// The request still waits: the approval was for something else, or for other objects, or by another policy.
    pub fn approved_each(self, bound: &Bound, approval: Consumed) -> Result<Vec<Permit>, Box<Self>> {
        let each = bound.call().map(|call| call.each.as_slice()).unwrap_or_default();
        if !self.is(bound, &approval) || !self.each().eq(each) {
            return Err(Box::new(self));
        }
        let Some(proofs) = approval.each(bound) else { return Err(Box::new(self)) };
        let who = Principal { agent: &self.agent, groups: &self.groups };
        let permit = |(one, proof): (One, Consumed)| {
            Permit::new(&who, &self.cluster, one.request, self.asking.granted.clone())
                .by(Approved::Once(proof))
        };
        Ok(self.each.into_iter().zip(proofs).map(permit).collect())
    }

    /// The permit, by an approval that was used for this: `bound` is what was approved. Session, object and the bytes of the body are
    /// in its digest and not known here; whoever asked has computed it anew.
    ///
    /// # Errors
    /// The request still waits: the approval was for something else, or by another policy.
    pub fn approved(self, bound: &Bound, approval: Consumed) -> Result<Permit, Box<Self>> {
        let of_each = bound.call().is_some_and(|call| !call.each.is_empty());
        if !self.is(bound, &approval) || !self.each.is_empty() || of_each {
            return Err(Box::new(self));
        }
        Ok(self.permit(Approved::Once(approval)))
    }

    /// The permit, by a change of several that was used for this `call`, if those whom this asks are among those who approved them. Session,
    /// the object's version and what becomes of it are not known here; whoever asked has held them against the change.
    ///
    /// # Errors
    /// The request still waits: it makes no change, or another; or others must agree.
    pub fn by_change(self, approval: &Approval, call: &str) -> Result<Permit, Box<Self>> {
        let making = approval.making(call, self.demands()).filter(|making| {
            let change = making.change();
            let makes = |usage: Usage| {
                usage.changes() && usage.deletes() == change.gone && usage.object() == change.object()
            };
            *making.by() == self.by() && self.usage().is_some_and(makes)
        });
        match making {
            Some(making) => Ok(self.permit(Approved::Change(making))),
            None => Err(Box::new(self)),
        }
    }

    /// The permit, by access that covers this `now`, if those whom this asks are among those who gave it. The session is not known
    /// here; whoever asked has looked.
    ///
    /// # Errors
    /// The request still waits: it is not covered, as exec and attach never are, or not any more; or others must agree.
    pub fn by_access(self, approval: &Approval, now: Timestamp) -> Result<Permit, Box<Self>> {
        // Those who gave the access did not see that values would be put back, nor whose; nor what would be run, and in which container.
        let is_seen = self.request.restores().is_none() && self.request.upgrade().is_none();
        let usage = self.usage().filter(|_| self.each.is_empty() && is_seen);
        // A write by its name that would yet make the object does both.
        let creates = |usage: &Usage| Usage { verb: Verb::Create.as_str().to_owned(), ..usage.clone() };
        let covers =
            |usage: &Usage| approval.asked().bound.access().is_some_and(|access| access.covers(usage));
        let may_create = call_of(&self.request).may_create;
        let usage = usage.filter(|usage| !may_create || covers(&creates(usage)));
        let grant = usage.and_then(|usage| approval.grant(&usage, self.demands(), now));
        match grant.filter(|grant| *grant.by() == self.by()) {
            Some(grant) => Ok(self.permit(Approved::Access(grant))),
            None => Err(Box::new(self)),
        }
    }

    /// What it does, as far as scopes tell calls apart; `None`: it is about no resource.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        usage(&self.request)
    }

    fn by(&self) -> Caller {
        let policy = self.decision().policy_digest().as_str().to_owned();
        Caller { agent: self.agent.clone(), cluster: self.cluster.clone(), policy }
    }

    fn permit(self, approved: Approved) -> Permit {
        let who = Principal { agent: &self.agent, groups: &self.groups };
        Permit::new(&who, &self.cluster, self.request, self.asking.granted).by(approved)
    }

    /// Whether it is what was approved, as far as that is known here.
    fn is(&self, bound: &Bound, approval: &Consumed) -> bool {
        let url = self.request.path_and_query();
        let content = self.request.body().map(|body| body.content().header_value());
        let content = content.as_ref().and_then(|value| value.to_str().ok());
        let Some(Call { hidden, url: approved, content_type, body, method, .. }) = bound.call() else {
            return false;
        };
        bound.digest() == approval.digest()
            && approval.part().is_none()
            && (hidden.is_some() || *approved == url)
            && content_type.as_deref() == content
            && body.is_some() == content.is_some()
            && bound.agent == self.agent
            && bound.cluster == self.cluster
            && method == self.request.method().as_str()
            && bound.policy == self.decision().policy_digest().as_str()
    }

    fn principal(&self) -> Principal<'_> {
        Principal { agent: &self.agent, groups: &self.groups }
    }
}

/// What a request does, as far as scopes tell requests apart; `None`: it is about no resource.
#[must_use]
pub fn usage(request: &Request) -> Option<Usage> {
    let resource = request.resource()?;
    let (kind, verb) = ((resource.group(), resource.resource()), request.verb().as_str());
    Some(Usage::of(verb, kind, resource.subresource(), resource.namespace(), request.object_name()))
}

fn changed() -> Refusal {
    Refusal::Body {
        expected: "a write of the object as it is",
        problem: "the object has changed meanwhile; send the request again".to_owned(),
    }
}

#[cfg(test)]
mod tests;
