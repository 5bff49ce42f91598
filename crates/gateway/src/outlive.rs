//! A future that its owner may drop and that comes to its end all the same.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

/// Runs in the task of whoever awaits it, which spares the call a change of threads; dropped before its end, it goes on in
/// a task of its own. Either way `tasks` waits for it.
pub(crate) struct Outlive<F: Future<Output: Send> + Send + 'static> {
    future: Option<Pin<Box<F>>>,
    tasks: TaskTracker,
    _token: TaskTrackerToken,
}

impl<F: Future<Output: Send> + Send + 'static> Outlive<F> {
    pub(crate) fn new(tasks: &TaskTracker, future: F) -> Self {
        Self { future: Some(Box::pin(future)), tasks: tasks.clone(), _token: tasks.token() }
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for Outlive<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Some(future) = &mut self.future else { return Poll::Pending };
        let polled = future.as_mut().poll(cx);
        if polled.is_ready() {
            self.future = None;
        }
        polled
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for Outlive<F> {
    fn drop(&mut self) {
        // One that panicked cannot go on; and without a runtime nothing can.
        if let Some(future) = self.future.take()
            && !std::thread::panicking()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            self.tasks.spawn_on(future, &runtime);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn awaited_it_yields_and_dropped_it_goes_on_and_is_waited_for() {
        let tasks = TaskTracker::new();
        assert_eq!(Outlive::new(&tasks, async { 1 }).await, 1);
        assert_eq!(tasks.len(), 0);
        let (go, gone) = oneshot::channel::<()>();
        let (done, seen) = oneshot::channel::<()>();
        let mut begun = Outlive::new(&tasks, async move {
            let _told = gone.await;
            let _told = done.send(());
        });
        assert!(futures_util::poll!(&mut begun).is_pending());
        drop(begun);
        assert_eq!(tasks.len(), 1);
        go.send(()).unwrap();
        seen.await.unwrap();
        tasks.close();
        tasks.wait().await;
    }
}
