//! The schema and its versions. A migration, once released, is never edited: a change is a new one.

use std::path::Path;

use sqlx::SqlitePool;

use crate::OpenError;

/// `PRAGMA application_id`: "PCUL", so that `file(1)` and this module know whose database it is.
const APPLICATION_ID: i64 = 0x5043_554c;

/// Migration `n` (from 1) takes the schema from version `n - 1` to `n`. The second statement, run in the same
/// transaction, says so: a `PRAGMA` takes no parameters.
const MIGRATIONS: &[(&str, &str)] = &[
    (include_str!("../migrations/0001_sessions.sql"), "PRAGMA user_version = 1"),
    (include_str!("../migrations/0002_expiries.sql"), "PRAGMA user_version = 2"),
    (include_str!("../migrations/0003_ends.sql"), "PRAGMA user_version = 3"),
    (include_str!("../migrations/0004_freezes.sql"), "PRAGMA user_version = 4"),
    (include_str!("../migrations/0005_approvals.sql"), "PRAGMA user_version = 5"),
    (include_str!("../migrations/0006_notices.sql"), "PRAGMA user_version = 6"),
    (include_str!("../migrations/0007_passkeys.sql"), "PRAGMA user_version = 7"),
    (include_str!("../migrations/0008_happenings.sql"), "PRAGMA user_version = 8"),
    (include_str!("../migrations/0009_names.sql"), "PRAGMA user_version = 9"),
    (include_str!("../migrations/0010_ahead.sql"), "PRAGMA user_version = 10"),
];

/// Brings the database up to this release's schema, one transaction a migration.
pub(crate) async fn run(pool: &SqlitePool, file: &Path) -> Result<(), OpenError> {
    let application: i64 =
        sqlx::query_scalar("PRAGMA application_id").fetch_one(pool).await.map_err(OpenError::Sql)?;
    let found: i64 =
        sqlx::query_scalar("PRAGMA user_version").fetch_one(pool).await.map_err(OpenError::Sql)?;
    let objects: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(pool)
        .await
        .map_err(OpenError::Sql)?;
    let fresh = application == 0 && found == 0 && objects == 0;
    if application != APPLICATION_ID && !fresh {
        return Err(OpenError::Foreign { path: file.to_owned(), found: application });
    }
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(OpenError::Newer { path: file.to_owned(), found, known });
    }
    // Kept in the file, so once is enough; and not before we know that the file is ours.
    sqlx::raw_sql("PRAGMA journal_mode = WAL").execute(pool).await.map_err(OpenError::Sql)?;
    let done = usize::try_from(found).unwrap_or(0);
    for (schema, version) in MIGRATIONS.iter().skip(done) {
        apply(pool, schema, version).await.map_err(OpenError::Sql)?;
    }
    Ok(())
}

async fn apply(pool: &SqlitePool, schema: &'static str, version: &'static str) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin().await?;
    // 0x5043554c; set with the first migration so that a crash leaves either an empty file or one of ours.
    sqlx::raw_sql("PRAGMA application_id = 1346590028").execute(&mut *transaction).await?;
    sqlx::raw_sql(schema).execute(&mut *transaction).await?;
    sqlx::raw_sql(version).execute(&mut *transaction).await?;
    transaction.commit().await
}
