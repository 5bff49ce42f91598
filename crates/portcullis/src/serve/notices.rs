//! Telling people, beside the calls: nothing waits for it, and nothing fails by it.

use std::sync::Arc;

use anyhow::Context;
use notices::{Address, Outbox, Reporter, Sender, SystemClock, Targets};
use store::Store;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// Who is to be told, and where the console shows what they are told of.
pub(super) struct Audience {
    targets: Targets,
    console: Option<Address>,
}

/// People being told.
pub(super) struct Telling {
    reporting: JoinHandle<()>,
    sending: JoinHandle<()>,
}

/// Reads the files of all targets.
///
/// # Errors
/// Everything that is wrong with them, or the console's address cannot be in a notice.
pub(super) async fn audience(config: &Config) -> anyhow::Result<Audience> {
    let targets = config.notices.clone();
    let opened = tokio::task::spawn_blocking(move || Targets::open(targets)).await?;
    let targets = opened.map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", errors.join("; "))
    })?;
    let console = config.console.as_ref().map(|console| Address::try_from(console.address.to_string()));
    Ok(Audience { targets, console: console.transpose()? })
}

impl Audience {
    /// Tells them, until `stop` fires. What happens after that, or is on its way then, is told after the next start.
    ///
    /// With nobody to tell, too: what happens is not kept for those who come later, and who is gone is owed nothing.
    pub(super) fn tell(self, store: Arc<Store>, stop: &CancellationToken) -> Telling {
        let outbox = Arc::new(Outbox::new(store, &self.targets, Arc::new(SystemClock)));
        let reporter = Reporter::new(Arc::clone(&outbox), self.console);
        let reporting = tokio::spawn(reporter.run(stop.clone()));
        let sending = tokio::spawn(Sender::new(outbox, self.targets).run(stop.clone()));
        Telling { reporting, sending }
    }
}

impl Telling {
    /// Waits until nobody is told any more.
    ///
    /// # Errors
    /// It broke.
    pub(super) async fn ended(self) -> anyhow::Result<()> {
        self.reporting.await.context("reporting what happens")?;
        self.sending.await.context("telling people")
    }
}
