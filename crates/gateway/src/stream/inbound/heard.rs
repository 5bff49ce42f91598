//! What the client said while the process did not take what it said before.
//!
//! A client that leaves is noticed behind what it said: so that is read on, as far as there is room for it.

use std::{collections::VecDeque, pin::pin};

use streaming::{channel::FromClient, remote_command::Server};
use tokio::time::timeout;
use wire::leg::{Fault, Hearing};

use crate::{outcome::Ending, stream::closing::FAREWELL};

/// Nothing more is read once as many bytes wait, or as many words: then who leaves is noticed when the process takes some, or says
/// something.
const MOST: usize = 256 << 10;
const MOST_WORDS: usize = 1024;

/// In the order in which it was said; nothing of it is recorded or passed on yet.
#[derive(Default)]
pub(super) struct Heard {
    waiting: VecDeque<FromClient>,
    bytes: usize,
    /// How the client ended, behind that.
    ended: Option<Ending>,
}

impl Heard {
    /// What the client says next, or how it ended. Cancel safe.
    pub(super) async fn next(&mut self, client: &mut Hearing<Server>) -> Result<FromClient, Ending> {
        match self.waiting.pop_front() {
            Some(said) => {
                self.bytes = self.bytes.saturating_sub(bytes(&said));
                Ok(said)
            }
            None => match self.ended {
                Some(ending) => Err(ending),
                None => hear(client).await,
            },
        }
    }

    /// What comes of `passing`, while the client is heard on. Once that has left, the process has a second for what it is told; or
    /// how the client ended.
    pub(super) async fn on_while<F: Future>(
        &mut self,
        client: &mut Hearing<Server>,
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
                    self.bytes += bytes(&said);
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

async fn hear(client: &mut Hearing<Server>) -> Result<FromClient, Ending> {
    match client.next_until(Server::has_left).await {
        Ok(Some(said)) => Ok(said),
        Ok(None) | Err(Fault::Wire(wire::Error::Io(_))) => Err(Ending::ClientLeft),
        // What it said is not told: it may be anything.
        Err(Fault::Wire(_) | Fault::Said(_)) => Err(Ending::ClientErred),
    }
}

fn bytes(said: &FromClient) -> usize {
    match said {
        FromClient::Stdin(bytes) => bytes.len(),
        FromClient::Resize(_) | FromClient::Close(_) => 0,
    }
}

#[cfg(test)]
mod tests;
