//! The writer thread.

mod course;

use super::body::Digested;
use super::chain::sizes;
use super::queue::Waiting;
use super::recording::Recording;
use super::run::{Refused, Run, Sealed, Stopped};
use super::{Clock, Config, Recorder};
use crate::at_rest::Close;
use crate::record::{Session, What};
use crate::segment::FULL;
use crate::storage::{Storage, put};
use crate::{Digest, kept};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;

/// What a segment holds at most.
pub(super) const SEGMENT: Duration = Duration::from_secs(1);

/// What the writer thread is asked for.
#[derive(Debug)]
pub(super) enum Message {
    /// Begin the session's recording, or go on with it.
    Open { session: Session, reply: oneshot::Sender<Result<Arc<Run>, Refused>> },
    /// Write this down.
    Record(Box<Handed>),
    /// Keep this beside the recording, under this name; answer with its digest.
    Keep {
        run: Arc<Run>,
        name: String,
        stored: Vec<u8>,
        room: OwnedSemaphorePermit,
        reply: oneshot::Sender<Result<Digest, Stopped>>,
    },
    /// Seal what there is; answer with the last segment's number.
    Flush { run: Arc<Run>, reply: oneshot::Sender<Result<u64, Stopped>> },
    /// The same, and let go.
    End { run: Arc<Run>, reply: oneshot::Sender<Result<u64, Stopped>> },
    /// Let go without sealing, for it is being erased; answer whether that was done. Not of one that is being written, if so asked.
    Release { session: Session, unless_open: bool, reply: oneshot::Sender<bool> },
    /// End all, and end.
    Close { reply: oneshot::Sender<Ended> },
}

/// A record that was handed over.
#[derive(Debug)]
pub(super) struct Handed {
    pub(super) run: Arc<Run>,
    /// Its time in the recording.
    pub(super) at: u64,
    /// The same for the writer.
    pub(super) since: Instant,
    pub(super) what: What,
    pub(super) body: Option<Digested>,
    pub(super) room: OwnedSemaphorePermit,
}

/// Runs that were ended, and the numbers of their last segments.
pub(super) type Ended = Vec<(Arc<Run>, Result<u64, Stopped>)>;

/// A close that is done but for saying so.
#[derive(Debug)]
pub(super) struct Closed {
    reply: oneshot::Sender<Ended>,
    ended: Ended,
}

/// What makes segments of records.
#[derive(Debug)]
pub(super) struct Writer {
    storage: Arc<dyn Storage>,
    at_rest: Arc<dyn Close>,
    clock: Arc<dyn Clock>,
    reserve: u64,
    quota: u64,
    /// Those that were found to have it: to find that out takes all of a folder.
    full: BTreeSet<Session>,
    recordings: BTreeMap<Session, Recording>,
    /// Batches in the order in which they are due; those that were sealed before are left in it.
    due: VecDeque<(Instant, Session)>,
    /// Bytes of the queue that batches have; more than `most` of them, and all are sealed.
    held: usize,
    most: usize,
    room: Arc<Semaphore>,
    sealed: mpsc::Sender<Sealed>,
    erasing: Arc<Mutex<BTreeSet<Session>>>,
}

/// Starts the thread. It ends when every handle is gone, or on [`Message::Close`].
pub(super) fn spawn(writer: Writer, queue: Waiting, lock: File) -> io::Result<()> {
    // For its timer alone: what blocks here blocks nobody else.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let run = move || {
        let closed = runtime.block_on(writer.run(queue));
        drop(lock);
        // Who waits for the close may open the folder anew.
        closed.into_iter().for_each(Closed::tell);
    };
    Builder::new().name("recorder".to_owned()).spawn(run).map(drop)
}

// === impl Closed ===

impl Closed {
    pub(super) fn tell(self) {
        let _gone = self.reply.send(self.ended);
    }
}

// === impl Writer ===

impl Writer {
    pub(super) fn new(
        recorder: &Recorder,
        config: &Config,
        most: usize,
        sealed: mpsc::Sender<Sealed>,
    ) -> Self {
        Self {
            storage: Arc::clone(&recorder.storage),
            at_rest: Arc::clone(&config.at_rest),
            clock: Arc::clone(&recorder.clock),
            reserve: config.reserve,
            quota: config.quota,
            full: BTreeSet::new(),
            recordings: BTreeMap::new(),
            due: VecDeque::new(),
            held: 0,
            most,
            room: Arc::clone(&recorder.room),
            sealed,
            erasing: Arc::clone(&recorder.erasing),
        }
    }

    /// Until every handle is gone, or it is closed.
    pub(super) async fn run(mut self, queue: Waiting) -> Option<Closed> {
        loop {
            let Some(messages) = queue.take() else {
                self.end_all().await;
                return None;
            };
            for message in messages {
                if let ControlFlow::Break(closed) = self.handle(message).await {
                    return Some(closed);
                }
            }
            self.seal_due().await;
            queue.wait(self.due.front().map(|(due, _)| *due)).await;
        }
    }

    async fn handle(&mut self, message: Message) -> ControlFlow<Closed> {
        match message {
            Message::Open { session, reply } => {
                let _gone = reply.send(self.open(session).await);
            }
            Message::Record(handed) => self.record(*handed).await,
            Message::Keep { run, name, stored, room, reply } => {
                let _gone = reply.send(self.keep(&run, &name, &stored));
                drop(room);
            }
            Message::Flush { run, reply } => {
                let _gone = reply.send(self.flush(&run).await);
            }
            Message::End { run, reply } => {
                let _gone = reply.send(self.end(&run, Stopped::Ended).await);
            }
            // Whoever gave up waiting erases nothing.
            Message::Release { reply, .. } if reply.is_closed() => {}
            Message::Release { session, unless_open, reply } => {
                let _gone = reply.send(self.release(&session, unless_open));
            }
            Message::Close { reply } => {
                let ended = self.end_all().await;
                return ControlFlow::Break(Closed { reply, ended });
            }
        }
        ControlFlow::Continue(())
    }

    /// The session, if this run of it is the one that is written.
    fn current(&self, run: &Arc<Run>) -> Option<Session> {
        let recording = self.recordings.get(&run.session)?;
        Arc::ptr_eq(&recording.run, run).then(|| run.session.clone())
    }

    async fn record(&mut self, handed: Handed) {
        let Handed { run, at, since, what, body, room } = handed;
        let Some(session) = self.current(&run) else { return };
        self.add(&session, (at, since), what, body, Some(room));
        let full = self.recordings.get(&session).is_some_and(|recording| recording.batch.plain.len() >= FULL);
        if full {
            self.seal(&session, false).await;
        }
        if self.held > self.most {
            let all: Vec<Session> = self.recordings.keys().cloned().collect();
            for session in all {
                self.seal(&session, false).await;
            }
        }
    }

    /// Adds a record to the session's batch: it has this time in the recording, and was handed over then.
    fn add(
        &mut self,
        session: &Session,
        (at, since): (u64, Instant),
        what: What,
        body: Option<Digested>,
        room: Option<OwnedSemaphorePermit>,
    ) {
        let Some(recording) = self.recordings.get_mut(session) else { return };
        self.held += room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        recording.batch.keep(room);
        if let Err(error) = recording.add(at, what, body) {
            self.give_up(session, &error);
            return;
        }
        if recording.batch.due.is_none() {
            let due = since + SEGMENT;
            recording.batch.due = Some(due);
            self.due.push_back((due, session.clone()));
        }
    }

    /// Here, where recordings are let go to be erased: nothing is kept of one that was.
    fn keep(&mut self, run: &Arc<Run>, name: &str, closed: &[u8]) -> Result<Digest, Stopped> {
        let session = self.current(run).ok_or_else(|| gone(run))?;
        let unwritable = |error: io::Error| Stopped::Unwritable { why: error.to_string() };
        if let Err(Refused::NoSpace { why }) = self.has_space() {
            return Err(Stopped::Unwritable { why });
        }
        let folder = session.as_str();
        let recording = self.recordings.get_mut(&session).ok_or_else(|| gone(run))?;
        let there = match recording.kept {
            Some(there) => there,
            None => {
                let names = self.storage.list(folder).map_err(unwritable)?.unwrap_or_default();
                sizes(&*self.storage, folder, &names, kept::is_kept).map_err(unwritable)?.into_iter().sum()
            }
        };
        let with_this = there.saturating_add(closed.len() as u64);
        recording.kept = Some(there);
        if with_this > kept::MAX_SESSION {
            return Err(Stopped::KeptEnough);
        }
        put(&*self.storage, folder, &format!("{folder}/{name}"), closed).map_err(unwritable)?;
        recording.kept = Some(with_this);
        Ok(Digest::of(closed))
    }

    async fn seal_due(&mut self) {
        let now = Instant::now();
        while let Some((due, session)) = self.due.pop_front_if(|(due, _)| *due <= now) {
            if self.recordings.get(&session).is_some_and(|recording| recording.batch.due == Some(due)) {
                self.seal(&session, false).await;
            }
        }
    }

    /// Makes the session's batch a segment, if it has any. A recording that cannot be written stops.
    async fn seal(&mut self, session: &Session, stopped: bool) {
        let Some(recording) = self.recordings.get_mut(session) else { return };
        if recording.batch.is_empty() {
            return;
        }
        match recording.chain.seal(&recording.batch, stopped) {
            Ok(segment) => {
                let batch = std::mem::take(&mut recording.batch);
                let sealed = recording.run.sealed(segment);
                self.held -= batch.held();
                drop(batch);
                self.tell(sealed).await;
                if !stopped {
                    self.stop_if_full(session);
                }
            }
            Err(error) => self.give_up(session, &error),
        }
    }

    /// What was handed over is kept: it may have been shown. Who has the quota, or fills the disk, hands over no more, so that others can be
    /// recorded to their ends.
    fn stop_if_full(&mut self, session: &Session) {
        let Some(recording) = self.recordings.get(session) else { return };
        if recording.chain.stored >= self.quota {
            recording.run.stop(Stopped::Full);
            self.full.insert(session.clone());
        } else if let Err(Refused::NoSpace { why }) = self.has_space() {
            recording.run.stop(Stopped::NoSpace { why });
        }
    }

    /// Waits while the ledger has much to take. Without anybody to tell, the recording stops.
    async fn tell(&self, sealed: Sealed) {
        let _dropped = self.sealed.send(sealed).await;
    }

    fn give_up(&mut self, session: &Session, error: &io::Error) {
        self.let_go(session, Stopped::Unwritable { why: error.to_string() });
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.room.close();
        self.recordings.values().for_each(|recording| recording.run.stop(Stopped::Closed));
    }
}

fn gone(run: &Run) -> Stopped {
    run.stopped().unwrap_or(Stopped::Closed)
}
