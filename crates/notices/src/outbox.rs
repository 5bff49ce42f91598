//! What is yet to be told.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use store::{NewNotice, Store};
use tokio::sync::watch;

use crate::target::Filter;
use crate::{Clock, Notice, Targets};

/// How long a notice's id is known after it was added: told again within it, it is the same.
const KNOWN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Keeps what is to be told until each target has it. Shared by all who tell.
#[derive(Debug)]
pub struct Outbox {
    pub(crate) store: Arc<Store>,
    pub(crate) clock: Arc<dyn Clock>,
    targets: Vec<(String, Filter)>,
    added: watch::Sender<()>,
}

impl Outbox {
    /// The outbox over `store`, for these targets.
    #[must_use]
    pub fn new(store: Arc<Store>, targets: &Targets, clock: Arc<dyn Clock>) -> Self {
        let targets = targets.0.iter().map(|target| (target.name.clone(), target.filter.clone())).collect();
        Self { store, clock, targets, added: watch::channel(()).0 }
    }

    /// Keeps a notice for the targets that want it; whatever happens then, they are told. One whose id is known is not told again.
    ///
    /// # Errors
    /// The state cannot be written: nobody is told.
    pub async fn add(&self, notice: &Notice) -> Result<(), store::Error> {
        if self.targets.is_empty() {
            return Ok(());
        }
        let wanted = self.targets.iter().filter(|(_, filter)| filter.wants(notice));
        let targets: Vec<_> = wanted.map(|(name, _)| name.as_str()).collect();
        let at = self.clock.now();
        let new = NewNotice { id: notice.id.as_str(), at, notice, targets: &targets };
        if self.store.add_notice(&new).await? {
            self.added.send_replace(());
            self.store.forget_notices(before(at, KNOWN)).await?;
        }
        Ok(())
    }

    /// Tells of each notice that is added from now on.
    pub(crate) fn additions(&self) -> watch::Receiver<()> {
        self.added.subscribe()
    }
}

pub(crate) fn before(at: Timestamp, long: SignedDuration) -> Timestamp {
    at.checked_sub(long).unwrap_or(Timestamp::MIN)
}
