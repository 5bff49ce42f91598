//! Judging by what a request makes of an object. A patch shows what it sets: that a container holds a Secret already, which
//! a new command prints, only the object shows.
//!
//! ```text
//! judge ─ Look ─ dry run, by the API server ─ judge_merged ─ Verdict, bound to the version that was looked at
//! ```

use kube_api::Request;
use serde_json::Value;

use crate::body::{Body, Form};
use crate::call::Call;
use crate::decision::Decision;
use crate::facts::Facts;
use crate::judge::{Cause, Finding, Judge, Principal};
use crate::pod::PodLook;
use crate::request::call_of;
use crate::verdict::{Permit, Verdict};

/// What judging a request by itself yields.
#[must_use]
#[derive(Debug)]
pub enum Judgement {
    /// It is decided.
    Verdict(Verdict),
    /// It is decided by what it makes of the object: see [`Look`].
    Look(Look),
    /// It is decided by the pod that it reaches: see [`PodLook`].
    Pod(PodLook),
}

/// A request that cannot be judged before what it makes of the object is known. There is no way from here to a permit for
/// it but [`Judge::judge_merged`].
#[derive(Debug)]
pub struct Look {
    agent: String,
    groups: Vec<String>,
    cluster: String,
    request: Request,
    dry: Box<Request>,
    decision: Decision,
}

// === impl Judgement ===

impl Judgement {
    /// The verdict, unless the request has to be looked at first.
    #[must_use]
    pub fn verdict(self) -> Option<Verdict> {
        match self {
            Self::Verdict(verdict) => Some(verdict),
            Self::Look(_) | Self::Pod(_) => None,
        }
    }
}

// === impl Look ===

impl Look {
    pub(crate) fn new(
        who: &Principal<'_>,
        cluster: &str,
        request: Request,
        dry: Request,
        decision: Decision,
    ) -> Self {
        Self {
            agent: who.agent.to_owned(),
            groups: who.groups.to_vec(),
            cluster: cluster.to_owned(),
            request,
            dry: Box::new(dry),
            decision,
        }
    }

    /// The permit for the look itself: the same request with `dryRun=All`, answered with the whole object. Its decision says
    /// that it is a look ([`Decision::is_look`]); the agent must not get the answer.
    #[must_use]
    pub fn dry_run(&self) -> Permit {
        Permit::new(&self.principal(), &self.cluster, Request::clone(&self.dry), self.decision.clone())
    }

    /// The request that waits to be judged.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    fn principal(&self) -> Principal<'_> {
        Principal { agent: &self.agent, groups: &self.groups }
    }
}

// === impl Judge ===

impl Judge {
    /// Judges the request of `look` by `merged`: the object as the API server answered the dry run with, not masked. A permit
    /// that comes of it is for the request with the object's version as a precondition: if the object is another by then, the
    /// server answers 409. An object without a version is one that the request creates; if another creates it first, the
    /// server answers 409 too.
    ///
    /// What is no such object, or has not the name that was asked about, is denied.
    pub fn judge_merged(&self, look: Look, merged: &Value) -> Verdict {
        let version = version_of(&look.request, merged);
        let bound = version.and_then(|version| look.request.with_resource_version(version).ok());
        let who = look.principal();
        let object = without_status(&look.request, merged);
        let call = merged_call(&look.request, &object);
        let finding = match bound {
            Some(_) => self.decide(&who, &look.cluster, &call),
            None => Finding::deny(Cause::Unseen, Vec::new()),
        };
        let settled = self.settle(&who, &look.cluster, &call, &finding);
        let request = bound.unwrap_or_else(|| look.request.clone());
        match settled.of(&who, &look.cluster, request) {
            Verdict::Ask(ask) => Verdict::Ask(ask.at_version(version.map(str::to_owned))),
            decided @ (Verdict::Allow(_) | Verdict::Deny(_)) => decided,
        }
    }
}

/// The call that `request` is, by the object it makes.
pub(crate) fn merged_call<'a>(request: &'a Request, merged: &'a Value) -> Call<'a> {
    let part = call_of(request);
    let body = Body { value: merged, form: Form::Whole };
    let mut facts = Facts::of(&body, false);
    facts.touches_process |= part.facts.touches_process;
    Call { facts: facts.into(), body: Some(body), ..part }
}

/// The version of the object that `request` is about, empty if it is not there yet. `None` if it is another object, or none.
fn version_of<'a>(request: &Request, merged: &'a Value) -> Option<&'a str> {
    let metadata = merged.get("metadata")?.as_object()?;
    let text = |key: &str| metadata.get(key).map_or(Some(""), Value::as_str);
    let resource = request.resource()?;
    let is_namespace = resource.group().is_empty() && resource.resource() == "namespaces";
    let namespace = resource.namespace().filter(|_| !is_namespace).unwrap_or_default();
    let same = text("name")? == request.object_name()? && text("namespace")? == namespace;
    same.then_some(text("resourceVersion")?)
}

/// The object without what a write of it does not set.
pub(crate) fn without_status(request: &Request, merged: &Value) -> Value {
    let of_status = request.resource().and_then(|resource| resource.subresource()) == Some("status");
    let mut object = merged.clone();
    if let Some(map) = object.as_object_mut().filter(|_| !of_status) {
        map.remove("status");
    }
    object
}

#[cfg(test)]
mod tests;
