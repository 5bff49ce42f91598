//! An approval, from its request to its end.

use jiff::Timestamp;

use crate::{Asked, Assurance, Bound, Demand, Digest, Human, Level, Refusal, Target, Transition, What};

/// A request for approval and what has become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    asked: Asked,
    votes: Vec<Vote>,
    state: State,
    /// How many transitions there have been.
    steps: u32,
    /// When the last one was.
    last: Timestamp,
}

/// Where an approval stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Humans have yet to decide.
    Pending,
    /// It can be used before this time.
    Approved {
        /// From when on it cannot.
        until: Timestamp,
    },
    /// A human said no.
    Refused {
        /// Who.
        by: Human,
        /// Why.
        why: String,
    },
    /// Its time ran out.
    Expired,
    /// Nobody wants it any more.
    Withdrawn {
        /// Why not.
        why: String,
    },
    /// It was used.
    Consumed {
        /// For this call.
        call: String,
    },
    /// Another was asked in its place.
    Superseded {
        /// The other.
        by: String,
        /// What has changed.
        why: String,
    },
}

/// A human's yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// Who.
    pub by: Human,
    /// When.
    pub at: Timestamp,
    /// How sure that is.
    pub assurance: Assurance,
}

/// Proof that an approval was used for one call, or for one part of it. Made only of an approval whose transitions say so, and
/// never copied.
#[derive(Debug)]
pub struct Consumed {
    approval: String,
    call: String,
    digest: Digest,
    part: Option<Target>,
}

// === impl Approval ===

impl Approval {
    /// A request that was just made.
    ///
    /// # Errors
    /// [`Refusal::Unmeetable`], [`Refusal::NamedTwice`].
    pub fn new(asked: Asked) -> Result<Self, Refusal> {
        if !asked.can_be_met() {
            return Err(Refusal::Unmeetable);
        }
        if !asked.bound.names_each_once() {
            return Err(Refusal::NamedTwice);
        }
        let last = asked.at;
        Ok(Self { asked, votes: Vec::new(), state: State::Pending, steps: 0, last })
    }

    /// What was asked.
    #[must_use]
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// How many steps it has taken.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Since when it stands so: when its last step was, or when it was asked.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.last
    }

    /// Who said yes so far.
    #[must_use]
    pub fn votes(&self) -> &[Vote] {
        &self.votes
    }

    /// Until when it can be decided or, if it is approved, used. `None`: it has ended.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        match self.state {
            State::Pending => Some(self.asked.decide_by),
            State::Approved { until } => Some(until),
            _ => None,
        }
    }

    /// The demands that are not met yet, and how many humans each still lacks.
    pub fn missing(&self) -> impl Iterator<Item = (&Demand, u32)> {
        self.asked.demands.iter().filter_map(|demand| {
            let have = self.votes.iter().filter(|vote| demand.is_for(&vote.by)).count();
            let lacking = demand.quorum.saturating_sub(u32::try_from(have).unwrap_or(u32::MAX));
            (lacking > 0).then_some((demand, lacking))
        })
    }

    /// The step that `what` is if it happens `now`, and what becomes of the approval.
    ///
    /// # Errors
    /// It may not happen.
    pub fn next(&self, what: What, now: Timestamp) -> Result<(Transition, Self), Refusal> {
        let step = Transition { number: self.steps + 1, at: now.max(self.last), what };
        let next = self.clone().after(&step)?;
        Ok((step, next))
    }

    /// What becomes of it by a step.
    ///
    /// # Errors
    /// The step may not follow.
    pub fn after(mut self, step: &Transition) -> Result<Self, Refusal> {
        if step.number != self.steps + 1 {
            return Err(Refusal::Number);
        }
        if step.at < self.last {
            return Err(Refusal::Time);
        }
        let Some(deadline) = self.deadline() else { return Err(Refusal::Final(self.state.as_str())) };
        match &step.what {
            What::Expired if step.at < deadline => return Err(Refusal::TooEarly(deadline)),
            What::Expired => self.state = State::Expired,
            // Whoever notices first that nobody wants it may say so, whatever time it is.
            What::Withdrawn { why } => self.state = State::Withdrawn { why: why.clone() },
            What::Superseded { by, why } => {
                self.state = State::Superseded { by: by.clone(), why: why.clone() };
            }
            _ if step.at >= deadline => return Err(Refusal::TooLate(deadline)),
            What::Approved { by, assurance } => self.approve(by, step.at, assurance)?,
            What::Refused { by, why } => {
                self.pending()?;
                self.may_decide(by)?;
                self.state = State::Refused { by: by.clone(), why: why.clone() };
            }
            What::Consumed { call, digest } => {
                let State::Approved { .. } = self.state else { return Err(Refusal::NotApproved) };
                if *digest != self.asked.bound.digest().to_string() {
                    return Err(Refusal::OtherCall);
                }
                self.state = State::Consumed { call: call.clone() };
            }
        }
        self.steps = step.number;
        self.last = step.at;
        Ok(self)
    }

    /// The proof that it was used, if it was.
    #[must_use]
    pub fn consumed(&self) -> Option<Consumed> {
        let State::Consumed { call } = &self.state else { return None };
        let (approval, call) = (self.asked.id.clone(), call.clone());
        Some(Consumed { approval, call, digest: self.asked.bound.digest(), part: None })
    }

    /// Whether this human may say yes or no to it now, as far as who they are and what they said before go.
    ///
    /// # Errors
    /// Why not.
    pub fn can_be_decided_by(&self, human: &Human) -> Result<(), Refusal> {
        self.pending()?;
        self.may_decide(human)?;
        self.has_not_voted(human)
    }

    fn approve(&mut self, by: &Human, at: Timestamp, assurance: &Assurance) -> Result<(), Refusal> {
        self.can_be_decided_by(by)?;
        self.is_sure_enough(by, assurance)?;
        assurance.holds_for(self.asked.bound.digest())?;
        self.votes.push(Vote { by: by.clone(), at, assurance: assurance.clone() });
        if self.missing().next().is_none() {
            self.state = State::Approved { until: self.asked.usable_until(at) };
        }
        Ok(())
    }

    fn pending(&self) -> Result<(), Refusal> {
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
    fn may_decide(&self, human: &Human) -> Result<(), Refusal> {
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

// === impl State ===

impl State {
    /// What became of it, in words; nothing while it is pending. May hold what people wrote.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Pending => String::new(),
            Self::Approved { until } => format!("can be used until {until:.0}"),
            Self::Refused { by, why } => format!("by {}: {why}", by.subject),
            Self::Expired => "nobody decided about it, or used it, in time".to_owned(),
            Self::Withdrawn { why } => why.clone(),
            Self::Consumed { call } => format!("by call {call}"),
            Self::Superseded { by, why } => format!("by {by}, since {why}"),
        }
    }

    /// In a word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved { .. } => "approved",
            Self::Refused { .. } => "refused",
            Self::Expired => "expired",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Consumed { .. } => "consumed",
            Self::Superseded { .. } => "superseded",
        }
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
        let whole = self.part.is_none() && self.digest == bound.digest();
        if !whole || bound.each.is_empty() || !bound.names_each_once() {
            return None;
        }
        let part = |object: &Target| {
            let (approval, call) = (self.approval.clone(), self.call.clone());
            Self { approval, call, digest: self.digest, part: Some(object.clone()) }
        };
        Some(bound.each.iter().map(part).collect())
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod sureness;
#[cfg(test)]
mod tests;
