//! Whether a connection is of use: what it carries, and whether its client takes what it asked for.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::sync::CancellationToken;

/// Between two looks.
const SHORTEST: Duration = Duration::from_millis(1);

/// The calls of a connection, and whether it is to carry more. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    calls: watch::Sender<usize>,
    dismissed: CancellationToken,
    answers: Arc<Mutex<Vec<Weak<Answer>>>>,
}

/// A call under way.
#[derive(Debug)]
pub(crate) struct Busy(watch::Sender<usize>);

/// An answer that is being written.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Since when the connection has not asked for more of it, though there may be more: since the client takes nothing.
    untaken: Mutex<Option<Instant>>,
    stalled: AtomicBool,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self { calls: watch::Sender::new(0), dismissed: CancellationToken::new(), answers: Arc::default() }
    }

    /// Counts a call until what is answered is dropped.
    pub(crate) fn busy(&self) -> Busy {
        self.calls.send_modify(|calls| *calls += 1);
        Busy(self.calls.clone())
    }

    /// Watches over an answer until it is dropped.
    pub(crate) fn answer(&self) -> Arc<Answer> {
        let answer = Arc::new(Answer { untaken: Mutex::new(Some(Instant::now())), stalled: false.into() });
        let mut answers = self.answers.lock();
        answers.retain(|answer| answer.strong_count() > 0);
        answers.push(Arc::downgrade(&answer));
        answer
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

    /// Resolves when the client has taken nothing of an answer for `patience`, or at most half as long again; such answers
    /// know it then.
    pub(crate) async fn stalled(&self, patience: Duration) {
        let mut look = interval((patience / 2).max(SHORTEST));
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            let answers = self.answers.lock();
            let stalled =
                answers.iter().filter_map(Weak::upgrade).filter(|answer| answer.is_untaken(patience));
            if stalled.map(|answer| answer.stalled.store(true, Ordering::Relaxed)).count() > 0 {
                return;
            }
        }
    }
}

impl Answer {
    /// The connection asks for more, so that what it was given is taken; and there is none yet.
    pub(crate) fn awaited(&self) {
        *self.untaken.lock() = None;
    }

    /// The connection was given more.
    pub(crate) fn given(&self) {
        *self.untaken.lock() = Some(Instant::now());
    }

    /// Whether the client is the one for whom the connection was ended.
    pub(crate) fn has_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }

    fn is_untaken(&self, patience: Duration) -> bool {
        self.untaken.lock().is_some_and(|since| since.elapsed() >= patience)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.send_modify(|calls| *calls = calls.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
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

    #[tokio::test(start_paused = true)]
    async fn only_what_was_given_and_not_taken_stalls() {
        let activity = Activity::new();
        let (idle, slow) = (activity.answer(), activity.answer());
        idle.awaited();
        let started = Instant::now();
        let slowly = async {
            for _part in 0..10 {
                tokio::time::sleep(FIRST / 2).await;
                slow.given();
            }
        };
        tokio::join!(activity.stalled(FIRST), slowly);
        assert_eq!(started.elapsed(), FIRST * 6);
        drop(slow);
        assert!(timeout(LATER, activity.stalled(FIRST)).await.is_err());
    }
}
