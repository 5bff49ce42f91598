//! What an operator tells a running gate.

use std::{future::Future, io};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM, SIGINT and SIGHUP, listened for: from here on none of them ends the process by itself.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// To be called before anybody is told that the gate is ready: whoever was told may say stop at once.
    ///
    /// # Errors
    /// The signals cannot be listened for.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for SIGTERM or SIGINT; at each SIGHUP, runs `reload`.
    pub(super) async fn until_told_to_stop<F: Future<Output = ()>>(mut self, reload: impl Fn() -> F) {
        loop {
            tokio::select! {
                _told = self.terminate.recv() => return,
                _told = self.interrupt.recv() => return,
                _told = self.hang_up.recv() => reload().await,
            }
        }
    }
}
