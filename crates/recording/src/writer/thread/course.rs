//! How recordings begin, go on and end.

use super::{Ended, Writer, gone};
use crate::record::{Session, What};
use crate::writer::chain::Chain;
use crate::writer::recording::Recording;
use crate::writer::run::{Refused, Run, Stopped};
use std::sync::Arc;
use tokio::time::Instant;

impl Writer {
    pub(super) async fn open(&mut self, session: Session) -> Result<Arc<Run>, Refused> {
        if self.erasing.lock().contains(&session) {
            return Err(Refused::Erased { session });
        }
        if let Some(recording) = self.recordings.get(&session) {
            if recording.run.stopped().is_none() {
                return Ok(Arc::clone(&recording.run));
            }
            // What was handed over before it stopped.
            self.seal(&session, false).await;
            // One that is full, or has no space, is still to be ended.
            if !self.full.contains(&session) {
                self.has_space()?;
                self.recordings.remove(&session);
            }
        }
        if self.full.contains(&session) {
            return Err(Refused::Stopped(Stopped::Full));
        }
        self.has_space()?;
        let (storage, at_rest) = (Arc::clone(&self.storage), Arc::clone(&self.at_rest));
        let now = self.clock.now();
        let (chain, found) = Chain::open(storage, at_rest, &session, now)?;
        // To measure the files of a long recording takes its time.
        let at = chain.time(self.clock.now());
        let run = Arc::new(Run::new(session.clone(), at, chain.next_stream));
        if chain.stored >= self.quota {
            if let Some(found) = found {
                self.tell(run.sealed(found.last)).await;
                if !found.stopped {
                    // Nothing goes on of what a gate was killed over, which nobody tells later.
                    self.recordings.insert(session.clone(), Recording::new(Arc::clone(&run), chain));
                    let interrupted = What::Interrupted { torn: found.torn };
                    self.add(&session, (at, Instant::now()), interrupted, None, None);
                    self.end(&run, Stopped::Full).await?;
                }
            }
            self.full.insert(session);
            return Err(Refused::Stopped(Stopped::Full));
        }
        let recording = Recording::new(Arc::clone(&run), chain);
        self.recordings.insert(session.clone(), recording);
        let mut begun = What::Began {};
        if let Some(found) = found {
            if !found.stopped {
                begun = What::Interrupted { torn: found.torn };
            }
            self.tell(run.sealed(found.last)).await;
        }
        // Durable before anything is taken: whatever happens to this run, the next can tell that there was one.
        self.add(&session, (at, Instant::now()), begun, None, None);
        self.seal(&session, false).await;
        // One that stopped meanwhile says so to whoever records.
        if self.recordings.contains_key(&session) { Ok(run) } else { Err(Refused::Stopped(gone(&run))) }
    }

    pub(super) fn has_space(&self) -> Result<(), Refused> {
        let why = match self.storage.free() {
            Ok(free) if free >= self.reserve => return Ok(()),
            Ok(free) => format!("{free} bytes are free, {} are kept in reserve", self.reserve),
            Err(error) => format!("the free space cannot be told: {error}"),
        };
        Err(Refused::NoSpace { why })
    }

    pub(super) fn let_go(&mut self, session: &Session, why: Stopped) {
        if let Some(recording) = self.recordings.remove(session) {
            self.held -= recording.batch.held();
            recording.run.stop(why);
        }
    }

    pub(super) async fn flush(&mut self, run: &Arc<Run>) -> Result<u64, Stopped> {
        let session = self.current(run).ok_or_else(|| gone(run))?;
        self.seal(&session, false).await;
        let recording = self.recordings.get(&session).ok_or_else(|| gone(run))?;
        Ok(recording.chain.next - 1)
    }

    pub(super) async fn end(&mut self, run: &Arc<Run>, why: Stopped) -> Result<u64, Stopped> {
        let session = self.current(run).ok_or_else(|| gone(run))?;
        // One that was stopped before has an end that is not in good order, and does not say otherwise; of one that is full all is there.
        let before = run.stopped();
        let is_whole = matches!(before, None | Some(Stopped::Full));
        if is_whole {
            self.add(&session, (run.now(), Instant::now()), What::Stopped {}, None, None);
        }
        self.seal(&session, is_whole).await;
        let recording = self.recordings.get(&session).ok_or_else(|| gone(run))?;
        let last = recording.chain.next - 1;
        self.let_go(&session, why);
        before.filter(|_| !is_whole).map_or(Ok(last), Err)
    }

    pub(super) async fn end_all(&mut self) -> Ended {
        let runs: Vec<Arc<Run>> =
            self.recordings.values().map(|recording| Arc::clone(&recording.run)).collect();
        let mut ended = Vec::new();
        for run in runs {
            let last = self.end(&run, Stopped::Closed).await;
            ended.push((run, last));
        }
        ended
    }

    pub(super) fn release(&mut self, session: &Session, unless_open: bool) -> bool {
        let open = self.recordings.get(session).is_some_and(|recording| recording.run.stopped().is_none());
        if open && unless_open {
            return false;
        }
        self.let_go(session, Stopped::Erased);
        self.full.remove(session);
        true
    }
}
