//! Whether approvals went by their rules, and whether calls that took one had it.

use std::collections::BTreeMap;

mod ahead;

use approval::{Approval, Assurance, Bound, Call, State, Subject, Transition, What};
use jiff::Timestamp;

use super::report::{Finding, Report};
use crate::leaf::{
    Actor, ApprovalAsked, ApprovalStep, Decision, Intent, Judged, Part, PasskeyEnrolled, PasskeyRemoved,
    Request,
};

/// Approvals remembered, at most.
const REMEMBERED: usize = 100_000;

/// The approvals that were asked for so far.
#[derive(Debug, Default)]
pub(super) struct Approvals {
    known: BTreeMap<String, Known>,
    /// Passkeys as they were enrolled, by their ids.
    passkeys: BTreeMap<String, PasskeyEnrolled>,
    forgot: bool,
}

#[derive(Debug)]
struct Known {
    approval: Approval,
    /// The one call that was asked about, as it was to be sent, if it is about one.
    request: Option<Request>,
    steps: Vec<Transition>,
    /// Where a call was sent by it.
    used: Option<u64>,
    /// Where each object was deleted by it, by uid, or each change was made by it, by call, if it names several.
    parts: BTreeMap<String, u64>,
}

impl Approvals {
    pub(super) fn forgot(&self) -> bool {
        self.forgot
    }

    pub(super) fn asked(&mut self, index: u64, leaf: &ApprovalAsked, report: &mut Report) {
        if self.known.len() >= REMEMBERED {
            self.forgot = true;
            return;
        }
        let id = leaf.asked.id.clone();
        let mut bad = |why: String| {
            report.finding(Finding::BadApproval { index, approval: leaf.asked.id.clone(), why });
        };
        if self.known.contains_key(&id) {
            return bad("it was asked for before".to_owned());
        }
        let ApprovalAsked { asked, actor, judged, .. } = leaf;
        let differs = match (judged, &asked.bound.subject) {
            (Some(Judged { request, decision }), Subject::Call(call)) => {
                differs(&asked.bound, call, actor, request, decision)
            }
            (None, Subject::Changes(_) | Subject::Access(_)) => belongs(&asked.bound, actor),
            (Some(_), _) | (None, Subject::Call(_)) => Some("subject"),
        };
        if let Some(part) = differs {
            bad(format!("it is bound to another {part} than what is asked"));
        }
        let request = judged.as_ref().map(|judged| judged.request.clone());
        match Approval::new(leaf.asked.clone()) {
            Ok(approval) => drop(self.known.insert(id, Known::new(approval, request))),
            Err(why) => bad(why.to_string()),
        }
    }

    /// `gaps`: leaves are missing, so that what is not known says nothing.
    pub(super) fn step(&mut self, index: u64, leaf: &ApprovalStep, gaps: bool, report: &mut Report) {
        let id = leaf.approval.to_string();
        let Some(known) = self.known.get_mut(&id) else {
            if !gaps && !self.forgot {
                report.finding(Finding::UnknownApproval { index, approval: id });
            }
            return;
        };
        if known.steps.contains(&leaf.step) {
            return;
        }
        match known.approval.clone().after(&leaf.step) {
            Ok(next) => {
                known.approval = next;
                known.steps.push(leaf.step.clone());
                if !gaps && !self.forgot && !self.is_by_their_own_passkey(&leaf.step) {
                    let why = "it was signed by a passkey that was not enrolled for who decided".to_owned();
                    report.finding(Finding::BadApproval { index, approval: id, why });
                }
            }
            Err(_) if gaps => {}
            Err(why) => report.finding(Finding::BadApproval { index, approval: id, why: why.to_string() }),
        }
    }

    pub(super) fn enrolled(&mut self, leaf: &PasskeyEnrolled) {
        if self.passkeys.len() >= REMEMBERED {
            self.forgot = true;
            return;
        }
        self.passkeys.insert(leaf.passkey.id.to_string(), leaf.clone());
    }

    pub(super) fn removed(&mut self, leaf: &PasskeyRemoved) {
        self.passkeys.remove(&leaf.passkey.to_string());
    }

    /// That the signature holds is a rule of the approval itself; that the passkey is theirs is told elsewhere in the log.
    fn is_by_their_own_passkey(&self, step: &Transition) -> bool {
        let (What::Approved { by, assurance } | What::Reviewed { by, assurance, .. }) = &step.what else {
            return true;
        };
        let Assurance::Passkey(signed) = assurance else { return true };
        let found = self.passkeys.get(&signed.passkey.id.to_string());
        found.is_some_and(|enrolled| {
            let PasskeyEnrolled { human, origin, passkey, assurance, .. } = enrolled;
            by.is_called(&human.subject)
                && *passkey == signed.passkey
                && origin.as_str() == signed.origin
                && assurance.level() == signed.enrolled
        })
    }

    /// A call is about to be sent, at this `time`.
    pub(super) fn intent(
        &mut self,
        index: u64,
        time: Timestamp,
        intent: &Intent,
        gaps: bool,
        report: &mut Report,
    ) {
        let Some(id) = intent.approval.as_ref().map(ToString::to_string) else { return };
        let why = match self.known.get_mut(&id) {
            None if gaps || self.forgot => return,
            None => "nobody was asked".to_owned(),
            Some(known) => match known.misused(time, intent) {
                Some(why) => why,
                None => return known.used(index, intent),
            },
        };
        if !gaps {
            report.finding(Finding::Unapproved { index, call: intent.call.clone(), approval: id, why });
        }
    }
}

impl Known {
    fn new(approval: Approval, request: Option<Request>) -> Self {
        Self { approval, request, steps: Vec::new(), used: None, parts: BTreeMap::new() }
    }

    fn used(&mut self, index: u64, intent: &Intent) {
        match (&intent.part, &self.approval.asked().bound.subject) {
            (Some(part), _) => drop(self.parts.insert(part.object.uid.clone(), index)),
            (None, Subject::Changes(_)) => drop(self.parts.insert(intent.call.to_string(), index)),
            (None, Subject::Call(_)) => self.used = Some(index),
            (None, Subject::Access(_)) => {}
        }
    }

    fn misused(&self, time: Timestamp, intent: &Intent) -> Option<String> {
        match &self.approval.asked().bound.subject {
            Subject::Call(call) => self.misused_once(call, intent),
            Subject::Changes(_) => self.not_made(intent),
            Subject::Access(access) => self.not_granted(access, time, intent),
        }
    }

    fn misused_once(&self, approved: &Call, intent: &Intent) -> Option<String> {
        let bound = &self.approval.asked().bound;
        let call = match (&intent.part, approved.each.is_empty()) {
            (None, true) => &intent.call,
            (Some(part), false) => &part.of,
            (Some(_), true) => return Some("it was for one call, and not for parts of it".to_owned()),
            (None, false) => return Some("it was for deletes of the objects that it names".to_owned()),
        };
        if let Some(used) = self.used {
            return Some(format!("it was used at leaf {used}"));
        }
        match self.approval.state() {
            State::Consumed { call: used } if used == call.as_str() => {}
            State::Consumed { call } => return Some(format!("it was used for call {call}")),
            other => return Some(format!("it was {}", other.as_str())),
        }
        if let Some(part) = &intent.part {
            return self.misdeleted(approved, part, intent);
        }
        if self.request.as_ref() != Some(&intent.request) {
            return Some("another request was sent than was asked about".to_owned());
        }
        let Intent { actor, request, decision, .. } = intent;
        differs(bound, approved, actor, request, decision).map(|part| format!("it was for another {part}"))
    }

    /// Each delete by it has to be of an object that it names, in the version that it names, and the only one of that.
    fn misdeleted(&self, approved: &Call, part: &Part, intent: &Intent) -> Option<String> {
        let bound = &self.approval.asked().bound;
        let object = &part.object;
        if !approved.each.contains(object) {
            return Some(format!("it does not name the object {}", object.uid));
        }
        if let Some(deleted) = self.parts.get(&object.uid) {
            return Some(format!("the object {} was deleted by it at leaf {deleted}", object.uid));
        }
        if !self.request.as_ref().is_some_and(|collection| is_of(&intent.request, collection)) {
            return Some("something else was sent than deletes of what was asked about".to_owned());
        }
        let differing = differing(bound, &intent.actor, &intent.request, &intent.decision);
        differing.map(|part| format!("it was for another {part}"))
    }
}

/// Whether it deletes an object, bound to one, of the collection that is to be deleted.
fn is_of(delete: &Request, collection: &Request) -> bool {
    let kind = |request: &Request| {
        let Request { cluster, group, version, resource, subresource, dry_run, .. } = request.clone();
        (cluster, group, version, resource, subresource, dry_run)
    };
    let covered = collection.namespace.is_none() || delete.namespace == collection.namespace;
    // The preconditions stand in the body.
    let bound = delete.verb.as_str() == "delete" && delete.name.is_some() && delete.body.is_some();
    bound && covered && kind(delete) == kind(collection)
}

/// The first part of what was approved that is not what was sent.
fn differs(
    bound: &Bound,
    call: &Call,
    actor: &Actor,
    request: &Request,
    decision: &Decision,
) -> Option<&'static str> {
    // As a leaf has it.
    let body = serde_json::to_value(&request.body).ok();
    let body = body.as_ref().and_then(|body| body.get("digest")?.as_str());
    let parts = [("path", request.path.to_string() == call.url), ("body", body == call.body.as_deref())];
    let request_differs = || parts.into_iter().find_map(|(part, same)| (!same).then_some(part));
    differing(bound, actor, request, decision).or_else(request_differs)
}

/// The same, but for what differs between the parts of a call.
fn differing(bound: &Bound, actor: &Actor, request: &Request, decision: &Decision) -> Option<&'static str> {
    let parts = [
        ("cluster", request.cluster.to_string() == bound.cluster),
        ("policy", decision.policy.to_string() == bound.policy),
    ];
    belongs(bound, actor).or_else(|| parts.into_iter().find_map(|(part, same)| (!same).then_some(part)))
}

/// The first part of who asked that is not who calls.
fn belongs(bound: &Bound, actor: &Actor) -> Option<&'static str> {
    let parts = [
        ("agent", actor.agent.to_string() == bound.agent),
        ("delegator", actor.delegator.as_str() == bound.delegator),
        ("session", actor.session.as_str() == bound.session),
    ];
    parts.into_iter().find_map(|(part, same)| (!same).then_some(part))
}

#[cfg(test)]
mod tests;
