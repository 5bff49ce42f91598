//! The ledger, indexed for people who look things up: the calls of a session, what was refused, what happened.
//!
//! A log is read from one end; people ask for one session, or for the newest refusals. So what the ledger says is entered
//! in a database, leaf by leaf, as it comes under a checkpoint. That is off the data path: no call depends on it, what the console shows
//! does. It is made from the ledger, made anew when it is lost or of another release, and proves nothing. `ledger verify` does.

mod enter;
mod files;
mod look;
pub mod story;

use std::path::Path;
use std::time::Duration;

use ledger::note::Verifier;
use ledger::reader::{ReadError, Reader};
use sqlx::SqlitePool;
use tokio::time::sleep;
use tokio::{select, task};

pub use look::{Call, Found, Happening, Page, Search};

/// Leaves entered in one transaction.
const BATCH: u64 = 1_000;
/// A checkpoint comes about once a second.
const EVERY: Duration = Duration::from_millis(500);

/// What is in a ledger, by what people look for. Shared by all who look.
#[derive(Debug)]
pub struct Chronicle {
    pool: SqlitePool,
    reader: std::sync::Arc<Reader>,
}

/// Why nothing can be looked up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger cannot be read.
    #[error("the ledger cannot be read: {0}")]
    Ledger(#[from] ReadError),
    /// A leaf is not one.
    #[error("leaf {index} cannot be read: {error}")]
    Leaf {
        /// Which.
        index: u64,
        /// What is wrong with it.
        error: ledger::leaf::Error,
    },
    /// The database fails.
    #[error("the chronicle cannot be read or written: {0}")]
    Sql(#[from] sqlx::Error),
    /// Its file cannot be made.
    #[error("the chronicle's file cannot be made: {0}")]
    File(#[from] std::io::Error),
    /// Reading was interrupted.
    #[error("the ledger was not read to the end")]
    Interrupted,
}

impl Chronicle {
    /// The chronicle in `file` of the ledger in the folder `ledger`. A file that is of another release, damaged, or of a longer ledger
    /// is made anew.
    ///
    /// # Errors
    /// The file cannot be made.
    pub async fn open(file: &Path, ledger: &Path, verifier: Verifier) -> Result<Self, Error> {
        let reader = std::sync::Arc::new(Reader::new(ledger, verifier));
        let pool = files::open(file).await?;
        let chronicle = Self { pool, reader };
        if chronicle.is_of_another_ledger().await? {
            tracing::warn!("the chronicle is of a longer ledger and is made anew");
            chronicle.pool.close().await;
            files::remove(file)?;
            return Ok(Self { pool: files::open(file).await?, ..chronicle });
        }
        Ok(chronicle)
    }

    /// Enters what comes into the ledger, until `stop` is ready.
    pub async fn follow(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut failed = false;
        loop {
            match self.catch_up().await {
                Ok(()) => failed = false,
                // Said once, not twice a second.
                Err(error) if !failed => {
                    failed = true;
                    tracing::error!(%error, "the console does not show what has happened since");
                }
                Err(_) => {}
            }
            select! {
                () = sleep(EVERY) => {}
                () = &mut stop => return,
            }
        }
    }

    /// Enters all that is under the ledger's checkpoint.
    ///
    /// # Errors
    /// The ledger cannot be read, or the chronicle not be written; the next time goes on from there.
    pub async fn catch_up(&self) -> Result<(), Error> {
        loop {
            let from = self.leaves().await?;
            let reader = std::sync::Arc::clone(&self.reader);
            let read = task::spawn_blocking(move || reader.tail(from).poll(BATCH)).await;
            let leaves = read.map_err(|_| Error::Interrupted)??;
            if leaves.is_empty() {
                return Ok(());
            }
            enter::leaves(&self.pool, &leaves).await?;
        }
    }

    /// How many leaves are entered.
    ///
    /// # Errors
    /// The chronicle cannot be read.
    pub async fn leaves(&self) -> Result<u64, Error> {
        let leaves: i64 = sqlx::query_scalar("SELECT leaves FROM read").fetch_one(&self.pool).await?;
        Ok(u64::try_from(leaves).unwrap_or(0))
    }

    /// The ledger it is made from.
    #[must_use]
    pub fn ledger(&self) -> &Reader {
        &self.reader
    }

    async fn is_of_another_ledger(&self) -> Result<bool, Error> {
        let reader = std::sync::Arc::clone(&self.reader);
        let read = task::spawn_blocking(move || reader.checkpoint()).await;
        let size = match read.map_err(|_| Error::Interrupted)? {
            Ok(opened) => opened.checkpoint.size,
            // A ledger that begins has no checkpoint.
            Err(ReadError::Missing { .. }) => 0,
            Err(error) => return Err(error.into()),
        };
        Ok(self.leaves().await? > size)
    }
}

#[cfg(test)]
mod tests;
