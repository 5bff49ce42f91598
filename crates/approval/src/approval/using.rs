//! What an approval is used for, and the proofs that it was.

use jiff::Timestamp;

use super::{Approval, Made, State};
use crate::{Bound, Call, Change, Demand, Digest, Refusal, Subject, Target, Usage};

/// Proof that an approval was used for one call, or for one part of it. Made only of an approval whose transitions say so, and
/// never copied.
#[derive(Debug)]
pub struct Consumed {
    approval: String,
    call: String,
    digest: Digest,
    part: Option<Target>,
}

/// Proof that one change of several that were approved was used for one call. Made and kept as [`Consumed`].
#[derive(Debug)]
pub struct Making {
    approval: String,
    call: String,
    by: Caller,
    change: Change,
    demands: Vec<Demand>,
}

/// Proof that humans gave access which covers what a call does, and that those whom the rules ask for it are among them. Never copied.
#[derive(Debug)]
pub struct Grant {
    approval: String,
    by: Caller,
    usage: Usage,
    demands: Vec<Demand>,
    until: Timestamp,
}

/// Whose call it is, and by which policy it was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The software that calls.
    pub agent: String,
    /// The cluster.
    pub cluster: String,
    /// Digest of the policy bundle.
    pub policy: String,
}

// === impl Approval ===

impl Approval {
    pub(super) fn consume(&mut self, call: &str, digest: &str) -> Result<(), Refusal> {
        let State::Approved { .. } = self.state else { return Err(Refusal::NotApproved) };
        let used = || State::Consumed { call: call.to_owned() };
        match &self.asked.bound.subject {
            Subject::Call(_) if self.asked.bound.digest().to_string() != digest => Err(Refusal::OtherCall),
            Subject::Call(_) => {
                self.state = used();
                Ok(())
            }
            Subject::Changes(changes) => {
                let found = changes.members.iter().position(|change| change.digest().to_string() == digest);
                let member = found.ok_or(Refusal::OtherCall)?;
                if self.made.iter().any(|made| made.member == member || made.call == call) {
                    return Err(Refusal::Made);
                }
                self.made.push(Made { member, call: call.to_owned() });
                if self.made.len() == changes.members.len() {
                    self.state = used();
                }
                Ok(())
            }
            Subject::Access(_) => Err(Refusal::ForATime),
        }
    }

    /// The proof that it was used, if it was, and is about one call.
    #[must_use]
    pub fn consumed(&self) -> Option<Consumed> {
        let (State::Consumed { call }, Subject::Call(_)) = (&self.state, &self.asked.bound.subject) else {
            return None;
        };
        let (approval, call) = (self.asked.id.clone(), call.clone());
        Some(Consumed { approval, call, digest: self.asked.bound.digest(), part: None })
    }

    /// The change that was made by this call, if one was.
    #[must_use]
    pub fn made_by(&self, call: &str) -> Option<&Change> {
        let made = self.made.iter().find(|made| made.call == call)?;
        self.asked.bound.changes()?.members.get(made.member)
    }

    /// Which of its changes are made, in the order of [`crate::Changes::members`]: by which call.
    pub fn made(&self) -> impl Iterator<Item = Option<&str>> {
        let members = self.asked.bound.changes().map_or(0, |changes| changes.members.len());
        (0..members).map(|member| {
            let made = self.made.iter().find(|made| made.member == member);
            made.map(|made| made.call.as_str())
        })
    }

    /// The proof that a change was used for this call, if one was, and those whom the rules that ask about it ask said yes.
    #[must_use]
    pub fn making(&self, call: &str, demands: &[Demand]) -> Option<Making> {
        let change = self.made_by(call).filter(|_| self.satisfies(demands))?.clone();
        let (approval, call) = (self.asked.id.clone(), call.to_owned());
        Some(Making { approval, call, by: self.by(), change, demands: demands.to_vec() })
    }

    /// When what was approved is over: its time ran out, or it was ended before. `None`: it was not approved.
    #[must_use]
    pub fn over_at(&self) -> Option<Timestamp> {
        let last = self.votes.last().filter(|_| self.missing().next().is_none())?;
        let until = self.asked.usable_until(last.at);
        Some(match self.state {
            State::Approved { .. } => until,
            _ => until.min(self.since),
        })
    }

    /// Whether those who said yes to it suffice for these demands, as if each of their rules had asked them.
    #[must_use]
    pub fn satisfies(&self, demands: &[Demand]) -> bool {
        demands.iter().all(|demand| {
            let counts = |vote: &&super::Vote| demand.is_content_with(&vote.assurance);
            let votes = self.votes.iter().filter(counts);
            if self.breaks_glass() {
                // One is everybody; but who wrote the rule is still none of them.
                return votes.into_iter().any(|vote| !demand.is_by(&vote.by));
            }
            let have = votes.filter(|vote| demand.is_for(&vote.by)).count();
            u32::try_from(have).unwrap_or(u32::MAX) >= demand.quorum
        })
    }

    /// The proof that what a call does may be done `now`, if this is access which covers it, and those whom the rules that ask about it
    /// ask said yes.
    #[must_use]
    pub fn grant(&self, usage: &Usage, demands: &[Demand], now: Timestamp) -> Option<Grant> {
        let State::Approved { until } = self.state else { return None };
        let covers = self.asked.bound.access()?.covers(usage) && self.may_answer(demands);
        let holds = covers && self.last <= now && now < until;
        let (approval, usage, demands) = (self.asked.id.clone(), usage.clone(), demands.to_vec());
        holds.then(|| Grant { approval, by: self.by(), usage, demands, until })
    }

    /// Whether those who gave access suffice for these demands, and none of them wants to be shown each call.
    #[must_use]
    pub fn may_answer(&self, demands: &[Demand]) -> bool {
        !demands.iter().any(|demand| demand.no_access) && self.satisfies(demands)
    }

    fn by(&self) -> Caller {
        let Bound { agent, cluster, policy, .. } = self.asked.bound.clone();
        Caller { agent, cluster, policy }
    }
}

// === impl Consumed ===

impl Consumed {
    /// The approval that was used.
    #[must_use]
    pub fn approval(&self) -> &str {
        &self.approval
    }

    /// The call that it was used for.
    #[must_use]
    pub fn call(&self) -> &str {
        &self.call
    }

    /// What it was given for.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The one object that this is the proof for, if it is that of a part.
    #[must_use]
    pub fn part(&self) -> Option<&Target> {
        self.part.as_ref()
    }

    /// In its place, one proof for each object that `bound` names, in their order. `None` if it was given for something else,
    /// or names none.
    #[must_use]
    pub fn each(self, bound: &Bound) -> Option<Vec<Self>> {
        let Call { each, .. } = bound.call()?;
        let whole = self.part.is_none() && self.digest == bound.digest();
        if !whole || each.is_empty() || !bound.names_each_once() {
            return None;
        }
        let part = |object: &Target| {
            let (approval, call) = (self.approval.clone(), self.call.clone());
            Self { approval, call, digest: self.digest, part: Some(object.clone()) }
        };
        Some(each.iter().map(part).collect())
    }
}

// === impl Making, Grant ===

impl Making {
    /// The approval that was used.
    #[must_use]
    pub fn approval(&self) -> &str {
        &self.approval
    }

    /// The call that it was used for.
    #[must_use]
    pub fn call(&self) -> &str {
        &self.call
    }

    /// Whose call it is for, and by which policy.
    #[must_use]
    pub fn by(&self) -> &Caller {
        &self.by
    }

    /// The change.
    #[must_use]
    pub fn change(&self) -> &Change {
        &self.change
    }

    /// What the rules that ask about it demand, which was met.
    #[must_use]
    pub fn demands(&self) -> &[Demand] {
        &self.demands
    }
}

impl Grant {
    /// The approval by which it is given.
    #[must_use]
    pub fn approval(&self) -> &str {
        &self.approval
    }

    /// Whose call it is for, and by which policy.
    #[must_use]
    pub fn by(&self) -> &Caller {
        &self.by
    }

    /// What the call does.
    #[must_use]
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// What the rules that ask about it demand, which was met.
    #[must_use]
    pub fn demands(&self) -> &[Demand] {
        &self.demands
    }

    /// When it is over at the latest.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.until
    }
}
