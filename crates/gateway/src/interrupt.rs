//! What ends a call before its answer does.

use identity::Ended;
use kube_api::{Request, Verb};
use tokio_util::sync::CancellationToken;

use crate::outcome::Ending;

/// What can be given up of a call, and how its client notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nature {
    /// It changes something: once it is sent, what came of it is waited for.
    Write,
    /// It asks for something that has an end.
    Read,
    /// Events for as long as the client likes, each a line.
    Watch,
    /// Lines of a log for as long as the client likes.
    Follow,
}

impl Nature {
    pub(crate) fn of(request: &Request) -> Self {
        match request.verb() {
            Verb::Watch => Self::Watch,
            _ if request.is_stream() => Self::Follow,
            Verb::Get | Verb::List => Self::Read,
            _ => Self::Write,
        }
    }

    pub(crate) fn is_stream(self) -> bool {
        matches!(self, Self::Watch | Self::Follow)
    }
}

/// The events that end a call, each of which fires once and stays.
#[derive(Debug, Clone)]
pub(crate) struct Interrupts {
    /// The session was revoked or frozen, or has expired.
    pub(crate) session: Ended,
    /// The gate is told to stop: streams end, other calls may finish.
    pub(crate) stopping: CancellationToken,
    /// The time to finish is over.
    pub(crate) cut: CancellationToken,
    /// Nobody waits for the head of the answer any more: the client has it, or left.
    pub(crate) left: CancellationToken,
}

impl Interrupts {
    /// Resolves when a call that was sent must be given up though no answer has come. What a write did is worth
    /// knowing whoever still asks, and takes no longer than the response timeout.
    pub(crate) async fn unanswered(&self, nature: Nature) -> Ending {
        if nature == Nature::Write {
            self.cut.cancelled().await;
            return Ending::GateStopping;
        }
        self.unseen(nature).await
    }

    /// Resolves when an answer must be given up of which the client has nothing yet.
    pub(crate) async fn unseen(&self, nature: Nature) -> Ending {
        tokio::select! {
            biased;
            ending = self.undelivered(nature) => ending,
            () = self.left.cancelled() => Ending::ClientLeft,
        }
    }

    /// Resolves when an answer must end though there may be more of it.
    pub(crate) async fn undelivered(&self, nature: Nature) -> Ending {
        let stop = if nature.is_stream() { &self.stopping } else { &self.cut };
        tokio::select! {
            biased;
            end = self.session.wait() => Ending::of_session(&end),
            () = stop.cancelled() => Ending::GateStopping,
        }
    }
}
