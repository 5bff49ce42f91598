//! The gate's own look at the object that a call is about: a call of the agent's, permitted, recorded and sent like any
//! other, whose answer stays here.

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, Limited};
use kube_api::Request;
use ledger::{
    Receipt,
    leaf::{Cause, Id},
};
use mask::Live;
use policy::{Decision, Judgement, Look, Permit, Verdict};
use tokio::time::Instant;
use upstream::{Answer, Intent, Origin};

use crate::{
    call::Call,
    interrupt::Nature,
    judged::Judged,
    outcome::{Ending, Outcome},
    record,
    refuse::{Refused, Unseen},
};

/// The longest error of the API server's that is passed on for a look; a longer one is told without its words.
const LONGEST_ERROR: usize = 64 * 1024;

/// Why a call is not sent.
pub(crate) enum Stop {
    /// It is refused, and the ledger told why.
    Refused { refused: Refused, cause: Cause, decision: Option<Box<Decision>> },
    /// The ledger takes nothing.
    Unrecorded,
}

/// What there was to see.
enum Seen {
    Object(Box<Live>),
    /// The API server's error, masked as for the agent.
    Error(StatusCode, Bytes),
}

impl Call {
    /// The object that `request` is about, as it is now. The agent must be permitted to read it as it would be shown it:
    /// masked.
    pub(crate) async fn look(&self, request: &Request) -> Result<Live, Stop> {
        let read = request.as_read().map_err(|_refusal| Stop::unseen(Refused::Internal))?;
        let permit = match self.judge(read) {
            Judgement::Verdict(Verdict::Allow(permit)) => permit,
            Judgement::Verdict(Verdict::Ask(ask)) => return Err(Judged::from(&ask).of_look().into()),
            Judgement::Verdict(Verdict::Deny(denial)) => return Err(Judged::from(&denial).of_look().into()),
            Judgement::Look(_) => return Err(Stop::unseen(Refused::Internal)),
        };
        match self.ask(permit).await? {
            Seen::Object(live) => Ok(*live),
            Seen::Error(StatusCode::NOT_FOUND, _) => match self.gate().cluster(self.cluster()) {
                Some(cluster) => Ok(Live::absent(cluster.guard(), request)),
                None => Err(Stop::unseen(Refused::Internal)),
            },
            Seen::Error(status, _) => Err(Stop::unseen(Refused::Unseen(Unseen::Answered(status)))),
        }
    }

    /// The verdict on a request that is judged by what it makes of the object: the API server says that in a dry run, or
    /// why it would not.
    pub(crate) async fn judge_merged(&self, look: Look) -> Result<Verdict, (Look, Stop)> {
        match self.ask(look.dry_run()).await {
            Ok(Seen::Object(live)) => Ok(live.ask(|merged| self.policy().judge_merged(look, merged))),
            Ok(Seen::Error(status, body)) => Err((look, Stop::unseen(Refused::Answered { status, body }))),
            Err(stop) => Err((look, stop)),
        }
    }

    /// Sends what the gate asks for itself, with an intent and an outcome of its own.
    async fn ask(&self, permit: Permit) -> Result<Seen, Stop> {
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
        let (status, answered, ending, seen) = match self.sent(receipt).await {
            Ok((status, Ok(seen))) => (status, Some(status), Ending::Completed, Ok(seen)),
            Ok((status, Err((ending, refused)))) => (status, Some(status), ending, Err(refused)),
            Err((ending, refused)) => (refused.code(), None, ending, Err(refused)),
        };
        let outcome = Outcome { status, answered, bytes: 0, masked: 0, ending };
        self.looked(&id, &outcome, started.elapsed()).await?;
        seen.map_err(Stop::unseen)
    }

    async fn sent(&self, receipt: Receipt<Intent>) -> Result<(StatusCode, Result<Seen, Given>), Given> {
        let cluster = self.gate().cluster(receipt.entry().cluster());
        let cluster = cluster.ok_or((Ending::Failed("unknown cluster"), Refused::Internal))?;
        let mut given_up = pin!(self.interrupts().unseen(Nature::Read));
        let answer = tokio::select! {
            biased;
            ending = &mut given_up => return Err((ending, Refused::Cut(ending))),
            sent = cluster.send(receipt, self.interrupts().session.wait()) => {
                sent.map_err(|failure| (Ending::of_failure(&failure), Refused::from(&failure)))?
            }
        };
        let status = answer.status;
        let seen = tokio::select! {
            biased;
            ending = &mut given_up => Err((ending, Refused::Cut(ending))),
            seen = see(answer) => seen.ok_or((Ending::Unmaskable, Refused::Unseen(Unseen::Unreadable))),
        };
        Ok((status, seen))
    }

    async fn looked(&self, id: &Id, outcome: &Outcome, took: Duration) -> Result<(), Stop> {
        let recorded = self.gate().ledger().append(record::outcome(id, outcome, took)).await;
        recorded.map(drop).map_err(|error| {
            tracing::error!(call = %id, %error, "the outcome of a look could not be recorded");
            Stop::Unrecorded
        })
    }
}

/// How a look ended, and what the client is told of it.
type Given = (Ending, Refused);

/// `None` if it cannot be understood.
#[expect(clippy::disallowed_methods, reason = "collects a body that `Limited` bounds")]
async fn see(answer: Answer) -> Option<Seen> {
    let Answer { status, body, .. } = answer;
    if status.is_success() {
        return body.keep().await.ok().map(|live| Seen::Object(Box::new(live)));
    }
    let opened = body.open().await.ok()?;
    let error = Limited::new(opened.body, LONGEST_ERROR).collect().await.ok()?;
    Some(Seen::Error(status, error.to_bytes()))
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
