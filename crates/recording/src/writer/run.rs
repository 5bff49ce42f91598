//! One run of a session's recording, from its opening until it stops: what the taps, the writer and the gate's ledger
//! know of each other.

use super::WITHIN;
use crate::Digest;
use crate::record::Session;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// A segment that is durable. It has all that the ledger is to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// Whose it is.
    pub session: Session,
    /// Its place in the recording, from 1.
    pub number: u64,
    /// The digest of its file.
    pub sha256: Digest,
    /// The digest of the segment before; the first has none.
    pub previous: Option<Digest>,
    /// Bytes of its file.
    pub bytes: u64,
    /// Records in it.
    pub records: u64,
    /// The time of the first, in microseconds since the recording began.
    pub first: u64,
    /// The time of the last.
    pub last: u64,
}

/// The news of a durable segment, for the gate to put its digest into the ledger. When a recording goes on, its last
/// segment is told again: the one who told it first may have been killed over it.
///
/// Dropped without [`Sealed::recorded`], it stops the recording.
#[derive(Debug)]
#[must_use = "a segment that is not recorded stops its recording"]
pub struct Sealed {
    segment: Segment,
    run: Arc<Run>,
    recorded: bool,
}

/// Why a recording takes nothing more, for good. Whatever goes on in its session is to be ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum Stopped {
    /// A write failed.
    #[error("the recording cannot be written ({why}): free or repair its disk, and begin anew")]
    Unwritable { why: String },
    /// Its disk is nearly full. How what was begun ends is recorded still, from the reserve.
    #[error("the recording cannot be written ({why}): free or repair its disk, and begin anew")]
    NoSpace { why: String },
    /// The recording is as large as one may be. How what was begun ends is recorded still.
    #[error("as much is recorded of the session as is recorded of one: go on in another one")]
    Full,
    /// So much is kept of values that nothing more is.
    #[error("as much is kept of values as is kept of one session: what is masked is changed in another one")]
    KeptEnough,
    /// The writer did not take what was handed over, or did not come to its end, in time.
    #[error(
        "the recorder does not keep up: its disk or the ledger's does not answer; repair it, and begin anew"
    )]
    Stalled,
    /// The ledger has not taken the digest of a segment.
    #[error("a segment of the recording is not in the ledger")]
    Unrecorded,
    /// The recording was erased.
    #[error("the recording was erased")]
    Erased,
    /// The recording was ended in good order.
    #[error("the recording was ended")]
    Ended,
    /// The recorder was closed.
    #[error("the recorder is closed")]
    Closed,
}

/// Why a session cannot be recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum Refused {
    /// The disk is nearly full.
    #[error("no recording can begin: {why}; free space on the disk of the recordings")]
    NoSpace { why: String },
    /// There is a recording of the session whose end is not what was written.
    #[error(
        "the recording of `{session}` cannot go on: segment {number}: {why}; restore it from a backup, or move the folder \
         away and keep it as evidence"
    )]
    Damaged { session: Session, number: u64, why: String },
    /// The session's recording was erased: it cannot begin again.
    #[error("the recording of `{session}` was erased")]
    Erased { session: Session },
    /// There is no recording of the session to be erased.
    #[error("there is no recording of `{session}`")]
    None { session: Session },
    /// Writing failed, or the recorder does not answer, or is closed.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// What the handles of one run share.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) session: Session,
    /// The recording's time at `began`.
    base: u64,
    began: Instant,
    next_stream: AtomicU32,
    state: watch::Sender<State>,
}

#[derive(Debug, Default)]
struct State {
    stopped: Option<Stopped>,
    /// Durable segments that the ledger does not have yet.
    unrecorded: BTreeSet<u64>,
    /// One of them never came into the ledger.
    lost: bool,
}

// === impl Stopped ===

impl Stopped {
    /// Whether it is recorded still how what was begun ends.
    fn takes_ends(&self) -> bool {
        match self {
            Self::NoSpace { .. } | Self::Full => true,
            Self::Unwritable { .. }
            | Self::KeptEnough
            | Self::Stalled
            | Self::Unrecorded
            | Self::Erased
            | Self::Ended
            | Self::Closed => false,
        }
    }
}

// === impl Run ===

impl Run {
    pub(super) fn new(session: Session, base: u64, next_stream: u32) -> Self {
        let (state, _) = watch::channel(State::default());
        Self { session, base, began: Instant::now(), next_stream: next_stream.into(), state }
    }

    /// The recording's time.
    pub(super) fn now(&self) -> u64 {
        let elapsed = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.base.saturating_add(elapsed)
    }

    /// The number of a new stream.
    pub(super) fn number_stream(&self) -> u32 {
        self.next_stream.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes nothing more from now on. The first reason is kept, unless it lets ends be recorded.
    pub(super) fn stop(&self, why: Stopped) {
        self.state.send_if_modified(|state| {
            let is_new = state.stopped.as_ref().is_none_or(|stopped| stopped.takes_ends() && *stopped != why);
            if is_new {
                state.stopped = Some(why);
            }
            is_new
        });
    }

    pub(super) fn stopped(&self) -> Option<Stopped> {
        self.state.borrow().stopped.clone()
    }

    pub(super) fn check(&self) -> Result<(), Stopped> {
        self.stopped().map_or(Ok(()), Err)
    }

    /// The same for what tells an end.
    pub(super) fn check_end(&self) -> Result<(), Stopped> {
        self.stopped().filter(|stopped| !stopped.takes_ends()).map_or(Ok(()), Err)
    }

    pub(super) async fn until_stopped(&self) -> Stopped {
        let mut state = self.state.subscribe();
        // The sender lives as long as `self`.
        let stopped = state.wait_for(|state| state.stopped.is_some()).await;
        stopped.ok().and_then(|state| state.stopped.clone()).unwrap_or(Stopped::Closed)
    }

    /// The news of a segment that has just become durable.
    pub(super) fn sealed(self: &Arc<Self>, segment: Segment) -> Sealed {
        self.state.send_modify(|state| {
            state.unrecorded.insert(segment.number);
        });
        Sealed { segment, run: Arc::clone(self), recorded: false }
    }

    /// Waits until the ledger has all segments up to this one.
    pub(super) async fn until_recorded(&self, number: u64) -> Result<(), Stopped> {
        let mut state = self.state.subscribe();
        let has_all =
            |state: &State| state.lost || state.unrecorded.first().is_none_or(|first| *first > number);
        let recorded = timeout(WITHIN, state.wait_for(has_all)).await;
        match recorded {
            Ok(Ok(state)) if !state.lost => Ok(()),
            Ok(_) => Err(Stopped::Unrecorded),
            Err(_elapsed) => Err(Stopped::Stalled),
        }
    }
}

// === impl Sealed ===

impl Sealed {
    /// The segment.
    #[must_use]
    pub fn segment(&self) -> &Segment {
        &self.segment
    }

    /// The ledger has it.
    pub fn recorded(mut self) {
        self.recorded = true;
        self.run.state.send_modify(|state| {
            state.unrecorded.remove(&self.segment.number);
        });
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        if !self.recorded {
            self.run.state.send_modify(|state| state.lost = true);
            self.run.stop(Stopped::Unrecorded);
        }
    }
}
