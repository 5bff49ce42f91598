//! What the log can take at the moment, and why not more.

use super::Refused;
use crate::leaf::Kind;
use crate::storage::Storage;
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// A call costs no look at the disk, and in this time no gate writes as much as a reserve.
const LOOK_EVERY: Duration = if cfg!(test) { Duration::ZERO } else { Duration::from_millis(100) };

/// What keeps entries out, or will.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// A thread ended that should not have. For good.
    poisoned: Mutex<Option<String>>,
    /// The journal failed, and no new one is begun yet.
    journal: Mutex<Option<String>>,
    /// Sealing failed, and is tried again.
    sealing: Mutex<Option<String>>,
    /// Counts up when the writer begins a batch and when it ends one: odd within.
    turns: AtomicU64,
    /// The turn within which somebody waited in vain.
    hanging: AtomicU64,
}

/// The writer is at a batch.
pub(super) struct Busy<'a>(&'a Health);

/// What is kept free on the log's disk, so that what has begun can be told to its end.
#[derive(Debug)]
pub(super) struct Reserve {
    storage: Arc<dyn Storage>,
    bytes: u64,
    /// Between two looks at the disk, while it has enough.
    every: Duration,
    enough_until: Mutex<Option<Instant>>,
}

/// What the log takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Room {
    Everything,
    /// Only what ends something.
    Endings(Refused),
    Nothing(Refused),
}

// === impl Health ===

impl Health {
    /// Ends all recording until the log is opened again; the first reason is kept.
    pub(super) fn poison(&self, why: &str) {
        self.poisoned.lock().get_or_insert_with(|| why.to_owned());
    }

    /// How writing the journal went.
    pub(super) fn journal<T>(&self, done: &io::Result<T>) {
        *self.journal.lock() =
            done.as_ref().err().map(|error| format!("writing the journal failed: {error}"));
    }

    /// How sealing went.
    pub(super) fn sealing(&self, done: &io::Result<()>) {
        *self.sealing.lock() = done.as_ref().err().map(|error| format!("sealing failed: {error}"));
    }

    /// The writer begins a batch, which ends with what this returns.
    pub(super) fn busy(&self) -> Busy<'_> {
        self.turns.fetch_add(1, Ordering::AcqRel);
        Busy(self)
    }

    /// Somebody waited for the writer in vain: until it ends the batch it is at, nobody else need.
    pub(super) fn waited_in_vain(&self) {
        self.hanging.store(self.turns.load(Ordering::Acquire), Ordering::Release);
    }

    fn hangs(&self) -> bool {
        let turn = self.turns.load(Ordering::Acquire);
        turn % 2 == 1 && turn == self.hanging.load(Ordering::Acquire)
    }

    /// Why sealing fails, if it does.
    pub(super) fn unsealed_because(&self) -> Option<String> {
        self.sealing.lock().clone()
    }

    /// Why nothing at all can be recorded, if so; with the system's own words.
    pub(super) fn shut(&self) -> Option<(Refused, String)> {
        let poisoned = self.poisoned.lock().clone().map(|why| (Refused::Poisoned, why));
        poisoned
            .or_else(|| self.journal.lock().clone().map(|why| (Refused::Unwritable, why)))
            .or_else(|| self.hangs().then(|| (Refused::Hanging, "the disk does not answer".to_owned())))
    }
}

// === impl Busy ===

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.turns.fetch_add(1, Ordering::AcqRel);
    }
}

// === impl Reserve ===

impl Reserve {
    pub(super) fn new(storage: Arc<dyn Storage>, bytes: u64) -> Self {
        Self { storage, bytes, every: LOOK_EVERY, enough_until: Mutex::new(None) }
    }

    /// Why nothing new may begin, if so. A disk that does not tell what is free counts as full.
    pub(super) fn short(&self) -> Option<String> {
        let mut enough_until = self.enough_until.lock();
        let now = Instant::now();
        if enough_until.is_some_and(|until| now < until) {
            return None;
        }
        match self.storage.free() {
            Ok(free) if free >= self.bytes => {
                *enough_until = Some(now + self.every);
                None
            }
            Ok(free) => Some(format!("{free} bytes are free, {} are kept in reserve", self.bytes)),
            Err(error) => Some(format!("the free space cannot be told: {error}")),
        }
    }
}

// === impl Room ===

impl Room {
    /// Why an entry of this kind is refused, if it is.
    pub(super) fn refuses(&self, kind: Kind) -> Option<&Refused> {
        match self {
            Self::Everything => None,
            Self::Endings(why) if begins(kind) => Some(why),
            Self::Endings(_) => None,
            Self::Nothing(why) => Some(why),
        }
    }
}

/// Whether something would begin with it, or happen because of it, that need not.
pub(super) fn begins(kind: Kind) -> bool {
    match kind {
        Kind::Intent
        | Kind::Refusal
        | Kind::Answered
        | Kind::KnownValueSent
        | Kind::SessionOpened
        | Kind::SessionThawed
        | Kind::SignedIn
        | Kind::PasskeyEnrolled
        | Kind::ApprovalAsked
        | Kind::ApprovalStep => true,
        Kind::Start
        | Kind::Stop
        | Kind::Outcome
        | Kind::Rejections
        | Kind::SessionRevoked
        | Kind::SessionExpired
        | Kind::SessionFrozen
        | Kind::PasskeyRemoved
        // It is on disk already.
        | Kind::Recorded
        | Kind::RecordingErased
        | Kind::SecretsRead
        | Kind::PolicyLoaded => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::sim::SimDisk;

    #[tokio::test(start_paused = true)]
    async fn a_disk_with_enough_space_is_not_looked_at_for_each_entry() {
        let disk = SimDisk::default();
        let every = Duration::from_millis(100);
        let reserve = Reserve { every, ..Reserve::new(Arc::new(disk.clone()), 10) };
        assert_eq!(reserve.short(), None);
        disk.leave_free(9);
        tokio::time::advance(Duration::from_millis(99)).await;
        assert_eq!(reserve.short(), None);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(reserve.short().is_some());
        disk.leave_free(10);
        assert_eq!(reserve.short(), None);
    }
}
