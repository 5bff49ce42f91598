//! The two directions. Each ends when nothing more comes, or must not.

use mask::{Channel as Mask, SealedPiece};
use streaming::port_forward::{ConnectionId, FromClient, FromServer, Server};
use tokio::time::timeout;
use upstream::{Forwarded, FromPod, PortForward};
use wire::leg::{Fault, Hearing, Saying};

use super::{
    Forward,
    chores::{NotTaken, Wanted},
};
use crate::{outcome::Ending, stream::heard::Heard};

impl Forward {
    /// From the client to the pod. A client that leaves is noticed while the pod takes nothing.
    pub(super) async fn to_the_pod(
        &self,
        client: &mut Hearing<Server>,
        to_pod: &PortForward,
        chores: &Wanted,
    ) -> Ending {
        let mut heard = Heard::default();
        loop {
            let said = match heard.next(client).await {
                Ok(said) => said,
                Err(ending) => return ending,
            };
            match heard.on_while(client, self.pass_on(said, to_pod, chores)).await {
                Ok(Ok(())) => {}
                Ok(Err(ending)) | Err(ending) => return ending,
            }
        }
    }

    async fn pass_on(&self, said: FromClient, to_pod: &PortForward, chores: &Wanted) -> Result<(), Ending> {
        let sent = match said {
            FromClient::Open { connection, port } => {
                self.connections.asked(connection);
                return chores.open(connection, port).await.map_err(|NotTaken| Ending::Unrecordable);
            }
            FromClient::Data { connection, bytes } => {
                self.connections.settled(connection).await;
                let mut overlap = self.connections.take_overlap(connection);
                self.call.hold_piece_against_known_values(&mut overlap, &bytes).await;
                // What nobody gets keeps nothing going.
                if !self.connections.receives(connection, overlap, &bytes, &self.call.known()) {
                    return Ok(());
                }
                self.call.interrupts().passes();
                to_pod.data(connection, bytes).await
            }
            FromClient::Finished(connection) => to_pod.finish(connection).await,
            FromClient::Reset(connection) => {
                let Some(given_up) = self.connections.given_up(connection) else { return Ok(()) };
                chores.close(given_up);
                to_pod.reset(connection).await
            }
        };
        sent.map_err(|fault| self.broke(&fault))
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
            if let Err(ending) = self.say(to_client, &[&told]).await {
                return ending;
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

    /// Tells the client something. Whoever takes nothing for too long ends all.
    pub(super) async fn say(&self, to_client: &Saying<Server>, told: &[&FromServer]) -> Result<(), Ending> {
        let say = async {
            for told in told {
                to_client.say(told).await.map_err(|_left| Ending::ClientLeft)?;
            }
            Ok(())
        };
        let said = timeout(self.call.gate().limits().write_timeout, say).await;
        said.unwrap_or(Err(Ending::ClientStalled))
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
