//! The life of a call, phase by phase.

mod ends;
mod stream;

use std::{
    net::SocketAddr,
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::FutureExt;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use identity::{Caller, End};
use kube_api::Head;
use ledger::leaf::{Actor, Cause, Id};
use mask::KnownValues;
use policy::{Approved, Judge, Judgement, Permit, Pod, Principal, Verdict};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use upstream::{Cluster, Origin};

use crate::{
    Gate, ahead, compress,
    connection::Places,
    identify::identify,
    interrupt::{Interrupts, Nature, OpenAccess},
    lasting::Lasting,
    look::Stop,
    metrics::{Ended, Open},
    outlive::Outlive,
    parse::{Unparsed, parse},
    record,
    recordings::{self, Recorded},
    refuse::Refused,
    reply::Reply,
    reviews,
    upgrade::Upgrading,
};
use door::Slot;

pub(crate) use self::stream::Reached;
use self::stream::Stream;

/// One call of an identified caller, from its head to the end of its answer.
///
/// Whoever holds it owes the ledger an outcome: [`Call::close`] writes it.
pub(crate) struct Call {
    gate: Arc<Gate>,
    judge: Arc<Judge>,
    id: Id,
    caller: Caller,
    /// The one that its session is for.
    upstream: Arc<Cluster>,
    actor: Actor,
    started: Instant,
    interrupts: Interrupts,
    /// Until when it waits for humans, once it began to.
    held_until: OnceLock<Instant>,
    /// Whether its client takes a compressed answer.
    gzip: bool,
    stream: Stream,
    /// The recording of its session, begun before humans are asked.
    recorded: Option<Recorded>,
    /// Given back when the call has ended and its answer is taken.
    slot: Arc<Slot>,
    _open: Open,
}

/// Who sent a request.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// Those of its connection.
    pub(crate) places: Places,
}

/// Serves one request. Whatever happens, the client gets an answer, and an answer only.
pub(crate) async fn serve(gate: Arc<Gate>, peer: Peer, mut request: Request<Incoming>) -> Response<Reply> {
    let started = Instant::now();
    let open = gate.metrics().open();
    let unheard = |refused: &Refused, ended| {
        gate.metrics().ended(ended, started.elapsed(), 0);
        refused.answer(None)
    };
    if request.version() < Version::HTTP_11 {
        return unheard(&Refused::Version, Ended::Refused);
    }
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
    let (Ok(actor), Some(upstream)) =
        (record::actor(&caller, peer.address), gate.cluster(caller.cluster().as_str()))
    else {
        return unheard(&Refused::Internal, Ended::Failed);
    };
    let id = Id::from_u128(uuid::Uuid::now_v7().as_u128());
    let left = CancellationToken::new();
    let _leaving = left.clone().drop_guard();
    let interrupts = Interrupts {
        session: caller.ended().clone(),
        stopping: gate.stopping().clone(),
        cut: gate.cut().clone(),
        left,
        given: None,
        lasting: None,
    };
    let slot = Arc::new(slot);
    let upgrading = Upgrading::of(&mut request);
    let places = upgrading.is_ok().then_some(peer.places);
    let call = Call {
        gate: Arc::clone(&gate),
        judge: gate.judge(),
        id: id.clone(),
        caller,
        upstream,
        actor,
        started,
        interrupts,
        held_until: OnceLock::new(),
        gzip: compress::wanted(request.headers()),
        stream: Stream::new(upgrading, places),
        recorded: None,
        slot,
        _open: open,
    };
    // A client that hangs up drops this future, and must not take the call's outcome along.
    match Outlive::new(gate.tasks(), AssertUnwindSafe(call.live(request)).catch_unwind()).await {
        Ok(Ok(response)) => response,
        Ok(Err(refused)) => refused.answer(Some(id.as_str())),
        Err(_panicked) => {
            tracing::error!(call = %id, "a call did not come to its end; what the panic said stands above");
            Refused::Internal.answer(Some(id.as_str()))
        }
    }
}

impl Call {
    /// Parse; what is understood goes on in [`Call::attempt`].
    async fn live(self, request: Request<Incoming>) -> Result<Response<Reply>, Refused> {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let path = uri.path();
        if let Some(End::Frozen(_)) = self.caller.ended().how() {
            let head = Head::parse(&request.into_parts().0).ok();
            let refused = self.over();
            let event = self.told(&refused.status()).unparsed(
                Cause::SessionFrozen,
                head.as_ref(),
                method.as_str(),
                path,
            );
            return self.refuse(Ended::Refused, refused, event).await;
        }
        if ahead::is_own(path) {
            return self.ahead(request).await;
        }
        let request = match parse(request, self.gate.limits(), self.caller.ended()).await {
            Ok(request) => request,
            Err(Unparsed { why, head, read }) => {
                let target = uri.path_and_query().map_or(path, |target| target.as_str());
                let (cause, refused) = match self.hold_unparsed_against_known_values(target, &read).await {
                    Ok(()) => (why.cause(), Refused::from(why)),
                    Err(frozen) => (Cause::SessionFrozen, frozen),
                };
                let event =
                    self.told(&refused.status()).unparsed(cause, head.as_ref(), method.as_str(), path);
                return self.refuse(Ended::Refused, refused, event).await;
            }
        };
        if let Err(frozen) = self.hold_against_known_values(&request).await {
            let event = self.told(&frozen.status()).unjudged(Cause::SessionFrozen, &request);
            return self.refuse(Ended::Refused, frozen, event).await;
        }
        if let Some(question) = reviews::question(&request) {
            return self.review(request, question).await;
        }
        Ok(self.attempt(request).await)
    }

    /// By the policy that was in force when the call began, however often it is asked; or by another that came into force while
    /// it waited for humans ([`Call::by_policy_in_force`]).
    pub(crate) fn judge(&self, request: kube_api::Request) -> Judgement {
        let groups = self.groups();
        let principal = Principal { agent: self.caller.agent().as_str(), groups: &groups };
        self.judge.judge(&principal, self.cluster(), request)
    }

    /// A connection through this call, to `pod`; by the policy in force when it is opened. `None`: it is no such request.
    pub(crate) fn judge_connection(&self, request: kube_api::Request, pod: &Pod) -> Option<Verdict> {
        let (judge, groups) = (self.gate.judge(), self.groups());
        let principal = Principal { agent: self.caller.agent().as_str(), groups: &groups };
        match judge.judge(&principal, self.cluster(), request) {
            Judgement::Verdict(verdict) => Some(verdict),
            Judgement::Pod(look) => Some(judge.judge_pod(look, pod, self.upstream.port())),
            Judgement::Look(_) => None,
        }
    }

    /// The same, judged by the policy in force from now on.
    pub(crate) fn by_policy_in_force(self) -> Self {
        Self { judge: self.gate.judge(), ..self }
    }

    /// Until when it waits for humans: it does so once, however often they are asked.
    /// `hold`: for how long, if its rules say so.
    pub(crate) fn held_until(&self, hold: Option<Duration>) -> Instant {
        let hold = hold.unwrap_or_else(|| self.gate.holding().hold);
        *self.held_until.get_or_init(|| Instant::now() + hold)
    }

    /// Whether it did.
    pub(crate) fn has_waited(&self) -> bool {
        self.held_until.get().is_some()
    }

    pub(crate) fn policy(&self) -> &Judge {
        &self.judge
    }

    /// Where the call comes from, as its intent tells it.
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            delegator: self.actor.delegator.clone(),
            session: self.actor.session.clone(),
            src: self.actor.src.clone(),
            looks_for: None,
            through: None,
            known: self.known(),
        }
    }

    fn groups(&self) -> Vec<String> {
        self.caller.groups().iter().map(|group| group.as_str().to_owned()).collect()
    }

    async fn review(
        self,
        request: kube_api::Request,
        question: reviews::Question,
    ) -> Result<Response<Reply>, Refused> {
        let judge = &self.judge;
        let groups = self.groups();
        let principal = Principal { agent: self.caller.agent().as_str(), groups: &groups };
        let answer = match reviews::answer(judge, &principal, self.cluster(), &question) {
            Ok(answer) => answer,
            Err(refused) => {
                let event = self.told(&refused.status()).unjudged(Cause::Malformed, &request);
                return self.refuse(Ended::Refused, refused, event).await;
            }
        };
        if self.gate.rejections().tells_answer_alone(self.caller.session()) {
            let event =
                record::answered(&self.id, &self.actor, self.cluster(), &request, &self.known(), None);
            self.record(event, Ended::Completed).await?;
        } else {
            self.ended(Ended::Completed, 0);
        }
        Ok(Reply::review(answer, self.id.as_str(), self.slot()))
    }

    pub(crate) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }

    pub(crate) fn id(&self) -> &Id {
        &self.id
    }

    /// Where it is sent.
    pub(crate) fn upstream(&self) -> &Cluster {
        &self.upstream
    }

    /// The values of the cluster's Secrets.
    pub(crate) fn known(&self) -> KnownValues {
        self.upstream.guard().known().clone()
    }

    pub(crate) fn slot(&self) -> Arc<Slot> {
        Arc::clone(&self.slot)
    }

    /// The same, which ends with the access that permits it and when its rules say so, if it is a stream.
    pub(crate) fn lasting_with(mut self, permit: &Permit) -> Self {
        if !Nature::of(permit.request()).is_stream() {
            return self;
        }
        let limits = permit.decision().limits();
        self.interrupts.lasting = (!limits.is_none()).then(|| Arc::new(Lasting::new(limits)));
        if let Some(Approved::Access(grant)) = permit.approval() {
            let (inbox, approval) = (self.gate.shared_inbox(), grant.approval().to_owned());
            self.interrupts.given = Some(OpenAccess { inbox, approval, until: grant.until() });
        }
        self
    }

    /// The same, of which more is done when its client has the head of the answer.
    pub(crate) fn beyond_its_answer(mut self) -> Self {
        self.interrupts.left = CancellationToken::new();
        self
    }

    pub(crate) fn interrupts(&self) -> &Interrupts {
        &self.interrupts
    }

    pub(crate) fn takes_gzip(&self) -> bool {
        self.gzip
    }

    /// Opens the recording of its session: what cannot be recorded does not happen.
    pub(crate) async fn begin_recording(&mut self) -> Result<(), Stop> {
        match self.gate.recordings().of(&self.caller).await {
            Ok(recorded) => {
                self.recorded = Some(recorded);
                Ok(())
            }
            Err(why) => {
                match &why {
                    recording::Refused::Stopped(stopped) => {
                        recordings::report(&self.id, stopped, "a session cannot be recorded");
                    }
                    why => tracing::error!(call = %self.id, %why, "a session cannot be recorded"),
                }
                let refused = Refused::from(&why);
                let cause = Cause::Unrecordable;
                Err(Stop::Refused { refused, cause, decision: None })
            }
        }
    }

    /// The recording that was begun.
    pub(crate) fn recorded(&self) -> Option<Recorded> {
        self.recorded.clone()
    }

    /// Whether the session is over, or frozen, by now.
    pub(crate) fn session_over(&self) -> bool {
        self.caller.ended().how().is_some()
    }

    pub(crate) fn cluster(&self) -> &str {
        self.caller.cluster().as_str()
    }
}

#[cfg(test)]
impl Call {
    /// A call that nobody sent.
    pub(crate) fn unsent(gate: &Arc<Gate>, caller: &Caller) -> Self {
        let upstream = gate.cluster(caller.cluster().as_str()).unwrap();
        let interrupts = Interrupts {
            session: caller.ended().clone(),
            stopping: gate.stopping().clone(),
            cut: gate.cut().clone(),
            left: CancellationToken::new(),
            given: None,
            lasting: None,
        };
        Self {
            gate: Arc::clone(gate),
            judge: gate.judge(),
            id: Id::from_u128(1),
            caller: caller.clone(),
            upstream,
            actor: record::actor(caller, ([127, 0, 0, 1], 1).into()).unwrap(),
            started: Instant::now(),
            interrupts,
            held_until: OnceLock::new(),
            gzip: false,
            stream: Stream::new(Err(crate::upgrade::NotAgreed::Taken), None),
            recorded: None,
            slot: Arc::new(gate.slots().take(caller.session().as_str()).unwrap()),
            _open: gate.metrics().open(),
        }
    }
}
