//! Makes known to who masks what was read.

use std::{sync::Arc, time::Duration};

use mask::KnownValues;
use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep, sleep_until},
};

use super::{Shared, value::Value};

/// Between two runs, so that a burst of changes costs a few runs and not one each. The first is at once.
const BETWEEN: Duration = Duration::from_millis(200);

/// Who masks. In tests, who looks on.
pub(super) trait Index: Send + Sync + 'static {
    /// From now on these are known, and no others. Takes CPU time.
    fn replace(&self, values: &[Value]);
}

impl Index for KnownValues {
    fn replace(&self, values: &[Value]) {
        self.update(values.iter().map(Value::to_secret));
    }
}

/// The task that does it.
pub(super) struct Indexer {
    shared: Arc<Shared>,
    index: Arc<dyn Index>,
}

impl Indexer {
    pub(super) fn new(shared: Arc<Shared>, index: Arc<dyn Index>) -> Self {
        Self { shared, index }
    }

    /// Ends only where indexing panics.
    pub(super) async fn run(self) {
        let (mut expiry, mut indexed) = (None, None);
        loop {
            tokio::select! {
                () = self.shared.changed.notified() => {}
                () = until(expiry) => {}
            }
            let (changed, generation) = {
                let mut held = self.shared.held.lock();
                held.expire(Instant::now());
                expiry = held.next_expiry();
                let generation = held.generation();
                ((indexed != Some(generation)).then(|| held.values()), generation)
            };
            // That something was deleted changes only when it is to be forgotten.
            let Some(values) = changed else { continue };
            let index = Arc::clone(&self.index);
            if spawn_blocking(move || index.replace(&values)).await.is_err() {
                return;
            }
            indexed = Some(generation);
            self.shared.sight.send_modify(|sight| sight.indexed(generation));
            sleep(BETWEEN).await;
        }
    }
}

async fn until(expiry: Option<Instant>) {
    match expiry {
        Some(expiry) => sleep_until(expiry).await,
        None => std::future::pending().await,
    }
}
