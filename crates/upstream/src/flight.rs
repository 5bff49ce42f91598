//! One attempt at something, whose result everyone gets who waits for it.

use std::{fmt, future::Future};

use parking_lot::Mutex;
use tokio::sync::watch;

/// At most one attempt at a time; who comes while it is under way waits for the same result.
pub(crate) struct Flight<T>(Mutex<Option<watch::Receiver<Option<T>>>>);

impl<T: Clone + Send + Sync + 'static> Flight<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The result of the attempt under way, or of a new one; `None` where it was aborted (it panicked, or the runtime
    /// ends). It runs on a task of its own, so whoever stops waiting does not take it from the others. It must bound
    /// its own time.
    pub(crate) async fn join<F>(&self, attempt: impl FnOnce() -> F) -> Option<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut result = self.under_way(attempt);
        result.wait_for(Option::is_some).await.ok()?.clone()
    }

    fn under_way<F>(&self, attempt: impl FnOnce() -> F) -> watch::Receiver<Option<T>>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut current = self.0.lock();
        let unfinished = |result: &&watch::Receiver<Option<T>>| {
            let aborted = result.has_changed().is_err();
            !aborted && result.borrow().is_none()
        };
        if let Some(result) = current.as_ref().filter(unfinished) {
            return result.clone();
        }
        let (landed, result) = watch::channel(None);
        let attempt = attempt();
        tokio::spawn(async move { landed.send_replace(Some(attempt.await)) });
        *current = Some(result.clone());
        result
    }
}

impl<T> fmt::Debug for Flight<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flight")
    }
}
