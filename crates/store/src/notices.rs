//! Notices on their way: what is to be told, and which target is still owed it.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row as _;

use crate::{Error, Store, json};

/// A notice to be kept until each of its targets has it.
#[derive(Debug)]
pub struct NewNotice<'a, N> {
    /// What tells it from any other.
    pub id: &'a str,
    /// When it is added.
    pub at: Timestamp,
    /// What it says.
    pub notice: &'a N,
    /// Who is to be told.
    pub targets: &'a [&'a str],
}

/// A notice that a target is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedNotice {
    /// Its place in the order of all.
    pub number: i64,
    /// What tells it from any other.
    pub id: String,
    /// When it was added.
    pub added_at: Timestamp,
    /// Not to be tried before.
    pub due: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// What it says: JSON.
    pub notice: String,
}

impl Store {
    /// Keeps a notice for its targets. `false`: it is known, and nothing was changed.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn add_notice<N: Serialize + Sync>(&self, new: &NewNotice<'_, N>) -> Result<bool, Error> {
        let NewNotice { id, at, notice, targets } = new;
        let mut transaction = self.pool.begin().await?;
        let number: Option<i64> = sqlx::query_scalar(
            "INSERT INTO notices (id, added_at, notice) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING number",
        )
        .bind(id)
        .bind(at.as_microsecond())
        .bind(json(notice)?)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(number) = number else { return Ok(false) };
        for target in *targets {
            sqlx::query("INSERT INTO notice_deliveries (target, due, notice) VALUES (?, ?, ?)")
                .bind(target)
                .bind(at.as_microsecond())
                .bind(number)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// The notice that a target is to be told next: the one that is due first, and the oldest of those.
    ///
    /// # Errors
    /// The state cannot be read, or is not what was written.
    pub async fn next_notice(&self, target: &str) -> Result<Option<OwedNotice>, Error> {
        let row = sqlx::query(
            "SELECT n.number, n.id, n.added_at, n.notice, d.due, d.attempts
             FROM notice_deliveries d JOIN notices n ON n.number = d.notice
             WHERE d.target = ? ORDER BY d.due, d.notice LIMIT 1",
        )
        .bind(target)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let id: String = row.try_get("id")?;
        let corrupt = |column| Error::Corrupt { id: id.clone(), column };
        let time = |column| match Timestamp::from_microsecond(row.try_get(column)?) {
            Ok(time) => Ok(time),
            Err(_) => Err(corrupt(column)),
        };
        Ok(Some(OwedNotice {
            number: row.try_get("number")?,
            added_at: time("added_at")?,
            due: time("due")?,
            attempts: row.try_get::<i64, _>("attempts")?.try_into().map_err(|_| corrupt("attempts"))?,
            notice: row.try_get("notice")?,
            id,
        }))
    }

    /// Keeps that a target is owed a notice no more: it has it, or was given up.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn notice_settled(&self, target: &str, number: i64) -> Result<(), Error> {
        sqlx::query("DELETE FROM notice_deliveries WHERE notice = ? AND target = ?")
            .bind(number)
            .bind(target)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Keeps that a notice was tried in vain, and when it is to be tried again.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn notice_failed(&self, target: &str, number: i64, due: Timestamp) -> Result<(), Error> {
        sqlx::query(
            "UPDATE notice_deliveries SET attempts = attempts + 1, due = ?3 WHERE notice = ?1 AND target = ?2",
        )
        .bind(number)
        .bind(target)
        .bind(due.as_microsecond())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Gives up what a target is owed that was added by `before`, and says how many that were.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn give_up_notices(&self, target: &str, before: Timestamp) -> Result<u64, Error> {
        let done = sqlx::query(
            "DELETE FROM notice_deliveries
             WHERE target = ? AND notice IN (SELECT number FROM notices WHERE added_at <= ?)",
        )
        .bind(target)
        .bind(before.as_microsecond())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// Gives up what all but these targets are owed, since there are no others, and says how much that was.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn keep_notices_for(&self, targets: &[&str]) -> Result<u64, Error> {
        let targets = json(&targets)?;
        let done =
            sqlx::query("DELETE FROM notice_deliveries WHERE target NOT IN (SELECT value FROM json_each(?))")
                .bind(targets)
                .execute(&self.pool)
                .await?;
        Ok(done.rows_affected())
    }

    /// Forgets notices which were added by `before` and which nobody is owed. Told again, they would be new.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn forget_notices(&self, before: Timestamp) -> Result<(), Error> {
        sqlx::query(
            "DELETE FROM notices
             WHERE added_at <= ? AND NOT EXISTS (SELECT 1 FROM notice_deliveries WHERE notice = number)",
        )
        .bind(before.as_microsecond())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
