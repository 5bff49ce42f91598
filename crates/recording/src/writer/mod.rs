//! The one writer of recordings: many callers hand over records, one thread makes them segments.
//!
//! ```text
//!  Tap::… ─▶ room in the queue ─▶ writer thread: number, pack, write, fdatasync, rename, fsync of the folder
//!                                      └─▶ Sealed ─▶ the gate: its digest into the ledger ─▶ Sealed::recorded
//! ```
//!
//! | what fails | what happens |
//! |---|---|
//! | the disk does not answer, or is slow | callers wait for room; after ten seconds the recording stops |
//! | a write | the recording stops; the next [`Recorder::session`] finds what is whole and goes on from there |
//! | the ledger does not take a segment's digest | the recording stops |
//! | less free space than the reserve | no recording is begun, and those that are open stop with their next segment |
//! | a recording has its quota of the disk | it stops, and does not go on |
//!
//! A recording that has stopped takes nothing more ([`Stopped`]), and its streams are to be ended: what is missing is
//! missing at the end.

mod body;
mod chain;
mod erase;
mod queue;
mod recording;
mod run;
mod tap;
mod thread;

pub use body::Body;
pub use erase::{Expired, Tombstone};
pub use run::{Refused, Sealed, Segment, Stopped};
pub use tap::{Opening, Stream, Tap};

pub(crate) use erase::{TOMBSTONE, read_tombstone};

use crate::at_rest::Close;
use crate::kept;
use crate::record::{MAX_BODY, Session};
use crate::storage::{FsStorage, Storage};
use parking_lot::Mutex;
use queue::{Queue, Waiting};
use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thread::{Message, Writer};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

/// How long a caller waits for the recorder.
const WITHIN: Duration = Duration::from_secs(10);
/// How long a close does, with every recording to end.
const CLOSED_WITHIN: Duration = Duration::from_secs(20);
/// Segments that may wait for the ledger before the writer waits.
const UNRECORDED: usize = 64;
/// The least that a queue can be: two of the heaviest records fit half of it.
const LEAST_QUEUE: usize = 4 * (MAX_BODY + (64 << 10));
const GREATEST_QUEUE: usize = 1 << 30;

/// How recordings are written.
#[derive(Debug)]
pub struct Config {
    /// The folder of all recordings; made, with mode 0700, if it is not there. One recorder at a time.
    pub folder: PathBuf,
    /// With fewer bytes free on its disk no recording is begun.
    pub reserve: u64,
    /// Bytes on the disk with which a recording is full: then nothing more of its session is recorded. What is kept of values does not
    /// count.
    pub quota: u64,
    /// Bytes of records that may be in memory until they are durable; then callers wait. 12.25 MiB at least, 1 GiB at most.
    pub queue: usize,
    /// How segments are stored.
    pub at_rest: Arc<dyn Close>,
}

/// The writer of recordings: a handle, cheap to clone.
#[derive(Debug, Clone)]
pub struct Recorder {
    queue: Queue,
    room: Arc<Semaphore>,
    storage: Arc<dyn Storage>,
    erasing: Arc<Mutex<BTreeSet<Session>>>,
    clock: Arc<dyn Clock>,
}

/// The time of day: when recordings begin, and go on.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> jiff::Timestamp;
}

/// Why the folder cannot be written.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum OpenError {
    /// Another process, or another recorder here, has it.
    #[error("the recordings in `{}` are in use by another recorder: stop that one first", folder.display())]
    InUse { folder: PathBuf },
    /// Reading or writing failed.
    #[error("`{file}`: {error}")]
    Io { file: String, error: io::Error },
}

// === impl Config ===

impl Config {
    /// The sizes that a queue can have.
    pub const QUEUE: RangeInclusive<usize> = LEAST_QUEUE..=GREATEST_QUEUE;
}

// === impl Recorder ===

impl Recorder {
    /// Opens the folder, and starts the writer. Every segment that becomes durable is told to the receiver, whose owner
    /// puts its digest into the ledger and says so ([`Sealed::recorded`]); the writer waits while 64 are untold.
    ///
    /// # Errors
    /// [`OpenError`] names the file and the remedy.
    pub fn open(config: Config, clock: impl Clock) -> Result<(Self, mpsc::Receiver<Sealed>), OpenError> {
        let io = |file: &str| {
            let file = file.to_owned();
            move |error| OpenError::Io { file, error }
        };
        let folder = config.folder.display().to_string();
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.folder).map_err(io(&folder))?;
        let lock = File::create(config.folder.join(".lock")).map_err(io(".lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { folder: config.folder }),
            Err(TryLockError::Error(error)) => return Err(io(".lock")(error)),
        }
        let storage = Arc::new(FsStorage::new(&config.folder));
        let (recorder, sealed, writer, queue) = Self::on(storage, &config, clock);
        thread::spawn(writer, queue, lock).map_err(io("threads"))?;
        Ok((recorder, sealed))
    }

    /// The recorder, and its writer, which nobody runs yet.
    fn on(
        storage: Arc<dyn Storage>,
        config: &Config,
        clock: impl Clock,
    ) -> (Self, mpsc::Receiver<Sealed>, Writer, Waiting) {
        let bytes = config.queue.clamp(LEAST_QUEUE, GREATEST_QUEUE);
        let (queue, waiting) = queue::new();
        let (sealed, told) = mpsc::channel(UNRECORDED);
        let recorder = Self {
            queue,
            room: Arc::new(Semaphore::new(bytes)),
            storage,
            erasing: Arc::default(),
            clock: Arc::new(clock),
        };
        let writer = Writer::new(&recorder, config, bytes / 2, sealed);
        (recorder, told, writer, waiting)
    }

    /// Begins the session's recording, or goes on with it: after a crash with a record that says so. Within a tokio
    /// runtime that has a timer, as everything here.
    ///
    /// # Errors
    /// [`Refused`]: nothing of this session can be recorded.
    pub async fn session(&self, session: &Session) -> Result<Tap, Refused> {
        let (reply, opened) = oneshot::channel();
        self.queue
            .send(Message::Open { session: session.clone(), reply })
            .map_err(|_closed| Refused::Stopped(Stopped::Closed))?;
        let opened = timeout(WITHIN, opened).await.map_err(|_| Refused::Stopped(Stopped::Stalled))?;
        let run = opened.map_err(|_| Refused::Stopped(Stopped::Closed))??;
        Ok(Tap::new(self, run))
    }

    /// What is kept of a call of a session, as it is stored; `None`: nothing is. Blocks.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn kept(&self, session: &Session, call: &str) -> io::Result<Option<Vec<u8>>> {
        // What is being erased is gone, though a file of it may still be there.
        if self.erasing.lock().contains(session) || read_tombstone(&*self.storage, session)?.is_some() {
            return Ok(None);
        }
        let Some(name) = kept::file_name(call) else { return Ok(None) };
        let stored = self.storage.read(&format!("{session}/{name}"), kept::MAX_STORED + 1)?;
        Ok(stored.filter(|stored| stored.len() <= kept::MAX_STORED))
    }

    /// Ends every recording in good order and lets go of the folder. What was handed over before comes first. Gives up
    /// after twenty seconds.
    ///
    /// # Errors
    /// The first recording's that could not be ended so, or whose last segments are not in the ledger.
    pub async fn close(&self) -> Result<(), Stopped> {
        let closing = async {
            let (reply, ended) = oneshot::channel();
            self.queue.send(Message::Close { reply }).map_err(|_| Stopped::Closed)?;
            let mut result = Ok(());
            for (run, last) in ended.await.map_err(|_| Stopped::Closed)? {
                let recorded = match last {
                    Ok(number) => run.until_recorded(number).await,
                    Err(why) => Err(why),
                };
                result = result.and(recorded);
            }
            result
        };
        timeout(CLOSED_WITHIN, closing).await.unwrap_or(Err(Stopped::Stalled))
    }
}

impl<F: Fn() -> jiff::Timestamp + Send + Sync + 'static> Clock for F {
    fn now(&self) -> jiff::Timestamp {
        self()
    }
}

impl std::fmt::Debug for dyn Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

#[cfg(test)]
mod faults;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod scripted;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
