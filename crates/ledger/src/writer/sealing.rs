//! The sealer thread: seals what it is handed, and tries again when that fails.

use super::handoff::Taken;
use super::{Sealer, Shared};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Between the first failure and the next attempt; doubled with each.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// Between attempts, at most.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How often sealing is tried once the log is being closed. The journal has what is left, for the next start.
const LAST_ATTEMPTS: u32 = 3;

/// Lets the writer go on, to its end, when the sealer thread is gone for whatever reason.
struct Leaving<'a>(&'a Shared);

pub(super) fn spawn(sealer: Sealer, shared: &Arc<Shared>, interval: Duration) -> io::Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    Builder::new().name("ledger-seal".to_owned()).spawn(move || seal_all(sealer, &shared, interval))
}

/// Seals what is handed over until the end.
fn seal_all(mut sealer: Sealer, shared: &Shared, interval: Duration) {
    let _leaving = Leaving(shared);
    loop {
        let Taken { runs, ended } = shared.handoff.take();
        if let Err(error) = runs.iter().try_for_each(|run| sealer.absorb(run)) {
            shared.health.poison(&format!("sealing failed: {error}"));
            return;
        }
        if let Err(error) = until_sealed(&mut sealer, shared) {
            shared.health.poison(&format!("the last leaves are in the journal alone: {error}"));
            return;
        }
        shared.sealed.store(sealer.sealed(), Ordering::Release);
        if ended {
            return;
        }
        shared.handoff.pause(interval);
    }
}

/// Seals, however often it takes; gives up only when the log is being closed.
fn until_sealed(sealer: &mut Sealer, shared: &Shared) -> io::Result<()> {
    let (mut pause, mut last) = (FIRST_PAUSE, 0);
    shared.handoff.sealing();
    loop {
        let done = sealer.seal();
        shared.health.sealing(&done);
        let Err(error) = done else {
            shared.handoff.sealed();
            return Ok(());
        };
        shared.handoff.sealing_fails();
        if shared.handoff.wait(pause) {
            last += 1;
            if last == LAST_ATTEMPTS {
                return Err(error);
            }
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

// === impl Leaving ===

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.health.poison("sealing failed: the thread panicked");
        }
        self.0.handoff.abandon();
    }
}
