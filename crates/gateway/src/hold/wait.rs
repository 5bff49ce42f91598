//! Waiting for what humans decide.

use approval::{Approval, Refusal, State, What};
use inbox::{Error, Waiting};
use policy::Ask;
use tokio::time::{Instant, sleep_until};

use super::{Granted, Prepared};
use crate::{call::Call, interrupt::Nature, look::Stop, outcome::Ending, refuse::Refused};

/// Why a call waits no longer.
pub(crate) enum Over {
    /// The client is to come back.
    Later,
    /// Nobody waits any more.
    Ended(Ending),
}

impl Call {
    /// Waits until the approval is there, and uses it. `None`: another policy is in force than the one that asks.
    pub(super) async fn wait(&self, prepared: Prepared, asked: Approval) -> Result<Option<Granted>, Stop> {
        let inbox = self.gate().inbox();
        let id = asked.asked().id.clone();
        let (mut steps, mut policies) = (inbox.watch(&id), self.gate().policies());
        let until = self.held_until(prepared.ask.hold());
        loop {
            if self.policy_has_changed(&prepared.ask) {
                return Ok(None);
            }
            let approval = match inbox.get(&id).await {
                Ok(stored) => stored.approval,
                Err(error) => return Err(self.not_asked(&prepared, &error)),
            };
            match approval.state() {
                State::Pending => {}
                State::Approved { .. } => match self.use_approval(&prepared, &approval).await {
                    Ok(used) => return self.granted(prepared.ask, &used).map(Some),
                    Err(Error::Refused(Refusal::TooLate(_))) => {
                        self.expire(&id).await;
                        continue;
                    }
                    // What would be sent is something else.
                    Err(Error::Refused(Refusal::OtherCall)) => {
                        tracing::error!(call = %self.id(), approval = id, "what was approved is not what would be sent");
                        return Err(Stop::unseen(Refused::Internal));
                    }
                    // Somebody else was faster: the next look tells.
                    Err(Error::Refused(_)) => continue,
                    Err(error) => return Err(self.not_asked(&prepared, &error)),
                },
                ended => return Err(self.stopped(&prepared.ask, &id, ended)),
            }
            let next = tokio::select! {
                next = self.next_step(&mut steps, until) => next,
                Ok(()) = policies.changed() => None,
            };
            match next {
                None => {}
                Some(Over::Later) => return Err(self.later(&prepared.ask, &id)),
                Some(Over::Ended(ending)) => return Err(self.abandon(&prepared.ask, &id, ending).await),
            }
        }
    }

    pub(crate) async fn next_step(&self, steps: &mut Waiting, until: Instant) -> Option<Over> {
        tokio::select! {
            biased;
            ending = self.interrupts().unseen(Nature::Read) => Some(Over::Ended(ending)),
            () = self.interrupts().stopping.cancelled() => Some(Over::Later),
            () = steps.step() => None,
            () = sleep_until(until) => Some(Over::Later),
        }
    }

    /// Whether another policy is in force than the one that asks: what that says of the call is not known.
    pub(crate) fn policy_has_changed(&self, ask: &Ask) -> bool {
        ask.decision().policy_digest().as_str() != self.gate().policy_digest()
    }

    /// Uses the approval for this call, as what it is: an approval of anything else is not used by that.
    async fn use_approval(&self, prepared: &Prepared, approval: &Approval) -> Result<Approval, Error> {
        let asked = approval.asked();
        let digest = self.bound_as(prepared, &asked.bound).digest().to_string();
        self.gate().inbox().step(&asked.id, What::Consumed { call: self.id().to_string(), digest }).await
    }

    /// Its time is over; whoever looks first says so.
    pub(crate) async fn expire(&self, id: &str) {
        match self.gate().inbox().step(id, What::Expired).await {
            Ok(_) | Err(Error::Refused(_)) => {}
            Err(error) => tracing::error!(approval = id, %error, "could not be ended"),
        }
    }

    fn granted(&self, ask: Ask, used: &Approval) -> Result<Granted, Stop> {
        let internal = || Stop::unseen(Refused::Internal);
        let (proof, bound) = (used.consumed().ok_or_else(internal)?, &used.asked().bound);
        let granted = if bound.call().is_none_or(|call| call.each.is_empty()) {
            ask.approved(bound, proof).map(|permit| Granted::One(Box::new(permit)))
        } else {
            let request = Box::new(ask.request().clone());
            ask.approved_each(bound, proof).map(|permits| Granted::Each(request, permits))
        };
        granted.map_err(|_ask| {
            tracing::error!(call = %self.id(), approval = used.asked().id, "what was approved is not what would be sent");
            internal()
        })
    }

    /// The client is gone, or its session, or the gate's time is over.
    async fn abandon(&self, ask: &Ask, id: &str, ending: Ending) -> Stop {
        let over = matches!(ending, Ending::SessionEnded | Ending::SessionFrozen);
        let left = ending == Ending::ClientLeft && self.gate().holding().withdraw_when_left;
        if over || left {
            self.withdraw(id, &ending.to_string()).await;
        }
        if over {
            return Stop::unseen(self.over());
        }
        self.later(ask, id)
    }

    /// What became of it is told.
    fn stopped(&self, ask: &Ask, id: &str, state: &State) -> Stop {
        let (how, next, again) = match state {
            State::Refused { by, why } => (
                format!("{} refused approval {id}: {}", by.subject.escape_debug(), why.escape_debug()),
                "do something else, or ask them why",
                false,
            ),
            State::Expired => {
                (format!("nobody decided about approval {id} in time"), "send it again to ask anew", true)
            }
            State::Withdrawn { why, .. } => (
                format!("approval {id} was withdrawn: {}", why.escape_debug()),
                "send it again to ask anew",
                true,
            ),
            State::Superseded { by, why } => (
                format!("approval {id} was superseded by {by}, since {why}"),
                "send it again to wait for that",
                true,
            ),
            State::Consumed { .. } => (
                format!("approval {id} was used by another call with the same request"),
                "look whether it is done; send it again to ask anew",
                false,
            ),
            State::Pending | State::Approved { .. } => return self.later(ask, id),
        };
        Stop::asked(ask, ask.ended(&how, Some(next), again))
    }

    /// Where humans decide about an approval, if there is such a place.
    pub(crate) fn page_of(&self, id: &str) -> Option<String> {
        let console = self.gate().holding().console.as_ref()?;
        Some(format!("{console}/approvals/{id}"))
    }

    /// The client is told to come back, and where humans decide.
    fn later(&self, ask: &Ask, id: &str) -> Stop {
        let place = self.page_of(id).map_or_else(String::new, |page| format!(", at {page}"));
        let how = format!("no human approved within the hold time, and it waits as approval {id}{place}");
        Stop::asked(ask, ask.ended(&how, None, true))
    }
}
