//! Phases 5 and 6, *intent* and *forward*: what was permitted is recorded, and then sent.

use http::{Response, StatusCode};
use kube_api::Request;
use ledger::{Receipt, leaf::Id};
use policy::Permit;
use upstream::{Answer, Failure, Intent, Origin};

use crate::{
    before::Before,
    call::Call,
    deliver::{Asked, Delivery, Head},
    interrupt::Nature,
    metrics::Ended,
    outcome::Ending,
    recordings,
    refuse::Refused,
    reply::Reply,
    tape::Tape,
};

/// What came of a call that was sent.
pub(crate) enum Forwarded {
    /// Its answer, for its client.
    Answer(Response<Reply>),
    /// Nothing was done, since the object is another than the one that was judged, or the policy than the one that asked humans: the
    /// call, to be judged anew by this request.
    Outdated(Box<Call>, Box<Request>),
}

/// Why what was permitted is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unintended {
    Unsendable,
    Unrecorded,
}

impl From<Unintended> for (Ended, Refused) {
    fn from(why: Unintended) -> Self {
        match why {
            Unintended::Unsendable => (Ended::Failed, Refused::Internal),
            Unintended::Unrecorded => (Ended::Unrecorded, Refused::Unrecorded),
        }
    }
}

impl Call {
    /// Records the intent, sends it, and delivers the answer. Every way out has its outcome in the ledger. If there is
    /// a request to judge `again`, a 409 is not delivered.
    pub(crate) async fn forward(self, permit: Permit, again: Option<&Request>) -> Result<Forwarded, Refused> {
        let (nature, target) = (Nature::of(permit.request()), permit.request().target().clone());
        let Ok(before) = self.look_before(permit.request()).await else {
            self.ended(Ended::Unrecorded, 0);
            return Err(Refused::Unrecorded);
        };
        let tape = self.tape(&permit, before.as_ref()).await?;
        let asked = Asked { nature, target, tape };
        let receipt = match self.intend(self.id().clone(), None, permit).await {
            Ok(receipt) => receipt,
            Err(unsent) => {
                asked.tape.unsent().await;
                let (ended, refused) = unsent.into();
                self.ended(ended, 0);
                return Err(refused);
            }
        };
        // The body may have taken its time to arrive, and the disk to take the intent.
        if self.session_over() {
            let refused = self.over();
            return self.fail(asked.tape, Ending::UNSENT, refused).await.map(Forwarded::Answer);
        }
        let sent = tokio::select! {
            biased;
            ending = self.interrupts().unanswered(nature) => {
                let refused = Refused::cut(ending, nature);
                return self.fail(asked.tape, ending, refused).await.map(Forwarded::Answer);
            }
            // Connecting may take its time, too.
            sent = self.upstream().send(receipt, self.interrupts().session.wait()) => sent,
        };
        let answer = match sent {
            Ok(answer) => match again.filter(|_| answer.status == StatusCode::CONFLICT) {
                Some(again) => {
                    drop(answer.body);
                    let call = self.again(asked.tape, answer.status).await?;
                    return Ok(Forwarded::Outdated(Box::new(call), Box::new(again.clone())));
                }
                None => self.open(answer, asked).await,
            },
            Err(Failure::Unwanted) => {
                let refused = self.over();
                self.fail(asked.tape, Ending::UNSENT, refused).await
            }
            Err(failure) => {
                tracing::warn!(call = %self.id(), %failure, "no answer from the API server");
                self.fail(asked.tape, Ending::of_failure(&failure), Refused::from(&failure)).await
            }
        };
        answer.map(Forwarded::Answer)
    }

    /// Its tape, on which stands what is asked, and what that would change.
    pub(crate) async fn tape(&self, permit: &Permit, before: Option<&Before>) -> Result<Tape, Refused> {
        match self.taped(self.id(), permit, before).await {
            Ok(tape) => Ok(tape),
            Err(stopped) => {
                recordings::report(
                    self.id(),
                    &stopped,
                    "permitted, but cannot be recorded; nothing was sent",
                );
                self.ended(Ended::Unrecorded, 0);
                Err(stopped.into())
            }
        }
    }

    /// The tape of what is permitted, as `id`.
    ///
    /// # Errors
    /// It cannot be recorded.
    pub(crate) async fn taped(
        &self,
        id: &Id,
        permit: &Permit,
        before: Option<&Before>,
    ) -> Result<Tape, recording::Stopped> {
        let recorded = self.recorded().ok_or(recording::Stopped::Closed)?;
        let tape = Tape::called(self, id, recorded, permit).await?;
        if let Some(before) = before
            && let Err(stopped) = tape.before(self, before).await
        {
            tape.unsent().await;
            return Err(stopped);
        }
        Ok(tape)
    }

    /// Records that what is permitted will be sent as `id`: the call itself, or what the gate `looks_for` on its behalf.
    pub(crate) async fn intend(
        &self,
        id: Id,
        looks_for: Option<Id>,
        permit: Permit,
    ) -> Result<Receipt<Intent>, Unintended> {
        self.intend_from(id, Origin { looks_for, ..self.origin() }, permit).await
    }

    /// The same of a connection through this call, a port-forward.
    pub(crate) async fn intend_through(&self, id: Id, permit: Permit) -> Result<Receipt<Intent>, Unintended> {
        self.intend_from(id, Origin { through: Some(self.id().clone()), ..self.origin() }, permit).await
    }

    async fn intend_from(
        &self,
        id: Id,
        origin: Origin,
        permit: Permit,
    ) -> Result<Receipt<Intent>, Unintended> {
        let intent = Intent::new(id.clone(), origin, permit).map_err(|error| {
            tracing::error!(call = %id, %error, "permitted, but cannot be sent");
            Unintended::Unsendable
        })?;
        self.gate().ledger().append(intent).await.map_err(|error| {
            tracing::error!(call = %id, %error, "the intent could not be recorded; nothing was sent");
            Unintended::Unrecorded
        })
    }

    pub(crate) async fn open(self, answer: Answer, asked: Asked) -> Result<Response<Reply>, Refused> {
        let nature = asked.nature;
        let Answer { status, mut headers, body } = answer;
        let opened = tokio::select! {
            biased;
            ending = self.interrupts().unseen(nature) => {
                return self.fail_answered(asked.tape, status, ending, Refused::cut(ending, nature)).await;
            }
            opened = body.open() => opened,
        };
        match opened {
            Ok(opened) => {
                headers.extend(opened.headers);
                Delivery::new(self, Head { status, headers }, asked, opened.body).deliver().await
            }
            Err(unmaskable) => {
                tracing::warn!(call = %self.id(), %unmaskable, "the answer cannot be masked");
                self.fail_answered(asked.tape, status, Ending::Unmaskable, Refused::Unmaskable).await
            }
        }
    }
}

#[cfg(test)]
mod tests;
