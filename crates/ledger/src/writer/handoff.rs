//! Between the writer thread and the sealer thread: runs of durable leaves, bounded in bytes.

use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Bytes of leaves that may wait for the sealer; more, and the writer waits. While sealing fails the writer waits for
/// nothing: beyond this the log takes only what ends something, and beyond twice this nothing.
pub(super) const LIMIT: usize = if cfg!(test) { 64 << 10 } else { 64 << 20 };
/// How long sealing may fail, or not come to its end, before nothing new may begin: until it works again, nothing signed vouches for what is
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
    /// Since when the sealer has been at what it has, if at anything.
    sealing_since: Option<Instant>,
    /// Sealing fails, or takes so long that the writer cannot wait for it.
    failing: bool,
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
    /// How much is waiting; waits itself while that is too much for a sealer that works. One that makes no room in
    /// this time counts as failing.
    pub(super) fn when_there_is_room(&self, within: Duration) -> Backlog {
        let mut state = self.state.lock();
        let busy = |state: &mut State| state.bytes > LIMIT && !state.failing && !state.abandoned;
        if self.changed.wait_while_for(&mut state, busy, within).timed_out() {
            state.failing = true;
        }
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

    /// The sealer begins to seal what it has.
    pub(super) fn sealing(&self) {
        self.state.lock().sealing_since = Some(Instant::now());
    }

    /// It failed, and will try again.
    pub(super) fn sealing_fails(&self) {
        self.state.lock().failing = true;
        self.changed.notify_all();
    }

    /// All it had is sealed.
    pub(super) fn sealed(&self) {
        let mut state = self.state.lock();
        state.sealing_since = None;
        state.failing = false;
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
        let overdue = self.sealing_since.is_some_and(|since| since.elapsed() > PATIENCE);
        if self.failing && self.bytes > 2 * LIMIT {
            Backlog::TooLong
        } else if overdue || self.failing && self.bytes > LIMIT {
            Backlog::Long
        } else {
            Backlog::Fine
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;

    #[tokio::test(start_paused = true)]
    async fn a_sealer_that_fails_is_waited_for_within_bounds() {
        let handoff = Handoff::default();
        handoff.give(vec![0; LIMIT]);
        handoff.sealing();
        handoff.sealing_fails();
        tokio::time::advance(PATIENCE).await;
        assert_eq!(handoff.when_there_is_room(AT_ONCE), Backlog::Fine);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(handoff.when_there_is_room(AT_ONCE), Backlog::Long);
        handoff.sealed();
        assert_eq!(handoff.when_there_is_room(AT_ONCE), Backlog::Fine);
        handoff.sealing();
        handoff.sealing_fails();
        handoff.give(vec![0; LIMIT]);
        assert_eq!(handoff.when_there_is_room(AT_ONCE), Backlog::Long);
        handoff.give(vec![0]);
        assert_eq!(handoff.when_there_is_room(AT_ONCE), Backlog::TooLong);
        handoff.take();
        handoff.sealed();
        assert_eq!(handoff.when_there_is_room(AT_ONCE), Backlog::Fine);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sealer_that_hangs_is_one_that_fails() {
        let handoff = Handoff::default();
        handoff.sealing();
        tokio::time::advance(PATIENCE + Duration::from_secs(1)).await;
        assert_eq!(handoff.backlog(), Backlog::Long);
        handoff.sealed();
        handoff.sealing();
        handoff.give(vec![0; LIMIT + 1]);
        assert_eq!(handoff.backlog(), Backlog::Fine);
        assert_eq!(handoff.when_there_is_room(AT_ONCE), Backlog::Long);
        handoff.give(vec![0; LIMIT]);
        assert_eq!(handoff.when_there_is_room(AT_ONCE), Backlog::TooLong);
    }
}
