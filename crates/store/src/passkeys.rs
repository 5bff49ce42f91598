//! Passkeys: which are whose.

use approval::Level;
use jiff::Timestamp;
use passkey::{Credential, CredentialId};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::{Error, Store, json};

/// A passkey that was enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// The human's name for good.
    pub subject: String,
    /// What they call it.
    pub name: String,
    /// The origin of the pages where it can be used.
    pub origin: String,
    /// It, as it was enrolled.
    pub credential: Credential,
    /// How sure it was who enrolled it.
    pub enrolled_by: Level,
    /// When that was.
    pub enrolled_at: Timestamp,
    /// The newest count of signatures that it told.
    pub sign_count: u32,
    /// When it last signed something.
    pub used_at: Option<Timestamp>,
}

impl Store {
    /// Keeps a passkey. `false`: there is one of this id; nothing was kept.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn enrol_passkey(&self, passkey: &Passkey) -> Result<bool, Error> {
        let Passkey { subject, name, origin, credential, enrolled_by, enrolled_at, sign_count, used_at: _ } =
            passkey;
        let (json, by) = (json(credential)?, json(enrolled_by)?);
        let done = sqlx::query(
            "INSERT INTO passkeys (id, subject, name, origin, credential, enrolled_by, enrolled_at, sign_count)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(credential.id.to_string())
        .bind(subject)
        .bind(name)
        .bind(origin)
        .bind(json)
        .bind(by)
        .bind(enrolled_at.as_microsecond())
        .bind(sign_count)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The passkeys of a human, oldest first.
    ///
    /// # Errors
    /// The state cannot be read, or is not what was written.
    pub async fn passkeys_of(&self, subject: &str) -> Result<Vec<Passkey>, Error> {
        let query =
            sqlx::query("SELECT * FROM passkeys WHERE subject = ? ORDER BY enrolled_at, id").bind(subject);
        query.fetch_all(&self.pool).await?.iter().map(Passkey::from_row).collect()
    }

    /// The passkey of this id.
    ///
    /// # Errors
    /// The state cannot be read, or is not what was written.
    pub async fn passkey(&self, id: &CredentialId) -> Result<Option<Passkey>, Error> {
        let query = sqlx::query("SELECT * FROM passkeys WHERE id = ?").bind(id.to_string());
        query.fetch_optional(&self.pool).await?.as_ref().map(Passkey::from_row).transpose()
    }

    /// Keeps that a passkey signed something, and the count that it told. `false`: it was removed, or told no more than
    /// before, as a copy of it would; nothing was kept. One that does not count tells 0 each time.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn passkey_used(
        &self,
        id: &CredentialId,
        sign_count: u32,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE passkeys SET sign_count = ?2, used_at = ?3
             WHERE id = ?1 AND (sign_count < ?2 OR (sign_count = 0 AND ?2 = 0))",
        )
        .bind(id.to_string())
        .bind(sign_count)
        .bind(now.as_microsecond())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Forgets a passkey of this human. `false`: they have none of this id.
    ///
    /// # Errors
    /// The state cannot be written.
    pub async fn remove_passkey(&self, subject: &str, id: &CredentialId) -> Result<bool, Error> {
        let query = sqlx::query("DELETE FROM passkeys WHERE subject = ? AND id = ?")
            .bind(subject)
            .bind(id.to_string());
        Ok(query.execute(&self.pool).await?.rows_affected() > 0)
    }
}

impl Passkey {
    fn from_row(row: &SqliteRow) -> Result<Self, Error> {
        let id: String = row.try_get("id")?;
        let corrupt = |column| Error::Corrupt { id: id.clone(), column };
        let time =
            |microseconds, column| Timestamp::from_microsecond(microseconds).map_err(|_| corrupt(column));
        let credential: &str = row.try_get("credential")?;
        let enrolled_by: &str = row.try_get("enrolled_by")?;
        let used_at: Option<i64> = row.try_get("used_at")?;
        Ok(Self {
            subject: row.try_get("subject")?,
            name: row.try_get("name")?,
            origin: row.try_get("origin")?,
            credential: serde_json::from_str(credential).map_err(|_| corrupt("credential"))?,
            enrolled_by: serde_json::from_str(enrolled_by).map_err(|_| corrupt("enrolled_by"))?,
            enrolled_at: time(row.try_get("enrolled_at")?, "enrolled_at")?,
            sign_count: row.try_get("sign_count")?,
            used_at: used_at.map(|at| time(at, "used_at")).transpose()?,
        })
    }
}
