//! What policy said against a request, for its client, the ledger and the metrics.

use kube_api::Status;
use ledger::leaf::Cause;
use policy::{Ask, Decision, Denial, RuleRef};

use crate::metrics::Ended;

/// A request that policy did not permit, as its client and the ledger are told.
pub(crate) struct Judged {
    pub(crate) status: Box<Status>,
    pub(crate) cause: Cause,
    pub(crate) decision: Box<Decision>,
}

impl Judged {
    /// What policy said of the gate's look at the object, told to whom does something else with it.
    pub(crate) fn of_look(self) -> Self {
        let message = format!(
            "to do this, the gate must be able to read the object as this agent, and {}",
            self.status.message()
        );
        Self { status: Box::new(self.status.with_message(message)), ..self }
    }
}

impl From<&Ask> for Judged {
    fn from(ask: &Ask) -> Self {
        let decision = Box::new(ask.decision().clone());
        Self { status: Box::new(ask.status()), cause: Cause::Approval, decision }
    }
}

impl From<&Denial> for Judged {
    fn from(denial: &Denial) -> Self {
        let fixed = denial.decision().rules().iter().any(RuleRef::is_fixed);
        let cause = if fixed { Cause::Fixed } else { Cause::Policy };
        Self { status: Box::new(denial.status()), cause, decision: Box::new(denial.decision().clone()) }
    }
}

/// How the metrics count a call that was refused for `cause`.
pub(crate) fn ended_by(cause: Cause) -> Ended {
    match cause {
        Cause::Approval => Ended::Asked,
        Cause::Fixed | Cause::Policy => Ended::Denied,
        Cause::Unseen => Ended::Failed,
        Cause::Unrecordable => Ended::Unrecorded,
        Cause::Repeated
        | Cause::SessionEnded
        | Cause::SessionFrozen
        | Cause::Malformed
        | Cause::Unsupported
        | Cause::Limit => Ended::Refused,
    }
}
