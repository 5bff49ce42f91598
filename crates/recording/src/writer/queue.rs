//! What is handed over to the writer. It is woken for what somebody waits for, and else when a second of records is there: a wake-up for
//! each record would cost more than all else that is done with it.

use super::thread::{Message, SEGMENT};
use crate::segment::FULL;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Where messages are handed over. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Queue(Arc<Handle>);

/// Ends the writer when nobody can hand anything over any more.
#[derive(Debug)]
struct Handle(Arc<Shared>);

/// The writer's side.
#[derive(Debug)]
pub(super) struct Waiting(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    bell: Notify,
}

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<Message>,
    /// Bytes of records among them.
    bytes: usize,
    /// The writer knows that there are some.
    told: bool,
    /// It is to take them now.
    urgent: bool,
    /// Nobody hands anything over any more.
    left: bool,
    /// Nobody takes anything any more.
    closed: bool,
}

/// Nobody takes it.
#[derive(Debug)]
pub(super) struct Closed;

pub(super) fn new() -> (Queue, Waiting) {
    let shared = Arc::new(Shared::default());
    (Queue(Arc::new(Handle(Arc::clone(&shared)))), Waiting(shared))
}

// === impl Queue ===

impl Queue {
    /// To be done now.
    pub(super) fn send(&self, message: Message) -> Result<(), Closed> {
        self.put(message, |state| std::mem::replace(&mut state.urgent, true))
    }

    /// To be done within a second, or once there is a segment of it; it weighs so much.
    pub(super) fn leave(&self, message: Message, bytes: usize) -> Result<(), Closed> {
        self.put(message, |state| {
            state.bytes = state.bytes.saturating_add(bytes);
            let flag = if state.bytes >= FULL { &mut state.urgent } else { &mut state.told };
            std::mem::replace(flag, true)
        })
    }

    /// What was left is to be done now: somebody waits for its room.
    pub(super) fn hurry(&self) {
        self.0.0.state.lock().urgent = true;
        self.0.0.bell.notify_one();
    }

    /// `knows`: whether the writer knows already.
    fn put(&self, message: Message, knows: impl FnOnce(&mut State) -> bool) -> Result<(), Closed> {
        let shared = &self.0.0;
        let mut state = shared.state.lock();
        if state.closed {
            return Err(Closed);
        }
        state.messages.push_back(message);
        let knows = knows(&mut state);
        drop(state);
        if !knows {
            shared.bell.notify_one();
        }
        Ok(())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.state.lock().left = true;
        self.0.bell.notify_one();
    }
}

// === impl Waiting ===

impl Waiting {
    /// Until there is something to do: `due`, a segment's time after something was left, or at once.
    pub(super) async fn wait(&self, due: Option<Instant>) {
        let mut left: Option<Instant> = None;
        loop {
            let until = due.into_iter().chain(left).min();
            tokio::select! {
                biased;
                () = self.0.bell.notified() => {
                    let state = self.0.state.lock();
                    if state.urgent || state.left {
                        return;
                    }
                    left.get_or_insert_with(|| Instant::now() + SEGMENT);
                }
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => return,
            }
        }
    }

    /// What was handed over, in order; `None`: nothing, and nothing ever will be.
    pub(super) fn take(&self) -> Option<VecDeque<Message>> {
        let mut state = self.0.state.lock();
        (state.bytes, state.told, state.urgent) = (0, false, false);
        let messages = std::mem::take(&mut state.messages);
        (!state.left || !messages.is_empty()).then_some(messages)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.closed = true;
        let messages = std::mem::take(&mut state.messages);
        drop(state);
        // Whoever waits for an answer is told by this that there is none.
        drop(messages);
    }
}
