//! The chronicle's file.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::Error;

/// `PRAGMA application_id`: "PCCH".
const APPLICATION_ID: i64 = 0x5043_4348;
/// Another schema is another version: then the file is made anew.
const VERSION: i64 = 3;

/// Opens the file, which is made if there is none that can be used.
pub(crate) async fn open(file: &Path) -> Result<SqlitePool, Error> {
    private(file)?;
    let pool = connect(file).await;
    if let Ok(pool) = &pool
        && is_ours(pool).await
    {
        return Ok(pool.clone());
    }
    if let Ok(pool) = pool {
        pool.close().await;
    }
    remove(file)?;
    private(file)?;
    let pool = connect(file).await?;
    let mut transaction = pool.begin().await?;
    sqlx::raw_sql(include_str!("schema.sql")).execute(&mut *transaction).await?;
    // 0x50434348 and the version: a `PRAGMA` takes no parameters.
    sqlx::raw_sql("PRAGMA application_id = 1346585416; PRAGMA user_version = 3")
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(pool)
}

/// Removes the file and what SQLite keeps beside it.
pub(crate) fn remove(file: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// At no moment can others read it.
fn private(file: &Path) -> io::Result<()> {
    let made =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(file)?;
    made.set_permissions(Permissions::from_mode(0o600))
}

async fn connect(file: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // What a crash of the machine loses is entered again.
        .synchronous(SqliteSynchronous::Off)
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON");
    SqlitePoolOptions::new().max_connections(4).connect_with(options).await
}

async fn is_ours(pool: &SqlitePool) -> bool {
    let pragma = async |pragma| sqlx::query_scalar::<_, i64>(pragma).fetch_one(pool).await.ok();
    let whole = sqlx::query_scalar::<_, String>("PRAGMA quick_check(1)").fetch_one(pool).await;
    pragma("PRAGMA application_id").await == Some(APPLICATION_ID)
        && pragma("PRAGMA user_version").await == Some(VERSION)
        && whole.is_ok_and(|found| found == "ok")
}
