//! Freezing and thawing: all that a session has open ends, and its token is refused until a human thaws it.

use std::fmt;
use std::sync::Arc;

use store::{Change, Frozen, Session, State};
use tokio::sync::MutexGuard;

use super::entry::Entry;
use super::{Sessions, Shared, whole_microseconds};
use crate::{End, Operator, Reason, SessionId};

/// While it is held, no session is opened, frozen, thawed, or ended in the store.
#[must_use]
pub struct Turn<'a>(#[expect(dead_code, reason = "held, never read")] MutexGuard<'a, ()>);

/// A thaw that has begun: nothing else happens to the sessions in the store until it is finished or dropped.
#[must_use]
pub struct Thawing<'a> {
    sessions: &'a Sessions,
    id: SessionId,
    frozen: Arc<Frozen>,
    _turn: MutexGuard<'a, ()>,
}

// === impl Sessions ===

impl Sessions {
    /// Freezes a session: ends all that it has open and refuses what it asks from now on, until [`Sessions::thaw`]. At once
    /// in memory, then in the store, as with [`Sessions::revoke`]; doing it again changes nothing.
    ///
    /// The freeze is to be recorded while the turn that is returned is held: a thaw waits for that, so that its leaf cannot
    /// come first.
    ///
    /// Cancel safety: as with [`Sessions::revoke`].
    ///
    /// # Errors
    /// The freeze cannot be stored: the session is frozen until the gate restarts.
    pub async fn freeze(
        &self,
        id: &SessionId,
        by: &Operator,
        why: &Reason,
    ) -> Result<(Change, Turn<'_>), store::Error> {
        let frozen = Arc::new(Frozen {
            at: whole_microseconds(self.shared.clock.now()),
            by: by.to_string(),
            why: why.to_string(),
        });
        self.shared.freeze(id, &frozen);
        let turn = self.changes.lock().await;
        let change = self.store.freeze_session(id.as_str(), &frozen).await;
        // Again: it may have been entered, or thawed, while we waited for our turn.
        self.shared.freeze(id, &frozen);
        Ok((change?, Turn(turn)))
    }

    /// Begins to thaw a session; `None` when it is not frozen. Record the thaw, then [finish](Thawing::finish) it.
    pub async fn thaw(&self, id: &SessionId) -> Option<Thawing<'_>> {
        let turn = self.changes.lock().await;
        let frozen = self.shared.live.load().get(id)?.frozen.clone()?;
        Some(Thawing { sessions: self, id: id.clone(), frozen, _turn: turn })
    }

    /// Sessions whose freeze is not in the ledger.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn unrecorded_freezes(&self) -> Result<Vec<Session>, store::Error> {
        self.store.unrecorded_freezes().await
    }

    /// Keeps that a session's freeze is in the ledger, so that it is not told again at the next start.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn freeze_recorded(&self, id: &str) -> Result<(), store::Error> {
        self.store.freeze_recorded(id, self.shared.clock.now()).await
    }

    /// Keeps what `Caller::count_values` counted, so that a restart does not give a session a new budget.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn keep_count(&self, id: &SessionId, sent: u32) -> Result<(), store::Error> {
        self.store.count_values(id.as_str(), sent).await
    }
}

// === impl Thawing ===

impl Thawing<'_> {
    /// How the session is frozen.
    pub fn frozen(&self) -> &Frozen {
        &self.frozen
    }

    /// Thaws the session: its token is good again until it expires, and what it has sent is counted anew. To be called
    /// once the thaw is in the ledger; dropped instead, the session stays frozen.
    ///
    /// # Errors
    /// The thaw cannot be stored: the session stays frozen.
    pub async fn finish(self) -> Result<Change, store::Error> {
        let Self { sessions, id, .. } = &self;
        let now = sessions.shared.clock.now();
        let change = sessions.store.thaw_session(id.as_str(), now).await?;
        let open = match &change {
            Change::Made(_) => true,
            // Its freeze could not be stored.
            Change::Needless(session) => session.state(now) == State::Active,
            Change::Unknown => false,
        };
        if open {
            sessions.shared.thaw(id);
        }
        Ok(change)
    }
}

impl fmt::Debug for Thawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thawing").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turn")
    }
}

// === impl Shared ===

impl Shared {
    /// Ends all that a session has open, and leaves a frozen one in its place: only of one that is there, so that none
    /// comes back that was ended in the meantime.
    fn freeze(&self, id: &SessionId, frozen: &Arc<Frozen>) {
        let Some(entry) = self.live.load().get(id).filter(|entry| entry.frozen.is_none()).cloned() else {
            return;
        };
        entry.end_as(End::Frozen(Arc::clone(frozen)));
        self.exchange(&entry, entry.again(Some(Arc::clone(frozen))));
    }

    fn thaw(&self, id: &SessionId) {
        let Some(entry) = self.live.load().get(id).filter(|entry| entry.frozen.is_some()).cloned() else {
            return;
        };
        self.exchange(&entry, entry.again(None));
    }

    /// Puts `new` in the place of `old`, if that is still there.
    fn exchange(&self, old: &Arc<Entry>, new: Entry) {
        let new = Arc::new(new);
        self.change(|live| {
            if let Some(entry) = live.get_mut(old.caller.session())
                && Arc::ptr_eq(entry, old)
            {
                *entry = Arc::clone(&new);
            }
        });
    }
}
