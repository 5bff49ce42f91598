//! The ways in which a call, or a try of it, comes to its end, each of which the ledger is told of.

use http::{Response, StatusCode};
use kube_api::Status;
use ledger::leaf::{Event, Id, Streamed};

use super::Call;
use crate::{
    judged::ended_by,
    look::Stop,
    metrics::Ended,
    outcome::{Ending, Outcome, Unrecorded},
    record::{self, Told},
    refuse::Refused,
    reply::Reply,
    tape::Tape,
};

impl Call {
    /// Ends a call before it is sent.
    pub(crate) async fn stop(
        self,
        request: &kube_api::Request,
        stop: Stop,
    ) -> Result<Response<Reply>, Refused> {
        let Stop::Refused { refused, cause, decision } = stop else {
            self.ended(Ended::Unrecorded, 0);
            return Err(Refused::Unrecorded);
        };
        if let Some(decision) = &decision {
            self.count_guess(decision).await;
        }
        let status = refused.status();
        let told = self.told(&status);
        let event = match &decision {
            Some(decision) => told.judged(cause, request, decision),
            None => told.unjudged(cause, request),
        };
        self.refuse(ended_by(cause), refused, event).await
    }

    /// What every refusal of this call has in common.
    pub(crate) fn told<'a>(&'a self, status: &'a Status) -> Told<'a> {
        Told {
            call: &self.id,
            actor: &self.actor,
            cluster: self.cluster(),
            status: status.code().as_u16(),
            message: status.message(),
            known: self.known(),
        }
    }

    /// Records a call that ends before anything is sent; what the client is told waits for it. Beyond its session's
    /// budget of refusals it is counted, and told with others.
    pub(crate) async fn refuse(
        self,
        ended: Ended,
        refused: Refused,
        event: Event,
    ) -> Result<Response<Reply>, Refused> {
        if self.gate.rejections().tells_alone(self.caller.session()) {
            self.record(event, ended).await?;
        } else {
            self.ended(ended, 0);
        }
        Err(refused)
    }

    pub(crate) async fn record(&self, event: Event, ended: Ended) -> Result<(), Refused> {
        let recorded = self.gate.ledger().append(event).await;
        let ended = if recorded.is_ok() { ended } else { Ended::Unrecorded };
        self.ended(ended, 0);
        recorded.map(drop).map_err(|refused| {
            tracing::error!(call = %self.id, %refused, "what the gate answered could not be recorded");
            Refused::Unrecorded
        })
    }

    /// Records the outcome of a call that was sent, or could not be, and has no answer to deliver. Of what was sent and not answered,
    /// nobody knows what it did.
    pub(crate) async fn fail(
        self,
        tape: Tape,
        ending: Ending,
        refused: Refused,
    ) -> Result<Response<Reply>, Refused> {
        if matches!(ending, Ending::Unsent(_)) {
            tape.unsent().await;
        }
        self.undelivered(None, ending, refused).await
    }

    /// Records the outcome of a call whose answer came and is not delivered.
    pub(crate) async fn fail_answered(
        self,
        tape: Tape,
        answered: StatusCode,
        ending: Ending,
        refused: Refused,
    ) -> Result<Response<Reply>, Refused> {
        // What it did is done: a recorder that stops now ends what comes next.
        let _stopped = tape.answered(answered, ending).await;
        self.undelivered(Some(answered), ending, refused).await
    }

    /// The same, once its tape has ended.
    pub(crate) async fn undelivered(
        self,
        answered: Option<StatusCode>,
        ending: Ending,
        refused: Refused,
    ) -> Result<Response<Reply>, Refused> {
        let outcome = Outcome { status: refused.code(), answered, bytes: 0, masked: 0, ending };
        match self.close(outcome).await {
            Ok(()) => Err(refused),
            Err(Unrecorded) => Err(Refused::Unended),
        }
    }

    /// Writes the outcome; durable when it resolves.
    pub(crate) async fn close(self, outcome: Outcome) -> Result<(), Unrecorded> {
        let event = record::outcome(&self.id, &outcome, self.started.elapsed());
        let recorded = self.tell_end(&self.id, event).await;
        self.ended(outcome.ending.as_ended(), outcome.masked);
        recorded
    }

    /// The same of a stream that was upgraded.
    pub(crate) async fn close_stream(self, outcome: Outcome, stream: Streamed) -> Result<(), Unrecorded> {
        let event = record::streamed(&self.id, &outcome, self.started.elapsed(), stream);
        let recorded = self.tell_end(&self.id, event).await;
        self.ended(outcome.ending.as_ended(), outcome.masked);
        recorded
    }

    /// Writes the outcome of what was sent as `id`.
    pub(crate) async fn tell_end(&self, id: &Id, event: Event) -> Result<(), Unrecorded> {
        self.gate.ledger().append(event).await.map(drop).map_err(|refused| {
            tracing::error!(call = %id, %refused, "the outcome could not be recorded");
            Unrecorded
        })
    }

    /// Ends a try that was answered `answered`, with an outcome of its own, so that another can follow: the call goes on
    /// under another id, which that outcome names.
    pub(crate) async fn again(mut self, tape: Tape, answered: StatusCode) -> Result<Self, Refused> {
        // A recorder that stops now ends the next try.
        let _stopped = tape.answered(answered, Ending::Completed).await;
        let next = Id::from_u128(uuid::Uuid::now_v7().as_u128());
        let outcome = Outcome {
            status: answered,
            answered: Some(answered),
            bytes: 0,
            masked: 0,
            ending: Ending::Completed,
        };
        let event = record::outdated(&self.id, &outcome, self.started.elapsed(), &next);
        if let Err(Unrecorded) = self.tell_end(&self.id, event).await {
            self.ended(Ended::Unrecorded, 0);
            return Err(Refused::Unended);
        }
        tracing::debug!(call = %self.id, again = %next, "the object has changed since it was looked at");
        self.id = next;
        Ok(self)
    }

    pub(crate) fn ended(&self, ended: Ended, masked: u64) {
        self.gate.metrics().ended(ended, self.started.elapsed(), masked);
    }
}
