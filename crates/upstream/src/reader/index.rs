//! Makes known to who masks what was read.

use std::{sync::Arc, time::Duration};

use mask::{KnownValues, Updated};
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep, sleep_until},
};

use super::{
    Shared,
    held::{Ordered, Snapshot},
    sight::Indexed,
    value::Value,
};

/// Between two runs, so that a burst of changes costs a few runs and not one each. The first is at once. Where a run takes
/// longer, as long as it took: who writes Secrets all the time keeps half a core busy, and no more.
const BETWEEN: Duration = Duration::from_millis(200);

/// Who masks. In tests, who looks on.
pub(super) trait Index: Send + Sync + 'static {
    /// From now on these are known, and no others; where not all fit, the last are left out. Takes CPU time.
    fn replace(&self, values: &[Value]) -> Updated;
}

impl Index for KnownValues {
    fn replace(&self, values: &[Value]) -> Updated {
        self.update(values.iter().map(Value::to_secret))
    }
}

/// The task that does it.
pub(super) struct Indexer {
    shared: Arc<Shared>,
    index: Arc<dyn Index>,
    /// What became of the values the last time.
    last: Option<Indexed>,
}

/// All that is to be known now.
struct Work {
    generation: u64,
    snapshot: Snapshot,
    largest: String,
}

impl Indexer {
    pub(super) fn new(shared: Arc<Shared>, index: Arc<dyn Index>) -> Self {
        Self { shared, index, last: None }
    }

    /// Ends only where indexing panics.
    pub(super) async fn run(mut self) {
        let mut expiry = None;
        loop {
            tokio::select! {
                () = self.shared.changed.notified() => {}
                () = until(expiry) => {}
            }
            let work = self.work(&mut expiry);
            // That something was deleted changes only when it is to be forgotten.
            let Some(Work { generation, snapshot, largest }) = work else { continue };
            let (begun, index) = (Instant::now(), Arc::clone(&self.index));
            let indexing = spawn_blocking(move || {
                let Ordered { values, live, undecoded } = snapshot.into_ordered();
                (index.replace(&values), live, undecoded)
            });
            let Ok((updated, live, undecoded)) = indexing.await else { return };
            // Those in use come first, so that they are the last to be left out.
            let unseen = live.saturating_sub(updated.known + updated.guessable);
            let indexed = Indexed { generation, updated, unseen, largest, undecoded };
            self.tell(&indexed);
            self.shared.sight.send_if_modified(|sight| sight.indexed(indexed.clone()));
            self.last = Some(indexed);
            sleep(BETWEEN.max(begun.elapsed())).await;
        }
    }

    /// What there is to do, and when there will be something else.
    fn work(&self, expiry: &mut Option<Instant>) -> Option<Work> {
        let mut held = self.shared.held.lock();
        held.expire(Instant::now());
        *expiry = held.next_expiry();
        let generation = held.generation();
        // Where values were left out, one that is deleted may make room.
        let done = |last: &Indexed| last.generation == generation && last.updated.left_out == 0;
        (!self.last.as_ref().is_some_and(done)).then(|| Work {
            generation,
            snapshot: held.snapshot(),
            largest: held.full().namespace,
        })
    }

    /// Tells when something begins to be left out, and when that is over.
    fn tell(&self, now: &Indexed) {
        let cluster = &self.shared.cluster;
        let before = self.last.as_ref();
        let begins = |what: fn(&Indexed) -> usize| what(now) > 0 && before.is_none_or(|last| what(last) == 0);
        let (unseen, largest) = (now.unseen, &now.largest);
        if begins(|indexed| indexed.unseen) {
            tracing::error!(
                cluster,
                unseen,
                largest,
                "values of its Secrets have no room in the memory that finding them may take; no call passes until they have"
            );
        } else if begins(|indexed| indexed.updated.left_out) {
            let left_out = now.updated.left_out;
            tracing::warn!(
                cluster,
                left_out,
                largest,
                "values of its Secrets that were deleted or replaced are forgotten before their time: there is no room for more"
            );
        }
        if before.is_some_and(|last| last.unseen > 0) && unseen == 0 {
            tracing::info!(cluster, "all values of its Secrets in use have room again");
        }
    }
}

async fn until(expiry: Option<Instant>) {
    match expiry {
        Some(expiry) => sleep_until(expiry).await,
        None => std::future::pending().await,
    }
}
