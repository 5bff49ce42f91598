//! The recorder, and the task that tells the ledger what it has written.

use std::sync::Arc;

use anyhow::Context;
use gateway::{Recordings, segments};
use ledger::Ledger;
use recording::{Recorder, at_rest::Plain};
use tokio::task::JoinHandle;

use crate::config::Config;

/// What is being recorded.
pub(super) struct Opened {
    recordings: Recordings,
    telling: JoinHandle<()>,
}

/// Opens the folder of the recordings.
pub(super) fn open(config: &Config, ledger: &Ledger) -> anyhow::Result<Opened> {
    let crate::config::Recordings { folder, reserve, queue, .. } = config.recordings.clone();
    let settings = recording::Config { folder, reserve, queue, at_rest: Arc::new(Plain) };
    let (recorder, sealed) =
        Recorder::open(settings, jiff::Timestamp::now).context("the recordings cannot be opened")?;
    let telling = tokio::spawn(segments::tell(sealed, ledger.clone()));
    Ok(Opened { recordings: Recordings::new(recorder), telling })
}

// === impl Opened ===

impl Opened {
    pub(super) fn of_sessions(&self) -> Recordings {
        self.recordings.clone()
    }

    /// Ends all recordings in good order, and waits until the ledger has them.
    pub(super) async fn closed(self) -> anyhow::Result<()> {
        let closed = self.recordings.close().await.context("the end of the recordings");
        self.telling.await.context("telling the ledger of the recordings")?;
        closed
    }
}
