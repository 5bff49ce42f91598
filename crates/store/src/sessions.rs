//! Sessions: opened once, ended once, kept for the auditor.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::{Error, Frozen, Store};

/// SHA-256 of the secret part of a session's token. `Debug` shows nothing of it.
#[derive(Clone, Copy)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

/// A session as people see it: everything but the token's hash. Times are kept to the microsecond.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Opaque and unique, such as `s-` and 16 characters of base32.
    pub id: String,
    /// The software that calls.
    pub agent: String,
    /// The human on whose behalf it runs.
    pub delegator: String,
    /// The one cluster it may call.
    pub cluster: String,
    /// What the agent is to do, in the words of whoever opened the session.
    pub reason: String,
    /// When it began.
    pub created_at: Timestamp,
    /// From when on it is refused; after `created_at`.
    pub expires_at: Timestamp,
    /// How it was ended before its time, if it was.
    pub revoked: Option<Revoked>,
    /// How it is frozen, or was when it ended, if so.
    pub frozen: Option<Frozen>,
}

/// How a session was ended before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Revoked {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// For what reason.
    pub why: String,
}

/// Where a session stands at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its token is accepted.
    Active,
    /// Its token is refused until it is thawed.
    Frozen,
    /// Its time is over.
    Expired,
    /// It was ended before its time.
    Revoked,
}

/// A session that may still be used, with what its token is held against.
#[derive(Debug, Clone)]
pub struct LiveSession {
    /// The session.
    pub session: Session,
    /// What proves possession of its token.
    pub token_hash: TokenHash,
    /// Known secret values, and guesses at them, that it has sent: see [`Store::count_values`].
    pub values_sent: u64,
}

/// Which sessions to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those neither expired nor revoked; frozen ones are among them.
    Active,
    /// Those that ended as well.
    All,
}

/// What a revocation found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// The session was active, and now is not.
    Ended(Session),
    /// It had been revoked, or had expired, before; nothing changed.
    AlreadyEnded(Session),
    /// There is no such session.
    Unknown,
}

// === impl Session ===

impl Session {
    /// Where the session stands at `now`.
    pub fn state(&self, now: Timestamp) -> State {
        if self.revoked.is_some() {
            State::Revoked
        } else if self.expires_at <= now {
            State::Expired
        } else if self.frozen.is_some() {
            State::Frozen
        } else {
            State::Active
        }
    }

    pub(crate) fn from_row(row: &SqliteRow) -> Result<Self, Error> {
        let id: String = row.try_get("id")?;
        let time = |column| match Timestamp::from_microsecond(row.try_get(column)?) {
            Ok(time) => Ok(time),
            Err(_) => Err(Error::Corrupt { id: id.clone(), column }),
        };
        let revoked = match row.try_get::<Option<i64>, _>("revoked_at")? {
            None => None,
            Some(_) => Some(Revoked {
                at: time("revoked_at")?,
                by: row.try_get("revoked_by")?,
                why: row.try_get("revoked_why")?,
            }),
        };
        let frozen = match row.try_get::<Option<i64>, _>("frozen_at")? {
            None => None,
            Some(_) => Some(Frozen {
                at: time("frozen_at")?,
                by: row.try_get("frozen_by")?,
                why: row.try_get("frozen_why")?,
            }),
        };
        Ok(Self {
            agent: row.try_get("agent")?,
            delegator: row.try_get("delegator")?,
            cluster: row.try_get("cluster")?,
            reason: row.try_get("reason")?,
            created_at: time("created_at")?,
            expires_at: time("expires_at")?,
            revoked,
            frozen,
            id,
        })
    }
}

// === impl LiveSession ===

impl LiveSession {
    fn from_row(row: &SqliteRow) -> Result<Self, Error> {
        let session = Session::from_row(row)?;
        let Ok(hash) = <[u8; 32]>::try_from(row.try_get::<&[u8], _>("token_hash")?) else {
            return Err(Error::Corrupt { id: session.id, column: "token_hash" });
        };
        let Ok(values_sent) = row.try_get::<i64, _>("values_sent")?.try_into() else {
            return Err(Error::Corrupt { id: session.id, column: "values_sent" });
        };
        Ok(Self { session, token_hash: TokenHash(hash), values_sent })
    }
}

// === impl Store ===

impl Store {
    /// Stores a new session, whose `revoked` and `frozen` are not looked at.
    ///
    /// # Errors
    /// [`Error::Exists`] for an id or a hash that is taken; [`Error::Sql`] also for an expiry that is not after
    /// the beginning.
    pub async fn open_session(&self, new: &Session, token_hash: &TokenHash) -> Result<(), Error> {
        let done = sqlx::query(
            "INSERT INTO sessions
               (id, token_hash, agent, delegator, cluster, reason, created_at, expires_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&new.id)
        .bind(&token_hash.0[..])
        .bind(&new.agent)
        .bind(&new.delegator)
        .bind(&new.cluster)
        .bind(&new.reason)
        .bind(new.created_at.as_microsecond())
        .bind(new.expires_at.as_microsecond())
        .execute(&self.pool)
        .await;
        match done {
            Ok(_) => Ok(()),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                Err(Error::Exists(new.id.clone()))
            }
            Err(error) => Err(Error::Sql(error)),
        }
    }

    /// Up to `limit` sessions, newest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn list_sessions(
        &self,
        which: Which,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Session>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM sessions
             WHERE ?1 OR (revoked_at IS NULL AND expires_at > ?2)
             ORDER BY created_at DESC, id DESC
             LIMIT ?3",
        )
        .bind(which == Which::All)
        .bind(now.as_microsecond())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(Session::from_row).collect()
    }

    /// Ends an active session at `now`. Doing it again changes nothing and tells how it ended first.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn revoke_session(
        &self,
        id: &str,
        by: &str,
        why: &str,
        now: Timestamp,
    ) -> Result<Revocation, Error> {
        let ended = sqlx::query(
            "UPDATE sessions SET revoked_at = ?2, revoked_by = ?3, revoked_why = ?4
             WHERE id = ?1 AND revoked_at IS NULL AND expires_at > ?2
             RETURNING *",
        )
        .bind(id)
        .bind(now.as_microsecond())
        .bind(by)
        .bind(why)
        .fetch_optional(&self.pool)
        .await?;
        if let Some(row) = ended {
            return Ok(Revocation::Ended(Session::from_row(&row)?));
        }
        Ok(self.session(id).await?.map_or(Revocation::Unknown, Revocation::AlreadyEnded))
    }

    /// The session with this id, if there is one.
    ///
    /// # Errors
    /// The state cannot be read, or the row is not what was written.
    pub async fn session(&self, id: &str) -> Result<Option<Session>, Error> {
        let row =
            sqlx::query("SELECT * FROM sessions WHERE id = ?").bind(id).fetch_optional(&self.pool).await?;
        row.as_ref().map(Session::from_row).transpose()
    }

    /// Every session that is active or frozen at `now`, with its token's hash, oldest first: what is read at start-up. One whose
    /// end was recorded stays ended, though the wall clock were set back.
    ///
    /// # Errors
    /// The state cannot be read, or a row of it is not what was written.
    pub async fn load_active(&self, now: Timestamp) -> Result<Vec<LiveSession>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM sessions
             WHERE revoked_at IS NULL AND end_recorded_at IS NULL AND expires_at > ?
             ORDER BY created_at, id",
        )
        .bind(now.as_microsecond())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(LiveSession::from_row).collect()
    }

    /// Sessions that ended by `now`, by a revocation or an expiry, without [`Store::end_recorded`], in the order of their
    /// ends.
    ///
    /// # Errors
    /// The state cannot be read, or a row of it is not what was written.
    pub async fn unrecorded_ends(&self, now: Timestamp) -> Result<Vec<Session>, Error> {
        let rows = sqlx::query(
            "SELECT * FROM sessions
             WHERE end_recorded_at IS NULL AND (revoked_at IS NOT NULL OR expires_at <= ?)
             ORDER BY COALESCE(revoked_at, expires_at), id",
        )
        .bind(now.as_microsecond())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(Session::from_row).collect()
    }

    /// Keeps that the end of a session was recorded in the ledger. Doing it again changes nothing.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn end_recorded(&self, id: &str, now: Timestamp) -> Result<(), Error> {
        sqlx::query("UPDATE sessions SET end_recorded_at = ?2 WHERE id = ?1 AND end_recorded_at IS NULL")
            .bind(id)
            .bind(now.as_microsecond())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
