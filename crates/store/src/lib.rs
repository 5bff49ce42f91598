//! Durable state in SQL. Embedded: one SQLite file, `DATA/state.sqlite`, and one process that owns it.
//!
//! What is here outlives a restart and is looked up rarely; the data path keeps what it needs in memory.
//! Values are stored as given: the crates above validate them on their way in and again on their way out.

mod approvals;
mod error;
mod files;
mod freezes;
mod happenings;
mod migrations;
mod names;
mod notices;
mod passkeys;
mod sessions;

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteLockingMode, SqlitePoolOptions, SqliteSynchronous};

pub use approvals::{Asks, NewApproval, StoredApproval};
pub use error::{Error, OpenError};
pub use freezes::{Change, Frozen};
pub use happenings::{Happened, Happening};
pub use notices::{NewNotice, OwedNotice};
pub use passkeys::Passkey;
pub use sessions::{LiveSession, Revocation, Revoked, Session, State, TokenHash, Which};

/// How long a statement waits for a lock held by another connection, such as an operator's `sqlite3` shell.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an operation waits for the one connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// The state of one gateway, in `DATA/state.sqlite`.
///
/// Single writer: the folder is locked for the life of the value, so a second process that opens it is refused.
/// Each operation is durable when it returns: write-ahead log, `synchronous = FULL`.
///
/// Cancel safety: an operation dropped before it returns has either happened wholly or not at all.
#[derive(Debug)]
pub struct Store {
    pool: SqlitePool,
    /// Held, never read: the lock ends with the descriptor.
    _lock: File,
}

impl Store {
    /// Opens the state in the folder `data`, which is made (mode 0700) if it is not there, and brings its schema
    /// up to date. The file's mode is 0600 afterwards. Blocks for a few file system calls: meant for start-up.
    ///
    /// # Errors
    /// Another process holds the folder; the file is not ours or is of a newer release; the disk fails.
    pub async fn open(data: &Path) -> Result<Self, OpenError> {
        let lock = files::lock(data)?;
        let file = files::prepare(data)?;
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(false)
            .locking_mode(SqliteLockingMode::Normal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            // A schema written by someone else may not call functions with side effects.
            .pragma("trusted_schema", "OFF")
            .pragma("cell_size_check", "ON");
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await
            .map_err(OpenError::Sql)?;
        migrations::run(&pool, &file).await?;
        Ok(Self { pool, _lock: lock })
    }

    /// Ends the connection and folds the write-ahead log back into the file. Dropping does so too, but unwatched.
    pub async fn close(self) {
        self.pool.close().await;
    }
}

/// A value as it is kept in a column of JSON.
fn json(value: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Sql(sqlx::Error::Encode(error.into())))
}
