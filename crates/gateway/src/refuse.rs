//! What a client is told when its call goes no further: the one place where a refusal becomes a `Status`.

mod words;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use identity::{Frozen, SessionId};
use kube_api::Status;
use mask::{BodyError, Unwritable};
use upstream::{Failure, Interrupted, reader::Blind};

use crate::{interrupt::Nature, keeping::Unrestorable, outcome::Ending, parse::Why, reply::Reply};

/// A call that ends without an answer of the API server's. Only who has too many calls open is told when to come back:
/// with `Retry-After`, kubectl tries for minutes before it shows a message. What is said here is for the agent; details that could
/// help an attacker are in the log and the ledger only.
#[derive(Debug)]
pub(crate) enum Refused {
    /// No credential, or not a good one.
    Unauthenticated,
    /// The session is frozen.
    Frozen { session: SessionId, frozen: Arc<Frozen> },
    /// The session has as many calls open as it may.
    TooManyCalls { most: usize },
    /// HTTP/1.0, where an answer that is cut off looks like one that ended.
    Version,
    /// Not a request the gate understands, in the words of the part that refused it.
    Unparsed(Box<Status>),
    /// Policy said deny, or ask and nobody approved.
    Judged(Box<Status>),
    /// The ledger does not take entries.
    Unrecorded,
    /// What happens in the session cannot be recorded.
    Unrecordable,
    /// It would change what is masked, and as much is kept of the session's values as is kept of one.
    KeptEnough,
    /// As much is recorded of the session as is recorded of one.
    RecordedEnough,
    /// Nothing was sent: the API server cannot be reached.
    Unreachable,
    /// Nothing was sent: values of the cluster's Secrets could have passed unmasked.
    Blind(Blind),
    /// No answer in time; the API server may have acted.
    NoAnswer { seconds: f64 },
    /// Cut off before the client had any of its answer: the session ended, or the gate stops. It changed nothing.
    Cut(Ending),
    /// The same for a call that was sent to change something.
    CutSent(Ending),
    /// A stream that was cut off; said on the stream.
    CutStream(Ending),
    /// A port-forward that was cut off; said on its connections.
    CutForward(Ending),
    /// A connection through a port-forward that was cut off; said on it.
    CutConnection(Ending),
    /// The outcome could not be recorded, so nobody gets to see it.
    Unended,
    /// An answer that is not one.
    BadAnswer,
    /// The API server would not do what was asked, as it said in the gate's dry run.
    Answered(Box<Answered>),
    /// The gate could not see the object that a write is about.
    Unseen(Unseen),
    /// An answer that cannot be masked.
    Unmaskable,
    /// A defect of the gate's, or of its configuration.
    Internal,
}

/// An error of the API server's, masked.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    /// All of them may be shown.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why the gate did not see an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unseen {
    /// The API server would not show it.
    Answered(StatusCode),
    /// What it answered is too large, cannot be masked, or is no object.
    Unreadable,
}

impl From<recording::Stopped> for Refused {
    fn from(stopped: recording::Stopped) -> Self {
        match stopped {
            recording::Stopped::KeptEnough => Self::KeptEnough,
            recording::Stopped::Full => Self::RecordedEnough,
            recording::Stopped::Unwritable { .. }
            | recording::Stopped::NoSpace { .. }
            | recording::Stopped::Stalled
            | recording::Stopped::Unrecorded
            | recording::Stopped::Erased
            | recording::Stopped::Ended
            | recording::Stopped::Closed => Self::Unrecordable,
        }
    }
}

impl From<&recording::Refused> for Refused {
    fn from(refused: &recording::Refused) -> Self {
        match refused {
            recording::Refused::Stopped(stopped) => stopped.clone().into(),
            recording::Refused::NoSpace { .. }
            | recording::Refused::Damaged { .. }
            | recording::Refused::Erased { .. }
            | recording::Refused::None { .. } => Self::Unrecordable,
        }
    }
}

impl Refused {
    pub(crate) fn answer(&self, call: Option<&str>) -> Response<Reply> {
        if let Self::Answered(error) = self {
            let mut response = Reply::error(error.status, error.body.clone(), call);
            response.headers_mut().extend(error.headers.clone());
            return response;
        }
        Reply::status(&self.status(), call)
    }

    pub(crate) fn code(&self) -> StatusCode {
        self.status().code()
    }

    pub(crate) fn status(&self) -> Status {
        let (code, reason) = match self {
            Self::Unparsed(status) | Self::Judged(status) => return Status::clone(status),
            Self::Cut(ending)
            | Self::CutSent(ending)
            | Self::CutStream(ending)
            | Self::CutForward(ending)
            | Self::CutConnection(ending) => of_cut(*ending),
            Self::TooManyCalls { .. } => {
                let status = failure(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", &self.words());
                return status.retry_after(1);
            }
            Self::Answered(error) => (error.status, "InternalError"),
            Self::Unauthenticated => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::Frozen { .. } | Self::KeptEnough | Self::RecordedEnough => {
                (StatusCode::FORBIDDEN, "Forbidden")
            }
            Self::Version => (StatusCode::HTTP_VERSION_NOT_SUPPORTED, "BadRequest"),
            Self::Unrecorded | Self::Unrecordable | Self::Blind(_) | Self::Unended => {
                (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable")
            }
            Self::Unreachable => (StatusCode::BAD_GATEWAY, "ServiceUnavailable"),
            Self::NoAnswer { .. } => (StatusCode::GATEWAY_TIMEOUT, "Timeout"),
            Self::BadAnswer | Self::Unseen(_) | Self::Unmaskable => {
                (StatusCode::BAD_GATEWAY, "InternalError")
            }
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
        };
        failure(code, reason, &self.words())
    }
}

impl Refused {
    /// Of a call that was sent, or may have been.
    pub(crate) fn cut(ending: Ending, nature: Nature) -> Self {
        if matches!(nature, Nature::Write | Nature::Tunnel) {
            Self::CutSent(ending)
        } else {
            Self::Cut(ending)
        }
    }

    /// Of an answer that broke off before the client had any of it.
    pub(crate) fn of_body(error: &BodyError<Interrupted>) -> Self {
        match error {
            BodyError::Upstream(_) => Self::BadAnswer,
            BodyError::Malformed(_) => Self::Unmaskable,
        }
    }
}

impl From<Why> for Refused {
    fn from(why: Why) -> Self {
        if let Why::Session(ending) = why {
            return Self::Cut(ending);
        }
        let told = |code, reason| failure(code, reason, &format!("portcullis: {why}"));
        Self::Unparsed(Box::new(match &why {
            Why::Refused(refusal) => refusal.status(),
            Why::TooLarge { .. } => told(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge"),
            Why::Slow { .. } => told(StatusCode::REQUEST_TIMEOUT, "Timeout"),
            Why::Session(_) | Why::Broken => told(StatusCode::BAD_REQUEST, "BadRequest"),
        }))
    }
}

impl From<Unwritable> for Refused {
    fn from(unwritable: Unwritable) -> Self {
        let code = unwritable.code();
        let reason = if code == StatusCode::CONFLICT { "Conflict" } else { "Invalid" };
        Self::Unparsed(Box::new(failure(code, reason, &format!("portcullis: {unwritable}"))))
    }
}

impl From<Unrestorable> for Refused {
    fn from(why: Unrestorable) -> Self {
        let told = failure(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", &format!("portcullis: {why}"));
        Self::Unparsed(Box::new(told))
    }
}

impl From<&Failure> for Refused {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Unwanted => Self::Cut(Ending::SessionEnded),
            Failure::Connect(_) | Failure::Unsent | Failure::NotOpened(_) => Self::Unreachable,
            Failure::Blind(Blind::Unlisted(problem) | Blind::Lost { problem, .. })
                if problem.is_unreachable() =>
            {
                Self::Unreachable
            }
            Failure::Blind(blind) => Self::Blind(blind.clone()),
            Failure::Deadline { seconds } => Self::NoAnswer { seconds: *seconds },
            Failure::Broken(_) | Failure::Redirect | Failure::Switched | Failure::NotSwitched(_) => {
                Self::BadAnswer
            }
            Failure::Credential(_)
            | Failure::Impersonation(_)
            | Failure::WrongCluster
            | Failure::Target(_) => Self::Internal,
        }
    }
}

fn of_cut(ending: Ending) -> (StatusCode, &'static str) {
    match ending {
        Ending::SessionEnded => (StatusCode::UNAUTHORIZED, "Unauthorized"),
        Ending::SessionFrozen
        | Ending::AccessOver
        | Ending::Idle(_)
        | Ending::TooLong(_)
        | Ending::RecordedEnough => (StatusCode::FORBIDDEN, "Forbidden"),
        Ending::Completed
        | Ending::Failed(_)
        | Ending::Unsent(_)
        | Ending::Unmaskable
        | Ending::UpstreamBroke
        | Ending::ClientLeft
        | Ending::ClientStalled
        | Ending::ClientErred
        | Ending::Unrecordable
        | Ending::Changed
        | Ending::Unseen
        | Ending::GateStopping => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"),
    }
}

fn failure(code: StatusCode, reason: &str, message: &str) -> Status {
    Status::failure(code, reason, message)
}

#[cfg(test)]
mod tests;
