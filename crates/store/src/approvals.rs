//! Approvals: what was asked, and each step since, once.

use approval::{Approval, Asked, Transition};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::{Error, Store};

/// A request for approval to be kept.
#[derive(Debug, Clone)]
pub struct NewApproval<'a> {
    /// What is asked.
    pub asked: &'a Asked,
    /// What the request is found by when it is sent again.
    pub request: &'a str,
    /// What approvers are shown, masked: JSON.
    pub shown: &'a str,
}

/// An approval as it stands, and what approvers are shown.
#[derive(Debug, Clone)]
pub struct StoredApproval {
    /// Where it stands.
    pub approval: Approval,
    /// JSON.
    pub shown: String,
}

/// What became of a request to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is.
    Kept,
    /// The session has as many that are pending as it may; nothing was kept.
    TooMany,
}

/// A request or a step that the ledger has not been told of.
#[derive(Debug, Clone)]
pub enum Unrecorded {
    /// The request.
    Request(Box<StoredApproval>),
    /// A step of this approval.
    Step(String, Transition),
}

impl Store {
    /// Keeps a request, unless its session has `most` that are pending.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn ask(&self, new: &NewApproval<'_>, most: u32) -> Result<Kept, Error> {
        let NewApproval { asked, request, shown } = new;
        let done = sqlx::query(
            "INSERT INTO approvals (id, session, request, asked_at, asked, shown, state)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, 'pending'
             WHERE (SELECT count(*) FROM approvals WHERE session = ?2 AND state = 'pending') < ?7",
        )
        .bind(&asked.id)
        .bind(&asked.bound.session)
        .bind(request)
        .bind(asked.at.as_microsecond())
        .bind(json(asked)?)
        .bind(shown)
        .bind(most)
        .execute(&self.pool)
        .await?;
        Ok(if done.rows_affected() == 0 { Kept::TooMany } else { Kept::Kept })
    }

    /// Takes a step, after which the approval is `next`. `false`: somebody else took one since it was read; nothing was kept.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn take_step(&self, step: &Transition, next: &Approval) -> Result<bool, Error> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query(
            "INSERT INTO approval_steps (approval, number, step) VALUES (?, ?, ?)
             ON CONFLICT (approval, number) DO NOTHING",
        )
        .bind(&next.asked().id)
        .bind(step.number)
        .bind(json(step)?)
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("UPDATE approvals SET state = ?2 WHERE id = ?1")
            .bind(&next.asked().id)
            .bind(next.state().as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The approval `id`.
    ///
    /// # Errors
    /// The state cannot be read, or is not what was written.
    pub async fn approval(&self, id: &str) -> Result<Option<StoredApproval>, Error> {
        let row =
            sqlx::query("SELECT * FROM approvals WHERE id = ?").bind(id).fetch_optional(&self.pool).await?;
        match row {
            Some(row) => self.approval_of(&row).await.map(Some),
            None => Ok(None),
        }
    }

    /// The newest approval of `session` for this request that is pending or can be used.
    ///
    /// # Errors
    /// The state cannot be read, or is not what was written.
    pub async fn open_approval(&self, session: &str, request: &str) -> Result<Option<StoredApproval>, Error> {
        let row = sqlx::query(
            "SELECT * FROM approvals
             WHERE session = ? AND request = ? AND state IN ('pending', 'approved')
             ORDER BY asked_at DESC, id DESC LIMIT 1",
        )
        .bind(session)
        .bind(request)
        .fetch_optional(&self.pool)
        .await?;
        match row {
            Some(row) => self.approval_of(&row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Approvals that are pending or can be used, oldest first; with `all`, also those that ended, newest first.
    ///
    /// # Errors
    /// The state cannot be read, or is not what was written.
    pub async fn approvals(&self, all: bool, most: u32) -> Result<Vec<StoredApproval>, Error> {
        let query = if all {
            "SELECT * FROM approvals ORDER BY asked_at DESC, id DESC LIMIT ?"
        } else {
            "SELECT * FROM approvals WHERE state IN ('pending', 'approved') ORDER BY asked_at, id LIMIT ?"
        };
        let rows = sqlx::query(query).bind(most).fetch_all(&self.pool).await?;
        let mut approvals = Vec::with_capacity(rows.len());
        for row in &rows {
            approvals.push(self.approval_of(row).await?);
        }
        Ok(approvals)
    }

    /// Requests and steps without [`Store::asking_recorded`] and [`Store::step_recorded`], in an order in which they can be told.
    ///
    /// # Errors
    /// The state cannot be read, or is not what was written.
    pub async fn unrecorded_approvals(&self) -> Result<Vec<Unrecorded>, Error> {
        let asked = sqlx::query("SELECT * FROM approvals WHERE recorded_at IS NULL ORDER BY asked_at, id")
            .fetch_all(&self.pool)
            .await?;
        let mut unrecorded = Vec::new();
        for row in &asked {
            unrecorded.push(Unrecorded::Request(Box::new(self.approval_of(row).await?)));
        }
        let steps = sqlx::query(
            "SELECT approval, step FROM approval_steps WHERE recorded_at IS NULL ORDER BY approval, number",
        )
        .fetch_all(&self.pool)
        .await?;
        for row in &steps {
            let id: String = row.try_get("approval")?;
            let step = parsed(&id, "step", row)?;
            unrecorded.push(Unrecorded::Step(id, step));
        }
        Ok(unrecorded)
    }

    /// Keeps that a request was recorded in the ledger.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn asking_recorded(&self, id: &str, now: Timestamp) -> Result<(), Error> {
        sqlx::query("UPDATE approvals SET recorded_at = ?2 WHERE id = ?1 AND recorded_at IS NULL")
            .bind(id)
            .bind(now.as_microsecond())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Keeps that a step was recorded in the ledger.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn step_recorded(&self, id: &str, number: u32, now: Timestamp) -> Result<(), Error> {
        sqlx::query(
            "UPDATE approval_steps SET recorded_at = ?3
             WHERE approval = ?1 AND number = ?2 AND recorded_at IS NULL",
        )
        .bind(id)
        .bind(number)
        .bind(now.as_microsecond())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn approval_of(&self, row: &SqliteRow) -> Result<StoredApproval, Error> {
        let id: String = row.try_get("id")?;
        let asked: Asked = parsed(&id, "asked", row)?;
        let steps = sqlx::query("SELECT step FROM approval_steps WHERE approval = ? ORDER BY number")
            .bind(&id)
            .fetch_all(&self.pool)
            .await?;
        let corrupt = |column| Error::Corrupt { id: id.clone(), column };
        let mut approval = Approval::new(asked).map_err(|_| corrupt("asked"))?;
        for step in &steps {
            let step: Transition = parsed(&id, "step", step)?;
            approval = approval.after(&step).map_err(|_| corrupt("step"))?;
        }
        Ok(StoredApproval { approval, shown: row.try_get("shown")? })
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Sql(sqlx::Error::Encode(error.into())))
}

fn parsed<T: DeserializeOwned>(id: &str, column: &'static str, row: &SqliteRow) -> Result<T, Error> {
    let text: &str = row.try_get(column)?;
    serde_json::from_str(text).map_err(|_| Error::Corrupt { id: id.to_owned(), column })
}
