//! A call whose connection becomes a stream: exec and attach; for port-forward see [`forward`].
//!
//! ```text
//!  permit ─ recording open ─ intent ─ switch ─┬─ 101 ─ recorded as opened ─ 101 to the client ─ pass ─ close
//!                                             └─ another answer, masked, to the client
//! ```
//!
//! Both legs end here. What the API server says is sealed until it is masked (`outbound`), recorded before it is passed on, and its
//! end is told only when recording and ledger have it (`closing`). What the client says is recorded before it is passed on (`inbound`),
//! but for the end of it that masking holds back, in which a value may begin: that follows when more comes, when nothing has come for a
//! second, and at the end.

mod closing;
mod echo;
mod forward;
mod heard;
mod inbound;
mod lull;
mod opened;
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
    protocol::{
        PortForward as PortForwardProtocol, RemoteCommand as RemoteCommandProtocol, RemoteCommandOffer,
        Transport,
    },
    remote_command::{Client, Server},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::server::TlsStream;
use upstream::{Failure, Offer, RemoteCommand, Switched, Tunnel};
use wire::{
    End,
    leg::{self, Hearing, Saying},
};

pub(crate) use self::echo::Echoes;
use self::{
    closing::{Finish, Legs},
    inbound::Inbound,
    opened::{Offered, Opened},
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
    upgrade::Upgradable,
};

/// For a client's connection to be handed over once its 101 was written, and for its streams to be opened.
const BEGIN: Duration = Duration::from_secs(30);

/// A stream that is open upstream.
pub(super) struct Running {
    call: Call,
    target: Target,
    asked: kind::Asked,
    protocol: RemoteCommandProtocol,
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
        if let Some(status) = self.echo(request) {
            let refused = Refused::Judged(Box::new(status));
            return Err(Stop::Refused { refused, cause: Cause::Repeated, decision: None });
        }
        if let Err(why) = self.upgrading().and_then(|upgrading| upgrading.check(request, upgrade)) {
            let refused = Refused::Unparsed(Box::new(why.status()));
            return Err(Stop::Refused { refused, cause: Cause::Unsupported, decision: None });
        }
        Ok(())
    }

    /// Records the intent of a stream, sends it, and hands the two connections to a task of its own.
    pub(crate) async fn forward_stream(mut self, permit: Permit) -> Result<Response<Reply>, Refused> {
        let Some((upgradable, places)) = self.ready_for_stream(permit.request()) else {
            self.ended(Ended::Failed, 0);
            return Err(Refused::Internal);
        };
        let tape = self.tape(&permit, None).await?;
        let judged = permit.request().clone();
        let offered = match self.begin_stream(upgradable.offer, &judged).await {
            Ok(offered) => offered,
            Err(refused) => {
                tape.unsent().await;
                self.ended(Ended::Unrecorded, 0);
                return Err(refused);
            }
        };
        match self.switch(permit, self.upstream_offer(upgradable.offer)).await {
            Ok(Ok(Switched::Open(tunnel))) => {
                Opened { call: self, judged, tape, offered, tunnel }.hand_over(upgradable, places).await
            }
            Ok(Ok(Switched::Answered(answer))) => {
                offered.unopened("the API server would not").await;
                let target = judged.target().clone();
                self.open(*answer, Asked { nature: Nature::Write, target, tape }).await
            }
            Ok(Err((ending, refused))) => {
                offered.unopened(&ending.to_string()).await;
                self.fail(tape, ending, refused).await
            }
            Err(refused) => {
                offered.unopened("nothing was sent").await;
                tape.unsent().await;
                Err(refused)
            }
        }
    }

    /// What the API server is offered: what the client offers, but for what humans said yes to, and for ports. A command that is
    /// asked for by WebSocket runs from the 101 on, and by SPDY once its streams are open: then there is time to look which container
    /// it is. Likewise, messages would connect to all ports from the 101 on, before any connection was judged.
    fn upstream_offer(&self, offer: Offer) -> Offer {
        match offer {
            Offer::RemoteCommand(_) if self.bound_container().is_some() => {
                Offer::RemoteCommand(RemoteCommandOffer::Only(RemoteCommandProtocol::Spdy))
            }
            Offer::PortForward(PortForwardProtocol::Messages) => {
                Offer::PortForward(PortForwardProtocol::Spdy(Transport::Spdy))
            }
            Offer::RemoteCommand(_) | Offer::PortForward(PortForwardProtocol::Spdy(_)) => offer,
        }
    }

    /// The stream's own recording: where there is none, nothing is sent.
    async fn begin_stream(&self, offer: Offer, request: &Request) -> Result<Offered, Refused> {
        match offer {
            Offer::PortForward(spoken) => Ok(Offered::Ports(spoken)),
            Offer::RemoteCommand(offer) => {
                let recorded = self.recorded().ok_or(Refused::Unrecordable)?;
                let tape = recorded.tap().open(opening::of(self, request)).await;
                Ok(Offered::Command(offer, tape?))
            }
        }
    }

    /// What was approved is held against what the stream has reached, before anything is said on it.
    async fn still_as_approved(&self, request: &Request) -> Result<(), (Ending, Refused)> {
        const UNSEEN: Ending = Ending::Failed("the container could not be looked at once more");
        match self.is_as_approved(request).await {
            Ok(true) => Ok(()),
            Ok(false) => Err((Ending::Changed, Refused::Cut(Ending::Changed))),
            Err(Stop::Refused { refused, .. }) => Err((UNSEEN, refused)),
            Err(Stop::Unrecorded) => Err((Ending::Unrecordable, Refused::Unrecorded)),
        }
    }

    fn ready_for_stream(&mut self, request: &Request) -> Option<(Upgradable, Places)> {
        let (upgrading, places) = self.take_stream()?;
        Some((upgrading.offer(request.upgrade()?).ok()?, places))
    }

    /// The intent, and what came of it; or how the call is ended, or that it is not recorded.
    async fn switch(
        &self,
        permit: Permit,
        offer: Offer,
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
            sent = self.upstream().switch(receipt, offer, self.interrupts().session.wait()) => sent.map_err(|failure| {
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
    fn new(
        call: Call,
        request: &Request,
        protocol: RemoteCommandProtocol,
        tape: recording::Stream,
        (recorded, places): (Recorded, Places),
    ) -> Self {
        let (target, asked) = (request.target().clone(), opening::asked(request.options()));
        Self { call, target, asked, protocol, tape, _recorded: recorded, _places: places }
    }

    /// Until either side, or what ends it, has ended it. The ledger and the recording know how before the client does.
    async fn run(self, tunnel: Tunnel, on: OnUpgrade) {
        let Some(Ok((mut pod, to_pod))) = tunnel.remote_command(self.asked).await else {
            return self.never_began(Ending::Failed("the gate could not begin the stream")).await;
        };
        let (io, ahead) = match client_of(on, &self.call, &self.target).await {
            Ok(client) => client,
            Err(ending) => {
                drop((pod, to_pod));
                return self.never_began(ending).await;
            }
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
        let legs = Legs { client, to_client, pod, to_pod };
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
}

/// The client's connection, if it still wants it and nothing ends its call before that.
async fn client_of(
    on: OnUpgrade,
    call: &Call,
    target: &Target,
) -> Result<(TlsStream<TcpStream>, bytes::Bytes), Ending> {
    let upgraded = tokio::select! {
        biased;
        ending = interrupt::interrupted(call, Nature::Tunnel, target) => return Err(ending),
        upgraded = timeout(BEGIN, on) => upgraded,
    };
    let upgraded = upgraded.ok().and_then(Result::ok).ok_or(Ending::ClientLeft)?;
    let io = upgraded.downcast::<TokioIo<TlsStream<TcpStream>>>().map_err(|_other| Ending::ClientLeft)?;
    let Parts { io, read_buf, .. } = io;
    Ok((io.into_inner(), read_buf))
}

/// What the API server answers when it opens a stream, and the client is answered then.
pub(crate) const SWITCHED: StatusCode = StatusCode::SWITCHING_PROTOCOLS;
