//! The one writer of a log: many callers append, one thread makes their leaves durable together, another seals them
//! into tiles.
//!
//! ```text
//!  append ─▶ queue ─▶ writer thread: number, frame, one write + one fdatasync ─▶ Receipt
//!                         └─▶ hand-off ─▶ sealer thread: tiles, signed checkpoint (once a second)
//! ```
//!
//! A disk that fails or is full does not end the log; no append is acknowledged that is not durable, and it goes on by
//! itself once the disk takes writes again:
//!
//! | what fails | what happens |
//! |---|---|
//! | a tile, a checkpoint | appends go on; sealing is tried again, all of it from memory. After five minutes of that, or 64 MiB of leaves, nothing new may begin; after 128 MiB nothing is taken |
//! | the journal | everything is refused until all that was acknowledged is sealed and a new journal is begun. Nothing of the old one is used: after a failed `fdatasync` nobody knows what of it is on disk |
//! | nothing, but the disk does not answer | an append waits ten seconds and is refused, further ones at once, until it answers; what hangs in sealing counts as failing |
//! | less free space than the reserve | nothing new may begin; outcomes, ends of sessions and the stop are still taken |

mod errors;
mod handoff;
mod health;
mod recover;
mod sealer;
mod sealing;
mod segments;
mod thread;

pub use errors::{OpenError, Refused};
pub use recover::Recovery;
pub(crate) use sealer::{CHECKPOINT, Sealer};
pub(crate) use segments::FOLDER as JOURNAL;

use crate::key::Key;
use crate::leaf::{Digester, Encoded, Event, Id, Purpose, Start};
use crate::note::Signer;
use crate::storage::{FsStorage, Storage};
use crate::tile::MAX_ENTRY;
use handoff::{Backlog, Handoff};
use health::{Health, Reserve};
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use thread::Message;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// How long an append waits for the disk.
const APPENDED_WITHIN: Duration = Duration::from_secs(10);
/// How long a close does, which has a last checkpoint to wait for. What that does not cover is in the journal.
const CLOSED_WITHIN: Duration = Duration::from_secs(20);
/// What the envelope adds to an event, at most.
const ENVELOPE: usize = 512;

/// How a log is written.
#[derive(Debug)]
pub struct Config {
    /// The log's folder; made, with mode 0700, if it is not there. One writer at a time.
    pub folder: PathBuf,
    /// The key that signs checkpoints; its name is the log's origin.
    pub key: Key,
    /// Which writer this is, in each leaf.
    pub writer_id: Id,
    /// The time between checkpoints, at least; 1 s is usual.
    pub checkpoint_interval: Duration,
    /// How many appends may wait for the disk before further ones wait for a place.
    pub queue: usize,
    /// With fewer bytes free on the folder's disk nothing new may begin, so that open calls can still be told to their
    /// end.
    pub reserve: u64,
}

/// A log open for appending: a handle, cheap to clone.
#[derive(Debug, Clone)]
pub struct Ledger {
    queue: mpsc::Sender<Message>,
    shared: Arc<Shared>,
}

/// What can be recorded.
pub trait Entry {
    /// The event to write down for this value.
    fn event(&self) -> Event;
}

/// Proof that an entry is durable in the ledger. It owns the entry, so what was recorded is what is at hand.
///
/// There is no other way to one than [`Ledger::append`]. It cannot be cloned: one record, one deed.
#[derive(Debug)]
#[must_use = "what was recorded is to be done with the receipt's own entry"]
pub struct Receipt<E> {
    entry: E,
    index: u64,
}

/// The time, for the leaves' envelopes.
pub trait Clock: Send + 'static {
    /// Now.
    fn now(&self) -> jiff::Timestamp;
}

/// Figures of a running ledger, for metrics and health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Leaves acknowledged since opening.
    pub appended: u64,
    /// Leaves in the log, acknowledged.
    pub size: u64,
    /// Leaves that a checkpoint on disk covers.
    pub sealed: u64,
    /// Why nothing new can be recorded now, if so.
    pub refusing: Option<String>,
    /// Why what is recorded cannot be sealed now, if so.
    pub unsealed: Option<String>,
}

/// What the handle and the two threads share.
#[derive(Debug)]
struct Shared {
    appended: AtomicU64,
    size: AtomicU64,
    sealed: AtomicU64,
    health: Health,
    handoff: Handoff,
    reserve: Reserve,
    digesters: Digesters,
}

/// One for each purpose.
#[derive(Debug)]
struct Digesters {
    told: Digester,
    asked: Digester,
    kept: Digester,
}

// === impl Ledger ===

impl Ledger {
    /// Opens the log in `config.folder`, or begins one; recovers what a crash left, and records the start leaf, whose
    /// `previous` it sets. Blocks while it does: call it outside the async runtime or before serving.
    ///
    /// # Errors
    /// [`OpenError`] names the file and the remedy. Nothing acknowledged is ever dropped to make opening succeed.
    pub fn open(config: Config, start: Start, clock: impl Clock) -> Result<(Self, Recovery), OpenError> {
        let io = |file: &str| {
            let file = file.to_owned();
            move |error| OpenError::Io { file, error }
        };
        let folder = config.folder.display().to_string();
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&config.folder).map_err(io(&folder))?;
        let lock = File::create(config.folder.join("lock")).map_err(io("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { folder: config.folder }),
            Err(TryLockError::Error(error)) => return Err(io("lock")(error)),
        }
        let storage = Arc::new(FsStorage::new(&config.folder));
        Self::open_on(storage, Some(lock), config, start, clock)
    }

    fn open_on(
        storage: Arc<dyn Storage>,
        lock: Option<File>,
        config: Config,
        start: Start,
        clock: impl Clock,
    ) -> Result<(Self, Recovery), OpenError> {
        let digesters = Digesters::new(&config.key.0);
        let opened = recover::recover(&storage, config.key.0)?;
        let recovery = opened.recovery.clone();
        let position = recover::first_position(&config.writer_id, &recovery);
        let shared = Arc::new(Shared::new(Reserve::new(storage, config.reserve), digesters));
        let mut writer = thread::Writer::new(opened, position, Box::new(clock), Arc::clone(&shared));
        let start = Event::Start(Start { previous: recovery.previous, ..start });
        writer.record(&[start]).map_err(OpenError::Start)?;
        let (queue, waiting) = mpsc::channel(config.queue.max(1));
        thread::spawn(writer, waiting, config.checkpoint_interval, lock)
            .map_err(|error| OpenError::Io { file: "threads".to_owned(), error })?;
        Ok((Self { queue, shared }, recovery))
    }

    /// Records an entry; answers once it is on disk, or after ten seconds. Waits while the queue is full. Within a
    /// tokio runtime that has a timer.
    ///
    /// Neither dropping the future nor [`Refused::Hanging`] takes the entry back: it may be recorded without a receipt.
    ///
    /// # Errors
    /// [`Refused`]: what the entry tells of must not be done.
    pub async fn append<E: Entry>(&self, entry: E) -> Result<Receipt<E>, Refused> {
        let mut event = entry.event();
        event.digest(&self.shared.digesters.told);
        let event = encode(&event)?;
        if let Some((refused, _why)) = self.shared.health.shut() {
            return Err(refused);
        }
        let (ack, receipt) = oneshot::channel();
        let appended = timeout(APPENDED_WITHIN, self.ask(Message::Append { event, ack }, receipt)).await;
        let index = appended.unwrap_or_else(|_elapsed| {
            self.shared.health.waited_in_vain();
            Err(Refused::Hanging)
        })?;
        Ok(Receipt { entry, index })
    }

    /// A digest of `value` under a key that only this gate has, one for each purpose: the same for the same value, and of no use to
    /// whoever would guess it.
    #[must_use]
    pub fn keyed_digest(&self, purpose: Purpose, value: &[u8]) -> String {
        self.shared.digesters.of(purpose).text(value)
    }

    /// Whether this gate made `digest` of `value` for that purpose ([`Ledger::keyed_digest`]); takes as long either way.
    #[must_use]
    pub fn made_digest(&self, purpose: Purpose, digest: &str, value: &[u8]) -> bool {
        self.shared.digesters.of(purpose).made(digest, value)
    }

    async fn ask<T>(
        &self,
        message: Message,
        answer: oneshot::Receiver<Result<T, Refused>>,
    ) -> Result<T, Refused> {
        self.queue.send(message).await.map_err(|_| self.shared.closed())?;
        answer.await.map_err(|_| self.shared.closed())?
    }

    /// Records the stop leaf and the last checkpoint, and lets go of the folder. Appends already queued come first;
    /// later ones are refused. `clean` says whether every open call had come to its end. Gives up after twenty seconds.
    ///
    /// # Errors
    /// When the leaf or the checkpoint could not be written, or not in time.
    pub async fn close(&self, clean: bool) -> Result<(), Refused> {
        let (ack, done) = oneshot::channel();
        let closed = timeout(CLOSED_WITHIN, self.ask(Message::Close { clean, ack }, done)).await;
        closed.unwrap_or(Err(Refused::Hanging))
    }

    /// The figures now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let at = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Shared { appended, size, sealed, health, .. } = &*self.shared;
        Stats {
            appended: at(appended),
            size: at(size),
            sealed: at(sealed),
            refusing: self.shared.refusing(),
            unsealed: health.unsealed_because(),
        }
    }
}

/// The event's bytes, which fit a leaf.
fn encode(event: &Event) -> Result<Encoded, Refused> {
    let event = event.encode().map_err(Refused::Form)?;
    if event.len() + ENVELOPE > MAX_ENTRY {
        return Err(Refused::TooLong { bytes: event.len() });
    }
    Ok(event)
}

// === impl Receipt ===

impl<E> Receipt<E> {
    /// What was recorded.
    pub fn entry(&self) -> &E {
        &self.entry
    }

    /// Its index in the log.
    pub fn index(&self) -> u64 {
        self.index
    }
}

// === impl Entry, Clock ===

impl Entry for Event {
    fn event(&self) -> Event {
        self.clone()
    }
}

impl<F: Fn() -> jiff::Timestamp + Send + 'static> Clock for F {
    fn now(&self) -> jiff::Timestamp {
        self()
    }
}

// === impl Digesters ===

impl Digesters {
    fn new(seed: &Signer) -> Self {
        let of = |purpose| Digester::of(seed, purpose);
        Self { told: of(Purpose::Told), asked: of(Purpose::Asked), kept: of(Purpose::Kept) }
    }

    fn of(&self, purpose: Purpose) -> &Digester {
        match purpose {
            Purpose::Told => &self.told,
            Purpose::Asked => &self.asked,
            Purpose::Kept => &self.kept,
        }
    }
}

// === impl Shared ===

impl Shared {
    fn new(reserve: Reserve, digesters: Digesters) -> Self {
        Self {
            appended: AtomicU64::new(0),
            size: AtomicU64::new(0),
            sealed: AtomicU64::new(0),
            health: Health::default(),
            handoff: Handoff::default(),
            reserve,
            digesters,
        }
    }

    /// Why the writer is gone.
    fn closed(&self) -> Refused {
        self.health.shut().map_or(Refused::Closed, |(refused, _why)| refused)
    }

    /// Why an entry that begins something would be refused, if it would.
    fn refusing(&self) -> Option<String> {
        if let Some((_, why)) = self.health.shut() {
            return Some(why);
        }
        match self.handoff.backlog() {
            Backlog::Long | Backlog::TooLong => {
                Some(self.health.unsealed_because().unwrap_or_else(|| {
                    "sealing does not come to its end: the disk does not answer".to_owned()
                }))
            }
            Backlog::Fine => None,
        }
        .or_else(|| self.reserve.short())
    }

    #[cfg(test)]
    fn for_test(storage: &Arc<dyn Storage>) -> Arc<Self> {
        let signer = Signer::from_seed("test", zeroize::Zeroizing::new([7; 32])).unwrap();
        Arc::new(Self::new(Reserve::new(Arc::clone(storage), 0), Digesters::new(&signer)))
    }
}

/// A log with its start leaf in the journal and nothing sealed, before the threads run.
#[cfg(test)]
pub(crate) fn tail_for_test(folder: &std::path::Path, signer: Signer) -> thread::Writer {
    let storage: Arc<dyn Storage> = Arc::new(FsStorage::new(folder));
    let opened = recover::recover(&storage, signer).unwrap();
    let writer_id = Id::new("gate-1").unwrap();
    let position = recover::first_position(&writer_id, &opened.recovery);
    let clock = || jiff::Timestamp::UNIX_EPOCH;
    let mut writer = thread::Writer::new(opened, position, Box::new(clock), Shared::for_test(&storage));
    writer.record(&[Event::Start(tests::start())]).unwrap();
    writer
}

#[cfg(test)]
mod faults;
#[cfg(test)]
mod tests;
