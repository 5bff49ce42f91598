//! The gate's own look at the object that a call is about: a call of the agent's, permitted, recorded and sent like any
//! other, whose answer stays here.

use std::pin::pin;

use http::StatusCode;
use http_body_util::{BodyExt, Limited};
use kube_api::Request;
use ledger::{
    Receipt,
    leaf::{Cause, Id},
};
use mask::Live;
use policy::{Decision, Judgement, Look, Permit, Pod, PodLook, Verdict};
use tokio::time::Instant;
use upstream::{Answer, Failure, Intent};

use crate::{
    call::{Call, Reached},
    forward::Unintended,
    interrupt::Nature,
    judged::Judged,
    outcome::{Ending, Outcome, Unrecorded},
    record,
    refuse::{Answered, Refused, Unseen},
};

/// Errors come with at most 64 KiB of words, which placeholders make longer.
const LONGEST_ERROR: usize = 256 * 1024;

/// Why a call is not sent.
pub(crate) enum Stop {
    /// It is refused, and the ledger told why.
    Refused { refused: Refused, cause: Cause, decision: Option<Box<Decision>> },
    /// The ledger takes nothing.
    Unrecorded,
}

/// What there was to see.
pub(crate) enum Seen {
    Object(Box<Live>),
    /// The API server's error, masked as for the agent, and how many values that took.
    Error(Box<Answered>, u64),
}

impl Call {
    /// The object that `request` is about, as it is now. The agent must be permitted to read it as it would be shown it:
    /// masked.
    pub(crate) async fn look(&self, request: &Request) -> Result<Live, Stop> {
        let read = request.as_read().map_err(|_refusal| Stop::unseen(Refused::Internal))?;
        match self.look_by(read).await? {
            Seen::Object(live) => Ok(*live),
            Seen::Error(error, _) if error.status == StatusCode::NOT_FOUND => {
                Ok(Live::absent(self.upstream().guard(), request))
            }
            Seen::Error(error, _) => Err(Stop::unseen(Refused::Unseen(Unseen::Answered(error.status)))),
        }
    }

    /// What there is to see by `read`, which the agent must be permitted to ask itself.
    pub(crate) async fn look_by(&self, read: Request) -> Result<Seen, Stop> {
        let permit = match self.judge(read) {
            Judgement::Verdict(Verdict::Allow(permit)) => permit,
            Judgement::Verdict(Verdict::Ask(ask)) => return Err(Judged::from(&ask).of_look().into()),
            Judgement::Verdict(Verdict::Deny(denial)) => return Err(Judged::from(&denial).of_look().into()),
            Judgement::Look(_) | Judgement::Pod(_) => return Err(Stop::unseen(Refused::Internal)),
        };
        self.send_look(permit).await
    }

    /// The verdict on a request that is judged by what it makes of the object: the API server says that in a dry run, or
    /// why it would not.
    pub(crate) async fn judge_merged(&self, look: Look) -> Result<Verdict, (Look, Stop)> {
        match self.send_look(look.dry_run()).await {
            Ok(Seen::Object(live)) => Ok(live.ask(|merged| self.policy().judge_merged(look, merged))),
            Ok(Seen::Error(error, _)) => Err((look, Stop::unseen(Refused::Answered(error)))),
            Err(stop) => Err((look, stop)),
        }
    }

    /// The verdict on a port-forward, by the pod that it would reach.
    pub(crate) async fn judge_reaching(&self, look: PodLook) -> Result<Verdict, (Box<Request>, Stop)> {
        let reached = match self.reaches(look.request()).await {
            Ok(reached) => reached,
            Err(stop) => return Err((Box::new(look.request().clone()), stop)),
        };
        let verdict = self.policy().judge_pod(look, &reached.pod, self.upstream().port());
        self.judged_by(reached);
        Ok(verdict)
    }

    /// The pod that `request` reaches, if it is the one by which it was judged, and still like that.
    pub(crate) async fn still_reaches(&self, request: &Request) -> Result<Option<Reached>, Stop> {
        let now = self.reaches(request).await?;
        Ok(self.reached().filter(|then| *then == now))
    }

    async fn reaches(&self, request: &Request) -> Result<Reached, Stop> {
        let live = self.look(request).await?;
        let uid = live.uid_and_version().map(|(uid, _version)| uid.to_owned());
        let uid =
            uid.ok_or_else(|| Stop::unseen(Refused::Unseen(Unseen::Answered(StatusCode::NOT_FOUND))))?;
        Ok(Reached { uid, pod: live.ask(Pod::of) })
    }

    /// Sends what the gate asks for itself, with an intent and an outcome of its own.
    pub(crate) async fn send_look(&self, permit: Permit) -> Result<Seen, Stop> {
        let started = Instant::now();
        let id = Id::from_u128(uuid::Uuid::now_v7().as_u128());
        let receipt = self.intend(id.clone(), Some(self.id().clone()), permit).await?;
        let (status, answered, ending, seen) = match self.sent(receipt).await {
            Ok((status, Ok(seen))) => (status, Some(status), Ending::Completed, Ok(seen)),
            Ok((status, Err((ending, refused)))) => (status, Some(status), ending, Err(refused)),
            Err((ending, refused)) => (refused.code(), None, ending, Err(refused)),
        };
        let masked = if let Ok(Seen::Error(_, masked)) = seen { masked } else { 0 };
        let outcome = Outcome { status, answered, bytes: 0, masked, ending };
        let told = self.tell_end(&id, record::outcome(&id, &outcome, started.elapsed())).await;
        told.map_err(|Unrecorded| Stop::Unrecorded)?;
        seen.map_err(Stop::unseen)
    }

    async fn sent(&self, receipt: Receipt<Intent>) -> Result<(StatusCode, Result<Seen, Unlooked>), Unlooked> {
        let mut given_up = pin!(self.interrupts().unseen(Nature::Read));
        let answer = tokio::select! {
            biased;
            ending = &mut given_up => return Err((ending, self.given_up(ending))),
            sent = self.upstream().send(receipt, self.interrupts().session.wait()) => {
                sent.map_err(|failure| (Ending::of_failure(&failure), self.unsent_for(&failure)))?
            }
        };
        let status = answer.status;
        let seen = tokio::select! {
            biased;
            ending = &mut given_up => Err((ending, self.given_up(ending))),
            seen = see(answer) => seen.ok_or((Ending::Unmaskable, Refused::Unseen(Unseen::Unreadable))),
        };
        Ok((status, seen))
    }

    /// What the client is told when its call goes no further, since the look for it was given up.
    fn given_up(&self, ending: Ending) -> Refused {
        if matches!(ending, Ending::SessionEnded | Ending::SessionFrozen) {
            return self.over();
        }
        Refused::Cut(ending)
    }

    fn unsent_for(&self, failure: &Failure) -> Refused {
        if matches!(failure, Failure::Unwanted) { self.over() } else { Refused::from(failure) }
    }
}

/// Why there is nothing to see: how the look ended, and what the client is told of it.
type Unlooked = (Ending, Refused);

/// `None` if it cannot be understood.
#[expect(clippy::disallowed_methods, reason = "collects a body that `Limited` bounds")]
async fn see(answer: Answer) -> Option<Seen> {
    let Answer { status, mut headers, body } = answer;
    if status.is_success() {
        return body.keep().await.ok().map(|live| Seen::Object(Box::new(live)));
    }
    let mut opened = body.open().await.ok()?;
    headers.extend(opened.headers);
    let error = Limited::new(&mut opened.body, LONGEST_ERROR).collect().await.ok()?;
    let answered = Answered { status, headers, body: error.to_bytes() };
    Some(Seen::Error(Box::new(answered), opened.body.masked_values()))
}

impl Stop {
    /// The object was not seen.
    pub(crate) fn unseen(refused: Refused) -> Self {
        let cause = match refused {
            Refused::Frozen { .. } | Refused::Cut(Ending::SessionFrozen) => Cause::SessionFrozen,
            Refused::Cut(Ending::SessionEnded) => Cause::SessionEnded,
            _ => Cause::Unseen,
        };
        Self::Refused { refused, cause, decision: None }
    }
}

impl From<Unintended> for Stop {
    fn from(why: Unintended) -> Self {
        match why {
            Unintended::Unsendable => Self::unseen(Refused::Internal),
            Unintended::Unrecorded => Self::Unrecorded,
        }
    }
}

impl From<Judged> for Stop {
    fn from(judged: Judged) -> Self {
        let Judged { status, cause, decision } = judged;
        Self::Refused { refused: Refused::Judged(status), cause, decision: Some(decision) }
    }
}
