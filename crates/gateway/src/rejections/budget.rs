//! How many calls of one session that cost the API server nothing are told in leaves of their own.

use std::{collections::HashMap, time::Duration};

use identity::SessionId;
use tokio::time::Instant;

/// What a session may have told one by one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    /// At once.
    pub(super) burst: u32,
    /// Between two, in the long run.
    pub(super) each: Duration,
}

/// 60 refusals a minute.
pub(super) const REFUSALS: Allowance = Allowance { burst: 60, each: Duration::from_secs(1) };
/// Answers of the gate's own, ten a second: clients ask about many rights at once.
pub(super) const ANSWERS: Allowance = Allowance { burst: 600, each: Duration::from_millis(100) };

/// Per session, when its budget will be whole again. Sessions whose budget is whole have no entry.
#[derive(Debug)]
pub(super) struct Budgets {
    allowance: Allowance,
    whole: HashMap<SessionId, Instant>,
}

impl Budgets {
    pub(super) fn new(allowance: Allowance) -> Self {
        Self { allowance, whole: HashMap::new() }
    }

    /// Takes one from a session's budget; whether there was one.
    pub(super) fn spend(&mut self, session: &SessionId, now: Instant) -> bool {
        let Allowance { burst, each } = self.allowance;
        let whole = self.whole.get(session).map_or(now, |whole| (*whole).max(now));
        let left = whole.duration_since(now) <= each * (burst - 1);
        if left {
            self.whole.insert(session.clone(), whole + each);
        }
        left
    }

    /// Forgets budgets that are whole again.
    pub(super) fn tidy(&mut self, now: Instant) {
        self.whole.retain(|_, whole| *whole > now);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.whole.len()
    }
}
