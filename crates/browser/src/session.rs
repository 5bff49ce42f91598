//! One page's session: commands to it, and what was seen of it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use serde_json::{Value, json};

use crate::{
    connection::{CallError, Connection},
    console::{self, Message},
    field,
};

/// Messages of a page that are kept; a page that says more is broken beyond reading.
const MOST_MESSAGES: usize = 500;

/// A session attached to a page's target.
#[derive(Debug)]
pub(crate) struct Session {
    connection: Arc<Connection>,
    id: String,
    seen: Arc<Seen>,
}

/// What the events of a session told so far.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The page's own frame, as opposed to frames within it.
    frame: String,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// How many events there were.
    pub(crate) events: u64,
    /// The loader (which names a document) whose `load` event was the last.
    pub(crate) loaded: Option<String>,
    /// Errors and warnings.
    pub(crate) messages: Vec<Message>,
    ended: bool,
}

// === impl Session ===

impl Session {
    /// Attaches to a target.
    pub(crate) fn attach(
        connection: &Arc<Connection>,
        target: &str,
        patience: Duration,
    ) -> anyhow::Result<Self> {
        let parameters = json!({ "targetId": target, "flatten": true });
        let answer = connection.call(None, "Target.attachToTarget", &parameters, patience)?;
        let id = field::name(&answer, "/sessionId")?;
        let seen = Arc::new(Seen::of_frame(target));
        connection.listen(&id, Arc::clone(&seen));
        Ok(Self { connection: Arc::clone(connection), id, seen })
    }

    pub(crate) fn call(
        &self,
        method: &'static str,
        parameters: &Value,
        patience: Duration,
    ) -> Result<Value, CallError> {
        self.connection.call(Some(&self.id), method, parameters, patience)
    }

    pub(crate) fn seen(&self) -> &Seen {
        &self.seen
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.forget(&self.id);
    }
}

// === impl Seen ===

impl Seen {
    /// Of a page whose main frame is this; Chromium names it as it names the target.
    fn of_frame(frame: &str) -> Self {
        Self { frame: frame.to_owned(), state: Mutex::default(), changed: Condvar::new() }
    }

    /// Takes an event.
    pub(crate) fn note(&self, method: &str, params: &Value) {
        let mut state = self.state.lock();
        state.events += 1;
        let told = |pointer| field::text(params, pointer);
        if method == "Page.lifecycleEvent"
            && told("/name") == Some("load")
            && told("/frameId") == Some(&self.frame)
        {
            state.loaded = told("/loaderId").map(str::to_owned);
        }
        if state.messages.len() < MOST_MESSAGES {
            state.messages.extend(console::message(method, params));
        }
        self.changed.notify_all();
    }

    /// No more events will come.
    pub(crate) fn end(&self) {
        self.state.lock().ended = true;
        self.changed.notify_all();
    }

    /// Looks at what was seen, or changes it.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock())
    }

    /// Waits until the events told what is waited for; `false` if they did not in time, or cannot any more.
    pub(crate) fn wait(&self, deadline: Instant, ready: impl Fn(&State) -> bool) -> bool {
        let mut state = self.state.lock();
        while !ready(&state) {
            if state.ended || self.changed.wait_until(&mut state, deadline).timed_out() {
                return ready(&state);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_load_of_the_page_s_own_frame_counts() {
        let seen = Seen::of_frame("F1");
        let event = |frame: &str, name: &str| {
            seen.note("Page.lifecycleEvent", &json!({ "frameId": frame, "loaderId": "L1", "name": name }));
            seen.with(|state| state.loaded.clone())
        };
        assert_eq!(event("F2", "load"), None);
        assert_eq!(event("F1", "DOMContentLoaded"), None);
        assert_eq!(event("F1", "load").as_deref(), Some("L1"));
    }

    #[test]
    fn whoever_waits_is_told_of_the_end() {
        let seen = Seen::of_frame("F1");
        let far = Instant::now() + Duration::from_secs(3600);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| seen.wait(far, |state| state.loaded.is_some()));
            seen.end();
            assert!(!waiting.join().unwrap());
        });
    }

    #[test]
    fn a_page_cannot_fill_the_memory_with_messages() {
        let seen = Seen::of_frame("F1");
        let long = "x".repeat(100_000);
        for _ in 0..2 * MOST_MESSAGES {
            seen.note("Runtime.consoleAPICalled", &json!({ "type": "error", "args": [{ "value": long }] }));
        }
        seen.with(|state| {
            assert_eq!(state.messages.len(), MOST_MESSAGES);
            assert!(state.messages.iter().all(|message| message.text.len() < 3_000));
        });
    }
}
