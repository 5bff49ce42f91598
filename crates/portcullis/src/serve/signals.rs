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

    /// Waits for SIGTERM or SIGINT; at each SIGHUP, runs `reload`. One that is under way is given up: it may wait for a
    /// disk, and a stop must not.
    pub(super) async fn until_told_to_stop<F: Future<Output = ()>>(mut self, reload: impl Fn() -> F) {
        loop {
            tokio::select! {
                () = told_to_stop(&mut self.terminate, &mut self.interrupt) => return,
                _told = self.hang_up.recv() => {}
            }
            tokio::select! {
                () = told_to_stop(&mut self.terminate, &mut self.interrupt) => return,
                () = reload() => {}
            }
        }
    }
}

async fn told_to_stop(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _told = terminate.recv() => {}
        _told = interrupt.recv() => {}
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal as Sent, getpid, kill_process};
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn a_reload_that_hangs_does_not_keep_the_gate_from_stopping() {
        let signals = Signals::listen().unwrap();
        let reloading = Notify::new();
        let reload = || async {
            reloading.notify_one();
            std::future::pending().await
        };
        let stop = async {
            kill_process(getpid(), Sent::HUP).unwrap();
            reloading.notified().await;
            kill_process(getpid(), Sent::TERM).unwrap();
        };
        tokio::join!(signals.until_told_to_stop(reload), stop);
    }
}
