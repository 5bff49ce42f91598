//! What the process says, masked, to the client.

use bytes::Bytes;
use mask::{Channel as Mask, Guard, SealedPiece};
use recording::record::Channel;
use streaming::{channel::FromServer, remote_command::Server};
use tokio::time::timeout;
use upstream::{RemoteCommand, Said};
use wire::leg::Saying;

use super::{Running, closing::Finish, lull::Lull};
use crate::outcome::Ending;

/// What is shown of each channel.
pub(super) struct Masks {
    stdout: Mask,
    stderr: Mask,
    guard: Guard,
    /// Bytes that the client's connection has taken.
    pub(super) shown: u64,
}

/// The direction from the process to the client.
pub(super) struct Outbound<'r> {
    pub(super) running: &'r Running,
    pub(super) to_client: &'r Saying<Server>,
    pub(super) masks: &'r mut Masks,
}

#[derive(Clone, Copy)]
enum Out {
    Stdout,
    Stderr,
}

impl Masks {
    pub(super) fn new(guard: &Guard) -> Self {
        Self { stdout: Mask::new(guard), stderr: Mask::new(guard), guard: guard.clone(), shown: 0 }
    }

    /// Something short that is all there, as it may be shown.
    pub(super) fn whole(&self, text: SealedPiece) -> String {
        String::from_utf8_lossy(&Mask::whole(&self.guard, text).0).into_owned()
    }

    /// How many values were masked.
    pub(super) fn masked(&self) -> u64 {
        self.stdout.masked() + self.stderr.masked()
    }

    fn of(&mut self, out: Out) -> &mut Mask {
        match out {
            Out::Stdout => &mut self.stdout,
            Out::Stderr => &mut self.stderr,
        }
    }

    fn is_holding(&self) -> bool {
        self.stdout.is_holding() || self.stderr.is_holding()
    }
}

impl Outbound<'_> {
    /// Until the process has said all, or nobody listens. Recorded before it is shown.
    pub(super) async fn pass(mut self, pod: &mut RemoteCommand) -> Finish {
        match self.pass_all(pod).await {
            Ok(()) => Finish::Over(pod.ended()),
            Err(ending) => Finish::Cut(ending),
        }
    }

    async fn pass_all(&mut self, pod: &mut RemoteCommand) -> Result<(), Ending> {
        let mut lull = Lull::new(!self.running.asked.stdin);
        loop {
            let said = tokio::select! {
                biased;
                said = pod.next() => said.map_err(|fault| {
                    tracing::warn!(call = %self.running.call.id(), %fault, "a stream broke off");
                    Ending::UpstreamBroke
                })?,
                give_out = lull.over(), if self.masks.is_holding() => {
                    self.show_each(give_out).await?;
                    continue;
                }
            };
            lull.ended();
            let (out, piece) = match said {
                Some(Said::Stdout(piece)) => (Out::Stdout, piece),
                Some(Said::Stderr(piece)) => (Out::Stderr, piece),
                None => return self.show_each(Mask::finish).await,
            };
            let shown = self.masks.of(out).push(piece);
            self.show(out, shown).await?;
        }
    }

    async fn show_each(&mut self, what: fn(&mut Mask) -> Bytes) -> Result<(), Ending> {
        for out in [Out::Stdout, Out::Stderr] {
            let shown = what(self.masks.of(out));
            self.show(out, shown).await?;
        }
        Ok(())
    }

    async fn show(&mut self, out: Out, shown: Bytes) -> Result<(), Ending> {
        if shown.is_empty() {
            return Ok(());
        }
        let length = shown.len() as u64;
        let (channel, said) = match out {
            Out::Stdout => (Channel::Stdout, FromServer::Stdout(shown.clone())),
            Out::Stderr => (Channel::Stderr, FromServer::Stderr(shown.clone())),
        };
        self.running.tape.bytes(channel, shown).await.map_err(|stopped| Ending::of_stopped(&stopped))?;
        let patience = self.running.call.gate().limits().write_timeout;
        match timeout(patience, self.to_client.say(&said)).await {
            Ok(Ok(())) => {
                self.masks.shown += length;
                self.running.call.interrupts().passes();
                Ok(())
            }
            Ok(Err(_fault)) => Err(Ending::ClientLeft),
            Err(_elapsed) => Err(Ending::ClientStalled),
        }
    }
}
