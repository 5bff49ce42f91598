//! What waits for ledger and recording: a connection's beginning and its end. None of it is given up half done, whatever ends the
//! port-forward: what is in the ledger as intended is owed an outcome.
//!
//! What comes of it is told beside that, each by itself: who takes nothing of it keeps no end from coming, and no end from being
//! recorded.

use std::{future::pending, num::NonZeroU16, pin::Pin};

use futures_util::{StreamExt, future::try_join, stream::FuturesUnordered};
use kube_api::{Request, Status};
use ledger::{
    Receipt,
    leaf::{Cause, Event, Id},
};
use policy::{Permit, Verdict};
use recording::Opening;
use streaming::port_forward::{ConnectionId, Server};
use tokio::{
    sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel},
    time::{Instant, sleep_until, timeout},
};
use upstream::{Intent, PortForward};
use wire::leg::Saying;

use super::{Forward, closing, connections::Connection};
use crate::{
    judged::{Judged, ended_by},
    lasting::Clock,
    metrics::Ended,
    outcome::Ending,
    record::Told,
    recordings,
    refuse::Refused,
    stream::opening,
    tape,
};

/// How many are done at once, until what comes of them is told.
const AT_ONCE: usize = 16;

/// It cannot be told that a connection has ended.
const POD_STALLED: Ending = Ending::Failed("the API server took nothing for too long");

const MANY: &str = "portcullis: too many connections are open through this port-forward; close some";

/// Where they are wanted.
pub(super) struct Wanted {
    open: Sender<(ConnectionId, NonZeroU16)>,
    /// Never more than there are connections, and who wants one to end does not wait.
    close: UnboundedSender<Box<Connection>>,
}

impl Wanted {
    /// A connection is asked for. Waits while many are.
    pub(super) async fn open(&self, connection: ConnectionId, port: NonZeroU16) -> Result<(), NotTaken> {
        self.open.send((connection, port)).await.map_err(|_all_is_over| NotTaken)
    }

    /// A connection is over.
    pub(super) fn close(&self, over: Box<Connection>) {
        if self.close.send(over).is_err() {
            tracing::error!("a connection was over after all were");
        }
    }
}

/// No more are done.
pub(super) struct NotTaken;

/// What comes of it.
pub(super) enum Done {
    /// It may be opened.
    Ready(ConnectionId, Box<Receipt<Intent>>),
    /// It may not, and this is what its client is told.
    Refused(ConnectionId, String),
    /// There is nothing to do.
    Nothing,
    /// It ends all.
    Ended(Ending),
}

type Doing<'f> = Pin<Box<dyn Future<Output = Done> + Send + 'f>>;

/// Something that is told, or why all ends.
type Telling<'f> = Pin<Box<dyn Future<Output = Result<(), Ending>> + Send + 'f>>;

/// All of them.
pub(super) struct Chores<'f> {
    forward: &'f Forward,
    opening: Receiver<(ConnectionId, NonZeroU16)>,
    closing: UnboundedReceiver<Box<Connection>>,
    doing: FuturesUnordered<Doing<'f>>,
}

impl<'f> Chores<'f> {
    pub(super) fn new(forward: &'f Forward) -> (Wanted, Self) {
        let (open, opening) = channel(AT_ONCE);
        let (close, closing) = unbounded_channel();
        (Wanted { open, close }, Self { forward, opening, closing, doing: FuturesUnordered::new() })
    }

    /// Does what comes, until something is wrong.
    pub(super) async fn run(&mut self, to_client: &Saying<Server>, to_pod: &PortForward) -> Ending {
        let forward = self.forward;
        // Given up with this, unlike what is done: nothing is owed of it.
        let mut telling: FuturesUnordered<Telling<'_>> = FuturesUnordered::new();
        loop {
            let has_room = self.doing.len() + telling.len() < AT_ONCE;
            let done = tokio::select! {
                biased;
                () = until(forward.connections.first_end()) => {
                    for (connection, ending) in self.end_lasted() {
                        telling.push(Box::pin(forward.cut_one(to_client, to_pod, connection, ending)));
                    }
                    continue;
                }
                Some(done) = self.doing.next() => done,
                Some(told) = telling.next() => match told {
                    Ok(()) => continue,
                    Err(ending) => return ending,
                },
                Some(over) = self.closing.recv() => {
                    self.end(*over, None);
                    continue;
                }
                Some((connection, port)) = self.opening.recv(), if has_room => {
                    self.doing.push(Box::pin(forward.open(connection, port)));
                    continue;
                }
            };
            match done {
                Done::Ready(connection, receipt) => {
                    telling.push(Box::pin(forward.connect(to_pod, connection, *receipt)));
                }
                Done::Refused(connection, text) => {
                    telling.push(Box::pin(forward.tell_last(to_client, connection, text)));
                }
                Done::Nothing => {}
                Done::Ended(ending) => return ending,
            }
        }
    }

    /// Takes the connections out that have lasted long enough, and records their end.
    fn end_lasted(&self) -> Vec<(ConnectionId, Ending)> {
        let forward = self.forward;
        let mut ended = Vec::new();
        while let Some((connection, over, ending)) = forward.connections.take_ended() {
            self.end(*over, Some(ending));
            ended.push((connection, ending));
        }
        ended
    }

    /// Does what was begun, and what is owed.
    pub(super) async fn finish(mut self) {
        while let Ok(over) = self.closing.try_recv() {
            self.end(*over, None);
        }
        while self.doing.next().await.is_some() {}
    }

    fn end(&self, over: Connection, ending: Option<Ending>) {
        self.doing.push(Box::pin(self.forward.end_one(over, ending)));
    }
}

async fn until(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => pending().await,
    }
}

impl Forward {
    /// Opens what is recorded as intended. A pod that reads nothing lets it wait, as in Kubernetes.
    async fn connect(
        &self,
        to_pod: &PortForward,
        connection: ConnectionId,
        receipt: Receipt<Intent>,
    ) -> Result<(), Ending> {
        // Its client may have given it up while it waited for this: then it has its outcome.
        if !self.connections.on(connection, |open| open.sent = true) {
            return Ok(());
        }
        to_pod.connect(receipt, connection).await.map_err(|error| {
            tracing::warn!(call = %self.id(), %error, "a connection through a port-forward was not opened");
            Ending::UpstreamBroke
        })
    }

    /// Ends a connection that has lasted long enough, on both sides.
    async fn cut_one(
        &self,
        to_client: &Saying<Server>,
        to_pod: &PortForward,
        connection: ConnectionId,
        ending: Ending,
    ) -> Result<(), Ending> {
        let text = words(&Refused::CutConnection(ending).status());
        let reset = async {
            let patience = self.call.gate().limits().write_timeout;
            let reset = timeout(patience, to_pod.reset(connection)).await.map_err(|_elapsed| POD_STALLED)?;
            reset.map_err(|_broke| Ending::UpstreamBroke)
        };
        try_join(reset, self.tell_last(to_client, connection, text)).await.map(|((), ())| ())
    }

    /// Tells the client where kubectl looks for what went wrong, and that nothing more comes of it.
    async fn tell_last(
        &self,
        to_client: &Saying<Server>,
        connection: ConnectionId,
        text: String,
    ) -> Result<(), Ending> {
        let [accepted, told, finished] = closing::last_words(connection, text.into());
        self.say(to_client, &[&accepted, &told, &finished]).await?;
        if to_client.with(Server::is_over) { Err(Ending::Completed) } else { Ok(()) }
    }

    /// Judges a connection, and records what comes of that.
    pub(super) async fn open(&self, connection: ConnectionId, port: NonZeroU16) -> Done {
        if self.connections.are_too_many() {
            self.connections.forget(connection);
            self.call.gate().rejections().over_limit(self.call.caller().session());
            return Done::Refused(connection, MANY.to_owned());
        }
        if let Err(ending) = self.is_that_pod().await {
            return Done::Ended(ending);
        }
        let (id, started) = (Id::from_u128(uuid::Uuid::now_v7().as_u128()), Instant::now());
        let verdict =
            self.opened.forwarding(port).and_then(|request| self.call.judge_connection(request, &self.pod));
        match verdict {
            Some(Verdict::Allow(permit)) => self.permitted(connection, (id, started, port), permit).await,
            Some(Verdict::Ask(ask)) => {
                let how = "humans are not asked about connections through a port-forward";
                let next = Some("do it in another way, or ask the owner of the policy");
                let status = ask.ended(how, next, false);
                let judged = Judged { status: Box::new(status), ..Judged::from(&ask) };
                self.record_denied(connection, (&id, started), ask.request(), judged).await
            }
            Some(Verdict::Deny(denial)) => {
                let judged = Judged::from(&denial);
                self.record_denied(connection, (&id, started), denial.request(), judged).await
            }
            None => {
                tracing::error!(call = %self.id(), "a connection could not be judged");
                self.connections.forget(connection);
                Done::Refused(connection, words(&Refused::Internal.status()))
            }
        }
    }

    /// Records that policy does not let it be.
    async fn record_denied(
        &self,
        connection: ConnectionId,
        (id, started): (&Id, Instant),
        request: &Request,
        judged: Judged,
    ) -> Done {
        let Judged { status, cause, decision } = judged;
        let told = |told: Told<'_>| told.judged(cause, request, &decision);
        self.record_refused(connection, (id, started), (cause, &status), told).await
    }

    /// Records that it is refused, as other calls are.
    async fn record_refused(
        &self,
        connection: ConnectionId,
        (id, started): (&Id, Instant),
        (cause, status): (Cause, &Status),
        event: impl FnOnce(Told<'_>) -> Event,
    ) -> Done {
        let gate = self.call.gate();
        self.connections.forget(connection);
        gate.metrics().ended(ended_by(cause), started.elapsed(), 0);
        if gate.rejections().tells_alone(self.call.caller().session()) {
            let event = event(Told { call: id, ..self.call.told(status) });
            if let Err(error) = gate.ledger().append(event).await {
                tracing::error!(call = %id, %error, "a refusal could not be recorded");
                return Done::Ended(Ending::Unrecordable);
            }
        }
        Done::Refused(connection, words(status))
    }

    async fn end_one(&self, over: Connection, ending: Option<Ending>) -> Done {
        if self.close(over, ending).await { Done::Nothing } else { Done::Ended(Ending::Unrecordable) }
    }

    async fn permitted(
        &self,
        connection: ConnectionId,
        (id, started, port): (Id, Instant, NonZeroU16),
        permit: Permit,
    ) -> Done {
        if self.call.session_over() {
            let refused = self.call.over();
            let (cause, status) = (cause_of(&refused), refused.status());
            let told = |told: Told<'_>| told.unjudged(cause, permit.request());
            return self.record_refused(connection, (&id, started), (cause, &status), told).await;
        }
        let opening = Opening {
            call: id.as_str().into(),
            container: Some(port.to_string().as_str().into()),
            ..opening::of(&self.call, permit.request())
        };
        let tap = self.recorded.tap();
        let act = tape::act(&self.call, permit.request());
        let recorded = match tap.called(id.as_str(), &act, None).await {
            Ok(()) => match tap.open(opening).await {
                Err(stopped) => {
                    let _too_late = tap.answered(id.as_str(), tape::UNSENT, None, None).await;
                    Err(stopped)
                }
                opened => opened,
            },
            Err(stopped) => Err(stopped),
        };
        let stream = match recorded {
            Ok(stream) => stream,
            Err(stopped) => {
                recordings::report(&id, &stopped, "permitted, but cannot be recorded; nothing was sent");
                return Done::Ended(Ending::of_stopped(&stopped));
            }
        };
        let limits = permit.decision().limits();
        match self.call.intend_through(id.clone(), permit).await {
            Ok(receipt) => {
                let open = Connection::new(id, started, Clock::new(limits), stream);
                let Err(given_up) = self.connections.opened(connection, open) else {
                    return Done::Ready(connection, Box::new(receipt));
                };
                self.end_one(*given_up, None).await
            }
            Err(unintended) => {
                let (ended, refused): (Ended, Refused) = unintended.into();
                self.call.gate().metrics().ended(ended, started.elapsed(), 0);
                let _too_late = tap.answered(id.as_str(), tape::UNSENT, None, None).await;
                let _too_late = stream.closed("not opened").await;
                self.connections.forget(connection);
                Done::Refused(connection, words(&refused.status()))
            }
        }
    }
}

fn cause_of(over: &Refused) -> Cause {
    if matches!(over, Refused::Frozen { .. }) { Cause::SessionFrozen } else { Cause::SessionEnded }
}

fn words(status: &Status) -> String {
    status.message().to_owned()
}
