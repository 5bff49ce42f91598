//! By which names people of an identity provider were ever known.

use crate::{Error, Store};

/// Of one person; whoever has had more is known by these and the newest.
const MOST: u32 = 200;

impl Store {
    /// Keeps these names of a person, and tells of every name that they were ever known by.
    ///
    /// # Errors
    /// The state cannot be read or written.
    pub async fn remember_names(&self, person: &str, names: &[String]) -> Result<Vec<String>, Error> {
        let mut transaction = self.pool.begin().await?;
        for name in names {
            sqlx::query(
                "INSERT INTO names (person, name) SELECT ?1, ?2
                 WHERE (SELECT count(*) FROM names WHERE person = ?1) < ?3
                 ON CONFLICT (person, name) DO NOTHING",
            )
            .bind(person)
            .bind(name)
            .bind(MOST)
            .execute(&mut *transaction)
            .await?;
        }
        let all = sqlx::query_scalar("SELECT name FROM names WHERE person = ? ORDER BY name").bind(person);
        let all = all.fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(all)
    }
}
