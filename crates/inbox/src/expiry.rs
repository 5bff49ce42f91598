//! Approvals end when their time runs out, whether anybody looks at them or not.

use std::{future::Future, pin::pin, time::Duration};

use approval::What;
use tokio::{select, time::sleep};

use crate::{Error, Inbox};

/// How often is looked for what is overdue. Nothing depends on it: who decides or uses an approval asks the clock.
const EVERY: Duration = Duration::from_secs(1);

impl Inbox {
    /// Ends what is overdue, until `stop` is ready. A step that has begun is kept and recorded before that.
    pub async fn expire(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            if let Err(error) = self.expire_overdue().await {
                tracing::error!(%error, "what is overdue could not be ended; it can be neither decided nor used");
            }
            select! {
                () = sleep(EVERY) => {}
                () = &mut stop => return,
            }
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
