//! Approvals end when their time runs out, whether anybody looks at them or not.

use std::time::Duration;

use approval::What;
use tokio::time::sleep;

use crate::{Error, Inbox};

/// How often is looked for what is overdue. Nothing depends on it: who decides or uses an approval asks the clock.
const EVERY: Duration = Duration::from_secs(1);

impl Inbox {
    /// Ends what is overdue, for as long as it is polled.
    pub async fn expire(&self) {
        loop {
            if let Err(error) = self.expire_overdue().await {
                tracing::error!(%error, "what is overdue could not be ended; it can be neither decided nor used");
            }
            sleep(EVERY).await;
        }
    }

    /// Ends what is overdue by now. What cannot be ended does not keep the others from it.
    ///
    /// # Errors
    /// The state cannot be read, or a step not be kept or recorded: the last that was.
    pub async fn expire_overdue(&self) -> Result<(), Error> {
        let mut failed = Ok(());
        for id in self.store.overdue_approvals(self.clock.now()).await? {
            match self.step(&id, What::Expired).await {
                Ok(_) => tracing::info!(approval = id, "an approval has expired"),
                // Somebody decided or used it in the meantime.
                Err(Error::Refused(_)) => {}
                Err(error) => failed = Err(error),
            }
        }
        failed
    }
}
