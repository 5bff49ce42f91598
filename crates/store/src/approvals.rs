//! Approvals: what was asked, and each step since, once.

use approval::{Approval, Asked, Subject, Transition};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::{Error, Store, json};

/// A request for approval to be kept.
#[derive(Debug, Clone)]
pub struct NewApproval<'a> {
    /// What is asked.
    pub asked: &'a Asked,
    /// What the request is found by when it is sent again.
    pub request: &'a str,
    /// What would be done, in words.
    pub act: &'a str,
    /// What the session is for, in words.
    pub reason: &'a str,
    /// What approvers are shown, masked: JSON.
    pub shown: &'a str,
}

/// An approval as it stands, and what it is for.
#[derive(Debug, Clone)]
pub struct StoredApproval {
    /// Where it stands.
    pub approval: Approval,
    /// What would be done, in words.
    pub act: String,
    /// What the session is for, in words.
    pub reason: String,
}

/// How many approvals a session has asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asks {
    /// That humans have yet to decide about.
    pub pending: u32,
    /// Whatever became of them.
    pub ever: u32,
}

/// A query for approvals with all their steps, or some, in their order: what it gives is one state, whoever takes steps meanwhile.
macro_rules! approvals {
    ($of:literal) => {
        approvals!("", $of)
    };
    ($and:literal, $of:literal) => {
        concat!(
            "SELECT a.*, (
                 SELECT json_group_array(json(step) ORDER BY number) FROM approval_steps WHERE approval = a.id ",
            $and,
            ") AS steps
             FROM approvals a ",
            $of
        )
    };
}

impl Store {
    /// Keeps a request.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn ask(&self, new: &NewApproval<'_>) -> Result<(), Error> {
        let NewApproval { asked, request, act, reason, shown } = new;
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "INSERT INTO approvals (id, session, request, asked_at, asked, act, reason, state, deadline, ahead)
             VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)",
        )
        .bind(&asked.id)
        .bind(&asked.bound.session)
        .bind(request)
        .bind(asked.at.as_microsecond())
        .bind(json(asked)?)
        .bind(act)
        .bind(reason)
        .bind(asked.decide_by.as_microsecond())
        .bind(match asked.bound.subject {
            Subject::Call(_) => None,
            Subject::Changes(_) => Some("changes"),
            Subject::Access(_) => Some("access"),
        })
        .execute(&mut *transaction)
        .await?;
        sqlx::query("INSERT INTO approval_shown (approval, shown) VALUES (?, ?)")
            .bind(&asked.id)
            .bind(shown)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// How many approvals a session has asked for.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn asks_of(&self, session: &str) -> Result<Asks, Error> {
        let row = sqlx::query(
            "SELECT count(*) AS ever, count(*) FILTER (WHERE state = 'pending') AS pending
             FROM approvals WHERE session = ?",
        )
        .bind(session)
        .fetch_one(&self.pool)
        .await?;
        Ok(Asks { pending: row.try_get("pending")?, ever: row.try_get("ever")? })
    }

    /// What approvers are shown of an approval: JSON.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn approval_shown(&self, id: &str) -> Result<Option<String>, Error> {
        let shown = sqlx::query_scalar("SELECT shown FROM approval_shown WHERE approval = ?")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(shown)
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
        sqlx::query("UPDATE approvals SET state = ?2, deadline = ?3, owes_review = ?4 WHERE id = ?1")
            .bind(&next.asked().id)
            .bind(next.state().as_str())
            .bind(next.deadline().map(Timestamp::as_microsecond))
            .bind(next.owes_review())
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
        let row = sqlx::query(approvals!("WHERE id = ?")).bind(id).fetch_optional(&self.pool).await?;
        row.as_ref().map(StoredApproval::from_row).transpose()
    }

    /// The approval `id` as it was after so many steps.
    ///
    /// # Errors
    /// The state cannot be read, or is not what was written.
    pub(crate) async fn approval_after(&self, id: &str, steps: u32) -> Result<Option<StoredApproval>, Error> {
        let query = approvals!("AND number <= ?2", "WHERE id = ?1");
        let row = sqlx::query(query).bind(id).bind(steps).fetch_optional(&self.pool).await?;
        row.as_ref().map(StoredApproval::from_row).transpose()
    }

    /// The newest approval of `session` for this request that is pending or can be used.
    ///
    /// # Errors
    /// The state cannot be read, or is not what was written.
    pub async fn open_approval(&self, session: &str, request: &str) -> Result<Option<StoredApproval>, Error> {
        let row = sqlx::query(approvals!(
            "WHERE session = ? AND request = ? AND deadline IS NOT NULL ORDER BY asked_at DESC, id DESC LIMIT 1"
        ))
        .bind(session)
        .bind(request)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(StoredApproval::from_row).transpose()
    }

    /// Approvals that are pending or can be used, oldest first; with `all`, also those that ended, newest first.
    ///
    /// # Errors
    /// The state cannot be read, or is not what was written.
    pub async fn approvals(&self, all: bool, most: u32) -> Result<Vec<StoredApproval>, Error> {
        let query = if all {
            approvals!("ORDER BY asked_at DESC, id DESC LIMIT ?")
        } else {
            approvals!("WHERE deadline IS NOT NULL ORDER BY asked_at, id LIMIT ?")
        };
        let rows = sqlx::query(query).bind(most).fetch_all(&self.pool).await?;
        rows.iter().map(StoredApproval::from_row).collect()
    }

    /// The changes and the access of a session that were approved and can be used, as far as time is left out of account; oldest first.
    /// Not those of which the ledger has yet to be told something: nobody acts on that.
    ///
    /// # Errors
    /// The state cannot be read, or is not what was written.
    pub async fn approved_ahead(&self, session: &str) -> Result<Vec<StoredApproval>, Error> {
        let rows = sqlx::query(approvals!(
            "WHERE session = ? AND ahead IS NOT NULL AND deadline IS NOT NULL AND state = 'approved'
               AND NOT EXISTS (SELECT 1 FROM approval_steps s WHERE s.approval = a.id AND s.recorded_at IS NULL)
             ORDER BY asked_at, id"
        ))
        .bind(session)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(StoredApproval::from_row).collect()
    }

    /// By which the glass was broken, and which nobody has signed off; oldest first.
    ///
    /// # Errors
    /// The state cannot be read, or is not what was written.
    pub async fn unreviewed(&self, most: u32) -> Result<Vec<StoredApproval>, Error> {
        let rows = sqlx::query(approvals!("WHERE owes_review = 1 ORDER BY asked_at, id LIMIT ?"))
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(StoredApproval::from_row).collect()
    }

    /// The approvals of a session that can be decided or used; oldest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn open_approvals_of(&self, session: &str) -> Result<Vec<String>, Error> {
        let ids = sqlx::query_scalar(
            "SELECT id FROM approvals WHERE session = ? AND deadline IS NOT NULL ORDER BY asked_at, id",
        )
        .bind(session)
        .fetch_all(&self.pool)
        .await?;
        Ok(ids)
    }

    /// The approvals that can be decided or used, and whose time ran out by `now`; oldest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn overdue_approvals(&self, now: Timestamp) -> Result<Vec<String>, Error> {
        let ids = sqlx::query_scalar("SELECT id FROM approvals WHERE deadline <= ? ORDER BY deadline, id")
            .bind(now.as_microsecond())
            .fetch_all(&self.pool)
            .await?;
        Ok(ids)
    }

    /// Steps without [`Store::step_recorded`], those of each approval in their order: of all, or of one approval.
    ///
    /// # Errors
    /// The state cannot be read, or is not what was written.
    pub async fn unrecorded_steps(&self, of: Option<&str>) -> Result<Vec<(String, Transition)>, Error> {
        let rows = sqlx::query(
            "SELECT approval, step FROM approval_steps
             WHERE recorded_at IS NULL AND (?1 IS NULL OR approval = ?1)
             ORDER BY approval, number",
        )
        .bind(of)
        .fetch_all(&self.pool)
        .await?;
        let mut steps = Vec::with_capacity(rows.len());
        for row in &rows {
            let id: String = row.try_get("approval")?;
            let step = parsed(&id, "step", row)?;
            steps.push((id, step));
        }
        Ok(steps)
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
}

impl StoredApproval {
    fn from_row(row: &SqliteRow) -> Result<Self, Error> {
        let id: String = row.try_get("id")?;
        let asked: Asked = parsed(&id, "asked", row)?;
        let steps: Vec<Transition> = parsed(&id, "steps", row)?;
        let corrupt = |column| Error::Corrupt { id: id.clone(), column };
        let begun = Approval::new(asked).map_err(|_| corrupt("asked"))?;
        let approval = steps.iter().try_fold(begun, Approval::after).map_err(|_| corrupt("steps"))?;
        Ok(Self { approval, act: row.try_get("act")?, reason: row.try_get("reason")? })
    }
}

fn parsed<T: DeserializeOwned>(id: &str, column: &'static str, row: &SqliteRow) -> Result<T, Error> {
    let text: &str = row.try_get(column)?;
    serde_json::from_str(text).map_err(|_| Error::Corrupt { id: id.to_owned(), column })
}
