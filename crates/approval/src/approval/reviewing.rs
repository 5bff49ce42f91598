//! What was done by breaking the glass stays open until somebody else signs it off.

use jiff::Timestamp;

use super::{Approval, Review, State};
use crate::{Assurance, BreakGlass, Human, Level, Refusal};

impl Approval {
    /// Whether it is access by one human's yes in an emergency.
    #[must_use]
    pub fn breaks_glass(&self) -> bool {
        self.broken_glass().is_some()
    }

    /// Who signed it off, if somebody did.
    #[must_use]
    pub fn review(&self) -> Option<&Review> {
        self.review.as_ref()
    }

    /// Whether the glass was broken and nobody has signed it off: until then it is open, whatever its state.
    #[must_use]
    pub fn owes_review(&self) -> bool {
        self.breaks_glass() && self.missing().next().is_none() && self.review.is_none()
    }

    /// Whether this human may sign it off now.
    ///
    /// # Errors
    /// Why not.
    pub fn can_be_reviewed_by(&self, human: &Human) -> Result<(), Refusal> {
        let Some(BreakGlass { reviewers, .. }) = self.broken_glass().filter(|_| self.owes_review()) else {
            return Err(Refusal::NothingToReview);
        };
        if let State::Approved { until } = self.state {
            return Err(Refusal::StillOpen(until));
        }
        let who = || human.subject.clone();
        let own = self.votes().iter().any(|vote| vote.by.is(human));
        if own || human.may_be_called(&self.asked().bound.delegator) {
            return Err(Refusal::OwnReview(who()));
        }
        if !human.is_among(reviewers) {
            return Err(Refusal::NotReviewer { who: who(), may: reviewers.join(", ") });
        }
        Ok(())
    }

    /// A sign-off is as sure as the yes had to be, as far as a sign-in goes.
    pub(super) fn sign_off(
        &mut self,
        by: &Human,
        at: Timestamp,
        note: &str,
        assurance: &Assurance,
    ) -> Result<(), Refusal> {
        self.can_be_reviewed_by(by)?;
        assurance.holds_for(self.asked().bound.digest())?;
        let demanded = self.asked().demands.iter().filter_map(|demand| Some((demand, demand.assurance?)));
        for (demand, level) in demanded {
            let level = level.min(Level::Provider);
            if !assurance.meets(level) {
                return Err(Refusal::NotSure { rule: demand.rule.clone(), level });
            }
        }
        let (by, note, assurance) = (by.clone(), note.to_owned(), assurance.clone());
        self.review = Some(Review { by, at, note, assurance });
        Ok(())
    }

    fn broken_glass(&self) -> Option<&BreakGlass> {
        self.asked().bound.access()?.break_glass.as_ref()
    }
}
