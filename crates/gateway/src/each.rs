//! A deletion of a collection that humans approved: the deletes of the objects that they were shown, one by one.
//!
//! Each is a call of its own in the ledger, with an intent and an outcome, as a part of the agent's, which is told when all have ended. What is
//! gone by then or has changed is left alone. Anything else that goes wrong ends it, and its client is told how far it came.

mod tally;

use http::{Response, StatusCode};
use identity::End;
use kube_api::Request;
use ledger::leaf::{Cause, Id};
use policy::Permit;
use recording::Stopped;
use tokio::time::Instant;
use upstream::Failure;

use self::tally::{One, Tally};
use crate::{
    call::Call,
    forward::Unintended,
    interrupt::Nature,
    metrics::Ended,
    outcome::{Ending, Outcome, Unrecorded},
    record, recordings,
    refuse::Refused,
    reply::Reply,
};

impl Call {
    /// Sends what was permitted, and answers for `request`, which that was.
    pub(crate) async fn forward_each(
        self,
        request: &Request,
        permits: Vec<Permit>,
    ) -> Result<Response<Reply>, Refused> {
        let mut tally = Tally::new(request, permits.len());
        for permit in permits {
            let name = permit.request().object_name().unwrap_or_default();
            let name = upstream::text::<253>(name, &self.known()).to_string();
            match self.delete_one(permit).await {
                Ok(one) => tally.count(name, one),
                Err(Unrecorded) => {
                    self.ended(Ended::Unrecorded, 0);
                    return Err(Refused::Unended);
                }
            }
            if tally.is_over() {
                break;
            }
        }
        self.tell_each(request, &tally).await
    }

    async fn tell_each(self, request: &Request, tally: &Tally) -> Result<Response<Reply>, Refused> {
        let status = tally.status();
        let (event, ended) = if self.session_over() {
            let frozen = matches!(self.caller().ended().how(), Some(End::Frozen(_)));
            let cause = if frozen { Cause::SessionFrozen } else { Cause::SessionEnded };
            (self.told(&status).unjudged(cause, request), Ended::Cut)
        } else {
            let code = Some(status.code().as_u16());
            let (call, actor) = (self.id(), self.actor());
            let event = record::answered(call, actor, self.cluster(), request, &self.known(), code);
            (event, if tally.is_over() { Ended::Failed } else { Ended::Completed })
        };
        let id = self.id().clone();
        self.record(event, ended).await.map_err(|_unrecorded| Refused::Unended)?;
        Ok(Reply::status(&status, Some(id.as_str())))
    }

    /// `Err` if how it ended could not be recorded.
    async fn delete_one(&self, permit: Permit) -> Result<One, Unrecorded> {
        if let Some(why) = self.cut_short() {
            return Ok(why);
        }
        let started = Instant::now();
        let id = Id::from_u128(uuid::Uuid::now_v7().as_u128());
        let before = self.look_before(permit.request()).await?;
        let tape = match self.taped(&id, &permit, before.as_ref()).await {
            Ok(tape) => tape,
            Err(stopped) => {
                recordings::report(&id, &stopped, "permitted, but cannot be recorded; nothing was sent");
                return Ok(One::unsent(match stopped {
                    Stopped::Full => {
                        "as much is recorded of the session as the gate records of one: go on in another one"
                    }
                    Stopped::KeptEnough => {
                        "as much is kept of values as the gate keeps of one session: go on in another one"
                    }
                    _fault => "it cannot be recorded",
                }));
            }
        };
        let receipt = match self.intend(id.clone(), None, permit).await {
            Ok(receipt) => receipt,
            Err(why) => {
                tape.unsent().await;
                return Ok(One::unsent(match why {
                    Unintended::Unrecorded => "the ledger did not take it",
                    Unintended::Unsendable => "it could not be built",
                }));
            }
        };
        // The disk may have taken its time.
        let sent = if self.session_over() {
            Err((Ending::UNSENT, self.over()))
        } else {
            tokio::select! {
                biased;
                ending = self.interrupts().unanswered(Nature::Write) => Err((ending, Refused::CutSent(ending))),
                sent = self.upstream().send(receipt, self.interrupts().session.wait()) => match sent {
                    Ok(answer) => Ok(answer.status),
                    Err(Failure::Unwanted) => Err((Ending::UNSENT, self.over())),
                    Err(failure) => Err((Ending::of_failure(&failure), Refused::from(&failure))),
                },
            }
        };
        let (status, ending) = match &sent {
            Ok(status) => (*status, Ending::Completed),
            Err((ending, refused)) => (refused.code(), *ending),
        };
        let answered = sent.as_ref().ok().copied();
        let outcome = Outcome { status, answered, bytes: 0, masked: 0, ending };
        // What it did is done: a recorder that stops now ends what comes next. Of what was sent and not answered, nobody knows what it did.
        match answered {
            Some(status) => drop(tape.answered(status, ending).await),
            None if matches!(ending, Ending::Unsent(_)) => tape.unsent().await,
            None => {}
        }
        self.tell_end(&id, record::outcome(&id, &outcome, started.elapsed())).await?;
        Ok(match sent {
            Ok(status) => One::answered(status),
            Err((Ending::UNSENT, _)) => One::unsent("the session ended, or was frozen"),
            Err((Ending::Unsent(why), refused)) => One::Unsent { code: refused.code(), why },
            Err((ending, refused)) => One::Unknown { code: refused.code(), why: ending.to_string() },
        })
    }

    /// Why no more is sent, if so.
    fn cut_short(&self) -> Option<One> {
        if self.session_over() {
            return Some(One::unsent("the session ended, or was frozen"));
        }
        self.interrupts().cut.is_cancelled().then(|| One::unsent("the gate is stopping"))
    }
}

impl One {
    fn unsent(why: &'static str) -> Self {
        Self::Unsent { code: StatusCode::SERVICE_UNAVAILABLE, why }
    }

    fn answered(status: StatusCode) -> Self {
        match status {
            status if status.is_success() => Self::Deleted,
            StatusCode::NOT_FOUND => Self::Gone,
            StatusCode::CONFLICT => Self::Changed,
            status => Self::Refused(status),
        }
    }
}
