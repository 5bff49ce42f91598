//! Refusals that are said twice.
//!
//! What is not answered 101 over a WebSocket, whatever the reason, kubectl asks again over SPDY at once (`FallbackExecutor` in
//! k8s.io/client-go/tools/remotecommand/fallback.go). Humans who have just said no must not be asked again by that; who has waited for
//! them need not wait once more; and a command that may have run must not run again. The second gets the answer to the first.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use kube_api::{Request, Status};
use parking_lot::Mutex;
use streaming::protocol::Transport;
use tokio::time::Instant;

use crate::{call::Call, refuse::Refused};

/// kubectl asks again within milliseconds.
const KEPT: Duration = Duration::from_secs(5);
/// Of one session; of more, the oldest are let go. What is asked again then is judged anew, and a command may run twice: but for its own
/// session alone.
const MOST: usize = 64;

/// What was refused just now, by session.
#[derive(Debug, Default)]
pub(crate) struct Echoes(Mutex<HashMap<String, VecDeque<Echo>>>);

/// What a refusal is found by.
#[derive(Debug)]
pub(crate) struct Asked {
    session: String,
    /// The digest of what was asked.
    key: String,
}

/// One that was refused.
#[derive(Debug)]
struct Echo {
    since: Instant,
    key: String,
    status: Status,
}

impl Echoes {
    fn keep(&self, asked: Asked, status: Status) {
        let mut kept = self.0.lock();
        kept.retain(|_, echoes| {
            echoes.retain(Echo::is_heard);
            !echoes.is_empty()
        });
        let Asked { session, key } = asked;
        let echoes = kept.entry(session).or_default();
        echoes.retain(|echo| echo.key != key);
        if echoes.len() >= MOST {
            echoes.pop_front();
        }
        echoes.push_back(Echo { since: Instant::now(), key, status });
    }

    /// Once.
    fn take(&self, asked: &Asked) -> Option<Status> {
        let mut kept = self.0.lock();
        let echoes = kept.get_mut(&asked.session)?;
        let at = echoes.iter().position(|echo| echo.key == asked.key)?;
        echoes.remove(at).filter(Echo::is_heard).map(|echo| echo.status)
    }
}

impl Echo {
    fn is_heard(&self) -> bool {
        self.since.elapsed() < KEPT
    }
}

impl Call {
    /// What the same was refused with a moment ago, by WebSocket.
    pub(super) fn echo(&self, request: &Request) -> Option<Status> {
        let spdy = self.upgrading().ok()?.transport() == Transport::Spdy;
        if spdy { self.gate().echoes().take(&self.echo_of(request)) } else { None }
    }

    /// By what a refusal of this is found, if it is asked for by WebSocket.
    pub(crate) fn echoes(&self, request: &Request) -> Option<Asked> {
        let websocket = self.upgrading().ok()?.transport() == Transport::WebSocket;
        (websocket && request.upgrade().is_some()).then(|| self.echo_of(request))
    }

    fn echo_of(&self, request: &Request) -> Asked {
        Asked { session: self.caller().session().to_string(), key: self.key_of(request) }
    }
}

impl Echoes {
    /// Keeps a refusal, unless the same may as well be asked again: nothing was sent, and nobody was asked.
    pub(crate) fn refused(&self, asked: Asked, refused: &Refused) {
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
            | Refused::RecordedEnough
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

    fn asked(session: &str, key: impl ToString) -> Asked {
        Asked { session: session.to_owned(), key: key.to_string() }
    }

    fn refusal() -> Status {
        Status::failure(StatusCode::FORBIDDEN, "Forbidden", "no")
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_said_once_more_and_soon_or_not_at_all() {
        let echoes = Echoes::default();
        echoes.keep(asked("s", "a"), refusal());
        assert!(echoes.take(&asked("s", "b")).is_none());
        assert!(echoes.take(&asked("t", "a")).is_none());
        assert_eq!(echoes.take(&asked("s", "a")).unwrap().message(), "no");
        assert!(echoes.take(&asked("s", "a")).is_none());
        echoes.keep(asked("s", "a"), refusal());
        tokio::time::advance(KEPT).await;
        assert!(echoes.take(&asked("s", "a")).is_none());
        echoes.keep(asked("t", "a"), refusal());
        assert_eq!(echoes.0.lock().len(), 1, "what is over is let go");
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_is_refused_often_lets_go_of_its_own_alone() {
        let echoes = Echoes::default();
        echoes.keep(asked("other", "ran"), refusal());
        for number in 0..=MOST {
            echoes.keep(asked("s", number), refusal());
        }
        assert!(echoes.take(&asked("s", 0)).is_none(), "memory has a limit");
        assert!(echoes.take(&asked("s", 1)).is_some() && echoes.take(&asked("s", MOST)).is_some());
        assert!(echoes.take(&asked("other", "ran")).is_some());
    }
}
