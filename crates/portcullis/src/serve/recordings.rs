//! The recorder, the task that tells the ledger what it has written, and the one that erases what is past its time.

use std::sync::Arc;

use anyhow::Context;
use gateway::{Recordings, segments};
use ledger::Ledger;
use recording::{
    Recorder,
    at_rest::{Close, Plain},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{config, erasing::Eraser};

/// What is being recorded.
pub(super) struct Opened {
    recordings: Recordings,
    eraser: Eraser,
    telling: JoinHandle<()>,
}

/// Recordings that are erased as their time passes.
pub(super) struct Kept {
    opened: Opened,
    expiring: JoinHandle<()>,
}

/// Opens the folder of the recordings.
pub(super) fn open(config: &config::Config, ledger: &Ledger) -> anyhow::Result<Opened> {
    let config::Recordings { folder, reserve, quota, queue, recipients, values, .. } =
        config.recordings.clone();
    let at_rest: Arc<dyn Close> = match recipients {
        Some(recipients) => {
            for recipient in recipients.iter() {
                tracing::info!(%recipient, "recordings are encrypted");
            }
            Arc::new(recipients)
        }
        None => {
            tracing::info!("recordings are not encrypted: `recordings.recipients` is not set");
            Arc::new(Plain)
        }
    };
    let keeper = values.map(|file| config::keeper(&file).map_err(anyhow::Error::msg)).transpose();
    let keeper = keeper.context("`recordings.values` cannot be used")?;
    let settings = recording::Config { folder, reserve, quota, queue, at_rest };
    let (recorder, sealed) =
        Recorder::open(settings, jiff::Timestamp::now).context("the recordings cannot be opened")?;
    let telling = tokio::spawn(segments::tell(sealed, ledger.clone()));
    let eraser = Eraser::new(recorder.clone(), ledger.clone());
    let recordings = Recordings::new(recorder);
    let recordings = match keeper {
        Some(keeper) => {
            if let Some(recipient) = keeper.recipient() {
                tracing::info!(%recipient, "values that sessions change are kept, encrypted to the gate itself");
            }
            recordings.keeping(keeper)
        }
        None => {
            tracing::info!("values that sessions change are not kept: `recordings.values` is not set");
            recordings
        }
    };
    Ok(Opened { recordings, eraser, telling })
}

// === impl Opened ===

impl Opened {
    pub(super) fn of_sessions(&self) -> Recordings {
        self.recordings.clone()
    }

    pub(super) fn eraser(&self) -> Eraser {
        self.eraser.clone()
    }

    /// Erases what is past its time from now on, until `stop` fires.
    pub(super) fn keep(self, config: &config::Config, stop: &CancellationToken) -> Kept {
        let expiring = self.eraser().run(config.recordings.keep.clone(), stop.clone());
        Kept { expiring: tokio::spawn(expiring), opened: self }
    }
}

// === impl Kept ===

impl Kept {
    /// Ends all recordings in good order, and waits until the ledger has them. Comes after the stop of [`Opened::keep`].
    pub(super) async fn closed(self) -> anyhow::Result<()> {
        let expired = self.expiring.await.context("erasing recordings");
        let Opened { recordings, telling, .. } = self.opened;
        let closed = recordings.close().await.context("the end of the recordings");
        telling.await.context("telling the ledger of the recordings")?;
        expired.and(closed)
    }
}
