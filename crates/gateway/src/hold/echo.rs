//! Refusals that are said twice.
//!
//! What kubectl is refused over a WebSocket, whatever the reason, it asks again over SPDY at once (`FallbackExecutor` in
//! k8s.io/client-go/tools/remotecommand/fallback.go). Humans who have just said no must not be asked again by that, and who has
//! waited for them need not wait once more: the second gets the answer to the first.

use std::{collections::HashMap, time::Duration};

use kube_api::Status;
use parking_lot::Mutex;
use tokio::time::Instant;

/// kubectl asks again within milliseconds.
const KEPT: Duration = Duration::from_secs(5);
/// Of more, the others are not kept, and humans are asked twice.
const MOST: usize = 1024;

/// What was refused just now, by the digest of what was asked.
#[derive(Debug, Default)]
pub(crate) struct Echoes(Mutex<HashMap<String, (Instant, Status)>>);

impl Echoes {
    pub(crate) fn keep(&self, asked: String, status: Status) {
        let mut kept = self.0.lock();
        kept.retain(|_, (since, _)| since.elapsed() < KEPT);
        if kept.len() < MOST {
            kept.insert(asked, (Instant::now(), status));
        }
    }

    /// Once.
    pub(crate) fn take(&self, asked: &str) -> Option<Status> {
        let (since, status) = self.0.lock().remove(asked)?;
        (since.elapsed() < KEPT).then_some(status)
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
