//! The writer thread and the sealer thread.

use super::handoff::{Handoff, Taken};
use super::recover::Opened;
use super::segments::Segments;
use super::{Clock, Refused, Sealer, Shared, encode};
use crate::leaf::{Encoded, Event, Position, Stop, format_time};
use crate::tile::push_entry;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Leaves made durable together, at most.
const BATCH: usize = 1024;

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

/// Starts the two threads. They end when every handle is gone, on [`Message::Close`], or when a write fails.
pub(super) fn spawn(
    writer: Writer,
    waiting: mpsc::Receiver<Message>,
    interval: Duration,
    lock: Option<File>,
) -> io::Result<()> {
    let Writer { segments, sealer, position, clock, shared, durable } = writer;
    let handoff = Arc::new(Handoff::default());
    durable.into_iter().for_each(|run| handoff.give(run));
    let sealing = {
        let (handoff, shared) = (Arc::clone(&handoff), Arc::clone(&shared));
        Builder::new()
            .name("ledger-seal".to_owned())
            .spawn(move || seal_all(sealer, &handoff, &shared, interval))?
    };
    let journal = Journal { segments, position, clock, shared, handoff: Arc::clone(&handoff), sealing, lock };
    let started = Builder::new().name("ledger-write".to_owned()).spawn(move || journal.run(waiting));
    if started.is_err() {
        handoff.end();
    }
    started.map(drop)
}

/// Lets the writer go on, to its end, when the sealer thread is gone for whatever reason.
struct Leaving<'a> {
    handoff: &'a Handoff,
    shared: &'a Shared,
}

/// Seals what is handed over until the end.
fn seal_all(mut sealer: Sealer, handoff: &Handoff, shared: &Shared, interval: Duration) {
    let _leaving = Leaving { handoff, shared };
    loop {
        let Taken { runs, ended } = handoff.take();
        let absorbed = runs.iter().try_for_each(|run| sealer.absorb(run));
        if let Err(error) = absorbed.and_then(|()| sealer.seal()) {
            shared.poison("sealing failed", &error);
            return;
        }
        if shared.sealed.swap(sealer.sealed(), Ordering::AcqRel) != sealer.sealed() {
            shared.checkpoints.fetch_add(1, Ordering::Relaxed);
        }
        if ended {
            return;
        }
        handoff.pause(interval);
    }
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
        let count = u32::try_from(events.len()).map_err(|_| Refused::Poisoned)?;
        let run = number(&mut self.position, &*self.clock, &events)?;
        commit(&mut self.segments, &self.shared, count, &run)?;
        self.durable.push(run);
        Ok(())
    }
}

/// The writer thread's own.
struct Journal {
    segments: Segments,
    position: Position,
    clock: Box<dyn Clock>,
    shared: Arc<Shared>,
    handoff: Arc<Handoff>,
    sealing: JoinHandle<()>,
    /// Held until both threads are done.
    lock: Option<File>,
}

// === impl Journal ===

impl Journal {
    fn run(mut self, mut waiting: mpsc::Receiver<Message>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut closing = Vec::new();
        while waiting.blocking_recv_many(&mut batch, BATCH) > 0 {
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
            if self.append(appends).is_err() {
                waiting.close();
            }
        }
        self.finish(closing);
    }

    /// Makes these durable together, then acknowledges each; or refuses each.
    fn append(
        &mut self,
        appends: Vec<(Encoded, oneshot::Sender<Result<u64, Refused>>)>,
    ) -> Result<(), Refused> {
        let Ok(count) = u32::try_from(appends.len()) else { return Err(Refused::Poisoned) };
        if count == 0 {
            return Ok(());
        }
        let first = self.segments.next();
        let done = if self.shared.poisoned.load(Ordering::Acquire) {
            Err(Refused::Poisoned)
        } else {
            number(&mut self.position, &*self.clock, appends.iter().map(|(event, _)| event))
                .and_then(|run| commit(&mut self.segments, &self.shared, count, &run).map(|()| run))
        };
        for (index, (_, ack)) in (first..).zip(appends) {
            // Whoever waited may be gone; the leaf is in the log all the same.
            let _gone = ack.send(done.as_ref().map(|_| index).map_err(Clone::clone));
        }
        self.handoff.give(done?);
        let sealed = self.shared.sealed.load(Ordering::Acquire);
        self.segments.drop_sealed(sealed).map_err(|error| {
            self.shared.poison("dropping a journal segment failed", &error);
            Refused::Poisoned
        })
    }

    /// Records the stop leaf if asked to, seals the rest and lets go.
    fn finish(mut self, closing: Vec<(bool, oneshot::Sender<Result<(), Refused>>)>) {
        let mut result = Ok(());
        if let Some((clean, _)) = closing.first() {
            result = self.stop(*clean);
        }
        self.handoff.end();
        // Had it panicked, it would have said so in leaving.
        let _ended = self.sealing.join();
        drop(self.lock);
        if self.shared.poisoned.load(Ordering::Acquire) {
            result = Err(Refused::Poisoned);
        }
        for (_, ack) in closing {
            let _gone = ack.send(result.clone());
        }
    }

    fn stop(&mut self, clean: bool) -> Result<(), Refused> {
        if self.shared.poisoned.load(Ordering::Acquire) {
            return Err(Refused::Poisoned);
        }
        let event = encode(&Event::Stop(Stop { clean }))?;
        let run = number(&mut self.position, &*self.clock, [&event])?;
        commit(&mut self.segments, &self.shared, 1, &run)?;
        self.handoff.give(run);
        Ok(())
    }
}

// === impl Leaving ===

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.poison("sealing failed", &io::Error::other("the thread panicked"));
        }
        self.handoff.abandon();
    }
}

/// The leaves of these events, in bundle form, at the next places of the sequence.
fn number<'a>(
    position: &mut Position,
    clock: &dyn Clock,
    events: impl IntoIterator<Item = &'a Encoded>,
) -> Result<Vec<u8>, Refused> {
    let time = format_time(clock.now());
    let mut run = Vec::new();
    for event in events {
        let leaf = event.leaf(position, &time);
        if !push_entry(&mut run, &leaf) {
            return Err(Refused::TooLong { bytes: leaf.len() });
        }
        position.writer_seq += 1;
    }
    Ok(run)
}

/// Makes a run durable; poisons the ledger when that fails.
fn commit(segments: &mut Segments, shared: &Shared, count: u32, run: &[u8]) -> Result<(), Refused> {
    if let Err(error) = segments.append(count, run) {
        shared.poison("writing the journal failed", &error);
        return Err(Refused::Poisoned);
    }
    shared.appended.fetch_add(u64::from(count), Ordering::Relaxed);
    shared.batches.fetch_add(1, Ordering::Relaxed);
    shared.size.store(segments.next(), Ordering::Relaxed);
    Ok(())
}
