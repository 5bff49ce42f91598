//! Between the writer thread and the sealer thread: runs of durable leaves, bounded in bytes.

use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::time::Duration;

/// Bytes of leaves that may wait for the sealer; more, and the writer waits.
const LIMIT: usize = 64 << 20;

#[derive(Debug, Default)]
pub(super) struct Handoff {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    runs: VecDeque<Vec<u8>>,
    bytes: usize,
    /// No more runs will come.
    ended: bool,
    /// Nobody takes runs any more.
    abandoned: bool,
}

/// What [`Handoff::take`] found.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) runs: VecDeque<Vec<u8>>,
    pub(super) ended: bool,
}

impl Handoff {
    /// Passes a run on; waits while too much is waiting. Without a taker the run is dropped: the journal has it.
    pub(super) fn give(&self, run: Vec<u8>) {
        let mut state = self.state.lock();
        self.changed.wait_while(&mut state, |state| state.bytes > LIMIT && !state.abandoned);
        if !state.abandoned {
            state.bytes += run.len();
            state.runs.push_back(run);
            self.changed.notify_all();
        }
    }

    /// Takes all runs; waits for one, or for the end.
    pub(super) fn take(&self) -> Taken {
        let mut state = self.state.lock();
        self.changed.wait_while(&mut state, |state| state.runs.is_empty() && !state.ended);
        state.bytes = 0;
        self.changed.notify_all();
        Taken { runs: std::mem::take(&mut state.runs), ended: state.ended }
    }

    /// Waits this long, or until there is much to take, or the end.
    pub(super) fn pause(&self, interval: Duration) {
        let mut state = self.state.lock();
        let idle = |state: &mut State| state.bytes < LIMIT / 2 && !state.ended;
        let _elapsed = self.changed.wait_while_for(&mut state, idle, interval);
    }

    /// No more runs will come.
    pub(super) fn end(&self) {
        self.state.lock().ended = true;
        self.changed.notify_all();
    }

    /// Nobody takes runs any more.
    pub(super) fn abandon(&self) {
        let mut state = self.state.lock();
        state.abandoned = true;
        state.runs.clear();
        self.changed.notify_all();
    }
}
