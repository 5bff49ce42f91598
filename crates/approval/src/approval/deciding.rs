//! Who may say yes or no, and when that suffices.

use jiff::Timestamp;

use super::{Approval, State, Vote};
use crate::{Asked, Assurance, Human, Level, Refusal};

impl Approval {
    /// Whether this human may say yes or no to it now, as far as who they are and what they said before go.
    ///
    /// # Errors
    /// Why not.
    pub fn can_be_decided_by(&self, human: &Human) -> Result<(), Refusal> {
        self.pending()?;
        self.may_decide(human)?;
        self.has_not_voted(human)
    }

    pub(super) fn approve(
        &mut self,
        by: &Human,
        at: Timestamp,
        assurance: &Assurance,
    ) -> Result<(), Refusal> {
        self.can_be_decided_by(by)?;
        self.is_sure_enough(by, assurance)?;
        assurance.holds_for(self.asked.bound.digest())?;
        self.votes.push(Vote { by: by.clone(), at, assurance: assurance.clone() });
        if self.missing().next().is_none() {
            self.state = State::Approved { until: self.asked.usable_until(at) };
        }
        Ok(())
    }

    pub(super) fn pending(&self) -> Result<(), Refusal> {
        match self.state {
            State::Pending => Ok(()),
            _ => Err(Refusal::Final(self.state.as_str())),
        }
    }

    /// How sure it must be that this human decides: each rule that asks them wants that.
    #[must_use]
    pub fn demanded_of(&self, human: &Human) -> Option<Level> {
        let theirs = self.asked.demands.iter().filter(|demand| demand.is_for(human));
        theirs.filter_map(|demand| demand.assurance).max()
    }

    /// Of whoever decides by several rules, each must be content: nobody says yes to half of it.
    fn is_sure_enough(&self, human: &Human, assurance: &Assurance) -> Result<(), Refusal> {
        let mut theirs = self.asked.demands.iter().filter(|demand| demand.is_for(human));
        let wanting = theirs.find_map(|demand| {
            let level = demand.assurance.filter(|_| !demand.is_content_with(assurance))?;
            Some(Refusal::NotSure { rule: demand.rule.clone(), level })
        });
        wanting.map_or(Ok(()), Err)
    }

    fn has_not_voted(&self, human: &Human) -> Result<(), Refusal> {
        match self.votes.iter().any(|vote| vote.by.is(human)) {
            true => Err(Refusal::Twice(human.subject.clone())),
            false => Ok(()),
        }
    }

    /// Whether this human may say yes or no.
    pub(super) fn may_decide(&self, human: &Human) -> Result<(), Refusal> {
        let who = || human.subject.clone();
        let Asked { demands, bound, .. } = &self.asked;
        if human.may_be_called(&bound.delegator) {
            return Err(Refusal::Delegator(who()));
        }
        if demands.iter().any(|demand| demand.is_for(human)) {
            return Ok(());
        }
        let named = demands.iter().find(|demand| human.is_among(&demand.approvers));
        match named {
            Some(own) => Err(Refusal::Author { who: who(), rule: own.rule.clone() }),
            None => {
                let mut may: Vec<&str> =
                    demands.iter().flat_map(|demand| &demand.approvers).map(String::as_str).collect();
                may.sort_unstable();
                may.dedup();
                Err(Refusal::NotAsked { who: who(), may: may.join(", ") })
            }
        }
    }
}
