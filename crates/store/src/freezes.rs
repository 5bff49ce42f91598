//! Sessions frozen and thawed, and what is counted towards a freeze.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::sqlite::SqliteRow;

use crate::{Error, Session, Store};

/// How a session came to be frozen: refused until a human thaws it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frozen {
    /// Since when.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// For what reason.
    pub why: String,
}

/// What a freeze or a thaw found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The session was not as it is wanted, and now is.
    Made(Session),
    /// It was so before, or has ended; nothing changed.
    Needless(Session),
    /// There is no such session.
    Unknown,
}

// === impl Store ===

impl Store {
    /// Freezes an active session. One that is frozen stays so, as it was first.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn freeze_session(&self, id: &str, frozen: &Frozen) -> Result<Change, Error> {
        let made = sqlx::query(
            "UPDATE sessions SET frozen_at = ?2, frozen_by = ?3, frozen_why = ?4, freeze_recorded_at = NULL
             WHERE id = ?1 AND frozen_at IS NULL AND revoked_at IS NULL AND expires_at > ?2
             RETURNING *",
        )
        .bind(id)
        .bind(frozen.at.as_microsecond())
        .bind(&frozen.by)
        .bind(&frozen.why)
        .fetch_optional(&self.pool)
        .await?;
        self.changed(id, made).await
    }

    /// Thaws a frozen session, and begins to count anew what [`Store::count_values`] counts.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn thaw_session(&self, id: &str, now: Timestamp) -> Result<Change, Error> {
        let made = sqlx::query(
            "UPDATE sessions SET frozen_at = NULL, frozen_by = NULL, frozen_why = NULL, values_sent = 0
             WHERE id = ?1 AND frozen_at IS NOT NULL AND revoked_at IS NULL AND expires_at > ?2
             RETURNING *",
        )
        .bind(id)
        .bind(now.as_microsecond())
        .fetch_optional(&self.pool)
        .await?;
        self.changed(id, made).await
    }

    async fn changed(&self, id: &str, made: Option<SqliteRow>) -> Result<Change, Error> {
        match made {
            Some(row) => Ok(Change::Made(Session::from_row(&row)?)),
            None => Ok(self.session(id).await?.map_or(Change::Unknown, Change::Needless)),
        }
    }

    /// Counts known secret values, and guesses at them, that a session has sent.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn count_values(&self, id: &str, sent: u32) -> Result<(), Error> {
        sqlx::query("UPDATE sessions SET values_sent = values_sent + ?2 WHERE id = ?1")
            .bind(id)
            .bind(sent)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Sessions that are frozen, or ended so, without [`Store::freeze_recorded`], in the order of their freezes.
    ///
    /// # Errors
    /// The state cannot be read, or a row of it is not what was written.
    pub async fn unrecorded_freezes(&self) -> Result<Vec<Session>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM sessions
             WHERE frozen_at IS NOT NULL AND freeze_recorded_at IS NULL
             ORDER BY frozen_at, id",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(Session::from_row).collect()
    }

    /// Keeps that the freeze of a session was recorded in the ledger. Doing it again changes nothing.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn freeze_recorded(&self, id: &str, now: Timestamp) -> Result<(), Error> {
        sqlx::query(
            "UPDATE sessions SET freeze_recorded_at = ?2
             WHERE id = ?1 AND frozen_at IS NOT NULL AND freeze_recorded_at IS NULL",
        )
        .bind(id)
        .bind(now.as_microsecond())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
