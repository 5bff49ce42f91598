//! Whether a connection is of use.

use std::time::Duration;

use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;

/// How many calls a connection carries, and whether it is to carry more. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    calls: watch::Sender<usize>,
    dismissed: CancellationToken,
}

/// A call under way.
#[derive(Debug)]
pub(crate) struct Busy(watch::Sender<usize>);

impl Activity {
    pub(crate) fn new() -> Self {
        Self { calls: watch::Sender::new(0), dismissed: CancellationToken::new() }
    }

    /// Counts a call until what is answered is dropped.
    pub(crate) fn busy(&self) -> Busy {
        self.calls.send_modify(|calls| *calls += 1);
        Busy(self.calls.clone())
    }

    /// No more calls are wanted.
    pub(crate) fn dismiss(&self) {
        self.dismissed.cancel();
    }

    pub(crate) async fn dismissed(&self) {
        self.dismissed.cancelled().await;
    }

    /// Resolves when there was no call for `first` from now on, or for `later` after a call.
    pub(crate) async fn idle(&self, first: Duration, later: Duration) {
        let mut calls = self.calls.subscribe();
        let mut patience = first;
        loop {
            let busy = *calls.borrow_and_update() > 0;
            let changed = if busy {
                calls.changed().await
            } else {
                let Ok(changed) = timeout(patience, calls.changed()).await else { return };
                changed
            };
            // There is always a sender: this one.
            if changed.is_err() {
                return;
            }
            patience = later;
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.send_modify(|calls| *calls = calls.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    const FIRST: Duration = Duration::from_secs(10);
    const LATER: Duration = Duration::from_secs(90);

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_call_is_idle_soon() {
        let started = Instant::now();
        Activity::new().idle(FIRST, LATER).await;
        assert_eq!(started.elapsed(), FIRST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_keeps_it_busy_and_then_it_may_rest_longer() {
        let activity = Activity::new();
        let started = Instant::now();
        let (first, second) = (activity.busy(), activity.busy());
        let calling = async {
            tokio::time::sleep(LATER * 2).await;
            drop(first);
            tokio::time::sleep(LATER * 2).await;
            drop(second);
        };
        tokio::join!(activity.idle(FIRST, LATER), calling);
        assert_eq!(started.elapsed(), LATER * 5);
    }
}
