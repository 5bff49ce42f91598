//! Refusals that are said twice.
//!
//! What is not answered 101 over a WebSocket, whatever the reason, kubectl asks again over SPDY at once (`FallbackExecutor` in
//! k8s.io/client-go/tools/remotecommand/fallback.go). Humans who have just said no must not be asked again by that; who has waited for
//! them need not wait once more; and a command that may have run must not run again. The second gets the answer to the first.

use std::{collections::HashMap, time::Duration};

use kube_api::{Request, Status};
use parking_lot::Mutex;
use streaming::protocol::Transport;
use tokio::time::Instant;

use crate::{call::Call, refuse::Refused};

/// kubectl asks again within milliseconds.
const KEPT: Duration = Duration::from_secs(5);
/// Of more, the others are not kept, and humans are asked twice.
const MOST: usize = 1024;

/// What was refused just now, by the digest of what was asked.
#[derive(Debug, Default)]
pub(crate) struct Echoes(Mutex<HashMap<String, (Instant, Status)>>);

impl Echoes {
    fn keep(&self, asked: String, status: Status) {
        let mut kept = self.0.lock();
        kept.retain(|_, (since, _)| since.elapsed() < KEPT);
        if kept.len() < MOST {
            kept.insert(asked, (Instant::now(), status));
        }
    }

    /// Once.
    fn take(&self, asked: &str) -> Option<Status> {
        let (since, status) = self.0.lock().remove(asked)?;
        (since.elapsed() < KEPT).then_some(status)
    }
}

impl Call {
    /// What the same was refused with a moment ago, by WebSocket.
    pub(super) fn echo(&self, request: &Request) -> Option<Status> {
        let spdy = self.upgrading()?.transport() == Transport::Spdy;
        if spdy { self.gate().echoes().take(&self.echo_of(request)) } else { None }
    }

    /// By what a refusal of this is found, if it is asked for by WebSocket.
    pub(crate) fn echoes(&self, request: &Request) -> Option<String> {
        let websocket = self.upgrading()?.transport() == Transport::WebSocket;
        (websocket && request.upgrade().is_some()).then(|| self.echo_of(request))
    }

    fn echo_of(&self, request: &Request) -> String {
        format!("{} {}", self.caller().session(), self.key_of(request))
    }
}

impl Echoes {
    /// Keeps a refusal, unless the same may as well be asked again: nothing was sent, and nobody was asked.
    pub(crate) fn refused(&self, asked: String, refused: &Refused) {
        match refused {
            Refused::Unparsed(_)
            | Refused::Unauthenticated
            | Refused::Frozen { .. }
            | Refused::TooManyCalls { .. }
            | Refused::Version
            | Refused::Unreachable
            | Refused::Blind(_)
            | Refused::Internal => {}
            Refused::Judged(_)
            | Refused::Unrecorded
            | Refused::Unrecordable
            | Refused::KeptEnough
            | Refused::NoAnswer { .. }
            | Refused::Cut(_)
            | Refused::CutSent(_)
            | Refused::CutStream(_)
            | Refused::CutForward(_)
            | Refused::CutConnection(_)
            | Refused::Unended
            | Refused::BadAnswer
            | Refused::Answered(_)
            | Refused::Unseen(_)
            | Refused::Unmaskable => self.keep(asked, refused.status()),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_said_once_more_and_soon_or_not_at_all() {
        let echoes = Echoes::default();
        let refusal = || Status::failure(StatusCode::FORBIDDEN, "Forbidden", "no");
        echoes.keep("a".to_owned(), refusal());
        assert!(echoes.take("b").is_none());
        assert_eq!(echoes.take("a").unwrap().message(), "no");
        assert!(echoes.take("a").is_none());
        echoes.keep("a".to_owned(), refusal());
        tokio::time::advance(KEPT).await;
        assert!(echoes.take("a").is_none());
        for number in 0..=MOST {
            echoes.keep(number.to_string(), refusal());
        }
        assert!(echoes.take(&MOST.to_string()).is_none(), "memory has a limit");
    }
}
