//! What the provider said, for a while.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::Failure;

/// How long a failure is told again before the provider is asked again.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(5);

/// The last answer and when it was asked for.
type Last<T> = Option<(Timestamp, Result<Arc<T>, Failure>)>;

/// The last answer. One asks, and whoever comes meanwhile waits for the same.
#[derive(Debug)]
pub(crate) struct Cached<T>(Mutex<Last<T>>);

impl<T> Cached<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The last answer if it is younger than `keep`, or else what `ask` gives.
    pub(crate) async fn get(
        &self,
        keep: SignedDuration,
        now: Timestamp,
        ask: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Arc<T>, Failure> {
        let mut last = self.0.lock().await;
        if let Some((at, answer)) = &*last {
            let keep = if answer.is_ok() { keep } else { AFTER_FAILURE };
            // In both directions: a clock that was set back keeps nothing for longer.
            if now.duration_since(*at).abs() < keep {
                return answer.clone();
            }
        }
        let answer = ask.await.map(Arc::new);
        *last = Some((now, answer.clone()));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_are_kept_for_a_while_and_failures_for_a_moment() {
        let cached = Cached::new();
        let keep = SignedDuration::from_secs(60);
        let get = async |second, answer| {
            cached.get(keep, Timestamp::from_second(second).unwrap(), async { answer }).await.map(|n| *n)
        };
        assert_eq!(get(1000, Err(Failure::NoPkce)).await, Err(Failure::NoPkce));
        assert_eq!(get(1004, Ok(1)).await, Err(Failure::NoPkce));
        assert_eq!(get(1005, Ok(2)).await, Ok(2));
        assert_eq!(get(1064, Ok(3)).await, Ok(2));
        assert_eq!(get(1065, Ok(4)).await, Ok(4));
        assert_eq!(get(1000, Ok(5)).await, Ok(5));
    }
}
