//! Phase 3, *parse*: what exactly is asked. What is unknown, ambiguous or non-canonical ends here.

use http::Request;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use identity::Ended;
use kube_api::{BodyRule, Head, Refusal};
use ledger::leaf::Cause;
use tokio::time::timeout;

use crate::{limits::Limits, outcome::Ending};

/// A request that was refused before it could be judged, and as much of it as was understood.
#[derive(Debug)]
pub(crate) struct Unparsed {
    pub(crate) why: Why,
    pub(crate) head: Option<Head>,
    /// As much of its body as was read.
    pub(crate) read: Vec<u8>,
}

/// What was wrong with it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Why {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the request body is larger than {most} bytes; send less, in more than one object if need be")]
    TooLarge { most: usize },
    #[error("the request body did not arrive within {seconds} s; look at the connection, and send it again")]
    Slow { seconds: u64 },
    #[error("the request body broke off; send it again")]
    Broken,
    #[error("{0}")]
    Session(Ending),
}

impl Why {
    /// The one word under which the ledger files it.
    pub(crate) fn cause(&self) -> Cause {
        match self {
            Self::Refused(
                Refusal::Method { .. }
                | Refusal::NotAcceptable { .. }
                | Refusal::Unsupported { .. }
                | Refusal::Upgrade,
            ) => Cause::Unsupported,
            Self::Refused(Refusal::TooLarge { .. } | Refusal::TooManyValues { .. })
            | Self::TooLarge { .. }
            | Self::Slow { .. } => Cause::Limit,
            Self::Session(Ending::SessionFrozen) => Cause::SessionFrozen,
            Self::Session(_) => Cause::SessionEnded,
            Self::Refused(_) | Self::Broken => Cause::Malformed,
        }
    }
}

/// Reads no more of the body than the request may have, and not for longer than its session lasts.
pub(crate) async fn parse(
    request: Request<Incoming>,
    limits: Limits,
    session: &Ended,
) -> Result<kube_api::Request, Unparsed> {
    let (parts, body) = request.into_parts();
    let head = Head::parse(&parts).map_err(|refusal| Unparsed {
        why: refusal.into(),
        head: None,
        read: Vec::new(),
    })?;
    let most = match head.body_rule() {
        BodyRule::None => 0,
        BodyRule::Optional { max_bytes } | BodyRule::Required { max_bytes } => {
            max_bytes.min(limits.body_bytes)
        }
    };
    let mut bytes = Vec::new();
    let parsed = match read_within(body, most, limits, session, &mut bytes).await {
        Ok(()) => head.clone().with_body(&bytes).map_err(Why::from),
        Err(why) => Err(why),
    };
    parsed.map_err(|why| Unparsed { why, head: Some(head), read: bytes })
}

/// Reads a body of so many bytes at most, `into` what is there though the rest does not come, within its time and its session's.
pub(crate) async fn read_within(
    body: Incoming,
    most: usize,
    limits: Limits,
    session: &Ended,
    into: &mut Vec<u8>,
) -> Result<(), Why> {
    tokio::select! {
        biased;
        end = session.wait() => Err(Why::Session(Ending::of_session(&end))),
        read = timeout(limits.body_timeout, read(body, most, into)) => {
            read.unwrap_or(Err(Why::Slow { seconds: limits.body_timeout.as_secs() }))
        }
    }
}

/// Into `read`, so that what came is there though the rest does not.
async fn read(body: Incoming, most: usize, read: &mut Vec<u8>) -> Result<(), Why> {
    let mut body = Limited::new(body, most);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            if error.is::<LengthLimitError>() { Why::TooLarge { most } } else { Why::Broken }
        })?;
        if let Some(data) = frame.data_ref() {
            read.extend_from_slice(data);
        }
    }
    Ok(())
}
