//! A stream that the API server has opened and the client has not: whether it may still be, and who goes on with it.

use http::Response;
use kube_api::Request;
use ledger::leaf::Streamed;
use streaming::protocol::{PortForward, RemoteCommandOffer};
use upstream::{Protocol, Tunnel};

use super::{Running, SWITCHED, forward::Forward};
use crate::{
    call::Call,
    connection::Places,
    outcome::{Ending, Outcome, Unrecorded},
    recordings::Recorded,
    refuse::Refused,
    reply::Reply,
    tape::Tape,
    upgrade::Upgradable,
};

/// Nothing more is recorded.
const UNRECORDABLE: (Ending, Refused) = (Ending::Unrecordable, Refused::Unrecordable);

/// What was opened is of another kind than what was asked for, which cannot be.
const MISMATCH: (Ending, Refused) =
    (Ending::Failed("the gate could not begin the stream"), Refused::Internal);

/// From the API server's 101 on, until the client's.
pub(super) struct Opened {
    pub(super) call: Call,
    pub(super) judged: Request,
    pub(super) tape: Tape,
    pub(super) offered: Offered,
    pub(super) tunnel: Box<Tunnel>,
}

/// What was offered, and how it is recorded.
pub(super) enum Offered {
    /// As one stream.
    Command(RemoteCommandOffer, recording::Stream),
    /// Each of its connections as one.
    Ports(PortForward),
}

impl Opened {
    /// Hands the two connections to a task of its own, if what was reached is still what was judged.
    pub(super) async fn hand_over(
        self,
        upgradable: Upgradable,
        places: Places,
    ) -> Result<Response<Reply>, Refused> {
        let switching = |call: &Call, to| Reply::switching(upgradable.headers(to), call.id().as_str());
        let Self { call, judged, tape, offered, tunnel } = self;
        let tasks = call.gate().tasks().clone();
        match offered {
            Offered::Ports(spoken) => {
                let response = switching(&call, Protocol::PortForward(spoken));
                let why = match (call.still_reached(&judged).await, call.still_recorded()) {
                    (Ok(pod), Ok(recorded)) => {
                        let forward = Forward::new(call, judged, pod, recorded, places);
                        tasks.spawn(forward.begin(*tunnel, upgradable.on, spoken, tape));
                        return Ok(response);
                    }
                    (Err(why), _) | (Ok(_), Err(why)) => why,
                };
                drop(tunnel);
                let (ending, refused) = why;
                call.fail_answered(tape, SWITCHED, ending, refused).await
            }
            Offered::Command(offer, own) => {
                let Protocol::RemoteCommand(chosen) = tunnel.protocol() else {
                    return call.fail_opened(MISMATCH, own).await;
                };
                let protocol = offer.beside(chosen);
                let response = switching(&call, Protocol::RemoteCommand(protocol));
                let still = match call.still_as_approved(&judged).await {
                    Ok(()) => {
                        tape.answered(SWITCHED, Ending::Completed).await.map_err(|_stopped| UNRECORDABLE)
                    }
                    Err(why) => {
                        // What is said below is worth more than that this is not.
                        let _stopped = tape.answered(SWITCHED, why.0).await;
                        Err(why)
                    }
                };
                let why = match (still, call.still_recorded()) {
                    (Ok(()), Ok(recorded)) => {
                        let running = Running::new(call, &judged, protocol, own, (recorded, places));
                        tasks.spawn(running.run(*tunnel, upgradable.on));
                        return Ok(response);
                    }
                    (Err(why), _) | (Ok(()), Err(why)) => why,
                };
                drop(tunnel);
                call.fail_opened(why, own).await
            }
        }
    }
}

impl Offered {
    /// It is not opened.
    pub(super) async fn unopened(self, why: &str) {
        if let Self::Command(_, own) = self {
            let _told_by_the_ledger = own.closed(why).await;
        }
    }
}

impl Call {
    /// The recording, if that takes more than ends.
    fn still_recorded(&self) -> Result<Recorded, (Ending, Refused)> {
        let recorded = self.recorded().ok_or(UNRECORDABLE)?;
        match recorded.tap().stopped() {
            Some(stopped) => Err((Ending::of_stopped(&stopped), stopped.into())),
            None => Ok(recorded),
        }
    }

    /// Ends a command's stream that the API server has opened and the client has not.
    async fn fail_opened(
        self,
        (ending, refused): (Ending, Refused),
        own: recording::Stream,
    ) -> Result<Response<Reply>, Refused> {
        let stream = Streamed { number: own.number(), received: 0, exit: None };
        let _told_below = own.closed(&ending.to_string()).await;
        let outcome =
            Outcome { status: refused.code(), answered: Some(SWITCHED), bytes: 0, masked: 0, ending };
        match self.close_stream(outcome, stream).await {
            Ok(()) => Err(refused),
            Err(Unrecorded) => Err(Refused::Unended),
        }
    }
}
