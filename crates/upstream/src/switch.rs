//! Upgrades: a connection of its own for each, which is never used for anything else.
//!
//! The API server is offered what the client offers: it has what kubectl falls back to as well, and nothing has to
//! be told in another way than it was said. What was judged is a create, and is sent by the method that the protocol needs: a
//! WebSocket opens with a GET (RFC 6455 section 4.1), which since Kubernetes 1.35 needs the right to create, too.

use std::pin::pin;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::{
    body::Incoming,
    client::conn::http1,
    upgrade::{Parts, Upgraded},
};
use ledger::Receipt;
use mask::Guard;
use streaming::protocol::{self, Transport};
use tokio::time::timeout;
use wire::handshake;

use crate::{
    answer::{Answer, Carrier},
    cluster::Cluster,
    connector::{ConnectError, Connection},
    failure::Failure,
    intent::Intent,
    line,
    pool::RequestBody,
    port_forward::Opened,
};

/// What a connection is asked to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// Exec and attach.
    RemoteCommand(protocol::RemoteCommandOffer),
    /// Port-forward.
    PortForward(protocol::PortForward),
}

/// What it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Exec and attach.
    RemoteCommand(protocol::RemoteCommand),
    /// Port-forward.
    PortForward(protocol::PortForward),
}

/// What came of an upgrade.
#[derive(Debug)]
pub enum Switched {
    /// The API server answered as it answers other requests: it would not.
    Answered(Box<Answer>),
    /// It did, as it was asked.
    Open(Box<Tunnel>),
}

/// A connection that speaks what the API server chose of what it was offered, before anything was said. Of what comes on it nothing
/// can be read here that is not sealed, but for what comes from a port that is forwarded.
pub struct Tunnel {
    pub(crate) io: Connection,
    pub(crate) ahead: Bytes,
    pub(crate) guard: Guard,
    pub(crate) protocol: Protocol,
    pub(crate) opened: Opened,
}

/// How an API server did not do what was asked, though it said so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSwitched {
    /// It speaks something else.
    #[error(transparent)]
    Protocol(#[from] protocol::Refusal),
    /// Not by a WebSocket's rules.
    #[error(transparent)]
    Handshake(#[from] handshake::Refusal),
    /// The connection is none that can be taken over.
    #[error("the connection cannot be taken over")]
    Connection,
}

impl Cluster {
    /// Sends the request that was judged and recorded, as [`Cluster::send`] does, on a connection that then speaks what of `offer` the
    /// API server has chosen. Of what the client says nothing has been sent.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn switch<T>(
        &self,
        receipt: Receipt<Intent>,
        offer: Offer,
        unwanted: impl Future<Output = T>,
    ) -> Result<Switched, Failure> {
        let mut unwanted = pin!(unwanted);
        let intent = receipt.entry();
        let mut request =
            line::http1(&self.prepared(intent, &mut unwanted).await?).map_err(Failure::Target)?;
        if offer.transport() == Transport::WebSocket {
            *request.method_mut() = Method::GET;
        }
        let asked = offer.ask(request.headers_mut());
        let io = tokio::select! {
            biased;
            _now = unwanted => return Err(Failure::Unwanted),
            io = self.dial() => io.map_err(|error| Failure::Connect(error.into()))?,
        };
        let response = match timeout(self.response_timeout, exchange(io, request)).await {
            Ok(response) => response?,
            Err(_elapsed) => {
                return Err(Failure::Deadline { seconds: self.response_timeout.as_secs_f64() });
            }
        };
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let answer =
                Answer::new(self.guard(), intent, response, Carrier::Line(None), self.response_timeout)?;
            return Ok(Switched::Answered(Box::new(answer)));
        }
        let protocol = offer.confirm(response.headers(), asked.as_ref())?;
        let upgraded = hyper::upgrade::on(response).await.map_err(Failure::Broken)?;
        let (io, ahead) = taken_over(upgraded)?;
        let (guard, opened) = (self.guard().clone(), Opened::by(intent));
        let tunnel = Tunnel { io, ahead, guard, protocol, opened };
        Ok(Switched::Open(Box::new(tunnel)))
    }

    async fn dial(&self) -> Result<Connection, ConnectError> {
        let dialled = timeout(self.upgrades.deadline(), self.upgrades.connect()).await;
        dialled.unwrap_or_else(|_elapsed| Err(self.upgrades.too_slow()))
    }
}

async fn exchange(io: Connection, request: Request<RequestBody>) -> Result<Response<Incoming>, Failure> {
    let (mut sender, connection) = http1::handshake(io).await.map_err(Failure::NotOpened)?;
    // Ends with the answer, or hands the connection over; what goes wrong is told to who waits for either.
    tokio::spawn(async move { connection.with_upgrades().await.ok() });
    sender.send_request(request).await.map_err(Failure::Broken)
}

fn taken_over(upgraded: Upgraded) -> Result<(Connection, Bytes), NotSwitched> {
    let Parts { io, read_buf, .. } = upgraded.downcast().map_err(|_| NotSwitched::Connection)?;
    Ok((io, read_buf))
}

impl Offer {
    /// How bytes go.
    #[must_use]
    pub fn transport(self) -> Transport {
        match self {
            Self::RemoteCommand(offer) => offer.best().transport(),
            Self::PortForward(protocol) => protocol.transport(),
        }
    }

    fn ask(self, headers: &mut HeaderMap) -> Option<handshake::Asked> {
        headers.extend(match self {
            Self::RemoteCommand(offer) => offer.to_headers(),
            Self::PortForward(protocol) => protocol.to_headers(),
        });
        if self.transport() == Transport::WebSocket { handshake::ask(headers) } else { None }
    }

    fn confirm(self, answer: &HeaderMap, asked: Option<&handshake::Asked>) -> Result<Protocol, NotSwitched> {
        let protocol = match self {
            Self::RemoteCommand(offer) => Protocol::RemoteCommand(offer.confirm(answer)?),
            Self::PortForward(protocol) => {
                protocol.confirm(answer)?;
                Protocol::PortForward(protocol)
            }
        };
        match (self.transport(), asked) {
            (Transport::WebSocket, Some(asked)) => asked.confirm(answer)?,
            (Transport::WebSocket, None) => return Err(handshake::Refusal::Key.into()),
            (Transport::Spdy, _) => {}
        }
        Ok(protocol)
    }
}

impl Protocol {
    /// The headers of an answer `101` that agrees to it.
    #[must_use]
    pub fn to_headers(self) -> HeaderMap {
        match self {
            Self::RemoteCommand(protocol) => protocol.to_headers(),
            Self::PortForward(protocol) => protocol.to_headers(),
        }
    }
}

impl Tunnel {
    /// What the API server has chosen.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }
}

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tunnel").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}
