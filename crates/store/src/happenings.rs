//! What has happened and people are yet to be told. Triggers keep it, with what happens.

use jiff::Timestamp;
use sqlx::Row as _;

use crate::{Error, Frozen, Session, Store, StoredApproval};

/// Something that the ledger has, and people are yet to be told.
#[derive(Debug, Clone)]
pub struct Happening {
    /// Its place in the order of all.
    pub number: i64,
    /// What happened.
    pub what: Happened,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Happened {
    /// An approval was asked for or took a step.
    Approval {
        /// As it was then.
        stored: Box<StoredApproval>,
        /// How many steps it had taken; none: it was asked for.
        step: u32,
    },
    /// A session was frozen.
    Freeze {
        /// The session, as it is by now.
        session: Box<Session>,
        /// How it was frozen, though it may be thawed by now.
        frozen: Frozen,
    },
    /// Nobody can tell: what is stored of it is not what was written.
    Corrupt(String),
}

impl Store {
    /// What people are to be told next: the first that happened.
    ///
    /// # Errors
    /// The state cannot be read.
    pub async fn next_happening(&self) -> Result<Option<Happening>, Error> {
        let row = sqlx::query("SELECT * FROM happenings ORDER BY number LIMIT 1")
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let number = row.try_get("number")?;
        let what = match row.try_get::<Option<String>, _>("approval")? {
            Some(id) => self.approval_happened(&id, row.try_get("step")?).await,
            None => {
                let (by, why) = (row.try_get("frozen_by")?, row.try_get("frozen_why")?);
                self.freeze_happened(row.try_get("session")?, row.try_get("frozen_at")?, by, why).await
            }
        };
        match what {
            Ok(what) => Ok(Some(Happening { number, what })),
            // It stays so, and may not keep people from hearing the rest.
            Err(error @ Error::Corrupt { .. }) => {
                Ok(Some(Happening { number, what: Happened::Corrupt(error.to_string()) }))
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps that nobody is to be told of it any more.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn happening_settled(&self, number: i64) -> Result<(), Error> {
        sqlx::query("DELETE FROM happenings WHERE number = ?").bind(number).execute(&self.pool).await?;
        Ok(())
    }

    async fn approval_happened(&self, id: &str, step: u32) -> Result<Happened, Error> {
        let stored = self.approval_after(id, step).await?;
        let stored = stored.ok_or_else(|| Error::Corrupt { id: id.to_owned(), column: "id" })?;
        Ok(Happened::Approval { stored: Box::new(stored), step })
    }

    async fn freeze_happened(&self, id: String, at: i64, by: String, why: String) -> Result<Happened, Error> {
        let session = self.session(&id).await?;
        match (session, Timestamp::from_microsecond(at)) {
            (None, _) => Err(Error::Corrupt { id, column: "id" }),
            (_, Err(_)) => Err(Error::Corrupt { id, column: "frozen_at" }),
            (Some(session), Ok(at)) => {
                Ok(Happened::Freeze { session: Box::new(session), frozen: Frozen { at, by, why } })
            }
        }
    }
}
