//! Exec and attach: a call whose connection becomes a stream.
//!
//! ```text
//!  permit ─ recording open ─ intent ─ switch ─┬─ 101 ─ recorded as opened ─ 101 to the client ─ pass ─ close
//!                                             └─ another answer, masked, to the client
//! ```
//!
//! Both legs end here. What the API server says is sealed until it is masked (`outbound`), recorded before it is passed on, and its
//! end is told only when recording and ledger have it (`closing`). What the client says is recorded before it is passed on (`inbound`).

mod closing;
mod inbound;
pub(crate) mod opening;
mod outbound;

use std::time::Duration;

use http::{Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::TokioIo;
use kube_api::{Request, Target};
use ledger::leaf::Cause;
use policy::Permit;
use streaming::{
    kind,
    remote_command::{Client, Server},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::server::TlsStream;
use upstream::{Failure, Protocol, RemoteCommand, Switched, Tunnel};
use wire::{
    End,
    leg::{self, Hearing, Saying},
};

use self::{
    closing::{Finish, Legs},
    inbound::Inbound,
    outbound::{Masks, Outbound},
};
use crate::{
    call::Call,
    connection::Places,
    deliver::Asked,
    interrupt::{self, Nature},
    look::Stop,
    metrics::Ended,
    outcome::Ending,
    recordings::Recorded,
    refuse::Refused,
    reply::Reply,
    upgrade::Agreed,
};

/// For a client's connection to be handed over once its 101 was written, and for its streams to be opened.
const BEGIN: Duration = Duration::from_secs(30);

/// A stream that is open upstream.
pub(super) struct Running {
    call: Call,
    target: Target,
    asked: kind::Asked,
    protocol: streaming::protocol::RemoteCommand,
    tape: recording::Stream,
    /// Keeps the recording open.
    _recorded: Recorded,
    /// The client's connection counts as one until the stream has ended.
    _places: Places,
}

impl Call {
    /// Makes sure that what is asked can be upgraded, before anybody is asked about it.
    pub(crate) fn fit_for_stream(&self, request: &Request) -> Result<(), Stop> {
        let Some(upgrade) = request.upgrade() else { return Ok(()) };
        let fits = self.upgrading().ok_or_else(|| streaming::protocol::Refusal::NoUpgrade.into());
        if let Err(why) = fits.and_then(|upgrading| upgrading.check(upgrade)) {
            let refused = Refused::Unparsed(Box::new(why.status()));
            return Err(Stop::Refused { refused, cause: Cause::Unsupported, decision: None });
        }
        Ok(())
    }

    /// Records the intent of an exec or attach, sends it, and hands the two connections to a task of its own.
    pub(crate) async fn forward_stream(mut self, permit: Permit) -> Result<Response<Reply>, Refused> {
        let Some((agreed, places)) = self.ready_for_stream(permit.request()) else {
            self.ended(Ended::Failed, 0);
            return Err(Refused::Internal);
        };
        let recorded = self.recorded();
        let tape = self.tape(&permit).await?;
        let judged = permit.request().clone();
        let (target, opening) = (permit.request().target().clone(), opening::of(&self, permit.request()));
        let asked = opening::asked(permit.request().options());
        let switched = match self.switch(permit, agreed.protocol).await {
            Ok(Ok(switched)) => switched,
            Ok(Err((ending, refused))) => return self.fail(ending, refused).await,
            Err(refused) => return Err(refused),
        };
        let tunnel = match switched {
            Switched::Answered(answer) => {
                return self.open(*answer, Asked { nature: Nature::Write, target, tape }).await;
            }
            Switched::Open(tunnel) => tunnel,
        };
        let opened = match &recorded {
            Some(recorded) => recorded.tap().open(opening).await.ok(),
            None => None,
        };
        let (Protocol::RemoteCommand(protocol), Some(tape), Some(recorded)) =
            (agreed.protocol, opened, recorded)
        else {
            drop(tunnel);
            return self.fail(Ending::Unrecordable, Refused::Unrecordable).await;
        };
        if let Err(refused) = self.still_as_approved(&judged).await {
            drop((tunnel, tape.closed(&Ending::Changed.to_string()).await));
            return self.fail(Ending::Changed, refused).await;
        }
        let response = Reply::switching(agreed.headers, self.id().as_str());
        let tasks = self.gate().tasks().clone();
        let running =
            Running { call: self, target, asked, protocol, tape, _recorded: recorded, _places: places };
        tasks.spawn(running.run(*tunnel, agreed.on));
        Ok(response)
    }

    /// What was approved is held against what the stream has reached, before anything is said on it.
    async fn still_as_approved(&self, request: &Request) -> Result<(), Refused> {
        match self.is_as_approved(request).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refused::Cut(Ending::Changed)),
            Err(Stop::Refused { refused, .. }) => Err(refused),
            Err(Stop::Unrecorded) => Err(Refused::Unrecorded),
        }
    }

    fn ready_for_stream(&mut self, request: &Request) -> Option<(Agreed, Places)> {
        let (upgrading, places) = self.take_stream()?;
        Some((upgrading.agree(request.upgrade()?).ok()?, places))
    }

    /// The intent, and what came of it; or how the call is ended, or that it is not recorded.
    async fn switch(
        &self,
        permit: Permit,
        protocol: Protocol,
    ) -> Result<Result<Switched, (Ending, Refused)>, Refused> {
        let receipt = match self.intend(self.id().clone(), None, permit).await {
            Ok(receipt) => receipt,
            Err(unsent) => {
                let (ended, refused) = unsent.into();
                self.ended(ended, 0);
                return Err(refused);
            }
        };
        if self.session_over() {
            return Ok(Err((Ending::UNSENT, self.over())));
        }
        Ok(tokio::select! {
            biased;
            ending = self.interrupts().unseen(Nature::Tunnel) => Err((ending, Refused::cut(ending, Nature::Tunnel))),
            sent = self.upstream().switch(receipt, protocol, self.interrupts().session.wait()) => sent.map_err(|failure| {
                if matches!(failure, Failure::Unwanted) {
                    return (Ending::UNSENT, self.over());
                }
                tracing::warn!(call = %self.id(), %failure, "no stream from the API server");
                (Ending::of_failure(&failure), Refused::from(&failure))
            }),
        })
    }
}

impl Running {
    /// Until either side, or what ends it, has ended it. The ledger and the recording know how before the client does.
    async fn run(self, tunnel: Tunnel, on: OnUpgrade) {
        let Some(Ok((mut pod, to_pod))) = tunnel.remote_command(self.asked).await else {
            return self.never_began(Ending::Failed("the gate could not begin the stream")).await;
        };
        let Some((io, ahead)) = self.client(on).await else {
            return self.never_began(Ending::ClientLeft).await;
        };
        let server = Server::new(self.protocol, self.asked);
        let wire = wire::split(io, ahead, self.protocol.transport(), End::Server).await;
        let (mut client, to_client) = leg::new(server, wire);
        let (mut masks, mut inbound) = (Masks::new(pod.guard()), Inbound::new(pod.guard()));
        let finish = tokio::select! {
            biased;
            ending = interrupt::interrupted(&self.call, Nature::Tunnel, &self.target) => Finish::Cut(ending),
            begun = timeout(BEGIN, opening::begin(&mut client, &to_client, &mut pod)) => match begun {
                Ok(Ok(())) => self.pass((&mut client, &to_pod, &mut inbound), (&mut pod, &to_client, &mut masks)).await,
                Ok(Err(finish)) => finish,
                Err(_elapsed) => Finish::Cut(Ending::Failed("the streams were not opened in time")),
            },
        };
        let legs = Legs { client, to_client, to_pod };
        self.close(finish, masks, inbound.ended(), legs).await;
    }

    /// Until one of the directions has come to its end, or must.
    async fn pass(
        &self,
        (client, to_pod, inbound): (&mut Hearing<Server>, &Saying<Client>, &mut Inbound),
        (pod, to_client, masks): (&mut RemoteCommand, &Saying<Server>, &mut Masks),
    ) -> Finish {
        tokio::select! {
            biased;
            ending = interrupt::interrupted(&self.call, Nature::Tunnel, &self.target) => Finish::Cut(ending),
            finish = (Outbound { running: self, to_client, masks }).pass(pod) => finish,
            ending = inbound.pass(self, client, to_pod) => Finish::Cut(ending),
        }
    }

    /// The client's connection, if it still wants it.
    async fn client(&self, on: OnUpgrade) -> Option<(TlsStream<TcpStream>, bytes::Bytes)> {
        let upgraded = timeout(BEGIN, on).await.ok()?.ok()?;
        let Parts { io, read_buf, .. } = upgraded.downcast::<TokioIo<TlsStream<TcpStream>>>().ok()?;
        Some((io.into_inner(), read_buf))
    }
}

/// What a stream that was refused is answered with.
pub(crate) const SWITCHED: StatusCode = StatusCode::SWITCHING_PROTOCOLS;
