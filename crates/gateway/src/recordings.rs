//! The recordings of the sessions that have something open: begun with what is to be recorded first, ended with the session.

use std::{collections::HashMap, fmt, sync::Arc};

use identity::Caller;
use parking_lot::Mutex;
use recording::{Recorder, Refused, Session, Tap, kept::Keeper};
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

/// Where what sessions do is recorded. Cheap to clone.
#[derive(Clone)]
pub struct Recordings {
    recorder: Recorder,
    keeper: Option<Arc<Keeper>>,
    open: Arc<Mutex<HashMap<Session, Open>>>,
}

/// A session's recording that is written.
struct Open {
    tap: Tap,
    /// What is being recorded.
    users: TaskTracker,
}

/// A session's recording, which does not end as long as this is there, but for a fault.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    tap: Tap,
    _user: TaskTrackerToken,
}

impl Recordings {
    /// With a recorder whose segments are told to the ledger ([`crate::segments::tell`]).
    #[must_use]
    pub fn new(recorder: Recorder) -> Self {
        Self { recorder, keeper: None, open: Arc::default() }
    }

    /// The same, that keeps values of what is changed, so that they can be put back.
    #[must_use]
    pub fn keeping(self, keeper: Keeper) -> Self {
        Self { keeper: Some(Arc::new(keeper)), ..self }
    }

    /// What it keeps values with; `None`: it keeps none.
    pub(crate) fn keeper(&self) -> Option<Arc<Keeper>> {
        self.keeper.clone()
    }

    /// Where what was kept is read from.
    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The recording of the caller's session, begun or gone on with if need be.
    ///
    /// # Errors
    /// Nothing of the session can be recorded now, so nothing of it may happen.
    pub(crate) async fn of(&self, caller: &Caller) -> Result<Recorded, Refused> {
        let id = caller.session().as_str();
        // Sessions' ids are such that they name recordings; another is no session's.
        let session: Session = id.parse().map_err(|_| Refused::Stopped(recording::Stopped::Closed))?;
        if let Some(recorded) = self.is_open(&session) {
            return Ok(recorded);
        }
        let tap = self.recorder.session(&session).await?;
        let mut open = self.open.lock();
        // The recorder gives every caller the same recording, so whoever comes second changes nothing.
        let entry = open.entry(session.clone()).or_insert_with(|| {
            tokio::spawn(end_with(self.clone(), caller.ended().clone(), session));
            Open { tap: tap.clone(), users: TaskTracker::new() }
        });
        if entry.tap.stopped().is_some() {
            entry.tap = tap;
        }
        Ok(entry.recorded())
    }

    /// Ends all in good order, once nothing is recorded any more.
    ///
    /// # Errors
    /// What was handed over last is not durable, or not in the ledger.
    pub async fn close(&self) -> Result<(), recording::Stopped> {
        self.open.lock().clear();
        self.recorder.close().await
    }

    fn is_open(&self, session: &Session) -> Option<Recorded> {
        let open = self.open.lock();
        open.get(session).filter(|open| open.tap.stopped().is_none()).map(Open::recorded)
    }
}

/// Ends a recording when its session has ended, or is frozen, and all is recorded that went on until then.
async fn end_with(recordings: Recordings, ended: identity::Ended, session: Session) {
    ended.wait().await;
    let users = recordings.open.lock().get(&session).map(|open| open.users.clone());
    if let Some(users) = users {
        users.close();
        users.wait().await;
    }
    let left = recordings.open.lock().remove(&session);
    if let Some(Open { tap, .. }) = left
        && let Err(why) = tap.end().await
    {
        tracing::warn!(%session, %why, "a recording did not come to a good end");
    }
}

impl Open {
    fn recorded(&self) -> Recorded {
        Recorded { tap: self.tap.clone(), _user: self.users.token() }
    }
}

impl Recorded {
    /// Where its records go.
    pub(crate) fn tap(&self) -> &Tap {
        &self.tap
    }
}

impl fmt::Debug for Recordings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recordings").field("open", &self.open.lock().len()).finish_non_exhaustive()
    }
}
