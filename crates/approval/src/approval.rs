//! An approval, from its request to its end.

mod deciding;
mod reviewing;
mod using;

use jiff::Timestamp;

use crate::{Asked, Assurance, Demand, Human, Refusal, Transition, What};

pub use using::{Caller, Consumed, Grant, Making};

/// A request for approval and what has become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    asked: Asked,
    votes: Vec<Vote>,
    state: State,
    /// The changes that were made by it, each by a call.
    made: Vec<Made>,
    /// Who signed it off, if it broke the glass.
    review: Option<Review>,
    /// How many transitions there have been.
    steps: u32,
    /// When the last one was.
    last: Timestamp,
    /// When the last one was that changed where it stands.
    since: Timestamp,
}

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Made {
    /// Which of those that were asked about.
    member: usize,
    call: String,
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
        /// The human who ended it, if one did.
        by: Option<Human>,
    },
    /// It was used; if it is about several changes, each was made.
    Consumed {
        /// For this call, or this one last.
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

/// A human's word that they have looked at what was done by breaking the glass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Who.
    pub by: Human,
    /// When.
    pub at: Timestamp,
    /// What they found.
    pub note: String,
    /// How sure it is that it was them.
    pub assurance: Assurance,
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
        let (last, since) = (asked.at, asked.at);
        let (votes, made) = (Vec::new(), Vec::new());
        Ok(Self { asked, votes, state: State::Pending, made, review: None, steps: 0, last, since })
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

    /// Since when it stands so: when its last step was, or when it was asked. A sign-off changes nothing about it.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
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

    /// Who must still agree, in words; empty once nobody must. What several rules want of the same humans is met by the same votes, and told
    /// once.
    #[must_use]
    pub fn needs(&self) -> String {
        let mut told: Vec<(String, u32)> = Vec::new();
        for (demand, lacking) in self.missing() {
            let approvers = demand.approvers.join(", ");
            match told.iter_mut().find(|(same, _)| *same == approvers) {
                Some((_, most)) => *most = lacking.max(*most),
                None => told.push((approvers, lacking)),
            }
        }
        let words: Vec<String> = told.iter().map(|(who, count)| format!("{count} of {who}")).collect();
        words.join(" and ")
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
        match (&step.what, self.deadline()) {
            // Of what is over, too.
            (What::Reviewed { by, note, assurance }, _) => self.sign_off(by, step.at, note, assurance)?,
            (_, None) => return Err(Refusal::Final(self.state.as_str())),
            (What::Expired, Some(deadline)) if step.at < deadline => return Err(Refusal::TooEarly(deadline)),
            (What::Expired, _) => self.state = State::Expired,
            // Whoever notices first that nobody wants it may say so, whatever time it is.
            (What::Withdrawn { why, by }, _) => {
                // Whoever may not decide does not say no by that.
                if let (State::Pending, Some(by)) = (&self.state, by) {
                    self.may_decide(by)?;
                }
                self.state = State::Withdrawn { why: why.clone(), by: by.clone() };
            }
            (What::Superseded { by, why }, _) => {
                self.state = State::Superseded { by: by.clone(), why: why.clone() };
            }
            (_, Some(deadline)) if step.at >= deadline => return Err(Refusal::TooLate(deadline)),
            (What::Approved { by, assurance }, _) => self.approve(by, step.at, assurance)?,
            (What::Refused { by, why }, _) => {
                self.pending()?;
                self.may_decide(by)?;
                self.state = State::Refused { by: by.clone(), why: why.clone() };
            }
            (What::Consumed { call, digest }, _) => self.consume(call, digest)?,
        }
        self.steps = step.number;
        self.last = step.at;
        if self.review.is_none() {
            self.since = step.at;
        }
        Ok(self)
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
            Self::Expired => "its time ran out".to_owned(),
            Self::Withdrawn { why, by: None } => why.clone(),
            Self::Withdrawn { why, by: Some(by) } => format!("ended by {}: {why}", by.subject),
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

#[cfg(test)]
mod ahead;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod sureness;
#[cfg(test)]
mod tests;
