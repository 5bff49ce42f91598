//! What a client is told when its call goes no further: the one place where a refusal becomes a `Status`.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use identity::{Frozen, SessionId};
use kube_api::Status;
use mask::{BodyError, Unwritable};
use upstream::{Failure, Interrupted, reader::Blind};

use crate::{interrupt::Nature, outcome::Ending, parse::Why, reply::Reply};

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
    /// The outcome could not be recorded, so nobody gets to see it.
    Unended,
    /// An answer that is not one.
    BadAnswer,
    /// The API server would not do what was asked, as it said in the gate's dry run; its words are masked.
    Answered { status: StatusCode, body: Bytes },
    /// The gate could not see the object that a write is about.
    Unseen(Unseen),
    /// An answer that cannot be masked.
    Unmaskable,
    /// A defect of the gate's, or of its configuration.
    Internal,
}

/// Why the gate did not see an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unseen {
    /// The API server would not show it.
    Answered(StatusCode),
    /// What it answered is too large, cannot be masked, or is no object.
    Unreadable,
}

impl Refused {
    pub(crate) fn answer(&self, call: Option<&str>) -> Response<Reply> {
        if let Self::Answered { status, body } = self {
            return Reply::own(*status, body.clone(), call);
        }
        Reply::status(&self.status(), call)
    }

    pub(crate) fn code(&self) -> StatusCode {
        self.status().code()
    }

    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Unauthenticated => failure(
                StatusCode::UNAUTHORIZED,
                "Unauthorized",
                "portcullis: no valid session; open one with `portcullis session open` and use its kubeconfig",
            ),
            Self::Frozen { session, frozen } => failure(
                StatusCode::FORBIDDEN,
                "Forbidden",
                &format!(
                    "portcullis: this session is frozen since {:.0} by {}: {}; nothing of it passes until a human has looked at \
                     it and runs `portcullis session thaw {session}`",
                    frozen.at, frozen.by, frozen.why
                ),
            ),
            Self::TooManyCalls { most } => failure(
                StatusCode::TOO_MANY_REQUESTS,
                "TooManyRequests",
                &format!(
                    "portcullis: this session has {most} calls open, as many as it may; let one end first"
                ),
            )
            .retry_after(1),
            Self::Version => failure(
                StatusCode::HTTP_VERSION_NOT_SUPPORTED,
                "BadRequest",
                "portcullis: use HTTP/1.1 or HTTP/2",
            ),
            Self::Unparsed(status) | Self::Judged(status) => Status::clone(status),
            Self::Unrecorded => failure(
                StatusCode::SERVICE_UNAVAILABLE,
                "ServiceUnavailable",
                "portcullis: the ledger does not take entries, so nothing may pass; tell the operator of the gate",
            ),
            Self::Unreachable => failure(
                StatusCode::BAD_GATEWAY,
                "ServiceUnavailable",
                "portcullis: the API server cannot be reached and nothing was sent; try again later, or tell the operator of \
                 the gate",
            ),
            Self::Blind(blind) => {
                let (why, remedy) = unseen(blind);
                let what = "portcullis: the gate masks the values of this cluster's Secrets wherever they appear, but";
                let message = format!("{what} {why}, so nothing was sent; {remedy}");
                failure(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", &message)
            }
            Self::NoAnswer { seconds } => failure(
                StatusCode::GATEWAY_TIMEOUT,
                "Timeout",
                &format!(
                    "portcullis: the API server did not answer within {seconds} s; it may have acted, so look before \
                     you try again"
                ),
            ),
            Self::Cut(ending) => cut(*ending, None),
            Self::CutSent(ending) => cut(
                *ending,
                Some("the API server may have done what was asked, so look before you try again"),
            ),
            Self::Unended => failure(
                StatusCode::SERVICE_UNAVAILABLE,
                "ServiceUnavailable",
                "portcullis: the ledger did not take the outcome of this call, so its answer is withheld; the API server \
                 may have done what was asked, so look before you try again, and tell the operator of the gate",
            ),
            Self::BadAnswer => failure(
                StatusCode::BAD_GATEWAY,
                "InternalError",
                "portcullis: the API server's answer cannot be passed on; it may have acted, so look before you try \
                 again",
            ),
            Self::Answered { status, .. } => failure(
                *status,
                "InternalError",
                &format!(
                    "portcullis: the API server answered {} to the dry run by which the gate looks at what this patch makes \
                     of the object, and the client was told why in its words; nothing was sent",
                    status.as_u16()
                ),
            ),
            Self::Unseen(why) => failure(StatusCode::BAD_GATEWAY, "InternalError", &not_seen(*why)),
            Self::Unmaskable => failure(
                StatusCode::BAD_GATEWAY,
                "InternalError",
                "portcullis: the API server answered in a form that cannot be masked, so it is not delivered; the server \
                 may have acted, so look before you try again",
            ),
            Self::Internal => failure(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalError",
                "portcullis: the call could not be handled; the gate's log has the reason under this call's Audit-ID",
            ),
        }
    }
}

impl Refused {
    /// Of a call that was sent, or may have been.
    pub(crate) fn cut(ending: Ending, nature: Nature) -> Self {
        if nature == Nature::Write { Self::CutSent(ending) } else { Self::Cut(ending) }
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

impl From<&Failure> for Refused {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Unwanted => Self::Cut(Ending::SessionEnded),
            Failure::Connect(_) | Failure::Unsent => Self::Unreachable,
            Failure::Blind(Blind::Unlisted(problem) | Blind::Lost { problem, .. })
                if problem.is_unreachable() =>
            {
                Self::Unreachable
            }
            Failure::Blind(blind) => Self::Blind(blind.clone()),
            Failure::Deadline { seconds } => Self::NoAnswer { seconds: *seconds },
            Failure::Broken(_) | Failure::Redirect | Failure::Switched => Self::BadAnswer,
            Failure::Credential(_)
            | Failure::Impersonation(_)
            | Failure::WrongCluster
            | Failure::Target(_) => Self::Internal,
        }
    }
}

/// Why an object was not seen, and what to do.
fn not_seen(why: Unseen) -> String {
    const WHAT: &str = "portcullis: to send this write, the gate must see the object that it is about";
    match why {
        Unseen::Answered(StatusCode::FORBIDDEN) => format!(
            "{WHAT}, and the API server does not let it read that as this agent, so nothing was sent; tell the operator of \
             the gate to run `portcullis rbac | kubectl apply -f -`"
        ),
        Unseen::Answered(status) => format!(
            "{WHAT}, and the API server answered {} to that, so nothing was sent; try again later, or tell the operator of \
             the gate",
            status.as_u16()
        ),
        Unseen::Unreadable => format!(
            "{WHAT}, and the API server's answer is longer than 4 MiB, or in a form that cannot be masked, so nothing was sent; \
             ask a human to write it"
        ),
    }
}

/// Why the values are not known, and what to do.
fn unseen(blind: &Blind) -> (String, &'static str) {
    const OPERATOR: &str = "tell the operator of the gate, whose log says why";
    const RBAC: &str = "tell the operator of the gate to run `portcullis rbac | kubectl apply -f -`";
    match blind {
        blind if blind.is_forbidden() => ("the API server does not let it read them".to_owned(), RBAC),
        Blind::NotBegun | Blind::Listing => ("is still listing them".to_owned(), "try again in a moment"),
        Blind::Unlisted(_) => ("cannot list them".to_owned(), OPERATOR),
        Blind::Lost { seconds, problem: _ } => {
            (format!("has not been able to follow them for more than {seconds} s"), OPERATOR)
        }
        Blind::Over => ("has stopped reading them".to_owned(), OPERATOR),
    }
}

/// `caution` stands in place of what there is to do.
fn cut(ending: Ending, caution: Option<&str>) -> Status {
    let (code, reason, remedy) = match ending {
        Ending::SessionEnded => (StatusCode::UNAUTHORIZED, "Unauthorized", "open a new one"),
        Ending::SessionFrozen => {
            (StatusCode::FORBIDDEN, "Forbidden", "a human has to look at it and thaw it")
        }
        Ending::Completed
        | Ending::Failed(_)
        | Ending::Unmaskable
        | Ending::UpstreamBroke
        | Ending::ClientLeft
        | Ending::ClientStalled
        | Ending::GateStopping => {
            (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "try again in a moment")
        }
    };
    failure(code, reason, &format!("portcullis: {ending}; {}", caution.unwrap_or(remedy)))
}

fn failure(code: StatusCode, reason: &str, message: &str) -> Status {
    Status::failure(code, reason, message)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc};

    use http::StatusCode;
    use identity::{Frozen, SessionId};
    use upstream::{
        ConnectError, Failure,
        reader::{Blind, Problem},
    };

    use mask::Unwritable;

    use super::{Refused, Unseen};
    use crate::{outcome::Ending, parse::Why};

    fn all() -> Vec<Refused> {
        let ended = ConnectError::Ended { host: "api.example.com".to_owned() };
        let frozen = Frozen {
            at: "2026-11-23T06:27:48.5Z".parse().unwrap(),
            by: "local user 1000".to_owned(),
            why: "it deletes what it should not".to_owned(),
        };
        vec![
            Refused::Unauthenticated,
            Refused::Frozen {
                session: SessionId::parse("s-2g4kq7nd5wvx3jhc").unwrap(),
                frozen: Arc::new(frozen),
            },
            Refused::TooManyCalls { most: 50 },
            Refused::Version,
            Refused::Unrecorded,
            Refused::from(&Failure::Connect(Arc::new(ended))),
            Refused::from(&Failure::Unsent),
            Refused::from(&Failure::Deadline { seconds: 60.0 }),
            Refused::from(&Failure::Blind(Blind::Listing)),
            Refused::from(&Failure::Blind(Blind::Unlisted(Problem::Forbidden))),
            Refused::from(&Failure::Blind(Blind::Unlisted(Problem::TooMuch { bytes: 1 << 20 }))),
            Refused::from(&Failure::Blind(Blind::Lost { seconds: 300, problem: Problem::Broken })),
            Refused::from(&Failure::Blind(Blind::Over)),
            Refused::from(&Failure::Blind(Blind::Unlisted(Problem::Connect("api.example.com".to_owned())))),
            Refused::from(&Failure::Redirect),
            Refused::from(&Failure::Switched),
            Refused::from(&Failure::WrongCluster),
            Refused::Cut(Ending::SessionEnded),
            Refused::Cut(Ending::SessionFrozen),
            Refused::Cut(Ending::GateStopping),
            Refused::CutSent(Ending::SessionEnded),
            Refused::CutSent(Ending::SessionFrozen),
            Refused::CutSent(Ending::GateStopping),
            Refused::Unended,
            Refused::Unmaskable,
            Refused::from(Why::TooLarge { most: 3_145_728 }),
            Refused::from(Why::Slow { seconds: 30 }),
            Refused::from(Why::Broken),
            Refused::from(Why::Session(Ending::SessionEnded)),
            Refused::from(Why::Session(Ending::SessionFrozen)),
            Refused::Unseen(Unseen::Answered(StatusCode::FORBIDDEN)),
            Refused::Unseen(Unseen::Answered(StatusCode::SERVICE_UNAVAILABLE)),
            Refused::Unseen(Unseen::Unreadable),
            Refused::Answered { status: StatusCode::UNPROCESSABLE_ENTITY, body: "{}".into() },
            Refused::from(Unwritable::Foreign { path: "/data/password".to_owned() }),
            Refused::from(Unwritable::Changed),
        ]
    }

    /// A number for each variant: one that is new does not compile until it has one, and is then looked for.
    fn number(refused: &Refused) -> usize {
        match refused {
            Refused::Unauthenticated => 0,
            Refused::TooManyCalls { .. } => 1,
            Refused::Version => 2,
            Refused::Unparsed(_) => 3,
            // In the words of policy, which has snapshots of its own.
            Refused::Judged(_) => 4,
            Refused::Unrecorded => 5,
            Refused::Unreachable => 6,
            Refused::NoAnswer { .. } => 7,
            Refused::Cut(_) => 8,
            Refused::CutSent(_) => 9,
            Refused::Unended => 10,
            Refused::BadAnswer => 11,
            Refused::Unmaskable => 12,
            Refused::Internal => 13,
            Refused::Unseen(_) => 14,
            // In the API server's words; these are the ledger's.
            Refused::Answered { .. } => 15,
            Refused::Frozen { .. } => 16,
            Refused::Blind(_) => 17,
        }
    }

    #[test]
    fn none_is_left_out() {
        let numbers: BTreeSet<usize> = all().iter().map(number).collect();
        assert_eq!(numbers, (0..=17).filter(|number| *number != 4).collect());
    }

    #[test]
    fn every_refusal_is_told() {
        let told = all().into_iter().map(|refused| {
            let response = refused.answer(None);
            let retry = response.headers().get("retry-after").map_or("", |_seconds| " (Retry-After)");
            let (code, status) = (response.status().as_u16(), refused.status());
            format!("{code}{retry} {}", String::from_utf8_lossy(&status.to_json()))
        });
        insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn none_looks_like_an_answer_of_the_api_servers() {
        for refused in all() {
            let status = refused.status();
            assert!(status.code() >= StatusCode::BAD_REQUEST && status.message().starts_with("portcullis: "));
        }
    }
}
