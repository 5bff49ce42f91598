//! The writer thread.

use super::handoff::Backlog;
use super::health::{Room, begins};
use super::recover::Opened;
use super::sealing::{self, FIRST_PAUSE, LONGEST_PAUSE};
use super::segments::Segments;
use super::{Clock, Refused, Sealer, Shared, encode};
use crate::journal::MAX_LEAVES;
use crate::leaf::{Encoded, Event, Position, Stop, format_time};
use crate::tile::push_entry;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

/// How long the writer waits for a sealer that has too much: less than an append waits for the writer, so that open
/// calls can still be told to their end when the sealer hangs.
const ROOM_WITHIN: Duration = Duration::from_secs(5);

/// What the writer thread is asked for.
#[derive(Debug)]
pub(super) enum Message {
    /// Record this; answer with its index.
    Append { event: Encoded, ack: oneshot::Sender<Result<u64, Refused>> },
    /// Record the end, and end.
    Close { clean: bool, ack: oneshot::Sender<Result<(), Refused>> },
}

/// What numbers leaves and makes them durable.
pub(crate) struct Writer {
    pub(super) segments: Segments,
    pub(super) sealer: Sealer,
    /// The place of the next leaf.
    position: Position,
    clock: Box<dyn Clock>,
    shared: Arc<Shared>,
    /// Runs of durable leaves that the sealer has not been given.
    pub(super) durable: Vec<Vec<u8>>,
}

/// Starts the two threads. They end when every handle is gone, or on [`Message::Close`].
pub(super) fn spawn(
    writer: Writer,
    waiting: mpsc::Receiver<Message>,
    interval: Duration,
    lock: Option<File>,
) -> io::Result<()> {
    let Writer { segments, sealer, position, clock, shared, durable } = writer;
    durable.into_iter().for_each(|run| shared.handoff.give(run));
    let sealing = sealing::spawn(sealer, &shared, interval)?;
    let thread = WriterThread { segments, position, clock, shared: Arc::clone(&shared), sealing, lock };
    let started = Builder::new().name("ledger-write".to_owned()).spawn(move || thread.run(waiting));
    if started.is_err() {
        shared.handoff.end();
    }
    started.map(drop)
}

// === impl Writer ===

impl Writer {
    pub(super) fn new(
        opened: Opened,
        position: Position,
        clock: Box<dyn Clock>,
        shared: Arc<Shared>,
    ) -> Self {
        let Opened { sealer, segments, .. } = opened;
        shared.sealed.store(sealer.sealed(), Ordering::Relaxed);
        shared.size.store(segments.next(), Ordering::Relaxed);
        Self { segments, sealer, position, clock, shared, durable: Vec::new() }
    }

    /// Records events before the threads run, durable together.
    pub(crate) fn record(&mut self, events: &[Event]) -> Result<(), Refused> {
        let events = events.iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        let run = record(&mut self.segments, &mut self.position, &*self.clock, &self.shared, &events)?;
        self.durable.push(run);
        Ok(())
    }
}

/// Who waits for an append.
type Ack = oneshot::Sender<Result<u64, Refused>>;
/// Who waits for the close, and whether every call had come to its end.
type Closing = (bool, oneshot::Sender<Result<(), Refused>>);

/// The writer thread's own.
struct WriterThread {
    segments: Segments,
    /// The place of the next leaf.
    position: Position,
    clock: Box<dyn Clock>,
    shared: Arc<Shared>,
    sealing: JoinHandle<()>,
    /// Held until both threads are done.
    lock: Option<File>,
}

// === impl WriterThread ===

impl WriterThread {
    fn run(mut self, mut waiting: mpsc::Receiver<Message>) {
        let mut batch = Vec::with_capacity(MAX_LEAVES);
        let mut closing = Vec::new();
        while waiting.blocking_recv_many(&mut batch, MAX_LEAVES) > 0 {
            let mut appends = Vec::with_capacity(batch.len());
            for message in batch.drain(..) {
                match message {
                    Message::Append { event, ack } => appends.push((event, ack)),
                    Message::Close { clean, ack } => {
                        waiting.close();
                        closing.push((clean, ack));
                    }
                }
            }
            self.append_all(appends);
            if self.segments.failed() && closing.is_empty() {
                self.mend(&mut waiting, &mut closing);
            }
        }
        self.finish(closing);
    }

    /// Makes these durable together, then acknowledges each; or refuses each. What there is no room for is refused,
    /// and what would begin something for which nobody waits any more is left out: it does not begin.
    fn append_all(&mut self, mut appends: Vec<(Encoded, Ack)>) {
        let shared = Arc::clone(&self.shared);
        let _busy = shared.health.busy();
        appends.retain(|(event, ack)| !(ack.is_closed() && begins(event.kind())));
        let room = self.room();
        let mut events = Vec::with_capacity(appends.len());
        let mut acks = Vec::with_capacity(appends.len());
        for (event, ack) in appends {
            if let Some(refused) = room.refuses(event.kind()) {
                answer(ack, Err(refused.clone()));
            } else {
                events.push(event);
                acks.push(ack);
            }
        }
        if events.is_empty() {
            return;
        }
        let first = self.segments.next();
        let done = self.record(&events);
        for (index, ack) in (first..).zip(acks) {
            answer(ack, done.clone().map(|()| index));
        }
        // Tried again with the next batch.
        let _later = self.segments.drop_sealed(self.shared.sealed.load(Ordering::Acquire));
    }

    fn room(&self) -> Room {
        if let Some((refused, _why)) = self.shared.health.shut() {
            return Room::Nothing(refused);
        }
        match self.shared.handoff.when_there_is_room(ROOM_WITHIN) {
            Backlog::TooLong => return Room::Nothing(Refused::Unsealed),
            Backlog::Long => return Room::Endings(Refused::Unsealed),
            Backlog::Fine => {}
        }
        self.shared.reserve.short().map_or(Room::Everything, |_why| Room::Endings(Refused::NoSpace))
    }

    /// After a write that failed: refuses what comes until a new journal is begun, which is once the disk takes writes
    /// again and all that was acknowledged is sealed; or until the log is being closed.
    fn mend(&mut self, waiting: &mut mpsc::Receiver<Message>, closing: &mut Vec<Closing>) {
        let mut pause = FIRST_PAUSE;
        loop {
            match waiting.try_recv() {
                Ok(Message::Append { ack, .. }) => answer(ack, Err(Refused::Unwritable)),
                Ok(Message::Close { clean, ack }) => {
                    closing.push((clean, ack));
                    waiting.close();
                    return;
                }
                Err(TryRecvError::Disconnected) => return,
                Err(TryRecvError::Empty) => {
                    if self.shared.sealed.load(Ordering::Acquire) == self.segments.next() {
                        let begun = self.segments.begin_anew();
                        self.shared.health.journal(&begun);
                        if begun.is_ok() {
                            return;
                        }
                    }
                    self.shared.handoff.wait(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Records the stop leaf if asked to, seals the rest and lets go.
    fn finish(mut self, closing: Vec<Closing>) {
        let mut result = Ok(());
        if let Some((clean, _)) = closing.first() {
            result = self.stop(*clean);
        }
        self.shared.handoff.end();
        // Had it panicked, it would have said so in leaving.
        let _ended = self.sealing.join();
        drop(self.lock);
        if let Some((refused, _why)) = self.shared.health.shut() {
            result = Err(refused);
        }
        for (_, ack) in closing {
            let _gone = ack.send(result.clone());
        }
    }

    fn stop(&mut self, clean: bool) -> Result<(), Refused> {
        if let Some((refused, _why)) = self.shared.health.shut() {
            return Err(refused);
        }
        let event = encode(&Event::Stop(Stop { clean }))?;
        self.record(&[event])
    }

    fn record(&mut self, events: &[Encoded]) -> Result<(), Refused> {
        let run = record(&mut self.segments, &mut self.position, &*self.clock, &self.shared, events)?;
        self.shared.handoff.give(run);
        Ok(())
    }
}

/// Whoever waited may be gone; the leaf is in the log all the same.
fn answer(ack: Ack, result: Result<u64, Refused>) {
    let _gone = ack.send(result);
}

/// Makes events durable at the next places of the sequence; answers with their leaves in bundle form.
fn record(
    segments: &mut Segments,
    position: &mut Position,
    clock: &dyn Clock,
    shared: &Shared,
    events: &[Encoded],
) -> Result<Vec<u8>, Refused> {
    let time = format_time(clock.now());
    // The places are taken only once the leaves are there: after a failure the next attempt gets the same.
    let mut next = position.clone();
    let (mut run, mut count) = (Vec::new(), 0);
    for event in events {
        let leaf = event.leaf(&next, &time);
        if !push_entry(&mut run, &leaf) {
            return Err(Refused::TooLong { bytes: leaf.len() });
        }
        next.writer_seq += 1;
        count += 1;
    }
    let appended = segments.append(count, &run);
    shared.health.journal(&appended);
    appended.map_err(|_told| Refused::Unwritable)?;
    *position = next;
    shared.appended.fetch_add(u64::from(count), Ordering::Relaxed);
    shared.size.store(segments.next(), Ordering::Relaxed);
    Ok(run)
}
