//! What the log can take at the moment, and why not more.

use super::Refused;
use crate::leaf::Kind;
use crate::storage::Storage;
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;

/// What keeps entries out, or will.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// A thread ended that should not have. For good.
    poisoned: Mutex<Option<String>>,
    /// The journal failed, and no new one is begun yet.
    journal: Mutex<Option<String>>,
    /// Sealing failed, and is tried again.
    sealing: Mutex<Option<String>>,
}

/// What is kept free on the log's disk, so that what has begun can be told to its end.
#[derive(Debug)]
pub(super) struct Reserve {
    storage: Arc<dyn Storage>,
    bytes: u64,
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

    /// Why sealing fails, if it does.
    pub(super) fn unsealed_because(&self) -> Option<String> {
        self.sealing.lock().clone()
    }

    /// Why nothing at all can be recorded, if so; with the system's own words.
    pub(super) fn shut(&self) -> Option<(Refused, String)> {
        let poisoned = self.poisoned.lock().clone().map(|why| (Refused::Poisoned, why));
        poisoned.or_else(|| self.journal.lock().clone().map(|why| (Refused::Unwritable, why)))
    }
}

// === impl Reserve ===

impl Reserve {
    pub(super) fn new(storage: Arc<dyn Storage>, bytes: u64) -> Self {
        Self { storage, bytes }
    }

    /// Why nothing new may begin, if so. A disk that does not tell what is free counts as full.
    pub(super) fn short(&self) -> Option<String> {
        match self.storage.free() {
            Ok(free) if free >= self.bytes => None,
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
fn begins(kind: Kind) -> bool {
    match kind {
        Kind::Intent | Kind::Refusal | Kind::Answered | Kind::SessionOpened => true,
        Kind::Start
        | Kind::Stop
        | Kind::Outcome
        | Kind::Rejections
        | Kind::SessionRevoked
        | Kind::SessionExpired
        | Kind::PolicyLoaded => false,
    }
}
