//! How a call ended, as the ledger and the metrics tell it.

use std::{fmt, time::Duration};

use http::StatusCode;
use identity::End;
use mask::BodyError;
use recording::Stopped;
use upstream::{Failure, Interrupted};

use crate::metrics::Ended;

/// How a call that was permitted and recorded came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The whole answer was handed to the client's connection.
    Completed,
    /// No usable answer from the API server.
    Failed(&'static str),
    /// The same, and it is certain that nothing was sent.
    Unsent(&'static str),
    /// The answer could not be masked, so it was not delivered.
    Unmaskable,
    /// The API server's connection broke inside the answer.
    UpstreamBroke,
    /// The client went away.
    ClientLeft,
    /// The client is there but takes nothing.
    ClientStalled,
    /// The client broke the rules of its stream.
    ClientErred,
    /// What passes cannot be recorded.
    Unrecordable,
    /// As much is recorded of the session as may be.
    RecordedEnough,
    /// The container is another than the one that humans said yes to.
    Changed,
    /// The session was revoked or expired.
    SessionEnded,
    /// The session was frozen.
    SessionFrozen,
    /// The access is over by which it was permitted.
    AccessOver,
    /// Nothing passed for so long, and the rules that permit it let it be idle no longer.
    Idle(Duration),
    /// It lasted so long, and the rules that permit it let it go on no longer.
    TooLong(Duration),
    /// The values of the cluster's Secrets are no longer known, so a stream could show them.
    Unseen,
    /// The gate stops: a stream ends at once, another call once its time to finish is over.
    GateStopping,
}

impl Ending {
    /// The session was over, or frozen, before the API server heard of the call.
    pub(crate) const UNSENT: Self =
        Self::Unsent("the session ended, or was frozen, before anything was sent");

    pub(crate) fn of_session(end: &End) -> Self {
        match end {
            End::Frozen(_) => Self::SessionFrozen,
            End::Expired | End::Revoked | End::Abandoned => Self::SessionEnded,
        }
    }

    pub(crate) fn of_stopped(stopped: &Stopped) -> Self {
        match stopped {
            Stopped::Full => Self::RecordedEnough,
            Stopped::Unwritable { .. }
            | Stopped::NoSpace { .. }
            | Stopped::KeptEnough
            | Stopped::Stalled
            | Stopped::Unrecorded
            | Stopped::Erased
            | Stopped::Ended
            | Stopped::Closed => Self::Unrecordable,
        }
    }

    pub(crate) fn of_body(error: &BodyError<Interrupted>) -> Self {
        match error {
            BodyError::Upstream(_) => Self::UpstreamBroke,
            BodyError::Malformed(_) => Self::Unmaskable,
        }
    }

    pub(crate) fn of_failure(failure: &Failure) -> Self {
        Self::Failed(match failure {
            Failure::Unwanted => return Self::UNSENT,
            Failure::Connect(_) | Failure::Unsent => {
                return Self::Unsent("the API server could not be reached");
            }
            Failure::Blind(_) => return Self::Unsent("the values of the cluster's Secrets were not known"),
            Failure::Credential(_) => return Self::Unsent("the gate's credential could not be read"),
            Failure::Impersonation(_) | Failure::WrongCluster | Failure::Target(_) => {
                return Self::Unsent("the request could not be built");
            }
            Failure::NotOpened(_) => {
                return Self::Unsent("the connection for the stream could not be opened");
            }
            Failure::Deadline { .. } => "the API server did not answer in time",
            Failure::Broken(_) => "the connection to the API server broke before the answer",
            Failure::Redirect => "the API server redirected",
            Failure::Switched => "the API server switched protocols unasked",
            Failure::NotSwitched(_) => "the API server did not switch protocols as it was asked",
        })
    }

    pub(crate) fn as_ended(self) -> Ended {
        match self {
            Self::Completed => Ended::Completed,
            Self::Failed(_) | Self::Unsent(_) => Ended::Failed,
            Self::Unmaskable
            | Self::UpstreamBroke
            | Self::ClientLeft
            | Self::ClientStalled
            | Self::ClientErred
            | Self::Unrecordable
            | Self::RecordedEnough
            | Self::Changed
            | Self::SessionEnded
            | Self::SessionFrozen
            | Self::AccessOver
            | Self::Idle(_)
            | Self::TooLong(_)
            | Self::Unseen
            | Self::GateStopping => Ended::Cut,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Completed => "completed",
            Self::Failed(class) | Self::Unsent(class) => class,
            Self::Unmaskable => "the answer could not be masked",
            Self::UpstreamBroke => "the connection to the API server broke",
            Self::ClientLeft => "the client left",
            Self::ClientStalled => "the client took nothing for too long",
            Self::ClientErred => "the client broke the rules of its stream",
            Self::Unrecordable => "what passes cannot be recorded",
            Self::RecordedEnough => {
                "as much is recorded of the session as the gate records of one (`recordings.quota`)"
            }
            Self::Changed => "the container is another than the one that was approved",
            Self::SessionEnded => "the session has ended",
            Self::SessionFrozen => "the session is frozen",
            Self::AccessOver => "the access by which it was permitted is over",
            Self::Idle(span) => {
                return write!(
                    f,
                    "nothing passed for {}, and policy lets it be idle no longer",
                    policy::written(*span)
                );
            }
            Self::TooLong(span) => {
                return write!(f, "it lasted {}, and policy lets it go on no longer", policy::written(*span));
            }
            Self::Unseen => {
                "the values of the cluster's Secrets are not known any more, so they could not be masked"
            }
            Self::GateStopping => "the gate is stopping",
        };
        f.write_str(words)
    }
}

/// What is recorded of a call's end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    /// As sent to the client.
    pub(crate) status: StatusCode,
    /// As the API server answered, if it did.
    pub(crate) answered: Option<StatusCode>,
    /// Body bytes handed to the client's connection.
    pub(crate) bytes: u64,
    /// Values replaced by placeholders.
    pub(crate) masked: u64,
    pub(crate) ending: Ending,
}

/// The ledger did not take an outcome; the client must not see its answer end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unrecorded;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_no_further_says_why() {
        let others = [
            Stopped::Unwritable { why: "no disk".to_owned() },
            Stopped::NoSpace { why: "full".to_owned() },
            Stopped::KeptEnough,
            Stopped::Stalled,
            Stopped::Unrecorded,
            Stopped::Erased,
            Stopped::Ended,
            Stopped::Closed,
        ];
        assert_eq!(Ending::of_stopped(&Stopped::Full), Ending::RecordedEnough);
        assert!(others.iter().all(|stopped| Ending::of_stopped(stopped) == Ending::Unrecordable));
    }
}
