//! Learning when an HTTP/2 connection has its server's first `SETTINGS`.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use hyper::rt::Executor;
use pin_project_lite::pin_project;
use tokio::sync::Notify;

/// Runs hyper's tasks on tokio and tells whenever one of them did something, until [`Nudging::settle`].
///
/// hyper reads a connection's frames on a task of its own and says nothing when `SETTINGS` come; they can only be
/// looked for after it ran.
#[derive(Clone)]
pub(crate) struct Nudging(Arc<Shared>);

struct Shared {
    settled: AtomicBool,
    ran: Notify,
}

pin_project! {
    struct Nudged<F> {
        #[pin]
        task: F,
        shared: Arc<Shared>,
    }
}

impl Nudging {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared { settled: AtomicBool::new(false), ran: Notify::new() }))
    }

    /// Waits until a task has run since the last time.
    pub(crate) async fn nudged(&self) {
        self.0.ran.notified().await;
    }

    /// Nobody waits any more.
    pub(crate) fn settle(&self) {
        self.0.settled.store(true, Ordering::Relaxed);
    }
}

impl<F> Executor<F> for Nudging
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, task: F) {
        tokio::spawn(Nudged { task, shared: Arc::clone(&self.0) });
    }
}

impl<F: Future> Future for Nudged<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polled = this.task.poll(cx);
        if !this.shared.settled.load(Ordering::Relaxed) {
            this.shared.ran.notify_one();
        }
        polled
    }
}

impl fmt::Debug for Nudging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nudging")
    }
}
