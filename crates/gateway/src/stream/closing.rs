//! A stream's end: told to the recording and the ledger, and then to the client.

use std::time::Duration;

use ledger::leaf::Streamed;
use mask::SealedPiece;
use recording::record::Channel;
use streaming::{
    Endpoint,
    channel::FromServer,
    exit::{Exit, Failure},
    remote_command::{Client, Error, Server},
};
use tokio::time::timeout;
use upstream::{Ended, RemoteCommand};
use wire::leg::{Hearing, Saying};

use super::{Running, SWITCHED, inbound::Received, outbound::Masks};
use crate::{
    outcome::{Ending, Outcome},
    refuse::Refused,
};

/// For either side to take what is said last, and again to hang up, when a stream is ended by others. When its command has ended, a client
/// has as long as for everything else.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);

/// For the API server's side to take that the gate leaves: a process that reads nothing has not time enough to keep the client from being told
/// within a second.
const LEAVE: Duration = Duration::from_millis(250);

/// How a stream came to its end.
pub(super) enum Finish {
    /// The process has ended, or nobody knows how it did.
    Over(Ended),
    /// It was ended.
    Cut(Ending),
    /// The client may not say what it said.
    Refused(Error),
}

/// The two connections.
pub(super) struct Legs {
    pub(super) client: Hearing<Server>,
    pub(super) to_client: Saying<Server>,
    pub(super) pod: RemoteCommand,
    pub(super) to_pod: Saying<Client>,
}

/// An end in three forms: for the client, for people who read the recording, and for the ledger.
struct Told {
    exit: Exit,
    how: String,
    ending: Ending,
}

impl Running {
    /// Ends both legs. Without a record of its end a command's success is not told.
    pub(super) async fn close(self, finish: Finish, masks: Masks, received: Received, legs: Legs) {
        let Legs { client, to_client, pod, to_pod } = legs;
        let patience = match &finish {
            Finish::Over(_) => self.call.gate().limits().write_timeout,
            Finish::Cut(_) | Finish::Refused(_) => FAREWELL,
        };
        let mut told = Told::of(finish, &masks);
        // The API server is let go first: recording and ledger may take their time.
        let _late = timeout(LEAVE, to_pod.close(Client::leave)).await;
        drop((pod, to_pod));
        let exit = told.exit_code();
        let stream = Streamed { number: self.tape.number(), received: received.bytes, exit };
        let (call, cut) = (self.call.id().clone(), self.call.gate().cut().clone());
        let taped = match self.tape.rest(Channel::Stdin, received.rest).await {
            Ok(()) => self.tape.closed(&told.how).await,
            Err(stopped) => Err(stopped),
        };
        if let Err(stopped) = taped {
            tracing::error!(%call, %stopped, "the end of a stream could not be recorded");
            told = Told::cut(Ending::Unrecordable);
        }
        let outcome = Outcome {
            status: SWITCHED,
            answered: Some(SWITCHED),
            bytes: masks.shown,
            masked: masks.masked(),
            ending: told.ending,
        };
        if self.call.close_stream(outcome, stream).await.is_err() {
            told.exit = Exit::Failure(Failure::internal(Refused::Unended.status().message()));
        }
        let last = FromServer::Error(told.exit.to_json());
        let say = |server: &mut Server| {
            // Nobody hears it who has not opened the channel.
            let _unheard = server.send(&last);
            server.finish();
        };
        let farewell = async {
            if let Ok(Ok(())) = timeout(patience, to_client.close(say)).await {
                client.linger(patience).await;
            }
        };
        tokio::select! {
            biased;
            () = farewell => {}
            // All is recorded: who has not taken it when the time to finish is over is not waited for.
            () = cut.cancelled() => {}
        }
    }

    /// The API server's side was open, and nobody came to use it.
    pub(super) async fn never_began(self, ending: Ending) {
        let stream = Streamed { number: self.tape.number(), received: 0, exit: None };
        let taped = self.tape.closed(&ending.to_string()).await;
        let ending = if taped.is_ok() { ending } else { Ending::Unrecordable };
        let (status, answered) = (SWITCHED, Some(SWITCHED));
        let outcome = Outcome { status, answered, bytes: 0, masked: 0, ending };
        let _told_in_the_log = self.call.close_stream(outcome, stream).await;
    }
}

impl Told {
    fn of(finish: Finish, masks: &Masks) -> Self {
        let ended = match finish {
            Finish::Over(ended) => ended,
            Finish::Cut(ending) => return Self::cut(ending),
            Finish::Refused(error) => {
                let exit = Exit::Failure(Failure {
                    reason: "BadRequest".to_owned(),
                    message: format!("portcullis: {error}"),
                    code: 400,
                });
                // What the client wrote may be quoted.
                let how = masks.whole(SealedPiece::new(format!("the client erred: {error}").into()));
                return Self { exit, how, ending: Ending::ClientErred };
            }
        };
        let (exit, how) = match ended {
            Ended::Success => (Exit::Success, "exit code 0".to_owned()),
            Ended::Code(code) => (Exit::Code(code), format!("exit code {code}")),
            Ended::Failure { reason, message, code } => {
                let message = masks.whole(message);
                let how = format!("failed: {message}");
                (Exit::Failure(Failure { reason, message, code }), how)
            }
            Ended::Untold(error) => {
                let how = format!("nobody knows how it ended: {error}");
                let exit = Exit::Failure(Failure::internal(error));
                return Self { exit, how, ending: Ending::UpstreamBroke };
            }
        };
        Self { exit, how, ending: Ending::Completed }
    }

    /// In the words of a refusal: kubectl shows them.
    fn cut(ending: Ending) -> Self {
        let status = Refused::CutStream(ending).status();
        let exit = Exit::Failure(Failure {
            reason: "Forbidden".to_owned(),
            message: status.message().to_owned(),
            code: i32::from(status.code().as_u16()),
        });
        Self { exit, how: format!("ended: {ending}"), ending }
    }

    fn exit_code(&self) -> Option<u8> {
        match &self.exit {
            Exit::Success => Some(0),
            Exit::Code(code) => Some(code.get()),
            Exit::Failure(_) => None,
        }
    }
}
