//! The recordings of the sessions that have something open: begun with what is to be recorded first, ended with the session.

use std::{collections::HashMap, fmt, sync::Arc};

use futures_util::{
    FutureExt,
    future::{BoxFuture, ready},
};
use identity::Caller;
use ledger::leaf::Id;
use parking_lot::Mutex;
use recording::{Recorder, Refused, Session, Stopped, Tap, kept::Keeper};
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

/// Tells the operator why something goes on no further. That a session is at its end is no fault of the gate's, and its agent may ask again
/// and again.
pub(crate) fn report(call: &Id, stopped: &Stopped, what: &str) {
    if matches!(stopped, Stopped::Full | Stopped::KeptEnough) {
        tracing::debug!(%call, %stopped, "{what}");
    } else {
        tracing::error!(%call, %stopped, "{what}");
    }
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
        let session: Session = id.parse().map_err(|_| Refused::Stopped(Stopped::Closed))?;
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
    pub async fn close(&self) -> Result<(), Stopped> {
        self.open.lock().clear();
        self.recorder.close().await
    }

    fn is_open(&self, session: &Session) -> Option<Recorded> {
        let open = self.open.lock();
        open.get(session).filter(|open| open.tap.stopped().is_none()).map(Open::recorded)
    }

    fn users(&self, session: &Session) -> Option<TaskTracker> {
        self.open.lock().get(session).map(|open| open.users.clone())
    }

    /// Has the recorder end a recording, unless somebody uses it. Who comes later begins another, since the recorder is asked for that
    /// later.
    fn end_unused(&self, session: &Session) -> Option<BoxFuture<'static, Result<(), Stopped>>> {
        let mut open = self.open.lock();
        if !open.get(session)?.users.is_empty() {
            return None;
        }
        let Open { tap, users: _ } = open.remove(session)?;
        let mut ending = async move { tap.end().await }.boxed();
        // It asks as soon as it is polled.
        Some(match (&mut ending).now_or_never() {
            Some(ended) => ready(ended).boxed(),
            None => ending,
        })
    }
}

/// Ends a recording when its session has ended, or is frozen, and all is recorded that went on until then. Whoever comes meanwhile, since
/// the session was thawed, is waited for.
async fn end_with(recordings: Recordings, ended: identity::Ended, session: Session) {
    ended.wait().await;
    while let Some(users) = recordings.users(&session) {
        users.close();
        users.wait().await;
        let Some(ending) = recordings.end_unused(&session) else { continue };
        if let Err(why) = ending.await {
            tracing::warn!(%session, %why, "a recording did not come to a good end");
        }
        return;
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

#[cfg(test)]
mod tests {
    use crate::bench::Bench;

    /// A session is frozen, and thawed while its last call ends.
    #[tokio::test]
    async fn a_recording_does_not_end_under_whoever_came_as_the_last_one_left() {
        let bench = Bench::new().await;
        let recordings = bench.gate.recordings();
        let last = recordings.of(&bench.caller).await.unwrap();
        assert!(bench.call().sent_known(u32::MAX).await.is_err(), "it is frozen");
        let waits = || recordings.users(last.tap().session()).is_some_and(|users| users.is_closed());
        while !waits() {
            tokio::task::yield_now().await;
        }
        let tap = last.tap().clone();
        drop(last);
        let next = recordings.of(&bench.caller).await.unwrap();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        next.tap().flush().await.unwrap();
        drop(next);
        assert_eq!(tap.until_stopped().await, recording::Stopped::Ended);
        let another = recordings.of(&bench.caller).await.unwrap();
        another.tap().flush().await.unwrap();
    }
}
