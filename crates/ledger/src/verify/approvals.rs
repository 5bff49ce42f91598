//! Whether approvals went by their rules, and whether calls that took one had it.

use std::collections::BTreeMap;

use approval::{Approval, Assurance, Bound, State, Transition, What};

use super::report::{Finding, Report};
use crate::leaf::{
    Actor, ApprovalAsked, ApprovalStep, Decision, Intent, PasskeyEnrolled, PasskeyRemoved, Request,
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
    /// What was asked about, as it was to be sent.
    request: Request,
    steps: Vec<Transition>,
    /// Where a call was sent by it.
    used: Option<u64>,
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
        let ApprovalAsked { asked, actor, request, decision, .. } = leaf;
        if let Some(part) = differs(&asked.bound, actor, request, decision) {
            bad(format!("it is bound to another {part} than what is asked"));
        }
        match Approval::new(leaf.asked.clone()) {
            Ok(approval) => drop(
                self.known
                    .insert(id, Known { approval, request: request.clone(), steps: Vec::new(), used: None }),
            ),
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
        let What::Approved { by, assurance: Assurance::Passkey(signed) } = &step.what else { return true };
        let found = self.passkeys.get(&signed.passkey.id.to_string());
        found.is_some_and(|enrolled| {
            let PasskeyEnrolled { human, origin, passkey, assurance, .. } = enrolled;
            human.is(by)
                && *passkey == signed.passkey
                && origin.as_str() == signed.origin
                && assurance.level() == signed.enrolled
        })
    }

    pub(super) fn intent(&mut self, index: u64, intent: &Intent, gaps: bool, report: &mut Report) {
        let Some(id) = intent.approval.as_ref().map(ToString::to_string) else { return };
        let why = match self.known.get_mut(&id) {
            None if gaps || self.forgot => return,
            None => "nobody was asked".to_owned(),
            Some(known) => match known.misused(intent) {
                Some(why) => why,
                None => {
                    known.used = Some(index);
                    return;
                }
            },
        };
        if !gaps {
            report.finding(Finding::Unapproved { index, call: intent.call.clone(), approval: id, why });
        }
    }
}

impl Known {
    fn misused(&self, intent: &Intent) -> Option<String> {
        if let Some(used) = self.used {
            return Some(format!("it was used at leaf {used}"));
        }
        match self.approval.state() {
            State::Consumed { call } if *call == intent.call.as_str() => {}
            State::Consumed { call } => return Some(format!("it was used for call {call}")),
            other => return Some(format!("it was {}", other.as_str())),
        }
        if self.request != intent.request {
            return Some("another request was sent than was asked about".to_owned());
        }
        let bound = &self.approval.asked().bound;
        let Intent { actor, request, decision, .. } = intent;
        differs(bound, actor, request, decision).map(|part| format!("it was for another {part}"))
    }
}

/// The first part of what was approved that is not what was sent.
fn differs(bound: &Bound, actor: &Actor, request: &Request, decision: &Decision) -> Option<&'static str> {
    // As a leaf has it.
    let body = serde_json::to_value(&request.body).ok();
    let body = body.as_ref().and_then(|body| body.get("digest")?.as_str());
    let parts = [
        ("agent", actor.agent.to_string() == bound.agent),
        ("delegator", actor.delegator.as_str() == bound.delegator),
        ("session", actor.session.as_str() == bound.session),
        ("cluster", request.cluster.to_string() == bound.cluster),
        ("policy", decision.policy.to_string() == bound.policy),
        ("path", request.path.to_string() == bound.url),
        ("body", body == bound.body.as_deref()),
    ];
    parts.into_iter().find_map(|(part, same)| (!same).then_some(part))
}

#[cfg(test)]
mod tests;
