//! What refusals say: what is wrong, and what to do.

use std::borrow::Cow;

use http::StatusCode;
use upstream::reader::{Blind, Problem};

use super::{Refused, Unseen};
use crate::outcome::Ending;

impl Refused {
    /// In one line, for people.
    pub(super) fn words(&self) -> Cow<'_, str> {
        let fixed = match self {
            Self::Unparsed(status) | Self::Judged(status) => status.message(),
            Self::Frozen { session, frozen } => {
                return format!(
                    "portcullis: this session is frozen since {:.0} by {}: {}; nothing of it passes until a human has looked at \
                     it and runs `portcullis session thaw {session}`",
                    frozen.at, frozen.by, frozen.why
                )
                .into();
            }
            Self::TooManyCalls { most } => {
                return format!(
                    "portcullis: this session has {most} calls open, as many as it may; let one end first"
                )
                .into();
            }
            Self::Blind(blind) => return not_known(blind).into(),
            Self::NoAnswer { seconds } => {
                return format!(
                    "portcullis: the API server did not answer within {seconds} s; it may have acted, so look before you try \
                     again"
                )
                .into();
            }
            Self::Cut(ending) => return format!("portcullis: {ending}; {}", after(*ending)).into(),
            Self::CutSent(ending) => {
                return format!(
                    "portcullis: {ending}; the API server may have done what was asked, so look before you try again"
                )
                .into();
            }
            Self::CutStream(ending) => {
                return format!(
                    "portcullis: {ending}, so this stream was ended; the command may go on in the container; {}",
                    after(*ending)
                )
                .into();
            }
            Self::CutForward(ending) => {
                return format!("portcullis: {ending}, so the port-forward was ended; {}", after(*ending))
                    .into();
            }
            Self::CutConnection(ending) => {
                return format!("portcullis: {ending}, so this connection was ended; {}", after(*ending))
                    .into();
            }
            Self::Answered(error) => return would_not(error.status).into(),
            Self::Unseen(why) => return not_seen(*why).into(),
            Self::Unauthenticated => {
                "portcullis: no valid session; open one with `portcullis session open` and use its kubeconfig"
            }
            Self::Version => "portcullis: use HTTP/1.1 or HTTP/2",
            Self::Unrecorded => {
                "portcullis: the ledger does not take entries, so nothing may pass; tell the operator of the gate"
            }
            Self::Unrecordable => {
                "portcullis: what happens in this session cannot be recorded, so nothing may pass; tell the operator of the \
                 gate, whose log says why"
            }
            Self::KeptEnough => {
                "portcullis: before masked values are changed the gate keeps them, and it has kept as much of this session as it \
                 keeps of one (256 MiB), so nothing was sent; go on in another session"
            }
            Self::RecordedEnough => {
                "portcullis: as much is recorded of this session as the gate records of one (`recordings.quota`), so nothing more may \
                 pass; go on in another session"
            }
            Self::Unreachable => {
                "portcullis: the API server cannot be reached and nothing was sent; try again later, or tell the operator of \
                 the gate"
            }
            Self::Unended => {
                "portcullis: the ledger did not take the outcome of this call, so its answer is withheld; the API server \
                 may have done what was asked, so look before you try again, and tell the operator of the gate"
            }
            Self::BadAnswer => {
                "portcullis: the API server's answer cannot be passed on; it may have acted, so look before you try again"
            }
            Self::Unmaskable => {
                "portcullis: the API server answered in a form that cannot be masked, so it is not delivered; the server \
                 may have acted, so look before you try again"
            }
            Self::Internal => {
                "portcullis: the call could not be handled; the gate's log has the reason under this call's Audit-ID"
            }
        };
        fixed.into()
    }
}

/// What the ledger is told where the client has the API server's words.
fn would_not(status: StatusCode) -> String {
    format!(
        "portcullis: the API server answered {} to the dry run by which the gate looks at what this patch makes of the object, \
         and the client was told why in its words; nothing was sent",
        status.as_u16()
    )
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

/// That values could pass unmasked: why, and what to do.
fn not_known(blind: &Blind) -> String {
    let (why, remedy) = why_not_known(blind);
    let what = "portcullis: the gate masks the values of this cluster's Secrets wherever they appear, but";
    format!("{what} {why}, so nothing was sent; {remedy}")
}

fn why_not_known(blind: &Blind) -> (String, &'static str) {
    const OPERATOR: &str = "tell the operator of the gate, whose log says why";
    const RBAC: &str = "tell the operator of the gate to run `portcullis rbac | kubectl apply -f -`";
    match blind {
        blind if blind.is_forbidden() => ("the API server does not let it read them".to_owned(), RBAC),
        Blind::NotBegun | Blind::Listing => ("is still listing them".to_owned(), "try again in a moment"),
        Blind::Unlisted(Problem::TooMuch { namespace, .. }) | Blind::NoRoom { namespace, .. } => {
            (format!("has no room for all of them, and most are in namespace `{namespace}`"), OPERATOR)
        }
        Blind::Unlisted(_) => ("cannot list them".to_owned(), OPERATOR),
        Blind::Lost { seconds, problem: _ } => {
            (format!("has not been able to follow them for more than {seconds} s"), OPERATOR)
        }
        Blind::OverShare { namespace, bytes } => (
            format!(
                "Secrets in namespace `{namespace}` hold more than the {bytes} bytes that one namespace may have"
            ),
            "ask about another namespace by name, or tell the operator of the gate to remove Secrets there or to raise \
             `masking.known_values.bytes`",
        ),
        Blind::Over => ("has stopped reading them".to_owned(), OPERATOR),
    }
}

/// What there is to do once a call was cut off that changed nothing.
fn after(ending: Ending) -> &'static str {
    match ending {
        Ending::SessionEnded => "open a new one",
        Ending::SessionFrozen => "a human has to look at it and thaw it",
        Ending::AccessOver => "request access anew, or ask again, to have humans asked about it",
        Ending::Idle(_) | Ending::TooLong(_) => "open it anew if it is still needed",
        Ending::Unseen => "ask again: where that is refused, it is told why",
        Ending::Changed => "ask again: humans will be asked about what runs now",
        Ending::RecordedEnough => "go on in another session",
        Ending::Unrecordable => "tell the operator of the gate, whose log says why",
        Ending::Completed
        | Ending::Failed(_)
        | Ending::Unsent(_)
        | Ending::Unmaskable
        | Ending::UpstreamBroke
        | Ending::ClientLeft
        | Ending::ClientStalled
        | Ending::ClientErred
        | Ending::GateStopping => "try again in a moment",
    }
}
