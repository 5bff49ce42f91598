//! The two directions. Each ends when nothing more comes, or must not.

use std::collections::BTreeMap;

use mask::{Channel as Mask, SealedPiece};
use streaming::port_forward::{ConnectionId, FromClient, FromServer, Server};
use upstream::{Forwarded, FromPod, PortForward};
use wire::leg::{Fault, Hearing, Saying};

use super::{Forward, chores::Wanted};
use crate::{outcome::Ending, tripwire::Overlap};

impl Forward {
    /// From the client to the pod.
    pub(super) async fn to_the_pod(
        &self,
        client: &mut Hearing<Server>,
        to_pod: &PortForward,
        chores: &Wanted,
    ) -> Ending {
        let mut overlaps: BTreeMap<ConnectionId, Overlap> = BTreeMap::new();
        loop {
            let said = match client.next_until(Server::has_left).await {
                Ok(Some(said)) => said,
                // There is no other way in which it ends well.
                Ok(None) => return Ending::Completed,
                Err(Fault::Wire(wire::Error::Io(_))) => return Ending::ClientLeft,
                // What it said is not told: it may be anything.
                Err(Fault::Wire(_) | Fault::Said(_)) => return Ending::ClientErred,
            };
            let sent = match said {
                FromClient::Open { connection, port } => {
                    self.connections.asked(connection);
                    if chores.open(connection, port).await.is_err() {
                        return Ending::Unrecordable;
                    }
                    continue;
                }
                FromClient::Data { connection, bytes } => {
                    self.connections.settled(connection).await;
                    let overlap = overlaps.entry(connection).or_default();
                    self.call.hold_piece_against_known_values(overlap, &bytes).await;
                    let known = self.call.known();
                    let is_open = self.connections.on(connection, |open| {
                        open.clock.passes();
                        open.received += bytes.len() as u64;
                        open.carries.push(&bytes, &known);
                    });
                    // What nobody gets keeps nothing going.
                    if !is_open {
                        continue;
                    }
                    self.call.interrupts().passes();
                    to_pod.data(connection, bytes).await
                }
                FromClient::Finished(connection) => {
                    overlaps.remove(&connection);
                    to_pod.finish(connection).await
                }
                FromClient::Reset(connection) => {
                    overlaps.remove(&connection);
                    let Some(given_up) = self.connections.given_up(connection) else { continue };
                    chores.close(given_up);
                    to_pod.reset(connection).await
                }
            };
            if let Err(fault) = sent {
                return self.broke(&fault);
            }
        }
    }

    /// From the pod to the client.
    pub(super) async fn to_the_client(
        &self,
        pod: &mut Forwarded,
        to_client: &Saying<Server>,
        chores: &Wanted,
    ) -> Ending {
        loop {
            let said = match pod.next().await {
                Ok(Some(said)) => said,
                // The pod has gone, or its node ends what is idle for too long.
                Ok(None) => return Ending::UpstreamBroke,
                Err(fault) => return self.broke(&fault),
            };
            let connection;
            let told = match said {
                FromPod::Accepted(of) => {
                    connection = of;
                    self.connections.on(connection, |open| open.accepted = true);
                    FromServer::Accepted(connection)
                }
                FromPod::Data { connection: of, bytes } => {
                    connection = of;
                    let is_open = self.connections.on(connection, |open| {
                        open.clock.passes();
                        open.shown += bytes.len() as u64;
                    });
                    if !is_open {
                        continue;
                    }
                    self.call.interrupts().passes();
                    FromServer::Data { connection, bytes }
                }
                FromPod::Finished(of) => {
                    connection = of;
                    FromServer::Finished(connection)
                }
                FromPod::Told { connection: of, text } => {
                    connection = of;
                    FromServer::Told { connection, text: self.told(pod, connection, text).into() }
                }
                FromPod::Reset(of) => {
                    connection = of;
                    FromServer::Reset(connection)
                }
            };
            if to_client.say(&told).await.is_err() {
                return Ending::ClientLeft;
            }
            match told {
                FromServer::Finished(_) | FromServer::Reset(_) => {
                    self.over(connection, |open| open.finished = true, chores);
                }
                FromServer::Told { text, .. } => {
                    let text = String::from_utf8_lossy(&text).into_owned();
                    self.over(connection, |open| open.told = Some(text), chores);
                }
                FromServer::Accepted(_) | FromServer::Data { .. } => {}
            }
            if to_client.with(Server::is_over) {
                // Of one that was reset nothing was told.
                let all_told = self.connections.is_empty();
                return if all_told { Ending::Completed } else { Ending::UpstreamBroke };
            }
        }
    }

    /// How it went, as it may be shown.
    fn told(&self, pod: &Forwarded, connection: ConnectionId, text: SealedPiece) -> Vec<u8> {
        let (text, masked) = Mask::whole(pod.guard(), text);
        self.connections.on(connection, |open| open.masked += masked);
        text.into()
    }

    /// Something happened by which a connection may be over.
    fn over(
        &self,
        connection: ConnectionId,
        happened: impl FnOnce(&mut super::connections::Connection),
        chores: &Wanted,
    ) {
        if let Some(over) = self.connections.over(connection, happened) {
            chores.close(over);
        }
    }

    fn broke(&self, fault: &Fault<streaming::port_forward::Error>) -> Ending {
        tracing::warn!(call = %self.id(), %fault, "a port-forward broke off");
        Ending::UpstreamBroke
    }
}
