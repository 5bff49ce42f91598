//! Port-forward: connections to ports of a pod, each opened for a permitted and recorded intent of its own.
//!
//! What comes from a port passes as it came: an application counts its bytes, so that none can be put in the place of others. Policy
//! that permits a port shows whatever is said there. What the API server and the node tell of a connection is sealed.

use std::num::NonZeroU16;

use bytes::Bytes;
use kube_api::Request;
use ledger::Receipt;
use mask::{Guard, SealedPiece};
use streaming::{
    port_forward::{Client, ConnectionId, Error, FromClient, FromServer},
    protocol,
};
use wire::{
    End,
    leg::{self, Fault, Hearing, Saying},
};

use crate::{
    intent::Intent,
    switch::{Protocol, Tunnel},
};

/// The side of the API server that is heard.
#[derive(Debug)]
pub struct Forwarded {
    hearing: Hearing<Client>,
    guard: Guard,
}

/// Where connections are opened and something is said on them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PortForward {
    saying: Saying<Client>,
    /// For whom the way was opened, and to what.
    agent: String,
    cluster: String,
    opened: Request,
}

/// What was heard of a connection.
#[derive(Debug)]
pub enum FromPod {
    /// It may be used.
    Accepted(ConnectionId),
    /// What came from the port, as it came.
    Data {
        /// On which.
        connection: ConnectionId,
        /// Never nothing.
        bytes: Bytes,
    },
    /// No more of that.
    Finished(ConnectionId),
    /// How it went, for people: empty if well. Container runtimes write it and may quote anything.
    Told {
        /// Of which.
        connection: ConnectionId,
        /// At most [`streaming::port_forward::MAX_TEXT`] bytes.
        text: SealedPiece,
    },
    /// It is not there any more, or never was.
    Reset(ConnectionId),
}

/// Why a connection was not opened.
#[derive(Debug, thiserror::Error)]
pub enum NotConnected {
    /// What was permitted is no connection through this port-forward.
    #[error("what was permitted is no connection through this port-forward")]
    Elsewhere,
    /// The API server's connection broke, or opens nothing more.
    #[error(transparent)]
    Broken(#[from] Fault<Error>),
}

impl Tunnel {
    /// Takes the connection for port-forward: what is heard, and where to open connections. `None` if it is another's, or not SPDY.
    pub async fn port_forward(self) -> Option<(Forwarded, PortForward)> {
        let Protocol::PortForward(protocol::PortForward::Spdy(transport)) = self.protocol else {
            return None;
        };
        let wire = wire::split(self.io.into_inner(), self.ahead, transport, End::Client).await;
        let (hearing, saying) = leg::new(Client::default(), wire);
        let forwarded = Forwarded { hearing, guard: self.guard };
        let Opened { agent, cluster, request } = self.opened;
        Some((forwarded, PortForward { saying, agent, cluster, opened: request }))
    }
}

/// For other crates' tests, behind the feature `testing`.
#[cfg(feature = "testing")]
pub mod testing {
    use super::*;

    /// A way that `agent` opened by `request`, with this in place of a connection to the API server of `cluster`.
    pub async fn port_forward(
        io: impl wire::Io + 'static,
        guard: Guard,
        (agent, cluster): (&str, &str),
        request: Request,
    ) -> (Forwarded, PortForward) {
        let wire = wire::split(io, Bytes::new(), protocol::Transport::Spdy, End::Client).await;
        let (hearing, saying) = leg::new(Client::default(), wire);
        let (agent, cluster) = (agent.to_owned(), cluster.to_owned());
        (Forwarded { hearing, guard }, PortForward { saying, agent, cluster, opened: request })
    }
}

/// What a tunnel was opened for.
#[derive(Debug)]
pub(crate) struct Opened {
    agent: String,
    cluster: String,
    request: Request,
}

impl Opened {
    pub(crate) fn by(intent: &Intent) -> Self {
        Self {
            agent: intent.agent().to_owned(),
            cluster: intent.cluster().to_owned(),
            request: intent.request().clone(),
        }
    }
}

impl Forwarded {
    /// What errors are masked by.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// What is heard next; `None` once the API server has ended it. Cancel safe.
    ///
    /// # Errors
    /// The connection broke, or the server broke the rules.
    pub async fn next(&mut self) -> Result<Option<FromPod>, Fault<Error>> {
        let Some(said) = self.hearing.next_until(Client::is_over).await? else { return Ok(None) };
        Ok(Some(match said {
            FromServer::Accepted(connection) => FromPod::Accepted(connection),
            FromServer::Data { connection, bytes } => FromPod::Data { connection, bytes },
            FromServer::Finished(connection) => FromPod::Finished(connection),
            FromServer::Told { connection, text } => {
                FromPod::Told { connection, text: SealedPiece::new(text) }
            }
            FromServer::Reset(connection) => FromPod::Reset(connection),
        }))
    }
}

impl PortForward {
    /// Opens the connection that was judged and recorded, as [`crate::Cluster::send`] sends a request: to the port of that intent.
    /// It may be used once it is heard to be accepted.
    ///
    /// # Errors
    /// [`NotConnected`]; nothing was sent if it was permitted for another pod, cluster or agent, or for no port.
    pub async fn connect(
        &self,
        receipt: Receipt<Intent>,
        connection: ConnectionId,
    ) -> Result<(), NotConnected> {
        let port = self.port_of(receipt.entry()).ok_or(NotConnected::Elsewhere)?;
        Ok(self.saying.say(&FromClient::Open { connection, port }).await?)
    }

    /// Passes on what the agent says on a connection.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn data(&self, connection: ConnectionId, bytes: Bytes) -> Result<(), Fault<Error>> {
        self.saying.say(&FromClient::Data { connection, bytes }).await
    }

    /// Says nothing more on a connection.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn finish(&self, connection: ConnectionId) -> Result<(), Fault<Error>> {
        self.saying.say(&FromClient::Finished(connection)).await
    }

    /// Ends a connection in both directions.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn reset(&self, connection: ConnectionId) -> Result<(), Fault<Error>> {
        self.saying.say(&FromClient::Reset(connection)).await
    }

    /// Ends all.
    ///
    /// # Errors
    /// [`Fault`]: the API server may not have heard it.
    pub async fn leave(&self) -> Result<(), Fault<Error>> {
        self.saying.close(Client::leave).await
    }

    fn port_of(&self, intent: &Intent) -> Option<NonZeroU16> {
        let same = intent.cluster() == self.cluster
            && intent.agent() == self.agent
            && intent.request().target() == self.opened.target();
        same.then(|| intent.request().forwarded_port()).flatten()
    }
}
