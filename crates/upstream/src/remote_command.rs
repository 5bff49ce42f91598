//! Exec and attach, as the API server tells of them: sealed.

use std::{collections::VecDeque, io, num::NonZeroU8};

use bytes::Bytes;
use mask::{Guard, SealedPiece};
use streaming::{
    channel::FromServer,
    exit::{self, Exit, Report},
    kind::Asked,
    remote_command::{Client, Error},
};
use wire::{
    End,
    leg::{self, Fault, Hearing, Saying},
};

use crate::switch::{Protocol, Tunnel};

/// What a server can have said by then: it is ready when the last stream is, and says no more before.
const MOST_EARLY: usize = 4;

/// No reason of Kubernetes' is longer (`StatusReason` in k8s.io/apimachinery/pkg/apis/meta/v1); it is shown as it is.
const LONGEST_REASON: usize = 64;

/// The side of the API server that is heard.
#[derive(Debug)]
pub struct RemoteCommand {
    hearing: Hearing<Client>,
    /// Said with the piece that made it ready.
    early: VecDeque<FromServer>,
    report: Report,
    told: Result<(), exit::Error>,
    guard: Guard,
}

/// What came from the process.
#[derive(Debug)]
pub enum Said {
    /// On its standard output, or its terminal.
    Stdout(SealedPiece),
    /// On its standard error.
    Stderr(SealedPiece),
}

/// How it ended.
#[derive(Debug)]
pub enum Ended {
    /// With code 0; or, for attach, the client left.
    Success,
    /// With another code.
    Code(NonZeroU8),
    /// It did not run, or nobody knows how it ended. Container runtimes write the message and may quote anything in it.
    Failure {
        /// Kubernetes' reason: at most 64 letters, or empty.
        reason: String,
        /// For people.
        message: SealedPiece,
        /// HTTP's code; 0 if there is none.
        code: i32,
    },
    /// The server did not say.
    Untold(exit::Error),
}

impl Tunnel {
    /// Takes the connection for exec or attach, for a request that asked for this: what is heard, and where to say something,
    /// once [`RemoteCommand::ready`]. `None` if it is a port-forward's.
    ///
    /// # Errors
    /// [`Error`], which cannot be.
    pub async fn remote_command(
        self,
        asked: Asked,
    ) -> Option<Result<(RemoteCommand, Saying<Client>), Error>> {
        let Protocol::RemoteCommand(protocol) = self.protocol else { return None };
        let client = match Client::new(protocol, asked) {
            Ok(client) => client,
            Err(error) => return Some(Err(error)),
        };
        let wire = wire::split(self.io.into_inner(), self.ahead, protocol.transport(), End::Client).await;
        let (hearing, saying) = leg::new(client, wire);
        let heard = RemoteCommand {
            hearing,
            early: VecDeque::new(),
            report: Report::default(),
            told: Ok(()),
            guard: self.guard,
        };
        Some(Ok((heard, saying)))
    }
}

impl RemoteCommand {
    /// What it is masked by.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Waits until the server has accepted all that was asked for.
    ///
    /// # Errors
    /// It has not.
    pub async fn ready(&mut self) -> Result<(), Fault<Error>> {
        while !self.hearing.with(Client::is_ready) {
            match self.hearing.next_until(Client::is_ready).await? {
                Some(said) if self.early.len() < MOST_EARLY => self.early.push_back(said),
                Some(_) => return Err(Fault::Said(Error::Early)),
                None if self.hearing.with(Client::is_ready) => {}
                None => return Err(Fault::Wire(io::Error::from(io::ErrorKind::UnexpectedEof).into())),
            }
        }
        Ok(())
    }

    /// What the process says next, never nothing; `None` when all was said. Cancel safe.
    ///
    /// # Errors
    /// The connection broke, or the server broke the rules: how it ended is not known.
    pub async fn next(&mut self) -> Result<Option<Said>, Fault<Error>> {
        loop {
            let said = match self.early.pop_front() {
                Some(said) => said,
                None => match self.hearing.next_until(Client::is_over).await {
                    Ok(Some(said)) => said,
                    Ok(None) => return Ok(None),
                    // Its end is what is said last: a server that has nothing more to say waits for nothing that it is told.
                    Err(_) if self.is_told() => return Ok(None),
                    Err(fault) => return Err(fault),
                },
            };
            let (bytes, said): (Bytes, fn(SealedPiece) -> Said) = match said {
                FromServer::Stdout(bytes) => (bytes, Said::Stdout),
                FromServer::Stderr(bytes) => (bytes, Said::Stderr),
                FromServer::Error(piece) => {
                    self.told = self.told.and_then(|()| self.report.push(&piece));
                    continue;
                }
            };
            if !bytes.is_empty() {
                return Ok(Some(said(SealedPiece::new(bytes))));
            }
        }
    }

    fn is_told(&self) -> bool {
        self.told.is_ok() && self.report.finish().is_ok()
    }

    /// How it ended, once all was said.
    #[must_use]
    pub fn ended(&self) -> Ended {
        match self.told.and_then(|()| self.report.finish()) {
            Ok(Exit::Success) => Ended::Success,
            Ok(Exit::Code(code)) => Ended::Code(code),
            Ok(Exit::Failure(exit::Failure { reason, message, code })) => {
                Ended::Failure { reason: plain(reason), message: SealedPiece::new(message.into()), code }
            }
            Err(error) => Ended::Untold(error),
        }
    }
}

/// A reason that may be shown as it is; any other may hold a value.
fn plain(reason: String) -> String {
    let fits = reason.len() <= LONGEST_REASON && reason.bytes().all(|byte| byte.is_ascii_alphabetic());
    if fits { reason } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_word_and_no_text() {
        for (reason, shown) in [
            ("NonZeroExitCode".to_owned(), "NonZeroExitCode"),
            ("a".repeat(LONGEST_REASON), &*"a".repeat(LONGEST_REASON)),
            ("a".repeat(LONGEST_REASON + 1), ""),
            ("hunter2".to_owned(), ""),
            (String::new(), ""),
        ] {
            assert_eq!(plain(reason), shown);
        }
    }
}
