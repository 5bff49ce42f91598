//! What happened, made into notices.
//!
//! The store keeps what is yet to be told with what happens, so that whoever makes it happen need not know that anybody is told.

mod made;

use std::sync::Arc;
use std::time::Duration;

use store::{Happened, Happening};
use tokio_util::sync::CancellationToken;

use crate::{Address, Notice, Outbox};

/// How often is looked for what happened. Nobody who reads messages needs it sooner.
const EVERY: Duration = Duration::from_secs(1);

/// Puts what happens into the outbox, in its order and at least once; the notices' ids tell when it was twice.
#[derive(Debug)]
pub struct Reporter {
    outbox: Arc<Outbox>,
    console: Option<Address>,
}

impl Reporter {
    /// A reporter of what the outbox's store has, with links to the console if there is one.
    #[must_use]
    pub fn new(outbox: Arc<Outbox>, console: Option<Address>) -> Self {
        Self { outbox, console }
    }

    /// Reports what has happened and what happens, until `stop`. What is left then is reported at the next start.
    pub async fn run(self, stop: CancellationToken) {
        let reporting = async {
            loop {
                if let Err(error) = self.report().await {
                    tracing::error!(%error, "people cannot be told yet what has happened");
                }
                tokio::time::sleep(EVERY).await;
            }
        };
        stop.run_until_cancelled(reporting).await;
    }

    /// Reports what has happened so far.
    ///
    /// # Errors
    /// The state cannot be read or written: the rest is left for the next time.
    pub async fn report(&self) -> Result<(), store::Error> {
        let Outbox { store, .. } = &*self.outbox;
        while let Some(Happening { number, what }) = store.next_happening().await? {
            match self.notice(&what) {
                Ok(Some(notice)) => self.outbox.add(&notice).await?,
                Ok(None) => {}
                // It stays so, and must not keep people from hearing the rest.
                Err(why) => tracing::error!(why, "people are not told of something that has happened"),
            }
            // Killed before this, it is reported again, and known.
            store.happening_settled(number).await?;
        }
        Ok(())
    }

    fn notice(&self, what: &Happened) -> Result<Option<Notice>, String> {
        let console = self.console.as_ref();
        match what {
            Happened::Approval { stored, step } => {
                made::of_approval(stored, *step, console).map_err(|error| error.to_string())
            }
            Happened::Freeze { session, frozen } => {
                made::of_freeze(session, frozen, console).map(Some).map_err(|error| error.to_string())
            }
            Happened::Corrupt(why) => Err(why.clone()),
        }
    }
}
