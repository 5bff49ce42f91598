//! The gate's own look at the object that a call is about: a call of the agent's, permitted, recorded and sent like any
//! other, whose answer stays here.

use std::time::Duration;

use http::StatusCode;
use kube_api::Request;
use ledger::leaf::{Cause, Id};
use mask::{Live, NotKept};
use policy::{Decision, Permit, Verdict};
use tokio::time::Instant;
use upstream::{Answer, Intent, Origin};

use crate::{
    call::{Call, Judged},
    interrupt::Nature,
    outcome::{Ending, Outcome},
    record,
    refuse::Refused,
};

/// Why a call is not sent.
pub(crate) enum Stop {
    /// It is refused, and the ledger told why.
    Refused { refused: Refused, cause: Cause, decision: Option<Box<Decision>> },
    /// The ledger takes nothing.
    Unrecorded,
}

impl Call {
    /// The object that `request` is about, as it is now. The agent must be permitted to read it as it would be shown it:
    /// masked.
    pub(crate) async fn look(&self, request: &Request) -> Result<Live, Stop> {
        let read = request.as_read().map_err(|_refusal| Stop::unseen(Refused::Internal))?;
        let permit = match self.judge(read) {
            Verdict::Allow(permit) => permit,
            Verdict::Ask(ask) => return Err(Judged::from(&ask).into()),
            Verdict::Deny(denial) => return Err(Judged::from(&denial).into()),
        };
        match self.ask(permit).await? {
            Ok(live) => Ok(live),
            Err(NotKept::Status(StatusCode::NOT_FOUND)) => Ok(Live::absent()),
            Err(_not_kept) => Err(Stop::unseen(Refused::Unseen)),
        }
    }

    /// Sends what the gate asks for itself, with an intent and an outcome of its own.
    pub(crate) async fn ask(&self, permit: Permit) -> Result<Result<Live, NotKept>, Stop> {
        let started = Instant::now();
        let id = Id::from_u128(uuid::Uuid::now_v7().as_u128());
        let origin = Origin { looks_for: Some(self.id().clone()), ..self.origin() };
        let intent = Intent::new(id.clone(), origin, permit).map_err(|error| {
            tracing::error!(call = %self.id(), %error, "permitted, but cannot be sent");
            Stop::unseen(Refused::Internal)
        })?;
        let receipt = self.gate().ledger().append(intent).await.map_err(|error| {
            tracing::error!(call = %self.id(), %error, "a look could not be recorded; nothing was sent");
            Stop::Unrecorded
        })?;
        let (status, answered, ending, kept) = match self.sent(receipt).await {
            Ok((status, Ok(kept))) => (status, Some(status), Ending::Completed, Ok(kept)),
            Ok((status, Err(ending))) => (status, Some(status), ending, Err(Refused::Cut(ending))),
            Err((ending, refused)) => (refused.code(), None, ending, Err(refused)),
        };
        let outcome = Outcome { status, answered, bytes: 0, masked: 0, ending };
        self.looked(&id, &outcome, started.elapsed()).await?;
        kept.map_err(Stop::unseen)
    }

    async fn sent(
        &self,
        receipt: ledger::Receipt<Intent>,
    ) -> Result<(StatusCode, Result<Result<Live, NotKept>, Ending>), (Ending, Refused)> {
        let cluster = self.gate().cluster(receipt.entry().cluster());
        let cluster = cluster.ok_or((Ending::Failed("unknown cluster"), Refused::Internal))?;
        let answer = tokio::select! {
            biased;
            ending = self.interrupts().unseen(Nature::Read) => Err((ending, Refused::Cut(ending))),
            sent = cluster.send(receipt, self.interrupts().session.wait()) => {
                sent.map_err(|failure| (Ending::of_failure(&failure), Refused::from(&failure)))
            }
        };
        let Answer { status, body, .. } = answer?;
        let kept = tokio::select! {
            biased;
            ending = self.interrupts().unseen(Nature::Read) => Err(ending),
            kept = body.keep() => Ok(kept),
        };
        Ok((status, kept))
    }

    async fn looked(&self, id: &Id, outcome: &Outcome, took: Duration) -> Result<(), Stop> {
        let recorded = self.gate().ledger().append(record::outcome(id, outcome, took)).await;
        recorded.map(drop).map_err(|error| {
            tracing::error!(call = %id, %error, "the outcome of a look could not be recorded");
            Stop::Unrecorded
        })
    }
}

impl Stop {
    fn unseen(refused: Refused) -> Self {
        Self::Refused { refused, cause: Cause::Unseen, decision: None }
    }
}

impl From<Judged> for Stop {
    fn from(judged: Judged) -> Self {
        let Judged { status, cause, decision } = judged;
        Self::Refused { refused: Refused::Judged(status), cause, decision: Some(decision) }
    }
}
