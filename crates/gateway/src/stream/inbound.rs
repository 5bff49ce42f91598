//! What the client says, to the process.

use std::future::pending;

use bytes::Bytes;
use mask::{Channel as Mask, Guard, SealedPiece};
use recording::record::{Channel, MAX_PIECE};
use streaming::{
    channel::FromClient,
    remote_command::{Client, Server},
};
use wire::leg::{Hearing, Saying};

use super::{Running, heard::Heard, lull::Lull};
use crate::{outcome::Ending, tripwire::Overlap};

/// What the client says, masked for the recording: who knows a Secret's value may type it, but nobody may read it there.
pub(super) struct Inbound {
    mask: Mask,
    /// What the recording is to have next, until it has it.
    shown: Bytes,
    overlap: Overlap,
    received: u64,
}

/// What there is to tell of it at the end.
pub(super) struct Received {
    pub(super) bytes: u64,
    /// What the recording does not have yet.
    pub(super) rest: Bytes,
}

impl Inbound {
    pub(super) fn new(guard: &Guard) -> Self {
        Self { mask: Mask::new(guard), shown: Bytes::new(), overlap: Overlap::default(), received: 0 }
    }

    /// Until the client ends it. Recorded before it is passed on, but for what is held back for masking. Whoever gives it up loses nothing
    /// of what is to be recorded.
    pub(super) async fn pass(
        &mut self,
        running: &Running,
        client: &mut Hearing<Server>,
        to_pod: &Saying<Client>,
    ) -> Ending {
        let mut heard = Heard::default();
        // Nobody reads the recording meanwhile.
        let mut lull = Lull::new(true);
        loop {
            let said = tokio::select! {
                biased;
                said = heard.next(client) => said,
                // What is typed in is recorded as it is typed in.
                give_out = lull.over(), if self.mask.is_holding() => {
                    self.shown = give_out(&mut self.mask);
                    if let Err(stopped) = self.tape(&running.tape).await {
                        return Ending::of_stopped(&stopped);
                    }
                    continue;
                }
            };
            lull.ended();
            let said = match said {
                Ok(said) => said,
                Err(ending) => return ending,
            };
            if let Err(stopped) = self.record(running, &said).await {
                return Ending::of_stopped(&stopped);
            }
            match heard.on_while(client, to_pod.say(&said)).await {
                Ok(Ok(())) => {}
                // A process may close its standard input, and go on.
                Ok(Err(_fault)) => return pending().await,
                Err(ending) => return ending,
            }
        }
    }

    async fn record(&mut self, running: &Running, said: &FromClient) -> Result<(), recording::Stopped> {
        match said {
            FromClient::Stdin(bytes) => {
                self.received += bytes.len() as u64;
                // Nobody keeps a stream open by saying nothing again and again.
                if !bytes.is_empty() {
                    running.call.interrupts().passes();
                }
                running.call.hold_piece_against_known_values(&mut self.overlap, bytes).await;
                self.shown = self.mask.push(SealedPiece::new(bytes.clone()));
                self.tape(&running.tape).await
            }
            FromClient::Resize(size) => running.tape.resized(size.width, size.height).await,
            FromClient::Close(_) => Ok(()),
        }
    }

    /// Hands over what the recording is to have. The recorder may let that wait, and whoever waits may be given up: each piece is taken
    /// whole or not at all.
    async fn tape(&mut self, tape: &recording::Stream) -> Result<(), recording::Stopped> {
        while !self.shown.is_empty() {
            let piece = self.shown.slice(..self.shown.len().min(MAX_PIECE));
            tape.bytes(Channel::Stdin, piece.clone()).await?;
            drop(self.shown.split_to(piece.len()));
        }
        Ok(())
    }

    /// What came, once nothing more comes.
    pub(super) fn ended(mut self) -> Received {
        let held = self.mask.finish();
        Received { bytes: self.received, rest: [&*self.shown, &*held].concat().into() }
    }
}

#[cfg(test)]
mod tests;
