//! Between the writer thread and the sealer thread: runs of durable leaves, bounded in bytes.

use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::time::Duration;

/// Bytes of leaves that may wait for the sealer; more, and the writer waits. While sealing fails the writer waits for
/// nothing: beyond this the log takes only what ends something, and beyond twice this nothing.
pub(super) const LIMIT: usize = if cfg!(test) { 64 << 10 } else { 64 << 20 };
/// How long sealing may fail before nothing new may begin: until it works again, nothing signed vouches for what is
/// recorded.
pub(super) const PATIENCE: Duration = Duration::from_secs(5 * 60);

#[derive(Debug, Default)]
pub(super) struct Handoff {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    runs: VecDeque<Vec<u8>>,
    bytes: usize,
    /// The sealer waits for as many bytes: not woken for each run, it costs a call nothing.
    wanted: Option<usize>,
    /// For how long sealing has been failing, if it does.
    failing: Option<Duration>,
    /// No more runs will come.
    ended: bool,
    /// Nobody takes runs any more.
    abandoned: bool,
}

/// How much waits for a sealer that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backlog {
    /// It does not fail, or not much.
    Fine,
    /// Enough that nothing new should begin.
    Long,
    /// More than is kept in memory.
    TooLong,
}

/// What [`Handoff::take`] found.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) runs: VecDeque<Vec<u8>>,
    pub(super) ended: bool,
}

impl Handoff {
    /// How much is waiting; waits itself while that is too much for a sealer that works.
    pub(super) fn when_there_is_room(&self) -> Backlog {
        let mut state = self.state.lock();
        let busy = |state: &mut State| state.bytes > LIMIT && state.failing.is_none() && !state.abandoned;
        self.changed.wait_while(&mut state, busy);
        state.backlog()
    }

    /// How much is waiting now.
    pub(super) fn backlog(&self) -> Backlog {
        self.state.lock().backlog()
    }

    /// Passes a run on. Without a taker it is dropped: the journal has it.
    pub(super) fn give(&self, run: Vec<u8>) {
        let mut state = self.state.lock();
        if !state.abandoned {
            state.bytes += run.len();
            state.runs.push_back(run);
            if state.wanted.is_some_and(|wanted| state.bytes >= wanted) {
                self.changed.notify_all();
            }
        }
    }

    /// Sealing has been failing for so long, or does not.
    pub(super) fn sealing_fails(&self, failing: Option<Duration>) {
        self.state.lock().failing = failing;
        self.changed.notify_all();
    }

    /// Waits this long, or until the end; whether that has come.
    pub(super) fn wait(&self, pause: Duration) -> bool {
        let mut state = self.state.lock();
        let _elapsed = self.changed.wait_while_for(&mut state, |state| !state.ended, pause);
        state.ended
    }

    /// Takes all runs; waits for one, or for the end.
    pub(super) fn take(&self) -> Taken {
        let mut state = self.state.lock();
        state.wanted = Some(0);
        self.changed.wait_while(&mut state, |state| state.runs.is_empty() && !state.ended);
        state.wanted = None;
        state.bytes = 0;
        self.changed.notify_all();
        Taken { runs: std::mem::take(&mut state.runs), ended: state.ended }
    }

    /// Waits this long, or until there is much to take, or the end.
    pub(super) fn pause(&self, interval: Duration) {
        let mut state = self.state.lock();
        state.wanted = Some(LIMIT / 2);
        let idle = |state: &mut State| state.bytes < LIMIT / 2 && !state.ended;
        let _elapsed = self.changed.wait_while_for(&mut state, idle, interval);
        state.wanted = None;
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

impl State {
    fn backlog(&self) -> Backlog {
        match self.failing {
            Some(_) if self.bytes > 2 * LIMIT => Backlog::TooLong,
            Some(failing) if self.bytes > LIMIT || failing > PATIENCE => Backlog::Long,
            Some(_) | None => Backlog::Fine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealer_that_fails_is_waited_for_within_bounds() {
        let handoff = Handoff::default();
        handoff.give(vec![0; LIMIT]);
        assert_eq!(handoff.when_there_is_room(), Backlog::Fine);
        handoff.sealing_fails(Some(PATIENCE));
        assert_eq!(handoff.when_there_is_room(), Backlog::Fine);
        handoff.sealing_fails(Some(PATIENCE + Duration::from_secs(1)));
        assert_eq!(handoff.when_there_is_room(), Backlog::Long);
        handoff.sealing_fails(Some(Duration::ZERO));
        handoff.give(vec![0; LIMIT]);
        assert_eq!(handoff.when_there_is_room(), Backlog::Long);
        handoff.give(vec![0]);
        assert_eq!(handoff.when_there_is_room(), Backlog::TooLong);
        handoff.take();
        handoff.sealing_fails(None);
        assert_eq!(handoff.when_there_is_room(), Backlog::Fine);
    }
}
