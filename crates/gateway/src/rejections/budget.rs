//! How many refusals of one session are told in leaves of their own.

use std::{collections::HashMap, time::Duration};

use identity::SessionId;
use tokio::time::Instant;

/// Refusals that a session may have at once.
pub(super) const BURST: u32 = 60;
/// Between two refusals, in the long run: 60 a minute.
pub(super) const EACH: Duration = Duration::from_secs(1);

/// Per session, when its budget will be whole again. Sessions whose budget is whole have no entry.
#[derive(Debug, Default)]
pub(super) struct Budgets(HashMap<SessionId, Instant>);

impl Budgets {
    /// Takes one from a session's budget; whether there was one.
    pub(super) fn spend(&mut self, session: &SessionId, now: Instant) -> bool {
        let whole = self.0.get(session).map_or(now, |whole| (*whole).max(now));
        let left = whole.duration_since(now) <= EACH * (BURST - 1);
        if left {
            self.0.insert(session.clone(), whole + EACH);
        }
        left
    }

    /// Forgets budgets that are whole again.
    pub(super) fn tidy(&mut self, now: Instant) {
        self.0.retain(|_, whole| *whole > now);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
