//! What happened in a session beside its calls and streams, as the ledger tells: what was refused, what humans were asked and
//! decided, and what was done to the session itself. None of it is in a recording, which has what passed.

use std::collections::BTreeSet;

use chronicle::story;
use jiff::Timestamp;
use ledger::leaf::{Event, Leaf};
use recording::Session;

use super::timeline;

/// A leaf of the ledger.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) at: Timestamp,
    /// Its number in the ledger.
    pub(super) index: u64,
    pub(super) leaf: String,
    /// In words.
    pub(super) what: String,
}

/// Those of one session, in order.
#[derive(Debug)]
pub(super) struct Beside {
    session: String,
    /// What humans were asked for it.
    approvals: BTreeSet<String>,
    told: Vec<Told>,
}

// === impl Beside ===

impl Beside {
    pub(super) fn of(session: &Session) -> Self {
        Self { session: session.to_string(), approvals: BTreeSet::new(), told: Vec::new() }
    }

    pub(super) fn add(&mut self, index: u64, leaf: &Leaf) {
        // A timeline shows no more than that.
        if self.told.len() < timeline::MOST && self.concerns(&leaf.event) {
            let (leaf_kind, what) = (leaf.event.kind().to_string(), story::of(&leaf.event));
            self.told.push(Told { at: leaf.time, index, leaf: leaf_kind, what });
        }
    }

    pub(super) fn told(&self) -> &[Told] {
        &self.told
    }

    fn concerns(&mut self, event: &Event) -> bool {
        let session = match event {
            Event::ApprovalStep(step) => return self.approvals.contains(step.approval.as_str()),
            Event::ApprovalAsked(asked) => {
                let ours = asked.actor.session.as_str() == self.session;
                if ours {
                    self.approvals.insert(asked.asked.id.clone());
                }
                return ours;
            }
            Event::Refusal(refusal) => refusal.actor.as_ref().map(|actor| actor.session.as_str()),
            Event::SessionFrozen(frozen) => Some(frozen.session.as_str()),
            Event::SessionThawed(thawed) => Some(thawed.session.as_str()),
            Event::SessionRevoked(revoked) => Some(revoked.session.as_str()),
            Event::SessionExpired(expired) => Some(expired.session.as_str()),
            Event::KnownValueSent(sent) => Some(sent.session.as_str()),
            _ => None,
        };
        session == Some(self.session.as_str())
    }
}
