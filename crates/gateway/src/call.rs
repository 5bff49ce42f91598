//! The life of a call, phase by phase.

use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc};

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use identity::Caller;
use kube_api::Status;
use ledger::leaf::{Actor, Cause, Event, Id};
use policy::{Principal, RuleRef, Verdict};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use upstream::Intent;

use crate::{
    Gate,
    deliver::Delivery,
    identify::identify,
    metrics::Ended,
    outcome::{Ending, Outcome, Unrecorded},
    parse::{Unparsed, parse},
    record::{self, Told},
    refuse::Refused,
    reply::Reply,
    reviews,
    slots::Slot,
};

/// One call of an identified caller, from its head to the end of its answer.
///
/// Whoever holds it owes the ledger an outcome: [`Call::close`] writes it.
pub(crate) struct Call {
    gate: Arc<Gate>,
    id: Id,
    caller: Caller,
    actor: Actor,
    started: Instant,
    /// Given back when the call ends.
    _slot: Slot,
    /// Fired once nobody waits for the head of the answer: the client has it, or left.
    left: CancellationToken,
}

/// Serves one request. Whatever happens, the client gets an answer, and an answer only.
pub(crate) async fn serve(gate: Arc<Gate>, peer: SocketAddr, request: Request<Incoming>) -> Response<Reply> {
    let started = Instant::now();
    gate.metrics().opened();
    let unheard = |refused: &Refused, ended| {
        gate.metrics().ended(ended, started.elapsed(), 0);
        refused.answer(None)
    };
    let caller = match identify(gate.sessions(), request.headers()) {
        Ok(caller) => caller,
        Err(refused) => {
            gate.rejections().unauthenticated();
            return unheard(&refused, Ended::Unauthenticated);
        }
    };
    let Some(slot) = gate.slots().take(caller.session().as_str()) else {
        gate.rejections().over_limit(caller.session());
        return unheard(&Refused::TooManyCalls { most: gate.slots().most() }, Ended::Refused);
    };
    let Ok(actor) = record::actor(&caller, peer) else {
        return unheard(&Refused::Internal, Ended::Failed);
    };
    let id = Id::from_u128(uuid::Uuid::now_v7().as_u128());
    let left = CancellationToken::new();
    let _leaving = left.clone().drop_guard();
    let call = Call { gate: Arc::clone(&gate), id: id.clone(), caller, actor, started, _slot: slot, left };
    // On a task of its own: a client that hangs up drops this future, and must not take the call's outcome along.
    match gate.tasks().spawn(call.live(request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(refused)) => refused.answer(Some(id.as_str())),
        Err(panicked) => {
            tracing::error!(call = %id, error = %panicked, "a call did not come to its end");
            Refused::Internal.answer(Some(id.as_str()))
        }
    }
}

impl Call {
    /// Parse, judge, intent, forward, mask; the outcome is written by the [`Delivery`] or where the call ends.
    async fn live(self, request: Request<Incoming>) -> Result<Response<Reply>, Refused> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let request = match parse(request, self.gate.limits()).await {
            Ok(request) => request,
            Err(Unparsed { why, head }) => {
                let (cause, refused) = (why.cause(), Refused::from(why));
                let event =
                    self.told(&refused.status()).unparsed(cause, head.as_ref(), method.as_str(), &path);
                return self.refuse(Ended::Refused, refused, event).await;
            }
        };
        if let Some(question) = reviews::question(&request) {
            return self.review(request, question).await;
        }
        let follows = request.is_stream();
        match self.judge(request) {
            Verdict::Allow(permit) => self.forward(permit, follows).await,
            Verdict::Ask(ask) => {
                let status = ask.status();
                let event = self.told(&status).judged(Cause::Approval, ask.request(), ask.decision());
                self.refuse(Ended::Asked, Refused::Judged(Box::new(status)), event).await
            }
            Verdict::Deny(denial) => {
                let fixed = denial.decision().rules().iter().any(RuleRef::is_fixed);
                let cause = if fixed { Cause::Fixed } else { Cause::Policy };
                let status = denial.status();
                let event = self.told(&status).judged(cause, denial.request(), denial.decision());
                self.refuse(Ended::Denied, Refused::Judged(Box::new(status)), event).await
            }
        }
    }

    fn judge(&self, request: kube_api::Request) -> Verdict {
        let groups = self.groups();
        let principal = Principal { agent: self.caller.agent().as_str(), groups: &groups };
        self.gate.judge().judge(&principal, self.cluster(), request)
    }

    fn groups(&self) -> Vec<String> {
        self.caller.groups().iter().map(|group| group.as_str().to_owned()).collect()
    }

    async fn forward(self, permit: policy::Permit, follows: bool) -> Result<Response<Reply>, Refused> {
        let unsent = |ended, refused| {
            self.gate.metrics().ended(ended, self.started.elapsed(), 0);
            Err(refused)
        };
        let intent = match Intent::new(self.id.clone(), self.actor.clone(), self.cluster(), permit) {
            Ok(intent) => intent,
            Err(error) => {
                tracing::error!(call = %self.id, %error, "permitted, but cannot be sent");
                return unsent(Ended::Failed, Refused::Internal);
            }
        };
        let receipt = match self.gate.ledger().append(intent).await {
            Ok(receipt) => receipt,
            Err(error) => {
                tracing::error!(call = %self.id, %error, "the intent could not be recorded; nothing was sent");
                return unsent(Ended::Unrecorded, Refused::Unrecorded);
            }
        };
        let Some(cluster) = self.gate.cluster(self.cluster()) else {
            return self.fail(Ending::Failed("unknown cluster"), Refused::Internal).await;
        };
        let sent = tokio::select! {
            sent = cluster.send(receipt) => sent,
            ending = self.unwanted(follows) => return self.fail(ending, Refused::Cut(ending)).await,
        };
        let answer = match sent {
            Ok(answer) => answer,
            Err(failure) => {
                tracing::warn!(call = %self.id, %failure, "no answer from the API server");
                return self.fail(Ending::of_failure(&failure), Refused::from(&failure)).await;
            }
        };
        match answer.body.open().await {
            Ok(opened) => {
                let id = self.id.clone();
                let delivery = Delivery::new(self, answer.status, opened.body, follows);
                let mut response = Reply::masked(answer.status, delivery, id.as_str());
                let own = response.headers_mut();
                own.extend(answer.headers);
                own.extend(opened.headers);
                Ok(response)
            }
            Err(unmaskable) => {
                tracing::warn!(call = %self.id, %unmaskable, "the answer cannot be masked");
                self.fail(Ending::Unmaskable, Refused::Unmaskable).await
            }
        }
    }

    async fn review(
        self,
        request: kube_api::Request,
        question: reviews::Question,
    ) -> Result<Response<Reply>, Refused> {
        let judge = self.gate.judge();
        let groups = self.groups();
        let principal = Principal { agent: self.caller.agent().as_str(), groups: &groups };
        let answer = match reviews::answer(&judge, &principal, self.cluster(), &question) {
            Ok(answer) => answer,
            Err(refused) => {
                let event = self.told(&refused.status()).unjudged(Cause::Malformed, &request);
                return self.refuse(Ended::Refused, refused, event).await;
            }
        };
        let event = record::answered(&self.id, &self.actor, self.cluster(), &request);
        self.record(event, Ended::Completed).await?;
        Ok(Reply::own(StatusCode::CREATED, answer, Some(self.id.as_str())))
    }

    /// What every refusal of this call has in common.
    fn told<'a>(&'a self, status: &'a Status) -> Told<'a> {
        Told {
            call: &self.id,
            actor: &self.actor,
            cluster: self.cluster(),
            status: status.code().as_u16(),
            message: status.message(),
        }
    }

    /// Records a call that ends before anything is sent; what the client is told waits for it. Beyond its session's
    /// budget of refusals it is counted, and told with others.
    async fn refuse(self, ended: Ended, refused: Refused, event: Event) -> Result<Response<Reply>, Refused> {
        if self.gate.rejections().tells_alone(self.caller.session()) {
            self.record(event, ended).await?;
        } else {
            self.gate.metrics().ended(ended, self.started.elapsed(), 0);
        }
        Err(refused)
    }

    async fn record(&self, event: Event, ended: Ended) -> Result<(), Refused> {
        let recorded = self.gate.ledger().append(event).await;
        let ended = if recorded.is_ok() { ended } else { Ended::Unrecorded };
        self.gate.metrics().ended(ended, self.started.elapsed(), 0);
        recorded.map(drop).map_err(|refused| {
            tracing::error!(call = %self.id, %refused, "a refusal could not be recorded");
            Refused::Unrecorded
        })
    }

    /// Records the outcome of a call that was sent, or could not be, and has no answer to deliver.
    async fn fail(self, ending: Ending, refused: Refused) -> Result<Response<Reply>, Refused> {
        let outcome = Outcome { status: Some(refused.code()), bytes: 0, masked: 0, ending };
        match self.close(outcome).await {
            Ok(()) => Err(refused),
            Err(Unrecorded) => Err(Refused::Unrecorded),
        }
    }

    /// Writes the outcome; durable when it resolves.
    pub(crate) async fn close(self, outcome: Outcome) -> Result<(), Unrecorded> {
        let took = self.started.elapsed();
        let event = record::outcome(&self.id, &outcome, took);
        let recorded = self.gate.ledger().append(event).await;
        self.gate.metrics().ended(outcome.ending.as_ended(), took, outcome.masked);
        recorded.map(drop).map_err(|poisoned| {
            tracing::error!(call = %self.id, error = %poisoned, "the outcome could not be recorded");
            Unrecorded
        })
    }

    /// [`Call::close`] for a destructor, which cannot wait; the gate waits for it before it stops.
    pub(crate) fn close_detached(self, outcome: Outcome) {
        let gate = Arc::clone(&self.gate);
        gate.tasks().spawn(async move {
            let _logged = self.close(outcome).await;
        });
    }

    /// Resolves when this call must be cut off: its session ended, or, for a stream, the gate stops.
    pub(crate) fn stopped(&self, follows: bool) -> Pin<Box<dyn Future<Output = Ending> + Send>> {
        let session = self.caller.ended().clone();
        let gate = if follows { self.gate.stopping().clone() } else { CancellationToken::new() };
        Box::pin(async move {
            tokio::select! {
                _end = session.wait() => Ending::SessionEnded,
                () = gate.cancelled() => Ending::GateStopping,
            }
        })
    }

    /// Resolves when a stream whose answer has not begun must be cut off. A followed log begins only with its first
    /// line, which may never come. Other calls are bounded by the response timeout, and go on: they may have acted.
    async fn unwanted(&self, follows: bool) -> Ending {
        if !follows {
            return std::future::pending().await;
        }
        tokio::select! {
            ending = self.stopped(follows) => ending,
            () = self.left.cancelled() => Ending::ClientLeft,
        }
    }

    fn cluster(&self) -> &str {
        self.caller.cluster().as_str()
    }
}
