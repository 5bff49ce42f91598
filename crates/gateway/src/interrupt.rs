//! What ends a call before its answer does.

use std::{sync::Arc, time::Duration};

use approval::State;
use identity::Ended;
use inbox::Inbox;
use jiff::Timestamp;
use kube_api::{Request, Target, Verb};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{call::Call, lasting::Lasting, outcome::Ending, recordings};

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
    /// A connection that is upgraded, for as long as either side likes.
    Tunnel,
}

impl Nature {
    pub(crate) fn of(request: &Request) -> Self {
        match request.verb() {
            _ if request.upgrade().is_some() => Self::Tunnel,
            Verb::Watch => Self::Watch,
            _ if request.is_stream() => Self::Follow,
            Verb::Get | Verb::List => Self::Read,
            _ => Self::Write,
        }
    }

    pub(crate) fn is_stream(self) -> bool {
        matches!(self, Self::Watch | Self::Follow | Self::Tunnel)
    }
}

/// Access by which a call was permitted, which may be over before the call is.
#[derive(Debug, Clone)]
pub(crate) struct OpenAccess {
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) approval: String,
    pub(crate) until: Timestamp,
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
    /// The access by which a stream was opened, if it took some.
    pub(crate) given: Option<OpenAccess>,
    /// How long a stream may last, if the rules that permit it say so.
    pub(crate) lasting: Option<Arc<Lasting>>,
}

impl OpenAccess {
    /// Resolves when it is over: its time, or since somebody ended it.
    async fn over(&self) {
        let mut steps = self.inbox.watch(&self.approval);
        loop {
            let left = self.until.duration_since(self.inbox.now());
            let Ok(left) = Duration::try_from(left) else { return };
            let stands = self.inbox.get(&self.approval).await;
            // What cannot be looked up is over.
            if !matches!(stands, Ok(stored) if matches!(stored.approval.state(), State::Approved { .. })) {
                return;
            }
            tokio::select! {
                () = steps.step() => {}
                () = sleep(left) => {}
            }
        }
    }
}

/// Resolves when an answer must end though there may be more of it. A stream is open for as long as it likes, so it ends when
/// the gate no longer knows what to mask, or nothing more is recorded; other answers have an end, and were permitted when it did.
pub(crate) async fn interrupted(call: &Call, nature: Nature, target: &Target) -> Ending {
    let recorded = call.recorded().filter(|_| nature.is_stream());
    let unrecorded = async {
        match &recorded {
            Some(recorded) => recorded.tap().until_stopped().await,
            None => std::future::pending().await,
        }
    };
    let blinded = async {
        if nature.is_stream() { call.upstream().blinded(target).await } else { std::future::pending().await }
    };
    tokio::select! {
        biased;
        ending = call.interrupts().undelivered(nature) => ending,
        stopped = unrecorded => {
            recordings::report(call.id(), &stopped, "a stream was cut off");
            Ending::of_stopped(&stopped)
        }
        blind = blinded => {
            tracing::warn!(call = %call.id(), %blind, "a stream was cut off");
            Ending::Unseen
        }
    }
}

impl Interrupts {
    /// Something passes on a stream.
    pub(crate) fn passes(&self) {
        if let Some(lasting) = &self.lasting {
            lasting.passes();
        }
    }

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
        let given = async {
            match &self.given {
                Some(given) => given.over().await,
                None => std::future::pending().await,
            }
        };
        let lasted = async {
            match &self.lasting {
                Some(lasting) => lasting.over().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            end = self.session.wait() => Ending::of_session(&end),
            () = stop.cancelled() => Ending::GateStopping,
            () = given => Ending::AccessOver,
            ending = lasted => ending,
        }
    }
}

#[cfg(test)]
mod tests {
    use kube_api::Head;

    use super::*;
    use crate::bench::Bench;

    /// What says nothing cannot find out by itself that it could not be recorded.
    #[tokio::test]
    async fn an_idle_stream_ends_when_its_recording_does() {
        let bench = Bench::new().await;
        let mut call = bench.call();
        assert!(call.begin_recording().await.is_ok());
        bench.gate.recordings().close().await.unwrap();
        let path = "/api/v1/namespaces/a/pods/web/exec?command=ls&stdout=true";
        let (parts, ()) = http::Request::post(path).body(()).unwrap().into_parts();
        let request = Head::parse(&parts).unwrap().with_body(b"").unwrap();
        assert_eq!(interrupted(&call, Nature::of(&request), request.target()).await, Ending::Unrecordable);
    }
}
