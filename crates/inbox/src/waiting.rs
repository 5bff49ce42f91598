//! Who waits for what becomes of an approval.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

/// Those who wait, by approval. What nobody waits for takes no room.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watchers {
    of_one: Arc<Mutex<HashMap<String, watch::Sender<()>>>>,
    /// For those who look at all of them.
    any: watch::Sender<u64>,
}

/// Tells of each step of one approval.
#[derive(Debug)]
pub struct Waiting {
    id: String,
    steps: watch::Receiver<()>,
    watchers: Watchers,
}

impl Watchers {
    pub(crate) fn watch(&self, id: &str) -> Waiting {
        let mut watchers = self.of_one.lock();
        let sender = watchers.entry(id.to_owned()).or_insert_with(|| watch::channel(()).0);
        Waiting { id: id.to_owned(), steps: sender.subscribe(), watchers: self.clone() }
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.of_one.lock().is_empty()
    }

    pub(crate) fn any(&self) -> watch::Receiver<u64> {
        self.any.subscribe()
    }

    /// An approval was asked for or took a step.
    pub(crate) fn tell(&self, id: &str) {
        if let Some(sender) = self.of_one.lock().get(id) {
            sender.send_replace(());
        }
        self.any.send_modify(|count| *count += 1);
    }
}

impl Waiting {
    /// Waits for the next step since this was made or was last waited for. Cancel safe.
    pub async fn step(&mut self) {
        if self.steps.changed().await.is_err() {
            // Nobody drops a sender that somebody waits for.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut watchers = self.watchers.of_one.lock();
        // Gone before it is counted who is left: of two that are dropped at once, one is the last.
        drop(std::mem::replace(&mut self.steps, watch::channel(()).1));
        if watchers.get(&self.id).is_some_and(|sender| sender.receiver_count() == 0) {
            watchers.remove(&self.id);
        }
    }
}
