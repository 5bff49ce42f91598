//! Recordings are erased, because somebody says so or because their time is over: first the files, then the ledger's leaf.
//!
//! A tombstone is durable before anything goes, and comes up again until the ledger has its leaf. So a gate that is killed in
//! between tells it at its next start; killed later, it may tell it twice.

use std::time::Duration;

use identity::{Operator, Reason};
use jiff::Timestamp;
use ledger::{
    Ledger,
    leaf::{Digest, Event, Id, RecordingErased},
};
use recording::{Recorder, Refused, Session, Tombstone};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::config::Keep;

/// How often it is looked for what is past its time.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Erases recordings, and tells the ledger. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Eraser {
    recorder: Recorder,
    ledger: Ledger,
}

/// A recording that was erased.
#[derive(Debug)]
pub struct Erased {
    /// What stays of it.
    pub tombstone: Tombstone,
    /// Why the ledger does not tell of it yet, if so: the gate tries again within an hour.
    pub unrecorded: Option<String>,
}

/// What one look came to.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    /// What was erased, now or when the ledger could not be told.
    pub(crate) erased: Vec<Erased>,
    /// What could not be looked at or erased, by the names of folders, and why.
    pub(crate) failed: Vec<(String, String)>,
}

// === impl Eraser ===

impl Eraser {
    /// With the recorder that writes the recordings.
    #[must_use]
    pub fn new(recorder: Recorder, ledger: Ledger) -> Self {
        Self { recorder, ledger }
    }

    /// Erases a session's recording, for somebody.
    ///
    /// # Errors
    /// [`Refused`]: there is none, or it may be there in whole or in part.
    pub async fn erase(&self, session: &Session, by: &Operator, why: &Reason) -> Result<Erased, Refused> {
        let tombstone = self.recorder.erase(session, &format!("{by}: {why}")).await?;
        Ok(self.told(tombstone).await)
    }

    /// Looks for what is past its time, now and every hour, until `stop` fires. What is being erased then is erased first.
    pub(crate) async fn run(self, keep: Option<Keep>, stop: CancellationToken) {
        match &keep {
            Some(Keep { text, .. }) => {
                tracing::info!(keep = text, "recordings are erased so long after their last record");
            }
            None => tracing::info!("recordings are kept for ever: `recordings.keep` is not set"),
        }
        let mut hours = interval(EVERY);
        hours.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _tick = hours.tick() => {}
            }
            match self.sweep(keep.as_ref(), Timestamp::now()).await {
                Ok(swept) => swept.log(),
                Err(error) => tracing::error!(%error, "no recording was erased; tried again in an hour"),
            }
        }
    }

    /// Erases what is past its time, and what was erased half, and tells the ledger what it does not know.
    pub(crate) async fn sweep(&self, keep: Option<&Keep>, now: Timestamp) -> Result<Swept, Refused> {
        let before = keep.and_then(|keep| now.checked_sub(keep.span).ok()).unwrap_or(Timestamp::MIN);
        let why = keep.map_or_else(String::new, |keep| format!("recordings.keep: {}", keep.text));
        let expired = self.recorder.expire(before, &why).await?;
        let mut erased = Vec::new();
        for tombstone in expired.erased {
            erased.push(self.told(tombstone).await);
        }
        Ok(Swept { erased, failed: expired.failed })
    }

    async fn told(&self, tombstone: Tombstone) -> Erased {
        let unrecorded = self.tell(&tombstone).await.err();
        Erased { tombstone, unrecorded }
    }

    async fn tell(&self, tombstone: &Tombstone) -> Result<(), String> {
        let Tombstone { session, why, segments, last, sha256, .. } = tombstone;
        let leaf = RecordingErased {
            session: Id::new(session.as_str()).map_err(|error| error.to_string())?,
            why: why.as_str().into(),
            segments: *segments,
            last: *last,
            sha256: sha256.map(|digest| Digest(digest.0)),
        };
        let _receipt =
            self.ledger.append(Event::RecordingErased(leaf)).await.map_err(|error| error.to_string())?;
        if let Err(error) = self.recorder.erasure_told(session).await {
            tracing::warn!(%session, %error, "the ledger is told once more that this recording was erased");
        }
        Ok(())
    }
}

// === impl Swept ===

impl Swept {
    fn log(&self) {
        for Erased { tombstone: Tombstone { session, why, segments, .. }, unrecorded } in &self.erased {
            let why = why.as_str();
            match unrecorded {
                None => tracing::info!(%session, why, segments, "a recording was erased"),
                Some(error) => {
                    tracing::error!(%session, why, error, "a recording was erased, and the ledger does not know yet");
                }
            }
        }
        for (folder, why) in &self.failed {
            tracing::warn!(folder, why, "a recording could not be erased, or nobody knows how old it is");
        }
    }
}

#[cfg(test)]
mod tests;
