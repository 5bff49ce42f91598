//! What an operator tells a running gate.

use std::{future::Future, io};

use tokio::signal::unix::{SignalKind, signal};

/// Waits for SIGTERM or SIGINT; at each SIGHUP, runs `reload`.
///
/// # Errors
/// The signals cannot be listened for.
pub(super) async fn until_told_to_stop<F: Future<Output = ()>>(reload: impl Fn() -> F) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _told = terminate.recv() => return Ok(()),
            _told = interrupt.recv() => return Ok(()),
            _told = hang_up.recv() => reload().await,
        }
    }
}
