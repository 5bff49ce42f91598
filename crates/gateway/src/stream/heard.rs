//! What the client said while the pod did not take what it said before.
//!
//! A client that leaves is noticed behind what it said: so that is read on, as far as there is room for it.

use std::{collections::VecDeque, pin::pin};

use streaming::{Endpoint, channel, port_forward, remote_command};
use tokio::time::timeout;
use wire::leg::{Fault, Hearing};

use super::closing::FAREWELL;
use crate::outcome::Ending;

/// Nothing more is read once as many bytes wait, or as many words: then who leaves is noticed when the pod takes some, or says
/// something.
const MOST: usize = 256 << 10;
const MOST_WORDS: usize = 1024;

/// The end that hears a client.
pub(super) trait Hears: Endpoint {
    /// How a client ends that leaves by the rules.
    const LEFT: Ending;

    /// Whether the client says nothing more.
    fn has_left(&self) -> bool;

    /// How many bytes it said there.
    fn bytes(said: &Self::Hears) -> usize;
}

/// In the order in which it was said; nothing of it is recorded or passed on yet.
pub(super) struct Heard<E: Hears> {
    waiting: VecDeque<E::Hears>,
    bytes: usize,
    /// How the client ended, behind that.
    ended: Option<Ending>,
}

impl<E: Hears> Default for Heard<E> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, ended: None }
    }
}

impl<E: Hears> Heard<E> {
    /// What the client says next, or how it ended. Cancel safe.
    pub(super) async fn next(&mut self, client: &mut Hearing<E>) -> Result<E::Hears, Ending> {
        match self.waiting.pop_front() {
            Some(said) => {
                self.bytes = self.bytes.saturating_sub(E::bytes(&said));
                Ok(said)
            }
            None => match self.ended {
                Some(ending) => Err(ending),
                None => hear(client).await,
            },
        }
    }

    /// What comes of `passing`, while the client is heard on. Once that has left, the pod has a second for what it is told; or how the
    /// client ended.
    pub(super) async fn on_while<F: Future>(
        &mut self,
        client: &mut Hearing<E>,
        passing: F,
    ) -> Result<F::Output, Ending> {
        let mut passing = pin!(passing);
        loop {
            if let Some(ending) = self.ended {
                return timeout(FAREWELL, passing).await.map_err(|_elapsed| ending);
            }
            let said = tokio::select! {
                biased;
                passed = &mut passing => return Ok(passed),
                said = hear(client), if self.has_room() => said,
            };
            match said {
                Ok(said) => {
                    self.bytes += E::bytes(&said);
                    self.waiting.push_back(said);
                }
                Err(ending) => self.ended = Some(ending),
            }
        }
    }

    fn has_room(&self) -> bool {
        self.bytes < MOST && self.waiting.len() < MOST_WORDS
    }
}

async fn hear<E: Hears>(client: &mut Hearing<E>) -> Result<E::Hears, Ending> {
    match client.next_until(E::has_left).await {
        Ok(Some(said)) => Ok(said),
        Ok(None) => Err(E::LEFT),
        Err(Fault::Wire(wire::Error::Io(_))) => Err(Ending::ClientLeft),
        // What it said is not told: it may be anything.
        Err(Fault::Wire(_) | Fault::Said(_)) => Err(Ending::ClientErred),
    }
}

impl Hears for remote_command::Server {
    const LEFT: Ending = Ending::ClientLeft;

    fn has_left(&self) -> bool {
        self.has_left()
    }

    fn bytes(said: &channel::FromClient) -> usize {
        match said {
            channel::FromClient::Stdin(bytes) => bytes.len(),
            channel::FromClient::Resize(_) | channel::FromClient::Close(_) => 0,
        }
    }
}

impl Hears for port_forward::Server {
    /// There is no other way in which it ends well.
    const LEFT: Ending = Ending::Completed;

    fn has_left(&self) -> bool {
        self.has_left()
    }

    fn bytes(said: &port_forward::FromClient) -> usize {
        match said {
            port_forward::FromClient::Data { bytes, .. } => bytes.len(),
            port_forward::FromClient::Open { .. }
            | port_forward::FromClient::Finished(_)
            | port_forward::FromClient::Reset(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests;
